"""The folder `.devinit` in a checkout, with the identity by which its state folder is found again.

A cloned repository can contain such a folder. It is opened without following a link, and so is the identity.
"""

from __future__ import annotations

import errno
import os
import stat

from devinit.errors import StateFileError
from devinit.model.names import OWN_FOLDER
from devinit.system.limits import cure_of_limit

IDENTITY = "identity"
IDENTITY_BYTES = 16
MOST_REMOVALS = 10
"""How often `.devinit` may be removed while it is opened; each removal is the end of another supervisor."""
EVERYTHING = b"*\n"
"""The content of the folder's `.gitignore`."""


def open_own_folder(path: str) -> int:
    """Return a descriptor of `.devinit`, created with 0700; refuse a link, and a folder of another user."""
    removals = 0
    while True:
        try:
            os.mkdir(path, 0o700)
        except FileExistsError:
            pass
        except OSError as error:
            raise _unusable(path, error) from error
        try:
            return _open_private(path)
        except FileNotFoundError as error:
            # A supervisor that answered only a request removes the folder when it exits (`unused_state`).
            removals += 1
            if removals == MOST_REMOVALS:
                raise _unusable(path, error) from error


def refuse_no_folder(path: str) -> None:
    """Raise StateFileError if `.devinit` is a link or anything else but a folder."""
    try:
        found = os.lstat(path)
    except OSError:
        return
    if not stat.S_ISDIR(found.st_mode):
        raise _refused(path)


def open_folder(path: str, folder: int | None = None) -> int:
    """Return a descriptor of a folder, relative to another one if given. Raise OSError, also for a link."""
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)


def _open_private(path: str) -> int:
    """Open a `.devinit` that existed a moment ago. Raise FileNotFoundError if it was removed meanwhile."""
    try:
        own = open_folder(path)
    except FileNotFoundError:
        raise
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
        _ignore_everything(own)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _unusable(path, error) from error


def _ignore_everything(own: int) -> None:
    """Write the `.gitignore` of the folder. On OSError, remove the incomplete file."""
    try:
        ignore = os.open(".gitignore", os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644, dir_fd=own)
    except FileExistsError:
        found = _empty(own)
        if found is None:
            return
        ignore = found
    try:
        os.write(ignore, EVERYTHING)
    except OSError:
        os.unlink(".gitignore", dir_fd=own)
        raise
    finally:
        os.close(ignore)


def _empty(own: int) -> int | None:
    """Return the open `.gitignore` if it is empty because the disk was full at its creation; None otherwise."""
    try:
        file = os.open(".gitignore", os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=own)
    except OSError:
        return None  # a link, or a folder of the user's
    found = os.fstat(file)
    if stat.S_ISREG(found.st_mode) and found.st_size == 0:
        return file
    os.close(file)
    return None


def _close_to_others(own: int) -> None:
    """Remove other users' permissions from a folder that was copied, unpacked, or made by hand."""
    try:
        os.fchmod(own, 0o700)
    except OSError:
        # On disks without permissions (a Windows drive in WSL) every folder stays open.
        return


def read_identity(name: str, folder: int | None = None) -> str | None:
    """Return the identity in a file; None for anything that devinit did not write."""
    try:
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except OSError:
        return None
    try:
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode):
            return None
        text = os.read(file, 4 * IDENTITY_BYTES).decode("ascii", "replace").strip()
    finally:
        os.close(file)
    is_ours = len(text) == 2 * IDENTITY_BYTES and not set(text) - set("0123456789abcdef")
    return text if is_ours else None


def write_identity(own: int, identity: str, root: str) -> None:
    """Replace the identity in an open `.devinit`, without following a link in its place.

    Raise StateFileError if it cannot be written.
    """
    if read_identity(IDENTITY, own) == identity:
        return
    temporary = f".{IDENTITY}.{os.getpid()}.tmp"
    try:
        file = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=own)
        with open(file, "w", encoding="ascii") as opened:
            opened.write(f"{identity}\n")
        os.replace(temporary, IDENTITY, src_dir_fd=own, dst_dir_fd=own)
    except OSError as error:
        _remove_if_there(temporary, own)
        path = os.path.join(root, OWN_FOLDER, IDENTITY)
        raise _is_a_folder(path) if error.errno == errno.EISDIR else _unusable(path, error) from error


def _remove_if_there(name: str, folder: int) -> None:
    try:
        os.unlink(name, dir_fd=folder)
    except OSError:
        return


def _refused(path: str) -> StateFileError:
    kind = "is a symbolic link" if os.path.islink(path) else "is no folder"
    from shlex import quote  # it loads re, for an error only

    return StateFileError(
        f"{path} {kind}: devinit follows no links there, because they may come with a repository",
        hint=f"remove it, and devinit makes its own: rm {quote(path)}",
    )


def _is_a_folder(path: str) -> StateFileError:
    from shlex import quote  # as above

    return StateFileError(
        f"{path} is a folder: devinit keeps there, in a file, which checkout this is",
        hint=f"move it away, and devinit writes the file: mv {quote(path)} {quote(f'{path}.old')}",
    )


def _unusable(path: str, error: OSError) -> StateFileError:
    hint = "devinit keeps there which checkout this is: make the checkout writable"
    if (cure := cure_of_limit(error)) is not None:
        hint = cure
    elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        from devinit.system.permissions import chown, cure_of  # for an error only

        if error.errno == errno.EROFS:
            hint = "work in a copy of the checkout on another one"
        else:
            hint = f"make the checkout yours (was it made with sudo?): {chown([os.path.dirname(path)])}"
        hint = cure_of(path, error, otherwise=hint)
    return StateFileError(f"{path} cannot be used: {error.strerror}", hint=hint)
