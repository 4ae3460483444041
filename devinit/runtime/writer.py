"""Which state folder a `.env.runtime` belongs to, by an id that says nothing else of it.

A checkout can be shared by a host and a container, or by two users. Each has a state folder, and so services,
of their own. There is one `.env.runtime` for both: the last start writes it.
"""

from __future__ import annotations

import os
from pathlib import Path

from devinit.errors import StateFileError
from devinit.model.names import ENVIRONMENT_FILE
from devinit.system.digest import blake2b
from devinit.system.files import read_bytes, write_atomically
from devinit.system.state_folders import fingerprint

WRITER_FILE = "writer"
"""The file in a state folder that holds its id."""
LABEL = "# State folder: "
"""How the line of `.env.runtime` begins that says whose it is."""
ID_BYTES = 5
TAKEN = (
    ".env.runtime was written by devinit with another state folder (another user, HOME or container): "
    "its services are not reachable with it any more"
)


def writer_of(state: Path) -> str:
    """Return the id of a state folder; "" where it has none yet, or it cannot be read."""
    try:
        return (read_bytes(state / WRITER_FILE) or b"").decode("ascii", "replace").strip()
    except StateFileError:
        return ""


def claimed_writer(state: Path) -> str:
    """Return the id of a state folder, made at the first start; "" where it cannot be kept."""
    if known := writer_of(state):
        return known
    made = os.urandom(ID_BYTES).hex()
    try:
        write_atomically(state / WRITER_FILE, f"{made}\n", durable=False)
    except (OSError, StateFileError):
        return ""  # without an id nothing is said of whose the file is
    return made


def line_of(root: Path, writer: str) -> str:
    """Return the line that names the writer and the folder of the checkout; "" when the writer is not known."""
    return f"{LABEL}{writer} {_folder(root)}\n" if writer else ""


def is_of_another(root: Path, writer: str) -> bool:
    """Whether `.env.runtime` was written for this folder, with another state folder.

    False for a file that names no state folder (an earlier devinit or a person wrote it), and for the file that
    a copy of the checkout brings along: the original loses nothing. Raise StateFileError where it cannot be read.
    """
    lines = (read_bytes(root / ENVIRONMENT_FILE, inside=root) or b"").split(b"\n", 2)
    found = lines[1].decode("utf-8", "replace") if len(lines) > 1 else ""
    if not writer or not found.startswith(LABEL):
        return False
    author, _, folder = found.removeprefix(LABEL).partition(" ")
    return author != writer and folder == _folder(root)


def _folder(root: Path) -> str:
    """Return what identifies a folder under each of its paths, in a container as well."""
    return blake2b(fingerprint(str(root)).encode(), digest_size=ID_BYTES).hexdigest()
