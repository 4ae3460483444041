"""Migration of data that earlier versions of devinit kept in `.devinit/data` into the state folder.

The migration never deletes data or chooses between data: if a service has data in both places, it is refused with
both paths. A cloned repository can contain such a folder, so links in it are not followed.
"""

from __future__ import annotations

import errno
import os
import stat

from devinit.errors import StateFileError
from devinit.system.kept_data import DATA, UNFINISHED, has_data
from devinit.system.old_outside import shared_home
from devinit.system.state_folders import parts_of
from devinit.system.walking import DEEPEST, walk

PROGRAM = "program.json"
"""The file with the name of a server's program, which devinit runs."""
NOTES = (PROGRAM, "password", "users.acl", "ready-once")
"""Notes of providers next to the data; worthless without it."""


class LeftOver:
    """The data of one service in the `.devinit` of a checkout."""

    def __init__(self, service: str, path: str, target: str, other: str | None) -> None:
        self.service = service
        self.path = path
        self.target = target
        """The new place of the data."""
        self.other = other
        """Other data of the service, which is in the way; None if the move loses nothing."""


def left_over(own: str, folder: str) -> list[LeftOver]:
    """Return the data of services in a `.devinit`, for a checkout with this state folder."""
    source = os.path.join(own, DATA)
    found = []
    for name in sorted(os.listdir(source)) if is_real_folder(own) and is_real_folder(source) else ():
        path, target = os.path.join(source, name), os.path.join(folder, DATA, name)
        if is_real_folder(path):
            other = _data_in_the_way(folder, name) if has_data(path) else None
            found.append(LeftOver(name, path, target, other))
    return found


def refuse(own: str, folder: str, *, is_known: bool) -> None:
    """Raise StateFileError if `move` would, before anything is stopped for it. Change nothing."""
    source = os.path.join(own, DATA)
    if not is_real_folder(source):
        return
    _refuse_what_no_server_made(source, is_known=is_known)
    for each in left_over(own, folder):
        if each.other is not None:
            raise in_two_places(each, each.other)
    above = os.path.dirname(folder)
    if os.path.isdir(above) and os.stat(above).st_dev != os.stat(source).st_dev:
        _refuse_in_use(source, os.path.join(folder, DATA))


def move(own: str, folder: str, *, is_known: bool) -> None:
    """Move the data: by renaming if possible, which running servers do not notice, else by copying.

    Raise StateFileError, before anything is moved, for data that devinit must not touch.
    """
    source, target = os.path.join(own, DATA), os.path.join(folder, DATA)
    if not is_real_folder(source):
        return
    refuse(own, folder, is_known=is_known)
    if not is_known:
        # The file may have come with a repository. Without it, the program is chosen again, and the data stays.
        _remove_programs(source)
    if not os.path.lexists(target):
        _relocate(source, target)
        return
    for each in left_over(own, folder):
        if not os.path.lexists(each.target):
            _relocate(each.path, each.target)
        elif has_data(each.path):
            _merge(each.path, each.target)
        else:
            _remove_notes(each.path)
    _remove_if_empty(source)


def in_two_places(left: LeftOver, other: str) -> StateFileError:
    """Return the error about one service's data in two places, with the ways out."""
    from shlex import quote  # for an error only

    first = ""
    if (server := _server_in(left.path)) is not None:
        pid, _ = server
        first = (
            f"first end the server that uses the earlier data (pid {pid}): `devinit stop`, or kill -INT {pid} "
            "where no supervisor runs\n"
        )
    return StateFileError(
        f"{left.service} has data in two places: {left.path}, which an earlier devinit made, and {other}",
        hint=f"nothing was changed; move one of them away, and run the command again\n{first}"
        f"to keep the current data: mv {quote(left.path)} {quote(f'{left.target}.old')}\n"
        f"to use the earlier data: mv {quote(other)} {quote(f'{other}.old')}",
    )


def size_of(path: str) -> int:
    """Return how many bytes of disk space a folder takes."""
    files = (os.path.join(top, name) for top, _, names in walk(path) for name in names)
    return sum(_blocks_of(file) * 512 for file in files)


def is_real_folder(path: str) -> bool:
    """Whether a path is a folder of ours and no link."""
    try:
        found = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()


