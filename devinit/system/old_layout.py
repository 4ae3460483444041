"""Migration of the state that earlier versions of devinit kept inside the checkout, in `.devinit`.

It happens in the first start of a later version, and again after an earlier one was used in between, for example
because a commit that contains it was checked out. A cloned repository can contain such a folder, so only regular
files and real folders are moved, and no link is followed. The record of what runs makes a supervisor start and end
processes. It counts only if the user's own state directory lists this checkout, and only for processes that are
proven (`old_record`).
"""

from __future__ import annotations

import os
import stat

from devinit.errors import StateFileError
from devinit.model.names import OWN_FOLDER
from devinit.system import old_data, old_logs
from devinit.system.file_lock import is_locked
from devinit.system.files import write_atomically
from devinit.system.own_folder import open_folder
from devinit.system.paths import SUPERVISOR_LOCK, listed_at
from devinit.system.state_folders import is_replaced, state_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

RECORD, CALLER = "state.json", "caller.json"
LOGS, SETUP = "logs", "setup"
SECRETS, SUPERVISOR_LOG = "secrets", "supervisor.log"
USELESS = ("pids", "socket", "launch.lock", "ports.lock", SUPERVISOR_LOCK)
"""Files without meaning once the supervisor that wrote them is gone."""


def take_over(root: str, folder: str) -> None:
    """Move the state of a checkout from its `.devinit` into its state folder.

    Raise StateFileError, before anything is moved, when a supervisor of an earlier version still uses it, when a
    service has data in both places, or when a server uses data that would have to be copied to another disk.
    """
    if is_locked(os.path.join(folder, SUPERVISOR_LOCK)):
        return  # nothing is moved under a running supervisor of the state folder
    own = os.path.join(root, OWN_FOLDER)
    _refuse_if_supervised(root, os.path.join(own, SUPERVISOR_LOCK))
    record = _record_of(root)
    try:
        old_data.move(own, folder, is_known=is_known(root))
        old_logs.move(os.path.join(own, LOGS), os.path.join(folder, LOGS), run_on=record is not None)
        _move_setup(os.path.join(own, SETUP), os.path.join(folder, SETUP))
        _move_newer(os.path.join(own, SECRETS), os.path.join(folder, SECRETS))
        if _is_own(os.path.join(own, SUPERVISOR_LOG), stat.S_ISREG):
            old_logs.append(os.path.join(own, SUPERVISOR_LOG), os.path.join(folder, SUPERVISOR_LOG))
        if record is not None:
            _move_file(os.path.join(own, CALLER), os.path.join(folder, CALLER))
            write_atomically(os.path.join(folder, RECORD), record, mode=0o600, durable=False)
        for name in (*USELESS, RECORD, CALLER):
            _remove(own, name)
    except OSError as error:
        raise StateFileError(
            f"{own} cannot be moved to {folder}: {error.strerror} ({error.filename})",
            hint="make room, or check who owns it; what was not moved is where it was",
        ) from error


def refuse(root: str | os.PathLike[str]) -> None:
    """Raise StateFileError if the data of a checkout cannot be taken over. Change nothing."""
    real = os.path.realpath(root)
    own = os.path.join(real, OWN_FOLDER)
    if old_data.is_real_folder(own):
        old_data.refuse(own, state_folder(root), is_known=is_known(real))


def is_known(root: str) -> bool:
    """Whether the user's own state directory records that devinit was started in this checkout."""
    return os.path.isfile(listed_at(root)) and not is_replaced(root)


def has_record(root: str | os.PathLike[str]) -> bool:
    """Whether an earlier version left a record of what runs that has to be taken over."""
    return _record_of(os.path.realpath(root)) is not None


def folder_with_logs(root: str | os.PathLike[str]) -> str | None:
    """Return the `.devinit` of a checkout if logs of an earlier version have not been moved from it yet."""
    real = os.path.realpath(root)
    own = os.path.join(real, OWN_FOLDER)
    there = (_is_own(each, stat.S_ISDIR) for each in (own, os.path.join(own, LOGS)))
    return own if all(there) and is_known(real) else None


def _record_of(root: str) -> bytes | None:
    """Return the valid part of an earlier version's record; None if there is none."""
    own = os.path.join(root, OWN_FOLDER)
    path, later = os.path.join(own, RECORD), os.path.join(state_folder(root), RECORD)
    if not (is_known(root) and old_data.is_real_folder(own) and _is_own(path, stat.S_ISREG)):
        return None
    from devinit.system import old_record  # only where an earlier version was used

    if old_record.names_what_runs(later):
        # Of two records about the same processes, the one in the state folder counts:
        # no repository can contain it.
        return None
    return old_record.proven(path, root)


def _refuse_if_supervised(root: str, lock: str) -> None:
    """Raise StateFileError when a supervisor of an earlier version uses `.devinit`.

    A cloned repository can contain the file, and another user can lock it if it is readable. So a lock counts only
    in a checkout where devinit was started, and only if a supervisor holds it or no other user can open the file
    (devinit creates it with 0600). The pid in the file may be that of any process.
    """
    if not (is_known(root) and is_locked(lock)):
        return
    from devinit.system.open_files import openers_of  # as above
    from devinit.system.processes import facts_of, runs_as_us

    found = [facts_of(each.pid) for each in openers_of(lock) if runs_as_us(each.pid)]
    pid = next((each.identity.pid for each in found if each and "devinit.supervisor" in each.command), None)
    if pid is None and stat.S_IMODE(os.lstat(lock).st_mode) & 0o077:
        return
    end_it = "end it where it runs, perhaps in another container"
    if pid is not None:
        end_it = f"send SIGTERM to it: kill {pid}"
    raise StateFileError(
        f"a supervisor of an earlier version of devinit still runs in {root}",
        hint=f"run the command again; if that does not help, {end_it} (the services keep running)",
    )


def _move_setup(source: str, target: str) -> None:
    """Move the records of set-ups; of two records the newer one describes the current files."""
    if not old_data.is_real_folder(source):
        return
    os.makedirs(target, mode=0o700, exist_ok=True)
    for name in os.listdir(source):
        _move_newer(os.path.join(source, name), os.path.join(target, name))
    _remove(*os.path.split(source))


def _move_newer(source: str, target: str) -> None:
    if not _is_own(source, stat.S_ISREG):
        return
    if os.path.lexists(target) and os.stat(target).st_mtime_ns > os.stat(source).st_mtime_ns:
        os.unlink(source)
    else:
        _move_file(source, target)


def _move_file(source: str, target: str) -> None:
    if _is_own(source, stat.S_ISREG):
        import shutil  # only what is moved needs it

        shutil.move(source, target)


def _remove(own: str, name: str) -> None:
    """Remove a file of `.devinit`, or a folder of files; other content stays.

    Any user who may write into the checkout can replace `.devinit` by a link at any moment.
    """
    opened: list[int] = []
    try:
        opened.append(folder := open_folder(own))
        if not stat.S_ISDIR(os.lstat(name, dir_fd=folder).st_mode):
            os.unlink(name, dir_fd=folder)
            return
        opened.append(inner := open_folder(name, folder))
        for each in os.listdir(inner):
            os.unlink(each, dir_fd=inner)
        os.rmdir(name, dir_fd=folder)
    except OSError:
        return
    finally:
        for descriptor in opened:
            os.close(descriptor)


def _is_own(path: str, is_kind: Callable[[int], bool]) -> bool:
    try:
        found = os.lstat(path)
    except OSError:
        return False
    return is_kind(found.st_mode) and found.st_uid == os.geteuid()
