"""A task of a project: a command that a user runs by its name."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct


class Task(Struct, frozen=True, kw_only=True):
    """A command that is run by its name, in the environment of the project or of a service."""

    name: str
    commands: tuple[str, ...] = ()
    """Command lines, one after the other; none for a task that is only what it depends on."""
    directory: Path
    """Where it runs, absolute, unless it runs as a service."""
    service: str | None = None
    """The service as which it runs: in its folder, with its environment, port and tools."""
    depends_on: tuple[str, ...] = ()
    """Tasks that run before it, and services that have to be ready. A name that both have is the task's."""
    description: str | None = None
    label: str | None = None
    """What the dashboard calls it, if not by its name."""
    confirm: str | None = None
    """What is asked before the dashboard runs it; empty for the usual question, None for none."""
    key: str | None = None
    """The letter or digit that runs it from the dashboard's list."""

    @property
    def title(self) -> str:
        """What the dashboard calls it."""
        return self.label or self.name