def _data_in_the_way(folder: str, service: str) -> str | None:
    """Return where the service already has data.

    Data that root's servers keep outside counts if this state folder has used it.
    """
    inside = os.path.join(folder, DATA, service)
    if not os.path.lexists(inside):
        return None
    homes = (
        inside,
        *(os.path.join(part, service) for part in parts_of(folder)[1:]),
        shared_home(folder, service),
    )
    return next((home for home in homes if home is not None and has_data(home)), None)


def _refuse_in_use(source: str, target: str) -> None:
    """Raise StateFileError for data that must be copied while a server uses it."""
    if (server := _server_in(source)) is not None:
        pid, title = server
        raise StateFileError(
            f"{source} must move to {target} on another disk, and {title} (pid {pid}) works in it",
            hint=f"end it, then run the command again: kill -INT {pid}",
        )


def _server_in(folder: str) -> tuple[int, str] | None:
    """Return the first process that works in a folder, with its title."""
    from devinit.system.processes import facts_of, process_ids  # it takes long to load

    top = os.path.realpath(folder)
    for pid in process_ids():
        facts = facts_of(pid)
        if facts is not None and f"{facts.directory or ''}/".startswith(f"{top}/"):
            return pid, facts.title
    return None


def _relocate(source: str, target: str) -> None:
    try:
        os.rename(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
    else:
        return
    import shutil  # only what is copied needs it

    if not os.path.isdir(source):
        shutil.move(source, target)
        return
    _refuse_in_use(source, target)
    unfinished = f"{target}{UNFINISHED}"
    shutil.rmtree(unfinished, ignore_errors=True)
    shutil.copytree(source, unfinished, symlinks=True, copy_function=_copy)
    _keep_owners(source, unfinished)
    os.rename(unfinished, target)
    shutil.rmtree(source)


def _merge(source: str, target: str) -> None:
    """Move data into a folder that contains only notes; notes that belong to the data replace those."""
    import shutil  # as above

    # The data moves last: if this is interrupted, the next attempt finds it in its old place.
    for name in sorted(os.listdir(source), key=lambda name: is_real_folder(os.path.join(source, name))):
        new = os.path.join(target, name)
        if is_real_folder(new):
            shutil.rmtree(new)  # it contains no file, or is unfinished
        if _is_note(name) or not os.path.lexists(new):
            _relocate(os.path.join(source, name), new)
    _remove_if_empty(source)


def _remove_notes(home: str) -> None:
    """Remove notes about missing data; other files stay."""
    for name in os.listdir(home):
        if _is_note(name):
            os.unlink(os.path.join(home, name))
    _remove_if_empty(home)


def _is_note(name: str) -> bool:
    return name in NOTES or (name.startswith("in-use-") and name.endswith(".lock"))


def _remove_if_empty(folder: str) -> None:
    if not os.listdir(folder):
        os.rmdir(folder)


def _remove_programs(source: str) -> None:
    for name in os.listdir(source):
        path = os.path.join(source, name, PROGRAM)
        try:
            os.unlink(path)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            raise StateFileError(
                f"{path} cannot be removed: {error.strerror}", hint="remove it: it names a program to run"
            ) from error


def _refuse_what_no_server_made(folder: str, *, is_known: bool) -> None:
    """Raise StateFileError for a named pipe, which would block a reader forever, and for a link out of the data.

    PostgreSQL creates links for its tablespaces, and can have one for its write-ahead log. They are accepted only
    in a checkout in which devinit was started.
    """
    for top, folders, files in walk(folder, deepest=DEEPEST):
        if folders and top.removeprefix(folder).count("/") >= DEEPEST:
            raise StateFileError(
                f"{folder} is deeper than {DEEPEST} folders", hint="remove it: no database made it"
            )
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

    # A socket or a named pipe in a database's folder is a remnant of its server.
    return shutil.copy2(source, target) if stat.S_ISREG(os.lstat(source).st_mode) else target


def _keep_owners(source: str, target: str) -> None:
    """Give the copies the owners of the originals: root's servers run as other users."""
    if os.geteuid() != 0:
        return
    for folder, _, files in walk(target):
        original = os.path.join(source, os.path.relpath(folder, target))
        for name in (".", *files):
            found = os.lstat(os.path.join(original, name))
            os.chown(os.path.join(folder, name), found.st_uid, found.st_gid, follow_symlinks=False)


def _blocks_of(path: str) -> int:
    try:
        return os.lstat(path).st_blocks
    except OSError:
        return 0  # a server is just removing it
