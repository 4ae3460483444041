"""Which project a command works on."""

from __future__ import annotations

import os

from devinit.config.find import find_root_as_text
from devinit.errors import NoProject, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from devinit.cli.arguments import Arguments


NO_SERVICES = (
    "there are no services: add a [services.NAME] with a command to devinit.toml, or let "
    "`devinit init --force` write what it detects here"
)


def root_of(arguments: Arguments) -> Path:
    """Return the root of the project that the command was given, or stands in."""
    from pathlib import Path  # a third of the time of the fastest command, which does without it

    return Path(root_as_text(arguments))


def root_as_text(arguments: Arguments) -> str:
    """Return `root_of` as text, without loading pathlib."""
    start = folder_of(arguments)
    root = find_root_as_text(start)
    if root is None:
        raise NoProject(
            f"there is no project in {os.path.abspath(start)} or above it",  # noqa: PTH100  as above
            hint="a project has a devinit.toml, or folders named backend/ or frontend/: `devinit init`",
        )
    return root


def folder_of(arguments: Arguments) -> str:
    """Return the folder that the command was given, or run in."""
    if arguments.directory is None:
        return current_directory()
    if not os.path.isdir(arguments.directory):  # noqa: PTH112  as above
        raise UsageError(
            f"-C {arguments.directory}: there is no such folder",
            hint="`devinit status --all` lists the projects of this machine",
        )
    return arguments.directory


def current_directory() -> str:
    """Return the folder that the command was run in."""
    try:
        return os.getcwd()  # noqa: PTH109  as above
    except FileNotFoundError:
        raise UsageError(
            "the current folder does not exist any more", hint="change to one that does"
        ) from None
