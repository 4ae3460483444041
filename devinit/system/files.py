"""Atomic replacement and safe reading of files.

A cloned repository can contain links, named pipes and devices under the names that devinit uses. This module reads
and replaces only regular files. Opening a file never waits for the other end of a pipe, and a link is followed
only if it leads to another place in the same checkout.
"""

from __future__ import annotations

import errno
import os
import stat

from devinit.errors import StateFileError
from devinit.model.names import OWN_FOLDER
from devinit.system.limits import cure_of_limit
from devinit.system.regular import kind_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

BYTE_ORDER_MARK = b"\xef\xbb\xbf"

_NOT_ALLOWED = {errno.EACCES, errno.EPERM, errno.EROFS}
LARGEST_FILE = 64 * 2**20
"""In bytes. A repository of some kilobytes can contain a file of many gigabytes, all zeros."""
LARGEST_SETTINGS = 2**20
"""In bytes: for files that users write by hand, and for files that take long to parse."""
_PIPE_BLOCK = 65536


def write_atomically(
    path: str | os.PathLike[str],
    data: bytes | str,
    *,
    mode: int = 0o644,
    durable: bool = True,
    inside: str | os.PathLike[str] | None = None,
    keeps_owner: bool = False,
) -> None:
    """Replace a file as a whole: a reader sees either the old or the new content, whatever happens meanwhile.

    Without `durable`, that holds for a crash of a program, but not for a power failure. A link is kept, and its
    target replaced, if the target lies `inside` that folder. With `keeps_owner`, a file that root replaces keeps
    its owner, and a new one gets the owner of its folder: for files that users edit, and never for secrets. Raise
    StateFileError for any other link, for anything but a regular file, and if the file cannot be written.
    """
    name = os.fspath(path)
    target = _file_to_replace(name, inside)
    content = data.encode() if isinstance(data, str) else data
    temporary = _name_beside(target)
    try:
        owner = owner_of(target) if keeps_owner else None
        _write_new(temporary, content, mode, durable=durable, owner=owner)
        os.replace(temporary, target)
    except OSError as error:
        _remove_if_there(temporary)
        raise not_written(name, error) from error
    except BaseException:
        _remove_if_there(temporary)
        raise


def try_to_write(
    path: str | os.PathLike[str], data: bytes | str, *, inside: str | os.PathLike[str] | None = None
) -> None:
    """Raise the errors that `write_atomically` would raise now, without changing the file.

    A temporary file is written next to it and removed again.
    """
    name = os.fspath(path)
    temporary = _name_beside(_file_to_replace(name, inside))
    try:
        _write_new(temporary, data.encode() if isinstance(data, str) else data, 0o600, durable=False)
    except OSError as error:
        raise not_written(name, error) from error
    finally:
        _remove_if_there(temporary)


