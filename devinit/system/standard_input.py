"""The standard input of a service without a terminal: its own input, which is silent and never ends.

/dev/null would end at once, and `tailwind --watch` and others stop at the end of their input. If several services
shared one input, each could read text that was meant for another.
"""

from __future__ import annotations

import array
import fcntl
import os
import stat
import termios
from collections.abc import Iterator
from contextlib import contextmanager

from devinit.errors import ServiceError
from devinit.system.limits import cure_of_limit
from devinit.system.procfs import read

ATOMIC_BYTES = 4096
"""PIPE_BUF of Linux: this many bytes arrive as a whole or not at all. A terminal line is never longer (N_TTY)."""


@contextmanager
def silent_input() -> Iterator[int]:
    """Open a new input for one process, which is started inside the block.

    The process that reads it can also write to it, so it stays open while a process has it, even after we exit.
    Raise ServiceError if it cannot be opened.
    """
    try:
        descriptor = _open()
    except OSError as error:
        raise ServiceError(
            f"no standard input can be opened: {error.strerror}", hint=cure_of_limit(error)
        ) from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def input_of(pid: int, name: str) -> int:
    """Return a descriptor that writes to the silent input of a process, without blocking.

    `name`: the service, for the error. Raise ServiceError if the process now reads from anything else.
    """
    try:
        # Opened with O_PATH first: a file or a terminal in its place must not even be opened for writing.
        seen = os.open(f"/proc/{pid}/fd/0", os.O_PATH | os.O_CLOEXEC)
    except OSError as error:
        raise _unreachable(pid, name, error) from error
    try:
        if not _is_silent_input(pid, seen):
            raise ServiceError(
                f"the standard input of {name} (pid {pid}) is {_target(pid)}, not the one that devinit gave it",
                hint=f"nothing can be typed into it; `devinit logs -f {name}` shows what it prints",
            )
        return os.open(f"/proc/self/fd/{seen}", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise _unreachable(pid, name, error) from error
    finally:
        os.close(seen)


def unread_bytes(descriptor: int) -> int:
    """Return how many bytes in a pipe have not been read yet."""
    count = array.array("i", [0])
    fcntl.ioctl(descriptor, termios.FIONREAD, count)
    return count[0]


def unread_in_terminal(pid: int) -> int:
    """Return how many typed bytes a process has not read yet."""
    try:
        descriptor = os.open(f"/proc/{pid}/fd/0", os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return 0
    try:
        return unread_bytes(descriptor)
    except OSError:
        return 0
    finally:
        os.close(descriptor)


def _is_silent_input(pid: int, descriptor: int) -> bool:
    """Whether a standard input is one of ours: a pipe open for reading and writing, which no shell creates."""
    found = os.fstat(descriptor)
    if not stat.S_ISFIFO(found.st_mode) or found.st_uid != os.geteuid():
        return False
    _, _, flags = (read(f"/proc/{pid}/fdinfo/0") or b"").partition(b"flags:")
    return bool(flags) and int(flags.split()[0], 8) & os.O_ACCMODE == os.O_RDWR


def _target(pid: int) -> str:
    try:
        return os.readlink(f"/proc/{pid}/fd/0")
    except OSError:
        return "another file"


def _unreachable(pid: int, name: str, error: OSError) -> ServiceError:
    if isinstance(error, PermissionError):
        why, hint = "is not ours to write to", "it runs as another user"
    elif not os.path.isdir("/proc/self/fd"):
        why, hint = "cannot be reached without /proc", "type into a service that runs on Linux"
    elif os.path.isdir(f"/proc/{pid}/fd"):
        why, hint = "is closed", "the program closed it itself, so nothing can be typed into it"
    else:
        why, hint = "is gone: the process has ended", f"`devinit why {name}` says why"
    return ServiceError(f"the standard input of {name} (pid {pid}) {why}", hint=hint)


def _open() -> int:
    """Open both ends of a pipe as one descriptor. It has no path, so no other file can replace it."""
    reading, writing = os.pipe()
    try:
        return os.open(f"/proc/self/fd/{reading}", os.O_RDWR | os.O_CLOEXEC)
    except (FileNotFoundError, PermissionError):  # no /proc: macOS, some sandboxes
        return _open_fifo()
    finally:
        os.close(reading)
        os.close(writing)


def _open_fifo() -> int:
    """Open a FIFO for reading and writing, in a private folder. Its path is removed before this returns."""
    import tempfile  # 9 ms that Linux does not pay

    with tempfile.TemporaryDirectory(prefix="devinit-") as folder:
        path = os.path.join(folder, "input")
        os.mkfifo(path, 0o600)
        return os.open(path, os.O_RDWR | os.O_CLOEXEC)
