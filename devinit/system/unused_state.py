"""Removal of the state folder of a checkout that was forgotten, or that was only read.

A command that reads (`env`, `why`, `run`) may need a supervisor to answer it, which needs a place for its lock and
its log. Without the removal, every clone that was ever inspected would leave a folder behind.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from devinit.errors import StateFileError
from devinit.model.names import OWN_FOLDER
from devinit.system import old_outside
from devinit.system.aside import is_in_use, name_aside
from devinit.system.file_lock import FileLock, locked_within
from devinit.system.files import read_text
from devinit.system.own_folder import IDENTITY, open_folder, read_identity
from devinit.system.paths import SUPERVISOR_LOCK
from devinit.system.state_folders import LAUNCH_LOCK, LOCK, ORIGIN, origin_of, parts_of

STATE_FILE = "state.json"
LOG = "supervisor.log"
BOOKKEEPING = frozenset({ORIGIN, LAUNCH_LOCK, SUPERVISOR_LOCK, "socket", STATE_FILE, LOG})
"""Files of a supervisor that only answers requests; a used folder has more, such as logs, data and passwords."""
OWN_FILES = frozenset({".gitignore", IDENTITY})


def set_aside(path: str) -> str:
    """Rename a state folder, so that later starts get a new one; return its new name.

    The caller holds the locks of `without_starts`. Raise StateFileError while the folder is in use.
    """
    if is_in_use(path):
        raise StateFileError(
            f"{path} is in use, so its logs and data were not deleted",
            hint="the project was started at this moment, or a server of it still runs: stop it first",
        )
    try:
        old_outside.take_all(path)
        os.rename(path, aside := name_aside(path))
    except OSError as error:
        raise _not_deleted(path, error) from error
    return aside


@contextmanager
def without_starts(path: str, seconds: float) -> Iterator[None]:
    """Keep commands from claiming a state folder, which may be missing, and from starting a supervisor in it.

    Raise StateFileError if another command holds a lock for too long.
    """
    with ExitStack() as stack:
        above = os.path.dirname(path)
        for folder, name in ((above, LOCK), (path, LAUNCH_LOCK)):
            if not os.path.isdir(folder):
                continue
            lock = locked_within(os.path.join(folder, name), seconds)
            if lock is None:
                raise StateFileError(
                    f"another command starts a supervisor and has {os.path.join(folder, name)} locked",
                    hint="try again when it has ended",
                )
            stack.callback(lock.release)
        yield


def remove(path: str, former: str | None = None) -> None:
    """Delete a state folder with its logs and data. The caller has made sure that nothing runs there.

    `former`: its name before it was set aside. Raise StateFileError if a file cannot be deleted: the next `forget
    --data` tries again.
    """
    import shutil  # only a forgotten checkout needs it

    try:
        old_outside.take_all(path)
        *outside, own = reversed(parts_of(path))
        for folder in outside:
            if os.path.isdir(folder):
                shutil.rmtree(folder)
        # The file that names the owner of the folder, and so of the data outside, is deleted last.
        for name in sorted(os.listdir(own), key=lambda name: name == ORIGIN):
            each = os.path.join(own, name)
            if os.path.isdir(each) and not os.path.islink(each):
                shutil.rmtree(each)
            else:
                os.unlink(each)
        os.rmdir(own)
        old_outside.forget(former or path)
    except OSError as error:
        raise _not_deleted(path, error) from error


def _not_deleted(path: str, error: OSError) -> StateFileError:
    return StateFileError(
        f"{error.filename or path} cannot be deleted: {error.strerror or error}",
        hint="a process still writes there, or the disk refuses it: the next `devinit forget` finds what is left",
    )


def remove_unused(root: str | os.PathLike[str], folder: str | os.PathLike[str]) -> bool:
    """Remove a checkout's state folder and identity if nothing was started here; return whether it was removed.

    The caller holds the checkout's supervisor lock, or knows that there is no supervisor. A command that is
    launching one keeps the folder, and so does one that claims a folder for any checkout. Raise OSError or
    StateFileError if something cannot be removed.
    """
    path = os.fspath(folder)
    claims = FileLock(os.path.join(os.path.dirname(path), LOCK))
    # Not blocking: a claim may be waiting for our supervisor lock.
    if not _is_unused(path) or not claims.acquire(blocking=False):
        return False
    try:
        return _remove_unless_launched(root, path)
    finally:
        claims.release()


def _remove_unless_launched(root: str | os.PathLike[str], path: str) -> bool:
    """Remove an unused state folder and the identity. The caller holds the lock on claims."""
    launch = FileLock(os.path.join(path, LAUNCH_LOCK))
    if not launch.acquire(blocking=False):
        return False
    try:
        origin, aside = origin_of(path), f"{path}.unused"
        if origin is None or origin.root != os.path.realpath(root):
            return False
        if os.path.isdir(aside):  # a supervisor was killed here
            _delete(aside)
        # Renamed first: a command that writes there from now on creates a new folder.
        os.rename(path, aside)
        if not _is_unused(aside):
            os.rename(aside, path)
            return False
        _delete(aside)
        _remove_identity(os.path.join(root, OWN_FOLDER), origin.identity)
    finally:
        launch.release()
    return True


def _is_unused(path: str) -> bool:
    """Whether a state folder contains only files of a supervisor that answers requests."""
    if any(os.path.isdir(each) for each in parts_of(path)[1:]) or set(os.listdir(path)) - BOOKKEEPING:
        return False
    record, said = read_text(os.path.join(path, STATE_FILE)), read_text(os.path.join(path, LOG)) or ""
    if record is not None and ('"services":{}' not in record or '"ended":{}' not in record):
        return False
    # A caller that was referred to the log still has to read it.
    return not any(f" {level} " in said for level in ("WARNING", "ERROR", "CRITICAL"))


def _remove_identity(own: str, identity: str) -> None:
    """Remove `.devinit` and the identity of the removed folder, if it contains nothing else.

    Any user who may write into the checkout can replace it by a link at any moment, so files are deleted only in
    the folder that was checked.
    """
    try:
        folder = open_folder(own)
        try:
            names = os.listdir(folder)
            if set(names) - OWN_FILES or read_identity(IDENTITY, folder) != identity:
                return
            for name in names:
                os.unlink(name, dir_fd=folder)
        finally:
            os.close(folder)
        os.rmdir(own)
    except OSError as error:
        # It was removed by another process, a command has just opened it, or it is no folder.
        if error.errno not in (errno.ENOENT, errno.ENOTEMPTY, errno.ENOTDIR, errno.ELOOP):
            raise


def _delete(folder: str) -> None:
    for name in os.listdir(folder):
        os.unlink(os.path.join(folder, name))
    os.rmdir(folder)


def tidied(root: str | os.PathLike[str], folder: str | os.PathLike[str]) -> str:
    """Remove unused state; return the reason of a failure, or ""."""
    try:
        remove_unused(root, folder)
    except (OSError, StateFileError) as error:
        return str(error)
    return ""
