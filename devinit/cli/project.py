"""The project that a command works on."""

from __future__ import annotations

import os

from devinit.config.find import find_root_as_text, may_have_services, was_started
from devinit.errors import UsageError
from devinit.model.names import CONFIGURATION_FILE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from devinit.cli.arguments import Arguments


def root_of(arguments: Arguments) -> Path:
    """Return the root of the project in the given or the current folder."""
    from pathlib import Path  # a third of the fastest command's time, which does not need it

    return Path(root_as_text(arguments))


def root_as_text(arguments: Arguments) -> str:
    """Return `root_of` as text, without loading pathlib."""
    start = folder_of(arguments)
    root = find_root_as_text(start)
    if root is None:
        # Only a folder without an evident project, or without any, pays for detection.
        from devinit.config.shown import root_shown_by

        root = root_shown_by(start)
    return root


def is_elsewhere(root: str, arguments: Arguments) -> bool:
    """Whether the root is not the given or the current folder, but one around it."""
    return root != os.path.abspath(folder_of(arguments))  # noqa: PTH100  as above


def require_project(root: str) -> None:
    """Raise NoProject for a folder that only looks like a project, so that no supervisor starts in vain."""
    if not (os.path.lexists(os.path.join(root, CONFIGURATION_FILE)) or was_started(root)):  # noqa: PTH118  as above
        from pathlib import Path  # as above

        from devinit.config.load import load  # a project without a devinit.toml needs slow detection anyway

        load(Path(root))


def require_services(root: str, profile: str | None) -> None:
    """Raise NoProject, or the error in devinit.toml, if there is evidently nothing to start."""
    if may_have_services(root):
        return
    from pathlib import Path  # as above

    from devinit.config.absence import no_services
    from devinit.config.load import load  # as above

    project = load(Path(root), profile=profile)
    if not project.services:
        raise no_services(project.source or root)


def folder_of(arguments: Arguments) -> str:
    """Return the folder of `-C`, or the current one. Raise UsageError if it does not exist."""
    if arguments.directory is None:
        return current_directory()
    if not os.path.isdir(arguments.directory):  # noqa: PTH112  as above
        raise UsageError(
            f"-C {arguments.directory}: there is no such folder",
            hint="`devinit status --all` lists the projects of this machine",
        )
    return arguments.directory


def current_directory() -> str:
    """Return the current folder. Raise UsageError if it was deleted."""
    try:
        return os.getcwd()  # noqa: PTH109  as above
    except FileNotFoundError:
        raise UsageError(
            "the current folder does not exist any more", hint="change to one that does"
        ) from None
