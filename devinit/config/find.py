"""The search for the project that contains a folder.

Every command runs this first, so the module imports next to nothing: pathlib alone would double the start time of
the interpreter.

A folder claims its content if it has a devinit.toml, if services were started in it, or if it looks like a project
(backend/, frontend/). A git repository limits the search: folders above it may be the work of others.
"""

# ruff: noqa: PTH112, PTH118, PTH119, PTH120

from __future__ import annotations

import os
import stat

from devinit.errors import StateFileError
from devinit.model.names import CONFIGURATION_FILE
from devinit.system.files import LARGEST_FILE, LARGEST_SETTINGS, read_bytes
from devinit.system.repository import search_of
from devinit.system.state_folders import folder_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

SERVICE_FOLDERS = ("backend", "frontend")
"""Folders that make their parent a project without any configuration."""
_RECORD = "state.json"
_SERVICES_ON_RECORD = b'"services":{"'
"""The text with which a record with services begins them, as the supervisor writes it."""


def find_root_as_text(start: str | os.PathLike[str]) -> str | None:
    """Return the nearest folder, from `start` upwards, that is clearly a project; None if there is none.

    `root_shown_by` (config.shown) finds folders that only detection recognises.
    """
    inside, beyond = search_of(start)
    return claimed(inside) or next((folder for folder in beyond if _names(folder, inside[-1])), None)


def claimed(folders: list[str]) -> str | None:
    """Return the nearest of these folders, given in upward order, that is a project.

    Looking like a project is the weakest claim: it counts only without a devinit.toml above.
    """
    for count, folder in enumerate(folders):
        if is_configured(folder):
            return folder
        if was_started(folder):
            if any(map(is_configured, folders[count:])):
                return folder
            return _recognised(folders[: count + 1]) or folder
    return _recognised(folders)


def is_configured(folder: str) -> bool:
    """Whether a folder has a devinit.toml, readable or not: an unreadable one is an error to report, not a miss.

    A folder, FIFO or device with that name configures nothing; the command that needs the file refuses it by name.
    """
    mode = _mode(os.path.join(folder, CONFIGURATION_FILE))
    return stat.S_ISREG(mode) or stat.S_ISLNK(mode)


def was_started(folder: str) -> bool:
    """Whether a record of services exists for a folder: even without a devinit.toml, these belong to the folder.

    The record lies in the user's state directory, so no repository contains one. A record
    without services claims nothing.
    """
    return _SERVICES_ON_RECORD in _content(os.path.join(folder_of(folder), _RECORD), LARGEST_FILE)


def may_have_services(root: str) -> bool:
    """Whether a start in a project is likely to have anything to do, from a single read of its files."""
    text = _content(os.path.join(root, CONFIGURATION_FILE))
    # The file that `devinit init` writes has examples in its comments.
    return any(b"services" in line.partition(b"#")[0] for line in text.splitlines()) or was_started(root)


def _recognised(folders: list[str]) -> str | None:
    """Return the nearest folder that contains a service folder.

    A service folder is no project while its parent may be one; otherwise Django's
    `backend/backend/` would make it one.
    """
    for folder in folders:
        if os.path.basename(folder) in SERVICE_FOLDERS and os.path.dirname(folder) in folders:
            continue
        if any(os.path.isdir(os.path.join(folder, name)) for name in SERVICE_FOLDERS):
            return folder
    return None


def _names(folder: str, repository: str) -> bool:
    """Whether the devinit.toml of a folder has a service in a repository below it: `directory = "backend"`."""
    text = _content(os.path.join(folder, CONFIGURATION_FILE))
    if b"directory" not in text:
        return False
    # These 5 ms are paid only if one repository lies inside another.
    from devinit.toml import parse_toml

    try:
        file = parse_toml(text.decode())
    except (ValueError, RecursionError):
        return False
    top = os.path.realpath(repository)
    directories = (os.path.realpath(os.path.join(folder, each)) for each in _directories(file))
    return any(each == top or each.startswith(top + os.sep) for each in directories)


def _directories(file: dict[str, object]) -> Iterator[str]:
    """Yield the directories of a file's services, including those of its profiles. The file is unchecked."""
    profiles = file.get("profiles")
    for layer in (file, *(profiles.values() if isinstance(profiles, dict) else ())):
        services = layer.get("services") if isinstance(layer, dict) else None
        for service in services.values() if isinstance(services, dict) else ():
            directory = service.get("directory") if isinstance(service, dict) else None
            if isinstance(directory, str) and "\0" not in directory:
                yield directory


def _mode(path: str) -> int:
    """Return the mode of a file, without following a link; 0 if it is missing or inaccessible."""
    try:
        return os.lstat(path).st_mode
    except (OSError, ValueError):
        return 0


def _content(path: str, most: int = LARGEST_SETTINGS) -> bytes:
    """Return the content of a file; nothing if it is no file, or too large."""
    try:
        return read_bytes(path, most=most) or b""
    except StateFileError:
        return b""
