"""Take over what earlier versions of devinit kept inside the checkout, in `.devinit`.

A cloned repository can ship such a folder. Only regular files and real folders are moved, so that no link of it is
ever followed. The record of what runs, which makes a supervisor start and end processes, is moved only if the
user's own state directory says that devinit was started in this checkout.
"""

from __future__ import annotations

import errno
import os
import stat

from devinit.errors import StateFileError
from devinit.system.files import is_locked
from devinit.system.paths import OWN_FOLDER, SUPERVISOR_LOCK, project_id, state_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

FILES = ("secrets", "supervisor.log")
RECORDS = ("state.json", "caller.json")
FOLDERS = ("logs", "setup")
DATA = "data"
USELESS = ("pids", "socket", "launch.lock", "ports.lock", SUPERVISOR_LOCK)
"""What means nothing without the supervisor that wrote it."""


def take_over(root: str, folder: str) -> None:
    """Move the state of a checkout from its `.devinit` into its state folder.

    Raise StateFileError when a supervisor of an earlier version still uses it, or when a server uses data that
    would have to be copied to another disk.
    """
    own = os.path.join(root, OWN_FOLDER)
    if is_locked(os.path.join(own, SUPERVISOR_LOCK)):
        raise StateFileError(
            f"a supervisor of an earlier version of devinit still runs in {root}",
            hint="run the command again; if that does not help, send SIGTERM to the pid in "
            f"{own}/{SUPERVISOR_LOCK}: the services keep running",
        )
    try:
        _move_data(os.path.join(own, DATA), os.path.join(folder, DATA), is_known=is_known(root))
        for name in FOLDERS:
            _move_folder(os.path.join(own, name), os.path.join(folder, name))
        for name in (*FILES, *(RECORDS if is_known(root) else ())):
            _move_file(os.path.join(own, name), os.path.join(folder, name))
        for name in (*USELESS, *RECORDS):
            _remove(os.path.join(own, name))
    except OSError as error:
        raise StateFileError(
            f"{own} cannot be moved to {folder}: {error.strerror} ({error.filename})",
            hint="make room, or check who owns it; what was not moved is where it was",
        ) from error


def is_known(root: str) -> bool:
    """Whether the user's own state directory says that devinit was started in this checkout."""
    return os.path.isfile(os.path.join(state_path(), "projects", f"{project_id(root)}.json"))


def has_record(root: str | os.PathLike[str]) -> bool:
    """Whether an earlier version left a record of what runs that can be taken over."""
    real = os.path.realpath(root)
    return is_known(real) and _is_own(os.path.join(real, OWN_FOLDER, RECORDS[0]), stat.S_ISREG)


def folder_with_logs(root: str | os.PathLike[str]) -> str | None:
    """Return the `.devinit` of a checkout if an earlier version left logs there that have not been moved yet."""
    real = os.path.realpath(root)
    own = os.path.join(real, OWN_FOLDER)
    there = (_is_own(each, stat.S_ISDIR) for each in (own, os.path.join(own, "logs")))
    return own if all(there) and is_known(real) else None


def _move_folder(source: str, target: str) -> None:
    if not _is_own(source, stat.S_ISDIR):
        return
    os.makedirs(target, mode=0o700, exist_ok=True)
    for name in os.listdir(source):
        _move_file(os.path.join(source, name), os.path.join(target, name))
    _remove(source)


def _move_file(source: str, target: str) -> None:
    if _is_own(source, stat.S_ISREG):
        import shutil  # only what is moved needs it

        shutil.move(source, target)


def _move_data(source: str, target: str, *, is_known: bool) -> None:
    """Move the databases: renamed where that is possible, which running servers do not notice, else copied."""
    if not _is_own(source, stat.S_ISDIR):
        return
    _refuse_what_no_server_made(source, is_known=is_known)
    try:
        os.rename(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
    else:
        return
    from devinit.system.processes import facts_of, process_ids  # it takes long to load

    top = os.path.realpath(source)
    for pid in process_ids():
        facts = facts_of(pid)
        if facts is not None and f"{facts.directory or ''}/".startswith(f"{top}/"):
            raise StateFileError(
                f"{source} must move to {target} on another disk, and {facts.title} (pid {pid}) works in it",
                hint=f"end it, then run the command again: kill -INT {pid}",
            )
    import shutil  # as above

    unfinished = f"{target}.unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    shutil.copytree(source, unfinished, symlinks=True, copy_function=_copy)
    _keep_owners(source, unfinished)
    os.rename(unfinished, target)
    shutil.rmtree(source)


def _refuse_what_no_server_made(folder: str, *, is_known: bool) -> None:
    """Raise StateFileError for a named pipe, whose reading would never end, and for a link out of the data.

    PostgreSQL makes links for its tablespaces, and can have one for its write-ahead log. They count only in a
    checkout in which devinit was started.
    """
    for top, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = os.path.join(top, name)
            mode = os.lstat(path).st_mode
            if stat.S_ISFIFO(mode):
                raise StateFileError(
                    f"{path} is a named pipe, not a file", hint="remove it: no database made it"
                )
            is_servers = is_known and (os.path.basename(top) == "pg_tblspc" or name == "pg_wal")
            if stat.S_ISLNK(mode) and not is_servers:
                raise StateFileError(
                    f"{path} is a symbolic link: devinit follows no links there, because they may come with a "
                    "repository",
                    hint="remove it, or put what it leads to in its place",
                )


def _copy(source: str, target: str) -> str:
    import shutil  # as above

    # A socket or a named pipe in a database's folder is a left-over of its server.
    return shutil.copy2(source, target) if stat.S_ISREG(os.lstat(source).st_mode) else target


def _keep_owners(source: str, target: str) -> None:
    """Give the copies the owners of the originals: root's servers run as other users."""
    if os.geteuid() != 0:
        return
    for folder, _, files in os.walk(target):
        original = os.path.join(source, os.path.relpath(folder, target))
        for name in (".", *files):
            found = os.lstat(os.path.join(original, name))
            os.chown(os.path.join(folder, name), found.st_uid, found.st_gid, follow_symlinks=False)


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
