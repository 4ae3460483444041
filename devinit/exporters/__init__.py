"""Formats into which a project is exported, one module or folder each, with `EXPORTER`.

Each is a pure function of what the project resolves to. None knows another one, and none knows how a kind of
service is run. Another package brings one by an entry point of `devinit.exporters`, which is read for a name that
is not in the table.
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
    "systemd": "units for the user's systemd",
    "vscode": "tasks, and launch configurations that attach to debug ports, for VS Code",
}
"""Each is the module of its name in this package (`-` is `_` there), with what it makes in one line."""
