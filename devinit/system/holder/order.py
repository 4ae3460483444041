"""What a holder is to do: for the types of both sides alone."""

from __future__ import annotations

from typing import TypedDict


class Order(TypedDict):
    """Everything that it needs; nothing of it is in its arguments, which other users can read."""

    program: str
    argv: list[str]
    environment: dict[str, str]
    socket: str
    """Where it listens."""
    endings: str
    """The file for exit codes."""
    log: int
    told: int
    """A pipe: it tells the service's pid, or what the system refuses, and reaps nothing before that is closed."""
    keep: list[int]
    """Descriptors that the service inherits."""
    size: tuple[int, int]
    """Rows and columns."""
    umask: int
