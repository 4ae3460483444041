"""The state folders of checkouts, in the user's state directory: their owners, and how they are found.

Every command loads this module: it imports nothing that loads `re`.
"""

from __future__ import annotations

import os

from devinit.errors import StateFileError
from devinit.model.names import OWN_FOLDER
from devinit.system.files import read_bytes
from devinit.system.own_folder import IDENTITY, read_identity
from devinit.system.paths import project_id, state_path, unusable
from devinit.system.walking import walk

LOCK = "lock"
"""The file next to the state folders that a claim locks while it determines the owner of one."""
LAUNCH_LOCK = "launch.lock"
"""The file in a state folder that a command keeps locked while it starts a supervisor."""
ORIGIN = "checkout"
"""The file in a state folder that names its checkout."""
OUTSIDE = "/var/lib/devinit"
"""Data of root's servers that must run as another user, who may not enter root's folders."""

_PARTS = 3


class Origin:
    """The checkout to which a state folder belongs."""

    def __init__(self, identity: str, folder: str, root: str) -> None:
        self.identity = identity
        self.folder = folder
        """The inode and the birth time of the checkout's folder, which stay when its content is deleted."""
        self.root = root
        """Its path without symbolic links."""


def state_folder(root: str | os.PathLike[str]) -> str:
    """Return the folder of a checkout's logs, data and records. Create nothing; the folder may be missing."""
    path = folder_of(root)
    if not os.path.isdir(path):
        identity = read_identity(os.path.join(root, OWN_FOLDER, IDENTITY))
        try:
            return moved_from(identity, os.path.realpath(root)) or path
        except StateFileError:
            if identity is not None:
                raise
            # A checkout without an identity was hardly ever moved; a claim refuses such a
            # state directory with its name.
    return path


def folder_of(root: str | os.PathLike[str]) -> str:
    """Return the place of the state of a checkout at this path."""
    return os.path.join(state_path(), "checkouts", project_id(root))


def folders() -> dict[str, Origin]:
    """Return every state folder of this user, with the checkout to which it belongs."""
    top = os.path.join(state_path(), "checkouts")
    try:
        names = sorted(name for name in os.listdir(top) if name != LOCK)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise unusable(top, error) from error
    found = {path: origin_of(path) for path in (os.path.join(top, name) for name in names)}
    return {path: origin for path, origin in found.items() if origin is not None}


def origin_of(path: str) -> Origin | None:
    """Return the checkout to which a state folder belongs; None if there is no such folder."""
    try:
        content = read_bytes(os.path.join(path, ORIGIN))
    except StateFileError:
        return None
    parts = os.fsdecode(content or b"").split("\n", 2)
    return Origin(*parts) if len(parts) == _PARTS else None


def is_there(origin: Origin) -> bool:
    """Whether the checkout is still in its place and is the same one."""
    return os.path.isdir(origin.root) and (
        read_identity(os.path.join(origin.root, OWN_FOLDER, IDENTITY)) == origin.identity
        or fingerprint(origin.root) == origin.folder
    )


def is_replaced(root: str | os.PathLike[str]) -> bool:
    """Whether the checkout of a state folder was deleted or moved; another one may now be at its path."""
    origin = origin_of(folder_of(root))
    return origin is not None and origin.root == os.path.realpath(root) and not is_there(origin)


def moved_to(origin: Origin) -> str | None:
    """Return the new place of a missing checkout, if it is next to the old one and will find its state folder."""
    if is_there(origin):
        return None
    try:
        with os.scandir(os.path.dirname(origin.root)) as entries:
            beside = [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return None
    return next((path for path in beside if _is_moved(origin, path)), None)


def size_of(path: str) -> int:
    """Return how many bytes of disk space a state folder takes."""
    found = 0
    for top in parts_of(path):
        for folder, _, files in walk(top):
            for name in files:
                try:
                    found += os.lstat(os.path.join(folder, name)).st_blocks * 512
                except OSError:
                    continue  # a server is just writing and removing files there
    return found


def moved_from(identity: str | None, real: str) -> str | None:
    """Return the state folder of a checkout that left its place and is the one at `real`.

    It has the same identity or, after `git clean -fdx`, is the same folder.
    """
    gone = [
        (path, origin)
        for path, origin in folders().items()
        if origin.root != real
        and (origin.identity == identity or _is_same_folder(origin, real))
        and not is_there(origin)
    ]
    # A matching identity takes precedence.
    return min(gone, key=lambda found: found[1].identity != identity, default=(None, None))[0]


def _is_moved(origin: Origin, folder: str) -> bool:
    """Whether a claim in this folder would find the state of a checkout that has left its place."""
    if os.path.isdir(folder_of(folder)):
        return False
    identity = read_identity(os.path.join(folder, OWN_FOLDER, IDENTITY))
    return identity == origin.identity or _is_same_folder(origin, folder)


def _is_same_folder(origin: Origin, real: str) -> bool:
    """Whether a folder is a checkout that was elsewhere before; an inode alone may belong to another disk."""
    inode, _, birth = origin.folder.partition(".")
    # Reading the birth time takes longer, so it comes last.
    return birth != "0" and inode == _inode_of(real) and origin.folder == fingerprint(real)


def _inode_of(folder: str) -> str:
    try:
        return str(os.stat(folder).st_ino)
    except OSError:
        return ""


def parts_of(path: str) -> tuple[str, ...]:
    """Return a state folder, and the folder in which root's servers keep data that belongs to it."""
    outside = outside_of(path)
    return (path,) if outside is None else (path, outside)


def outside_of(path: str) -> str | None:
    """Return where root's servers keep the data of a state folder, outside of it; None for other users.

    The folder is named after the identity. Two state folders of one checkout do not share it, and it stays the
    same when the checkout or the state directory is moved.
    """
    if os.geteuid() != 0:
        return None
    origin = origin_of(path)
    return os.path.join(OUTSIDE, os.path.basename(path) if origin is None else origin.identity)


def fingerprint(folder: str) -> str:
    """Return a name for a folder that does not depend on its content: its inode and its birth time."""
    from devinit.system.birth import birth_of  # it loads ctypes

    return f"{os.stat(folder).st_ino}.{birth_of(folder)}"
