"""Where devinit keeps what belongs to one checkout: its logs, its data, the record of what runs.

All of that lies in the user's state directory, in a folder that is named after the checkout's path. A file
watcher in the checkout does not see it, `git clean -fdx` does not delete it, and a cloned repository cannot bring
it along. The checkout itself has only `.devinit/identity`, a random name that the state folder knows too. By it
the state folder follows a checkout that is moved, and a copy gets one of its own (docs/adr/0024).

Every command loads this module: it imports nothing that loads `re`.
"""

from __future__ import annotations

import os

from devinit.errors import StateFileError
from devinit.system.files import FileLock, is_locked, is_unlocked_within, read_bytes, write_atomically
from devinit.system.own_folder import IDENTITY, IDENTITY_BYTES, open_own_folder, read_identity, write_identity
from devinit.system.paths import (
    OWN_FOLDER,
    SUPERVISOR_LOCK,
    create_private,
    listed_at,
    project_id,
    state_path,
    unusable,
)

LEFT_OVER = ("data", "state.json", SUPERVISOR_LOCK)
"""What an earlier version leaves in `.devinit`, which this one takes over (`old_layout`)."""
LOCK = "lock"
"""The file beside the state folders: while it is locked, a claim finds out whose one of them is."""
ORIGIN = "checkout"
"""The file in a state folder that says whose it is."""
OUTSIDE = "/var/lib/devinit"
"""Where root's servers keep their data when they must run as another user, who may not enter root's folders."""
STOPPING_SECONDS = 20.0
"""How long a claim waits for the supervisor of a checkout that was just moved: it is stopping the services."""
ASIDE_SECONDS = 14 * 24 * 3600
"""How long the state of a checkout is kept after another one has taken its place."""

_PARTS = 3


class Origin:
    """Which checkout a state folder belongs to."""

    def __init__(self, identity: str, folder: str, root: str) -> None:
        self.identity = identity
        self.folder = folder
        """The inode and the birth of the checkout's folder: they stay when everything in it is deleted."""
        self.root = root
        """Its path without symbolic links."""


def state_folder(root: str | os.PathLike[str]) -> str:
    """Return the folder of a checkout's logs, data and records. Creates nothing; the folder may be missing."""
    path = folder_of(root)
    if not os.path.isdir(path):
        identity = read_identity(os.path.join(root, OWN_FOLDER, IDENTITY))
        try:
            return _moved_from(identity, os.path.realpath(root)) or path
        except StateFileError:
            if identity is not None:
                raise
            # Hardly any checkout without an identity was moved; a claim refuses such a state directory by name.
    return path


def folder_with_logs(root: str | os.PathLike[str]) -> str:
    """Return the folder that has a checkout's logs now: `.devinit` until what lies there has moved."""
    path = state_folder(root)
    exists = os.path.isdir(path)
    if exists and not os.path.lexists(os.path.join(root, OWN_FOLDER, "state.json")):
        return path
    # Once in the life of a checkout, or where an earlier version was used.
    from devinit.system import old_layout

    if exists and not old_layout.has_record(root):
        return path
    return old_layout.folder_with_logs(root) or path


def claim(root: str | os.PathLike[str]) -> str:
    """Return the checkout's state folder, ready to be used: it is made, or moved with the checkout, if needed.

    Raise StateFileError when `.devinit` is a link or another user's, or something cannot be written.
    """
    real = os.path.realpath(root)
    own = open_own_folder(os.path.join(root, OWN_FOLDER))
    try:
        path = folder_of(real)
        origin = origin_of(path)
        # Nearly always: two small files agree, and nothing else is there.
        agrees = (
            origin is not None and origin.root == real and read_identity(IDENTITY, own) == origin.identity
        )
        if agrees and not _has_left_over(own):
            return path
        create_private(os.path.dirname(path))
        with FileLock(os.path.join(os.path.dirname(path), LOCK)):
            return _settle(own, real, path)
    finally:
        os.close(own)


def folder_of(root: str | os.PathLike[str]) -> str:
    """Return where the state of a checkout lies that is at this path."""
    return os.path.join(state_path(), "checkouts", project_id(root))


def folders() -> dict[str, Origin]:
    """Return every state folder of this user, with the checkout that it belongs to."""
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
    """Return which checkout a state folder belongs to; None when there is no such folder."""
    try:
        content = read_bytes(os.path.join(path, ORIGIN))
    except StateFileError:
        return None
    parts = os.fsdecode(content or b"").split("\n", 2)
    return Origin(*parts) if len(parts) == _PARTS else None


def is_there(origin: Origin) -> bool:
    """Whether the checkout is still where it was, and is the same one."""
    return os.path.isdir(origin.root) and (
        read_identity(os.path.join(origin.root, OWN_FOLDER, IDENTITY)) == origin.identity
        or _fingerprint(origin.root) == origin.folder
    )


def is_replaced(root: str | os.PathLike[str]) -> bool:
    """Whether the checkout of a state folder was deleted or moved; another one may lie at its path now."""
    origin = origin_of(folder_of(root))
    return origin is not None and origin.root == os.path.realpath(root) and not is_there(origin)


