"""Zero configuration: what a folder shows about its services."""

from __future__ import annotations

from pathlib import Path

from devinit.model.service import Project


def detect(root: Path) -> Project:
    """Return the project that a folder's content suggests."""
    return Project(name=root.name, root=root, services={})
