"""Take over what earlier versions of devinit kept inside the checkout, in `.devinit`.

That happens in the first start of a later version, and again after an earlier one was used in between: a commit
was checked out that brings it. A cloned repository can ship such a folder. Only regular files and real folders are
moved, so that no link of it is ever followed. The record of what runs, which makes a supervisor start and end
processes, is moved only if the user's own state directory says that devinit was started in this checkout; beside a
record of a later version it must also name a process of this checkout that runs, which no repository can know.
"""

from __future__ import annotations

import os
import stat

from devinit.errors import StateFileError
from devinit.system import old_data, old_logs
from devinit.system.checkout import state_folder
from devinit.system.files import is_locked, read_bytes
from devinit.system.paths import OWN_FOLDER, SUPERVISOR_LOCK, project_id, state_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

RECORD = "state.json"
RECORDS = (RECORD, "caller.json")
LOGS, SETUP = "logs", "setup"
SECRETS, SUPERVISOR_LOG = "secrets", "supervisor.log"
USELESS = ("pids", "socket", "launch.lock", "ports.lock", SUPERVISOR_LOCK)
"""What means nothing without the supervisor that wrote it."""


def take_over(root: str, folder: str) -> None:
    """Move the state of a checkout from its `.devinit` into its state folder.

    Raise StateFileError, before anything is moved, when a supervisor of an earlier version still uses it, when a
    service has data in both places, or when a server uses data that would have to be copied to another disk.
    """
    if is_locked(os.path.join(folder, SUPERVISOR_LOCK)):
        return  # nothing is moved under a supervisor that looks after the state folder
    own = os.path.join(root, OWN_FOLDER)
    if is_locked(os.path.join(own, SUPERVISOR_LOCK)):
        raise StateFileError(
            f"a supervisor of an earlier version of devinit still runs in {root}",
            hint="run the command again; if that does not help, send SIGTERM to the pid in "
            f"{own}/{SUPERVISOR_LOCK}: the services keep running",
        )
    counts = has_record(root)
    try:
        old_data.move(own, folder, is_known=is_known(root))
        old_logs.move(os.path.join(own, LOGS), os.path.join(folder, LOGS), run_on=counts)
        _move_setup(os.path.join(own, SETUP), os.path.join(folder, SETUP))
        _move_newer(os.path.join(own, SECRETS), os.path.join(folder, SECRETS))
        if _is_own(os.path.join(own, SUPERVISOR_LOG), stat.S_ISREG):
            old_logs.append(os.path.join(own, SUPERVISOR_LOG), os.path.join(folder, SUPERVISOR_LOG))
        for name in RECORDS if counts else ():
            _move_file(os.path.join(own, name), os.path.join(folder, name))
        for name in (*USELESS, *RECORDS):
            _remove(os.path.join(own, name))
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
    """Whether the user's own state directory says that devinit was started in this checkout."""
    return os.path.isfile(os.path.join(state_path(), "projects", f"{project_id(root)}.json"))


def has_record(root: str | os.PathLike[str]) -> bool:
    """Whether an earlier version left a record of what runs that is to be taken over."""
    real = os.path.realpath(root)
    own = os.path.join(real, OWN_FOLDER)
    record, later = os.path.join(own, RECORD), os.path.join(state_folder(root), RECORD)
    if not (is_known(real) and old_data.is_real_folder(own) and _is_own(record, stat.S_ISREG)):
        return False
    if not os.path.lexists(later):
        return True
    # Of two records that name what runs, the later one.
    return _names_what_runs(record, real) and (
        os.stat(record).st_mtime_ns >= os.stat(later).st_mtime_ns or not _names_what_runs(later, real)
    )


def folder_with_logs(root: str | os.PathLike[str]) -> str | None:
    """Return the `.devinit` of a checkout if an earlier version left logs there that have not been moved yet."""
    real = os.path.realpath(root)
    own = os.path.join(real, OWN_FOLDER)
    there = (_is_own(each, stat.S_ISDIR) for each in (own, os.path.join(own, LOGS)))
    return own if all(there) and is_known(real) else None


def _names_what_runs(path: str, root: str) -> bool:
    """Whether a process on record is there and carries the mark of its service, or has written over its marks."""
    import json  # only where a commit with an earlier version was checked out

    try:
        services = json.loads(read_bytes(path) or b"{}")["services"]
        identities = [(name, each.get("identity")) for name, each in services.items()]
        return any(_runs(f"{project_id(root)}/{name}", each) for name, each in identities if each)
    except (StateFileError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return False


def _runs(mark: str, identity: dict[str, int | str]) -> bool:
    from devinit.model.process import ProcessIdentity  # as above
    from devinit.system.processes import RUN_VARIABLE, alive, has_legible_environment, variable_of

    pid = int(identity["pid"])
    if not alive(ProcessIdentity(pid, int(identity["start_time"]), str(identity["boot_id"]))):
        return False
    return variable_of(pid, RUN_VARIABLE) == mark or not has_legible_environment(pid)


def _move_setup(source: str, target: str) -> None:
    """Move what is on record of set-ups; of two records the newer one is about the files that are there now."""
    if not old_data.is_real_folder(source):
        return
    os.makedirs(target, mode=0o700, exist_ok=True)
    for name in os.listdir(source):
        _move_newer(os.path.join(source, name), os.path.join(target, name))
    _remove(source)


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


def _remove(path: str) -> None:
    """Remove a file, or a folder of files; what else was put there stays."""
    try:
        if stat.S_ISDIR(os.lstat(path).st_mode):
            for name in os.listdir(path):
                os.unlink(os.path.join(path, name))
            os.rmdir(path)
        else:
            os.unlink(path)
    except OSError:
        return


def _is_own(path: str, is_kind: Callable[[int], bool]) -> bool:
    try:
        found = os.lstat(path)
    except OSError:
        return False
    return is_kind(found.st_mode) and found.st_uid == os.geteuid()
