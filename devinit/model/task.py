"""A task of a project: a command that the user runs by name."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct


class Task(Struct, frozen=True, kw_only=True):
    """A command that runs by its name, in the environment of the project or of a service."""

    name: str
    commands: tuple[str, ...] = ()
    """Command lines, run one after the other; empty for a task that only has dependencies."""
    directory: Path
    """Its working directory, absolute, unless it runs as a service."""
    service: str | None = None
    """The service as which it runs: in its folder, with its environment, port and tools."""
    depends_on: tuple[str, ...] = ()
    """Tasks that run before it, and services that must be ready. A name of both a task and
    a service means the task."""
    description: str | None = None
    label: str | None = None
    """Its title in the dashboard, if it differs from the name."""
    confirm: str | None = None
    """The question of the dashboard before it runs; empty for the default question, None for no question."""
    key: str | None = None
    """The letter or digit that runs it from the dashboard's list."""

    @property
    def title(self) -> str:
        """Its title in the dashboard."""
        return self.label or self.name
