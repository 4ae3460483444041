"""The ports of a checkout that the user chose (`devinit ports set`, the dashboard).

`.ports.json` does not show this, because it also contains ports to which a service moved by itself. A chosen port
counts for more: it is reserved while its service is stopped, and other reservations give way to it. An entry
counts only while `.ports.json` names the same port, so any change to that file ends it.
"""

# ruff: noqa: PTH103, PTH108, PTH118, PTH120 -- paths are text, as in `control.checkouts`

from __future__ import annotations

import json
import os
from collections.abc import Mapping

from devinit.errors import StateFileError
from devinit.system.file_lock import FileLock
from devinit.system.files import read_text, write_atomically
from devinit.system.paths import project_id, state_directory

_FOLDER = "chosen-ports"
_LOCK = "lock"


def chosen(root: str | os.PathLike[str], remembered: Mapping[str, int]) -> dict[str, int]:
    """Return the remembered ports of a checkout that the user chose."""
    return {name: port for name, port in _read(_path(root)).items() if remembered.get(name) == port}


def note(root: str | os.PathLike[str], name: str, port: int) -> None:
    """Record that the user chose a port."""
    folder = os.path.dirname(_path(root))
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
    except OSError as error:
        raise StateFileError(f"{folder} cannot be used: {error.strerror}", hint="move it away") from error
    with FileLock(os.path.join(folder, _LOCK)):
        write_atomically(_path(root), json.dumps({**_read(_path(root)), name: port}) + "\n", mode=0o600)


def forget(root: str | os.PathLike[str]) -> bool:
    """Delete the record of a checkout; return whether there was one."""
    try:
        os.unlink(_path(root))
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _read(path: str) -> dict[str, int]:
    """Return the content of a file. An unreadable file loses a reservation, but prevents no start."""
    try:
        document = json.loads(read_text(path) or "{}")
    except (StateFileError, ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _path(root: str | os.PathLike[str]) -> str:
    return os.path.join(state_directory(), _FOLDER, project_id(root) + ".json")
