"""Find the project that a folder belongs to.

Every command does this first, so this module imports next to nothing: pathlib alone would double the time that
the interpreter takes to start.

A folder claims what lies in it when it has a devinit.toml, when something was started in it, or when it looks
like a project (backend/, frontend/). A git repository is claimed from inside: what lies above it may be other
people's work.
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
"""How a record begins its services when there are any, as the supervisor writes it."""


def find_root_as_text(start: str | os.PathLike[str]) -> str | None:
    """Return the nearest folder, from `start` upwards, that is evidently a project; None when there is none.

    A folder that only detection recognises is `root_shown_by`'s to find (config.shown).
    """
    inside, beyond = search_of(start)
    return claimed(inside) or next((folder for folder in beyond if _names(folder, inside[-1])), None)


def claimed(folders: list[str]) -> str | None:
    """Return the nearest of these folders, given upwards, that is a project.

    Looking like one is the weakest claim: it counts only without a devinit.toml above it.
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
    """Whether a folder has a devinit.toml, readable or not: an unreadable one is an error to show, not a miss.

    A folder, FIFO or device of that name configures nothing; the command that needs it refuses it by name.
    """
    mode = _mode(os.path.join(folder, CONFIGURATION_FILE))
    return stat.S_ISREG(mode) or stat.S_ISLNK(mode)


def was_started(folder: str) -> bool:
    """Whether services are on record in a folder: even without its devinit.toml they are its own.

    The record lies in the user's state directory, so no repository brings one along. Without services it claims
    nothing.
    """
    return _SERVICES_ON_RECORD in _content(os.path.join(folder_of(folder), _RECORD), LARGEST_FILE)


def may_have_services(root: str) -> bool:
    """Whether a start in a project is likely to find something to do, at the price of one look at its files."""
    text = _content(os.path.join(root, CONFIGURATION_FILE))
    # The file that `devinit init` writes has examples in its comments.
    return any(b"services" in line.partition(b"#")[0] for line in text.splitlines()) or was_started(root)


def _recognised(folders: list[str]) -> str | None:
    """Return the nearest folder with a service folder in it.

    A service folder is no project while its parent may be one: Django's `backend/backend/` would make it so.
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
    # 5 ms that are paid only where one repository lies in another one.
    from devinit.toml import parse_toml

    try:
        file = parse_toml(text.decode())
    except (ValueError, RecursionError):
        return False
    top = os.path.realpath(repository)
    directories = (os.path.realpath(os.path.join(folder, each)) for each in _directories(file))
    return any(each == top or each.startswith(top + os.sep) for each in directories)


def _directories(file: dict[str, object]) -> Iterator[str]:
    """Yield where services of a file run, and of its profiles. Nothing about the file has been checked."""
    profiles = file.get("profiles")
    for layer in (file, *(profiles.values() if isinstance(profiles, dict) else ())):
        services = layer.get("services") if isinstance(layer, dict) else None
        for service in services.values() if isinstance(services, dict) else ():
            directory = service.get("directory") if isinstance(service, dict) else None
            if isinstance(directory, str) and "\0" not in directory:
                yield directory


def _mode(path: str) -> int:
    """Return the mode of a file, without following a link; 0 when there is none, or it cannot be looked at."""
    try:
        return os.lstat(path).st_mode
    except (OSError, ValueError):
        return 0


def _content(path: str, most: int = LARGEST_SETTINGS) -> bytes:
    """Return the content of a file; nothing when it is none, or too large."""
    try:
        return read_bytes(path, most=most) or b""
    except StateFileError:
        return b""
