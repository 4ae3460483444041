"""The interface of an exporter. Pure."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from devinit.model.resolved import Reader, Resolved


class File(Struct, frozen=True, kw_only=True):
    """One file of an export."""

    path: str
    """Its path, relative to the project, or to the folder of an export with several files."""
    text: str
    """Without the line that names its source."""
    comment: tuple[str, str] = ("# ", "")
    """Text before and after a comment of one line."""


class Export(Struct, frozen=True, kw_only=True):
    """The result of an exporter."""

    files: tuple[File, ...]
    """One file, or several for a format with a folder."""
    beside: tuple[File, ...] = ()
    """Further files that the export needs, such as a Dockerfile: written on demand, never over a person's file."""
    without_beside: tuple[str, ...] = ()
    """Messages to the user if those are not written."""
    notes: tuple[str, ...] = ()
    """Messages to the user: what is left out, and what the files require."""


class Exporter(Struct, frozen=True, kw_only=True):
    """One export format."""

    name: str
    reader: Reader
    """Where its programs run, which decides on the addresses."""
    path: str
    """Usual path of its file, relative to the project; a folder of several files ends with `/`."""
    render: Callable[[Resolved], Export]
    """Returns the files; deterministic, without access to the machine."""

    @property
    def has_several_files(self) -> bool:
        """Whether it creates a folder of files."""
        return self.path.endswith("/")
