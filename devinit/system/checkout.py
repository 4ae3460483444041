"""The state folder of a checkout: its logs, its data, and the record of what runs.

It lies in the user's state directory, in a folder that is named after the checkout's path. There, no file watcher
in the checkout sees it, `git clean -fdx` does not delete it, and a cloned repository cannot contain it. The
checkout itself has only `.devinit/identity`, a random name that the state folder stores as well. By that name the
state folder follows a checkout that is moved, and a copy of a checkout gets its own (docs/adr/0024).

Every command loads this module: it imports nothing that loads `re`.
"""

from __future__ import annotations

import os

from devinit.errors import StateFileError
from devinit.model.names import OWN_FOLDER
from devinit.system.file_lock import FileLock, is_unlocked_within
from devinit.system.files import write_atomically
from devinit.system.own_folder import IDENTITY, IDENTITY_BYTES, open_own_folder, read_identity, write_identity
from devinit.system.paths import SUPERVISOR_LOCK, create_private, listed_at
from devinit.system.state_folders import (
    LOCK,
    ORIGIN,
    fingerprint,
    folder_of,
    moved_from,
    origin_of,
    state_folder,
)

LEFT_OVER = ("data", "state.json", SUPERVISOR_LOCK)
"""Files that an earlier version leaves in `.devinit`, which this version takes over (`old_layout`)."""
STOPPING_SECONDS = 20.0
"""How long a claim waits for the supervisor of a checkout that was just moved, while it stops the services."""
ASIDE_SECONDS = 14 * 24 * 3600
"""In seconds: how long the state of a checkout is kept after another checkout has taken its place."""


def folder_with_logs(root: str | os.PathLike[str]) -> str:
    """Return the folder with the current logs of a checkout: `.devinit` until its content has been moved."""
    path = state_folder(root)
    exists = os.path.isdir(path)
    if exists and not os.path.lexists(os.path.join(root, OWN_FOLDER, "state.json")):
        return path
    # Once in the life of a checkout, or after use of an earlier version.
    from devinit.system import old_layout

    if exists and not old_layout.has_record(root):
        return path
    return old_layout.folder_with_logs(root) or path


def claim(root: str | os.PathLike[str]) -> str:
    """Return the checkout's state folder, ready for use; create it, or move it with the checkout, if needed.

    Raise StateFileError when `.devinit` is a link or belongs to another user, or a file cannot be written.
    """
    real = os.path.realpath(root)
    path = folder_of(real)
    if _is_settled(root, real, path):
        return path
    create_private(os.path.dirname(path))
    with FileLock(os.path.join(os.path.dirname(path), LOCK)):
        # Opened only under the lock: before, a supervisor that answers a single request
        # may have removed the folder.
        own = open_own_folder(os.path.join(root, OWN_FOLDER))
        try:
            return _settle(own, real, path)
        finally:
            os.close(own)


def _is_settled(root: str | os.PathLike[str], real: str, path: str) -> bool:
    """Whether two small files agree, as nearly always, on the owner of this folder, and nothing is left over."""
    own = open_own_folder(os.path.join(root, OWN_FOLDER))
    try:
        origin = origin_of(path)
        agrees = (
            origin is not None and origin.root == real and read_identity(IDENTITY, own) == origin.identity
        )
        return agrees and not _has_left_over(own)
    finally:
        os.close(own)


def _settle(own: int, real: str, path: str) -> str:
    """Identify the checkout and prepare its state folder. The caller holds the lock against other commands."""
    identity, origin = read_identity(IDENTITY, own), origin_of(path)
    if origin is not None and origin.root == real:
        if origin.identity == identity or origin.folder == fingerprint(real):
            # `git clean -fdx` removed the identity, or another state directory has another one for this checkout.
            write_identity(own, origin.identity, real)
            if _has_left_over(own):
                # A commit with an earlier version of devinit was checked out in between.
                _take_over(real, path)
            return path
        # Another checkout was here, and was deleted or moved away.
        from devinit.system.aside import name_aside  # once in the life of a path

        _move(path, aside := name_aside(path))
        os.utime(aside)
        _take_off_the_list(real)
    _remove_old(path)
    moved = moved_from(identity, real)
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
    origin_text = "\n".join((identity, fingerprint(real), real))
    write_atomically(os.path.join(path, ORIGIN), os.fsencode(origin_text), mode=0o600)
    _take_over(real, path)
    return path


def _take_off_the_list(root: str) -> None:
    """Drop the entry of this path from the list: the checkout that it stands for has moved or is gone."""
    try:
        os.unlink(listed_at(root))
    except FileNotFoundError:
        return


def _take_over(real: str, path: str) -> None:
    from devinit.system import old_layout  # as above

    old_layout.take_over(real, path)


def _has_left_over(own: int) -> bool:
    """Whether an earlier version of devinit has left relevant files in `.devinit`."""
    for name in LEFT_OVER:
        try:
            os.stat(name, dir_fd=own, follow_symlinks=False)
        except OSError:
            continue
        return True
    return False


def _move(path: str, target: str) -> None:
    """Rename a state folder once it is no longer in use."""
    if not is_unlocked_within(os.path.join(path, SUPERVISOR_LOCK), STOPPING_SECONDS):
        raise StateFileError(
            f"{path} is still used by the supervisor of a checkout that was moved or deleted",
            hint="`devinit status --all` shows it; run the command again when it has stopped",
        )
    if os.geteuid() == 0:
        from devinit.system import old_outside  # only root's servers keep data outside

        old_outside.take_all(path)
    os.rename(path, target)


def _remove_old(path: str) -> None:
    """Delete folders that were put aside long ago: otherwise each clone to a path leaves a database behind."""
    number = 1
    while os.path.lexists(aside := f"{path}.{number}"):
        import time  # only where a folder was put aside

        from devinit.system.aside import is_in_use

        # Its modification time was set when it was put aside.
        if time.time() - os.stat(aside).st_mtime > ASIDE_SECONDS and not is_in_use(aside):
            from devinit.system.unused_state import remove  # hardly ever

            remove(aside, path)
        number += 1
