"""The id of the state folder to which a `.env.runtime` belongs; the id reveals nothing else about it.

A checkout can be shared by a host and a container, or by two users. Each has its own state folder, and so its own
services. They share one `.env.runtime`, which the latest start writes.
"""

from __future__ import annotations

import os
from pathlib import Path

from devinit.errors import StateFileError
from devinit.model.names import ENVIRONMENT_FILE
from devinit.system.digest import blake2b
from devinit.system.file_lock import FileLock
from devinit.system.files import read_bytes, write_atomically
from devinit.system.paths import state_directory
from devinit.system.state_folders import fingerprint

WRITER_FILE = "writer"
"""The file with the id, next to the state folders; an earlier version had one in each of them."""
LABEL = "# State folder: "
"""The beginning of the line in `.env.runtime` that names its owner."""
ID_BYTES = 5
TAKEN = (
    ".env.runtime was written by devinit with another state folder (another user, HOME or container): "
    "its services are not reachable with it any more"
)


def writer_of(state: Path) -> str:
    """Return the id under which a state folder writes; "" if there is none yet, or it cannot be read."""
    return _read(state) or _read(state_directory())


def claimed_writer(state: Path) -> str:
    """Return the id of a state folder, created at the user's first start; "" if it cannot be stored.

    It is stored above the state folders of the checkouts, so that it outlives them (`devinit forget --data`). A
    checkout that an earlier version has started keeps the id in its own folder.
    """
    if known := writer_of(state):
        return known
    try:
        with FileLock(state_directory() / f"{WRITER_FILE}.lock"):
            if not (known := _read(state_directory())):
                known = os.urandom(ID_BYTES).hex()
                write_atomically(state_directory() / WRITER_FILE, f"{known}\n", durable=False)
    except (OSError, StateFileError):
        return ""  # without an id, the file does not name its owner
    return known


def _read(folder: Path) -> str:
    try:
        return (read_bytes(folder / WRITER_FILE) or b"").decode("ascii", "replace").strip()
    except StateFileError:
        return ""


def line_of(root: Path, writer: str) -> str:
    """Return the line that names the writer and the folder of the checkout; "" if the writer is unknown."""
    return f"{LABEL}{signed(root, writer)}\n" if writer else ""


def signed(root: Path, writer: str) -> str:
    """Return the signature of a file: its writer and the folder for which it was written; "" without a writer."""
    return f"{writer} {_folder(root)}" if writer else ""


def is_of_another(root: Path, writer: str) -> bool:
    """Whether `.env.runtime` was written for this folder, but with another state folder.

    False for a file that names no state folder (from an earlier devinit or the user), and for a file that came
    with a copy of the checkout: the original loses nothing. Raise StateFileError if it cannot be read.
    """
    lines = (read_bytes(root / ENVIRONMENT_FILE, inside=root) or b"").split(b"\n", 2)
    found = lines[1].decode("utf-8", "replace") if len(lines) > 1 else ""
    if not writer or not found.startswith(LABEL):
        return False
    return is_signed_by_another(root, found.removeprefix(LABEL), writer)


def is_signed_by_another(root: Path, signature: str, writer: str) -> bool:
    """Whether a file was written for this folder with another state folder. False if either is unknown."""
    author, _, folder = signature.partition(" ")
    return bool(writer and author) and author != writer and folder == _folder(root)


def _folder(root: Path) -> str:
    """Return an identifier of a folder that is the same under all its paths, also in a container."""
    return blake2b(fingerprint(str(root)).encode(), digest_size=ID_BYTES).hexdigest()
