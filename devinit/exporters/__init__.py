"""Export formats of a project: one module or folder each, with an `EXPORTER`.

Each exporter is a pure function of a resolved project. None imports another one, and none knows how a kind of
service runs. Another package adds a format by an entry point in `devinit.exporters`, which is read for names that
are not in the table.
"""

from __future__ import annotations

BUILT_IN = {
    "compose": "Docker Compose: images for databases, `build` for programs",
    "devcontainer": "a development container that runs devinit",
    "env": "the runtime environment as a .env file, without passwords",
    "kubernetes": "manifests and a kustomization",
    "pm2": "an ecosystem file for PM2",
    "process-compose": "a process-compose.yaml",
    "procfile": "a Procfile for foreman and honcho",
    "swarm": "a stack for Docker Swarm",
    "systemd": "units for the user's systemd",
    "vscode": "tasks, and launch configurations that attach to debug ports, for VS Code",
}
"""Name of a format → its result in one line. The name is that of its module, with `_` for `-`."""