def read_bytes(
    path: str | os.PathLike[str],
    *,
    inside: str | os.PathLike[str] | None = None,
    pipe_seconds: float = 0.0,
    most: int = LARGEST_FILE,
) -> bytes | None:
    """Return a file's content, or None if there is no such file.

    With `inside`, a link must lead to a file in that folder. With `pipe_seconds`, the file may be a
    named pipe (fed by a secret manager) whose writer has this much time. Raise StateFileError, which
    names the file, for anything else that is no regular file, for a file of more than `most` bytes, and
    for a file that cannot be read.
    """
    name = os.fspath(path)
    try:
        target = name if inside is None else _inside(name, inside)
        # O_NONBLOCK: otherwise, opening a named pipe without a writer would block forever.
        descriptor = os.open(target, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _not_readable(name, error) from error
    try:
        found = os.fstat(descriptor)
        if stat.S_ISREG(found.st_mode):
            if found.st_size > most:
                raise _too_large(name, found.st_size, most)
            with open(descriptor, "rb", buffering=0, closefd=False) as file:
                return file.read()
        if stat.S_ISFIFO(found.st_mode) and pipe_seconds:
            return _read_pipe(descriptor, name, pipe_seconds, most)
    except OSError as error:
        raise _not_readable(name, error) from error
    finally:
        os.close(descriptor)
    raise _not_a_file(name, found.st_mode)


def read_text(
    path: str | os.PathLike[str],
    *,
    inside: str | os.PathLike[str] | None = None,
    pipe_seconds: float = 0.0,
    most: int = LARGEST_FILE,
) -> str | None:
    """Return `read_bytes` as text without a byte order mark; also raise StateFileError if it is not UTF-8."""
    content = read_bytes(path, inside=inside, pipe_seconds=pipe_seconds, most=most)
    if content is None:
        return None
    try:
        # Editors on Windows prepend a byte order mark, which JSON and TOML parsers reject.
        return content.removeprefix(BYTE_ORDER_MARK).decode()
    except UnicodeDecodeError as error:
        from devinit.system.encoding import UTF_16, is_utf_16  # for an error only

        if is_utf_16(content):
            raise StateFileError(
                f"{os.fspath(path)} is {UTF_16}", hint="save it as UTF-8, or delete it"
            ) from error
        raise StateFileError(
            f"{os.fspath(path)} is not UTF-8 text (byte {error.start})",
            hint="save it as UTF-8, or delete it",
        ) from error


def remove_torn(directory: str | os.PathLike[str], names: Iterable[str]) -> list[str]:
    """Remove partial files that writers of these files left when they were killed; return their paths.

    They may contain the secrets of the complete file, under a name that no .gitignore contains.
    """
    removed = []
    for name in os.listdir(directory):
        target, _, rest = name.removeprefix(".").rpartition(".tmp")[0].rpartition(".")[0].rpartition(".")
        if name.endswith(".tmp") and rest.isdecimal() and target in names and not _runs(int(rest)):
            path = os.path.join(directory, name)
            _remove_if_there(path)
            removed.append(path)
    return removed


def owner_of(path: str | os.PathLike[str]) -> tuple[int, int] | None:
    """Return user and group of a file that a replacement by root would change; None for any other file.

    For a file that does not exist, these are user and group of its folder.
    """
    if os.geteuid() != 0:
        return None
    for each in (os.fspath(path), os.path.dirname(path) or "."):
        try:
            found = os.lstat(each)
        except OSError:
            continue
        return (found.st_uid, found.st_gid) if found.st_uid != 0 else None
    return None


def _file_to_replace(path: str, inside: str | os.PathLike[str] | None) -> str:
    """Return the file to be replaced: the path itself, or the target of a link in a checkout."""
    try:
        found = os.lstat(path)
        if stat.S_ISLNK(found.st_mode) and inside is not None:
            path = _inside(path, inside)
            found = os.lstat(path)
    except FileNotFoundError:
        return path
    except OSError as error:
        raise not_written(path, error) from error
    if not stat.S_ISREG(found.st_mode):
        raise _not_a_file(path, found.st_mode)
    return path


def _inside(path: str, folder: str | os.PathLike[str]) -> str:
    """Return the target of a path; raise StateFileError if a link leads out of the folder."""
    if not os.path.islink(path):
        return path
    target, top = os.path.realpath(path), os.path.realpath(folder)
    if not target.startswith(top.rstrip("/") + "/"):
        raise StateFileError(
            f"{path} is a link to {target}, outside of {top}",
            hint="devinit follows links only within the project: replace the link by a file",
        )
    refuse_private(path, target, top)
    return target


def refuse_private(path: str | os.PathLike[str], target: str, top: str) -> None:
    """Raise StateFileError if a path leads to git's files or ours: no link in a clone is the user's intent."""
    if private := {".git", OWN_FOLDER}.intersection(os.path.relpath(target, top).split("/")):
        raise StateFileError(
            f"{path} leads into {private.pop()}, where nothing is written for applications",
            hint="replace the link by a file or a folder",
        )


def _read_pipe(descriptor: int, path: str, seconds: float, most: int) -> bytes:
    """Return the data that a writer puts into a named pipe until it closes it; refuse more than `most` bytes."""
    import select  # only secret managers need it
    import time

    deadline = time.monotonic() + seconds
    content = b""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    while (left := deadline - time.monotonic()) > 0:
        if not poll.poll(left * 1000):
            break
        if block := os.read(descriptor, _PIPE_BLOCK):
            content += block
            if len(content) > most:
                raise _too_large(path, len(content), most)
        else:
            return content
    raise StateFileError(
        f"{path} is a named pipe that {'stays open' if content else 'nothing writes to'} ({seconds:g} s waited)",
        hint="start the program that feeds it, or name a file instead",
    )


def _name_beside(target: str) -> str:
    directory, name = os.path.split(target)
    # Names are limited to 255 bytes; the random part lets two writers work at the same time.
    return os.path.join(directory, f".{name[:40]}.{os.getpid()}.{os.urandom(4).hex()}.tmp")


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError as error:
        return error.errno != errno.ESRCH
    return True


def _write_new(
    path: str, content: bytes, mode: int, *, durable: bool, owner: tuple[int, int] | None = None
) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with open(descriptor, "wb", buffering=0) as file:
        if owner is not None:
            os.fchown(descriptor, *owner)
        remaining = memoryview(content)
        while remaining:
            # A nearly full disk takes a part and reports that only by the count.
            remaining = remaining[file.write(remaining) :]
        if durable:
            # Without it, a power failure after the rename may leave an empty file (ext4, XFS).
            os.fsync(descriptor)


def _remove_if_there(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        # The file was never created, or the error that is being raised already describes the state of the disk.
        return


def not_written(path: str, error: OSError) -> StateFileError:
    """Return the error about a file that cannot be written, with advice."""
    hint = _hint(path, error)
    if cure_of_limit(error) is not None:
        hint = f"{hint}; the file is as it was before"
    return StateFileError(f"{path} cannot be written: {error.strerror}", hint=hint)


def _not_readable(path: str, error: OSError) -> StateFileError:
    return StateFileError(f"{path} cannot be read: {error.strerror}", hint=_hint(path, error))


def _not_a_file(path: str, mode: int) -> StateFileError:
    """Return the error about a path that is something other than a file, according to its mode."""
    return StateFileError(
        f"{path} is {kind_of(mode)}, not a file", hint="move it away, and put a file there if needed"
    )


def _too_large(path: str, size: int, most: int) -> StateFileError:
    return StateFileError(
        f"{path} is too large to be read: {size:,} bytes, and {most:,} are allowed",
        hint="move it away, or make it smaller",
    )


def _hint(path: str, error: OSError) -> str | None:
    from shlex import quote  # it loads re, for an error only

    folder = os.path.dirname(path) or "."
    if error.errno in _NOT_ALLOWED:
        from devinit.system.permissions import cure_of  # for an error only

        return cure_of(path, error, otherwise=f"check who owns it: ls -ld {quote(folder)} {quote(path)}")
    if (cure := cure_of_limit(error)) is not None:
        return cure
    if error.errno in (errno.EISDIR, errno.EINVAL, errno.ENXIO):
        return "something else has its name: move it away"
    if error.errno == errno.EBUSY:
        return (
            "it is mounted by itself (as a container does with a single file), so no file can take its place: "
            f"mount the folder {quote(folder)} instead"
        )
    if error.errno == errno.ENOENT:
        return f"create its folder: mkdir -p {quote(folder)}"
    return None
