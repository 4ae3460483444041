"""Where devinit keeps what belongs to one checkout: its logs, its data, the record of what runs.

All of that lies in the user's state directory, in a folder that is named after the checkout's path. A file
watcher in the checkout does not see it, `git clean -fdx` does not delete it, and a cloned repository cannot bring
it along. The checkout itself has only `.devinit/identity`, a random name that the state folder knows too. By it
the state folder follows a checkout that is moved, and a copy gets one of its own (docs/adr/0024).

Every command loads this module: it imports nothing that loads `re`.
"""

from __future__ import annotations

import errno
import os
import stat

from devinit.errors import StateFileError
from devinit.system.files import (
    FileLock,
    is_locked,
    is_unlocked_within,
    read_bytes,
    write_atomically,
)
from devinit.system.limits import cure_of_limit
from devinit.system.paths import (
    OWN_FOLDER,
    SUPERVISOR_LOCK,
    create_private,
    project_id,
    state_path,
    unusable,
)

IDENTITY = "identity"
ORIGIN = "checkout"
"""The file in a state folder that says whose it is."""
OUTSIDE = "/var/lib/devinit"
"""Where root's servers keep their data when they must run as another user, who may not enter root's folders."""
STOPPING_SECONDS = 20.0
"""How long a claim waits for the supervisor of a checkout that was just moved: it is stopping the services."""
ASIDE_SECONDS = 14 * 24 * 3600
"""How long the state of a checkout is kept after another one has taken its place."""

_IDENTITY_BYTES = 16
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
        own = os.path.join(root, OWN_FOLDER)
        if os.path.isdir(own) and (identity := _read_identity(os.path.join(own, IDENTITY))):
            return _moved_from(identity, os.path.realpath(root)) or path
    return path


def folder_with_logs(root: str | os.PathLike[str]) -> str:
    """Return the folder that has a checkout's logs now: `.devinit` until what lies there has moved."""
    path = state_folder(root)
    if os.path.isdir(path):
        return path
    from devinit.system import old_layout  # once in the life of a checkout

    return old_layout.folder_with_logs(root) or path


def claim(root: str | os.PathLike[str]) -> str:
    """Return the checkout's state folder, ready to be used: it is made, or moved with the checkout, if needed.

    Raise StateFileError when `.devinit` is a link or another user's, or something cannot be written.
    """
    real = os.path.realpath(root)
    own = _open_own_folder(os.path.join(root, OWN_FOLDER))
    try:
        path = folder_of(real)
        origin = origin_of(path)
        # Nearly always: two small files agree.
        if origin is not None and origin.root == real and _read_identity(IDENTITY, own) == origin.identity:
            return path
        create_private(os.path.dirname(path))
        with FileLock(os.path.join(os.path.dirname(path), "lock")):
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
        names = sorted(os.listdir(top))
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
        _read_identity(os.path.join(origin.root, OWN_FOLDER, IDENTITY)) == origin.identity
        or _fingerprint(origin.root) == origin.folder
    )


def is_replaced(root: str | os.PathLike[str]) -> bool:
    """Whether the checkout of a state folder was deleted or moved; another one may lie at its path now."""
    origin = origin_of(folder_of(root))
    return origin is not None and origin.root == os.path.realpath(root) and not is_there(origin)


def size_of(path: str) -> int:
    """Return how many bytes a state folder takes on the disk."""
    found = 0
    for top in _parts_of(path):
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

    for folder in _parts_of(path):
        if os.path.isdir(folder):
            shutil.rmtree(folder)


def _settle(own: int, real: str, path: str) -> str:
    """Find out which checkout this is. The caller holds the lock, so no other command does the same now."""
    identity, origin = _read_identity(IDENTITY, own), origin_of(path)
    if origin is not None and origin.root == real:
        if origin.identity == identity or origin.folder == _fingerprint(real):
            # `git clean -fdx` took the identity away, or another state directory has another one for it.
            _write_identity(own, origin.identity)
            return path
        # Another checkout was here, and was deleted or moved away.
        _move(path, aside := _name_aside(path))
        os.utime(aside)
    _remove_old(path)
    moved = _moved_from(identity, real) if identity else None
    if moved is not None:
        _move(moved, path)
    else:
        identity = os.urandom(_IDENTITY_BYTES).hex()
        create_private(path)
        from devinit.system import old_layout  # once in the life of a checkout

        old_layout.take_over(real, path)
    assert identity is not None  # noqa: S101  the old one of what was moved, or a new one
    _write_identity(own, identity)
    origin_text = "\n".join((identity, _fingerprint(real), real))
    write_atomically(os.path.join(path, ORIGIN), os.fsencode(origin_text), mode=0o600)
    return path


def _moved_from(identity: str, real: str) -> str | None:
    """Return the state folder of a checkout that has this identity, and is not where it was any more."""
    for path, origin in folders().items():
        if origin.identity == identity and origin.root != real and not is_there(origin):
            return path
    return None


