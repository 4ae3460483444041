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
"""What an earlier version leaves in `.devinit`, which this one takes over (`old_layout`)."""
STOPPING_SECONDS = 20.0
"""How long a claim waits for the supervisor of a checkout that was just moved: it is stopping the services."""
ASIDE_SECONDS = 14 * 24 * 3600
"""How long the state of a checkout is kept after another one has taken its place."""


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
    path = folder_of(real)
    if _is_settled(root, real, path):
        return path
    create_private(os.path.dirname(path))
    with FileLock(os.path.join(os.path.dirname(path), LOCK)):
        # Opened again under the lock: before, a supervisor that was only asked something may have removed it.
        own = open_own_folder(os.path.join(root, OWN_FOLDER))
        try:
            return _settle(own, real, path)
        finally:
            os.close(own)


def _is_settled(root: str | os.PathLike[str], real: str, path: str) -> bool:
    """Whether two small files agree on whose this state folder is, as nearly always, and nothing else is there."""
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
    """Find out which checkout this is. The caller holds the lock, so no other command does the same now."""
    identity, origin = read_identity(IDENTITY, own), origin_of(path)
    if origin is not None and origin.root == real:
        if origin.identity == identity or origin.folder == fingerprint(real):
            # `git clean -fdx` took the identity away, or another state directory has another one for it.
            write_identity(own, origin.identity, real)
            if _has_left_over(own):
                # A commit with an earlier version was checked out in between.
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


def _move(path: str, target: str) -> None:
    """Rename a state folder, once nothing of it is in use."""
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
    """Delete what was put aside here long ago: each clone into the same path would leave a database behind."""
    number = 1
    while os.path.lexists(aside := f"{path}.{number}"):
        import time  # only where a folder was put aside

        from devinit.system.aside import is_in_use

        # Its time was set when it was put aside.
        if time.time() - os.stat(aside).st_mtime > ASIDE_SECONDS and not is_in_use(aside):
            from devinit.system.unused_state import remove  # hardly ever

            remove(aside, path)
        number += 1
