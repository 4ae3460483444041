"""A project as its files describe it: its services, and the ports that the next start would request.

Commands that show a project without a supervisor begin here. It loads no provider.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from devinit.config.load import load
from devinit.model.port import PortRequest
from devinit.model.service import Project
from devinit.ports.remembered import ports_file


class AtRest(NamedTuple):
    """A project with the ports of its last start."""

    project: Project
    remembered: dict[str, int]
    """Ports in `.ports.json`, keyed by the name of the port."""

    def port_of(self, request: PortRequest) -> int:
        """Return the port that the next start tries first."""
        return request.expected(self.remembered.get(request.service))


def at_rest(root: Path, *, as_written: bool = False) -> AtRest:
    """Load a project under the profile in DEVINIT_PROFILE, with its ports. Raise ConfigError, NoProject.

    With `as_written`, the preferred ports are those of the files, also in a linked worktree.
    """
    project = load(root, profile=os.environ.get("DEVINIT_PROFILE") or None, as_written=as_written)
    return AtRest(project, ports_file.read(root))