def _move(path: str, target: str) -> None:
    """Rename a state folder, once nothing of it is in use."""
    if not is_unlocked_within(os.path.join(path, SUPERVISOR_LOCK), STOPPING_SECONDS):
        raise StateFileError(
            f"{path} is still used by the supervisor of a checkout that was moved or deleted",
            hint="`devinit status --all` shows it; run the command again when it has stopped",
        )
    for old, new in zip(_parts_of(path), _parts_of(target), strict=True):
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

    data, *outside = (escape(part) for part in (os.path.join(path, "data"), *_parts_of(path)[1:]))
    locks = [lock for top in (data, *outside) for lock in glob(f"{top}/*/*.lock")]
    return any(map(is_locked, (os.path.join(path, SUPERVISOR_LOCK), *locks)))


def _parts_of(path: str) -> tuple[str, ...]:
    """Return a state folder, and where root's servers keep what belongs to it."""
    if os.geteuid() != 0:
        # A folder there of this name is root's, who has started the same checkout.
        return (path,)
    return path, os.path.join(OUTSIDE, os.path.basename(path))


def _fingerprint(folder: str) -> str:
    from devinit.system.birth import birth_of  # it loads ctypes

    return f"{os.stat(folder).st_ino}.{birth_of(folder)}"


def _open_own_folder(path: str) -> int:
    """Return a descriptor of `.devinit`, created 0700; refuse a link, or a folder of another user's."""
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        pass
    except OSError as error:
        raise _unusable(path, error) from error
    try:
        own = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in (errno.ENOTDIR, errno.ELOOP):
            raise _refused(path) from error
        raise _unusable(path, error) from error
    try:
        _make_private(path, own)
    except BaseException:
        os.close(own)
        raise
    return own


def _make_private(path: str, own: int) -> None:
    found = os.fstat(own)
    if found.st_uid != os.geteuid():
        raise StateFileError(
            f"{path} belongs to another user (uid {found.st_uid})",
            hint="run devinit as that user; or, if the checkout is yours, remove the folder",
        )
    if found.st_mode & 0o077:
        _close_to_others(own)
    try:
        ignore = os.open(".gitignore", os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644, dir_fd=own)
    except FileExistsError:
        return
    except OSError as error:
        raise _unusable(path, error) from error
    with open(ignore, "w", encoding="ascii") as file:
        file.write("*\n")


def _close_to_others(own: int) -> None:
    """Take other users' rights from a folder that was copied, unpacked, or made by hand."""
    try:
        os.fchmod(own, 0o700)
    except OSError:
        # On disks without rights (a Windows drive in WSL) every folder is open and stays so.
        return


def _read_identity(name: str, folder: int | None = None) -> str | None:
    """Return the identity that a file holds; None for anything that devinit has not written."""
    try:
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except OSError:
        return None
    try:
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode):
            return None
        text = os.read(file, 4 * _IDENTITY_BYTES).decode("ascii", "replace").strip()
    finally:
        os.close(file)
    is_ours = len(text) == 2 * _IDENTITY_BYTES and not set(text) - set("0123456789abcdef")
    return text if is_ours else None


def _write_identity(own: int, identity: str) -> None:
    """Replace the identity, without following what stands there now."""
    if _read_identity(IDENTITY, own) == identity:
        return
    temporary = f".{IDENTITY}.{os.getpid()}.tmp"
    try:
        file = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=own)
        try:
            with open(file, "w", encoding="ascii") as opened:
                opened.write(f"{identity}\n")
            os.replace(temporary, IDENTITY, src_dir_fd=own, dst_dir_fd=own)
        except OSError:  # a full disk: the next try must not find it
            os.unlink(temporary, dir_fd=own)
            raise
    except OSError as error:
        raise _unusable(f"{OWN_FOLDER}/{IDENTITY}", error) from error


def _refused(path: str) -> StateFileError:
    kind = "is a symbolic link" if os.path.islink(path) else "is no folder"
    from shlex import quote  # it loads re, for an error only

    return StateFileError(
        f"{path} {kind}: devinit follows no links there, because they may come with a repository",
        hint=f"remove it, and devinit makes its own: rm {quote(path)}",
    )


def _unusable(path: str, error: OSError) -> StateFileError:
    hint = "devinit keeps there which checkout this is: make the checkout writable"
    if (cure := cure_of_limit(error)) is not None:
        hint = cure
    elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        from devinit.system.permissions import chown, cure_of  # for an error only

        if error.errno != errno.EROFS:
            hint = f"make the checkout yours (was it made with sudo?): {chown([os.path.dirname(path)])}"
        hint = cure_of(path, error, otherwise=hint)
    return StateFileError(f"{path} cannot be used: {error.strerror}", hint=hint)
