"""The order of a holder, as a type for both sides."""

from __future__ import annotations

from typing import TypedDict


class Order(TypedDict):
    """Everything that a holder needs; it is not passed in arguments, which other users can read."""

    program: str
    argv: list[str]
    environment: dict[str, str]
    socket: str
    """The path of its socket."""
    endings: str
    """The file for exit codes."""
    log: int
    told: int
    """A pipe: it carries the service's pid, or the error; the holder reaps no process before it is closed."""
    keep: list[int]
    """Descriptors that the service inherits."""
    size: tuple[int, int]
    """Rows and columns."""
    umask: int
