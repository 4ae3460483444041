"""What an exporter is. Pure."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from devinit.model.resolved import Reader, Resolved


class File(Struct, frozen=True, kw_only=True):
    """One file of an export."""

    path: str
    """Where it belongs: relative to the project, or to the folder of an export with several files."""
    text: str
    """Without the line that says where it comes from."""
    comment: tuple[str, str] = ("# ", "")
    """What stands around a comment of one line."""


class Export(Struct, frozen=True, kw_only=True):
    """What an exporter makes of a project."""

    files: tuple[File, ...]
    """One, or several of a format with a folder."""
    beside: tuple[File, ...] = ()
    """Files that the project needs for it and lacks, as a Dockerfile: written on demand, over no person's file."""
    without_beside: tuple[str, ...] = ()
    """What the user should know when those are not written."""
    notes: tuple[str, ...] = ()
    """What the user should know: what is left out, and what the files expect."""


class Exporter(Struct, frozen=True, kw_only=True):
    """One format."""

    name: str
    reader: Reader
    """Where its programs run, and so which addresses they use."""
    path: str
    """Where its file usually lies, relative to the project; a folder of several files ends with `/`."""
    render: Callable[[Resolved], Export]
    """Return the files; deterministic, with no look at the machine."""

    @property
    def has_several_files(self) -> bool:
        """Whether it makes a folder of files."""
        return self.path.endswith("/")