def moved_to(origin: Origin) -> str | None:
    """Return where a checkout lies that is gone, if it is beside its old place and will find its state folder."""
    if is_there(origin):
        return None
    try:
        with os.scandir(os.path.dirname(origin.root)) as entries:
            beside = [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return None
    return next((path for path in beside if _is_moved(origin, path)), None)


def size_of(path: str) -> int:
    """Return how many bytes a state folder takes on the disk."""
    found = 0
    for top in parts_of(path):
        for folder, _, files in os.walk(top):
            for name in files:
                try:
                    found += os.lstat(os.path.join(folder, name)).st_blocks * 512
                except OSError:
                    continue  # a server is just writing and removing files there
    return found


def remove(path: str) -> None:
    """Delete a state folder with the logs and the data in it. The caller knows that nothing runs there."""
    import shutil  # only a forgotten checkout needs it

    for folder in parts_of(path):
        if os.path.isdir(folder):
            shutil.rmtree(folder)


def _settle(own: int, real: str, path: str) -> str:
    """Find out which checkout this is. The caller holds the lock, so no other command does the same now."""
    identity, origin = read_identity(IDENTITY, own), origin_of(path)
    if origin is not None and origin.root == real:
        if origin.identity == identity or origin.folder == _fingerprint(real):
            # `git clean -fdx` took the identity away, or another state directory has another one for it.
            write_identity(own, origin.identity, real)
            if _has_left_over(own):
                # A commit with an earlier version was checked out in between.
                _take_over(real, path)
            return path
        # Another checkout was here, and was deleted or moved away.
        _move(path, aside := _name_aside(path))
        os.utime(aside)
        _take_off_the_list(real)
    _remove_old(path)
    moved = _moved_from(identity, real)
    if moved is not None:
        _move(moved, path)
        found = origin_of(path)
        if found is not None:
            _take_off_the_list(found.root)
        identity = found.identity if found is not None else os.urandom(IDENTITY_BYTES).hex()
    else:
        identity = os.urandom(IDENTITY_BYTES).hex()
        create_private(path)
    write_identity(own, identity, real)
    origin_text = "\n".join((identity, _fingerprint(real), real))
    write_atomically(os.path.join(path, ORIGIN), os.fsencode(origin_text), mode=0o600)
    _take_over(real, path)
    return path


def _take_off_the_list(root: str) -> None:
    """Forget that devinit was started at this path: the checkout in which it was lies elsewhere, or is gone."""
    try:
        os.unlink(listed_at(root))
    except FileNotFoundError:
        return


def _take_over(real: str, path: str) -> None:
    from devinit.system import old_layout  # as above

    old_layout.take_over(real, path)


def _has_left_over(own: int) -> bool:
    """Whether an earlier version of devinit has kept anything in `.devinit` that counts."""
    for name in LEFT_OVER:
        try:
            os.stat(name, dir_fd=own, follow_symlinks=False)
        except OSError:
            continue
        return True
    return False


def _moved_from(identity: str | None, real: str) -> str | None:
    """Return the state folder of a checkout that is not where it was any more, and is this one.

    It has the same identity, or else, after `git clean -fdx`, is the same folder.
    """
    gone = [
        (path, origin)
        for path, origin in folders().items()
        if origin.root != real
        and (origin.identity == identity or _is_same_folder(origin, real))
        and not is_there(origin)
    ]
    # The identity first.
    return min(gone, key=lambda found: found[1].identity != identity, default=(None, None))[0]


def _is_moved(origin: Origin, folder: str) -> bool:
    """Whether a claim in this folder would find the state of a checkout that is not where it was any more."""
    if os.path.isdir(folder_of(folder)):
        return False
    identity = read_identity(os.path.join(folder, OWN_FOLDER, IDENTITY))
    return identity == origin.identity or _is_same_folder(origin, folder)


def _is_same_folder(origin: Origin, real: str) -> bool:
    """Whether a folder is a checkout that lay elsewhere; an inode alone may be another disk's."""
    inode, _, birth = origin.folder.partition(".")
    # The birth takes longer to find out.
    return birth != "0" and inode == _inode_of(real) and origin.folder == _fingerprint(real)


def _inode_of(folder: str) -> str:
    try:
        return str(os.stat(folder).st_ino)
    except OSError:
        return ""


def _move(path: str, target: str) -> None:
    """Rename a state folder, once nothing of it is in use."""
    if not is_unlocked_within(os.path.join(path, SUPERVISOR_LOCK), STOPPING_SECONDS):
        raise StateFileError(
            f"{path} is still used by the supervisor of a checkout that was moved or deleted",
            hint="`devinit status --all` shows it; run the command again when it has stopped",
        )
    for old, new in zip(parts_of(path), parts_of(target), strict=True):
        if os.path.isdir(old):
            os.rename(old, new)


def _name_aside(path: str) -> str:
    number = 1
    while os.path.lexists(f"{path}.{number}"):
        number += 1
    return f"{path}.{number}"


def _remove_old(path: str) -> None:
    """Delete what was put aside here long ago: each clone into the same path would leave a database behind."""
    import time  # only where a folder was put aside

    number = 1
    while os.path.lexists(aside := f"{path}.{number}"):
        # Its time was set when it was put aside.
        if time.time() - os.stat(aside).st_mtime > ASIDE_SECONDS and not _is_in_use(aside):
            remove(aside)
        number += 1


def _is_in_use(path: str) -> bool:
    """Tell whether a supervisor uses a state folder, or a server the data in it, in whichever container."""
    from glob import escape, glob  # it loads re, once in a fortnight

    data, *outside = (escape(part) for part in (os.path.join(path, "data"), *parts_of(path)[1:]))
    locks = [lock for top in (data, *outside) for lock in glob(f"{top}/*/*.lock")]
    return any(map(is_locked, (os.path.join(path, SUPERVISOR_LOCK), *locks)))


def parts_of(path: str) -> tuple[str, ...]:
    """Return a state folder, and where root's servers keep what belongs to it."""
    if os.geteuid() != 0:
        # A folder there of this name is root's, who has started the same checkout.
        return (path,)
    return path, os.path.join(OUTSIDE, os.path.basename(path))


def _fingerprint(folder: str) -> str:
    from devinit.system.birth import birth_of  # it loads ctypes

    return f"{os.stat(folder).st_ino}.{birth_of(folder)}"
