"""A server of a kind that keeps data, as a project has it that says nothing about it."""

from __future__ import annotations

from pathlib import Path

from devinit.kinds import Kind, usual_settings
from devinit.model.defaults import preferring, project_name
from devinit.model.service import Service


def server(kind: Kind, root: Path) -> Service:
    """Return the server of a kind with its usual port and settings: a database is called like the folder."""
    port = kind.default_port and preferring(kind.name, kind.default_port, browser=kind.has_pages)
    settings = usual_settings(kind, project_name(root), is_named=False)
    return Service(name=kind.name, provider=kind.name, directory=root, port=port or None, settings=settings)
