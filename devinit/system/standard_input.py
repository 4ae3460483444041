"""What a service without a terminal reads from: an input of its own that is silent and never ends.

/dev/null would end at once, and `tailwind --watch` and others take the end of their input as the wish that
they stop. An input that several services share would let each read what was written to another.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from devinit.errors import ServiceError
from devinit.system.limits import cure_of_limit


@contextmanager
def silent_input() -> Iterator[int]:
    """Open a new input for one process that is started meanwhile. Raise ServiceError when there is no room for it.

    Its reader is its own writer: it is open for as long as a process has it, also after we are gone.
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


def _open() -> int:
    """Open both ends of a pipe as one descriptor. It has no path, so no other file can be put in its place."""
    reading, writing = os.pipe()
    try:
        return os.open(f"/proc/self/fd/{reading}", os.O_RDWR | os.O_CLOEXEC)
    except (FileNotFoundError, PermissionError):  # no /proc: macOS, some sandboxes
        return _open_fifo()
    finally:
        os.close(reading)
        os.close(writing)


def _open_fifo() -> int:
    """Open a FIFO for reading and writing. Its path is gone before this returns, and its folder is private."""
    import tempfile  # 9 ms that Linux does not pay

    with tempfile.TemporaryDirectory(prefix="devinit-") as folder:
        path = os.path.join(folder, "input")
        os.mkfifo(path, 0o600)
        return os.open(path, os.O_RDWR | os.O_CLOEXEC)
