"""Which project a command works on."""

from __future__ import annotations

import os
from pathlib import Path

from devinit.config.find import find_root
from devinit.errors import NoProject, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from devinit.cli.arguments import Arguments


def root_of(arguments: Arguments) -> Path:
    """Return the root of the project that the command was given, or stands in."""
    start = Path(arguments.directory) if arguments.directory else current_directory()
    if not start.is_dir():
        raise UsageError(f"-C {start}: there is no such folder")
    root = find_root(start)
    if root is None:
        raise NoProject(
            f"there is no project in {start.absolute()} or above it",
            hint="a project has a devinit.toml, or folders named backend/ or frontend/: `devinit init`",
        )
    return root


def current_directory() -> Path:
    """Return the folder that the command was run in."""
    try:
        return Path(os.getcwd())  # noqa: PTH109  the error is caught here
    except FileNotFoundError:
        raise UsageError(
            "the current folder does not exist any more", hint="change to one that does"
        ) from None
