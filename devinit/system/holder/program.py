"""The start of a program in a terminal, as the leader of its own session."""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import termios

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from devinit.system.holder.order import Order

SUBREAPER = 36
"""PR_SET_CHILD_SUBREAPER of linux/prctl.h: orphaned processes become our children, not those of init."""
NOTICED = (signal.SIGCHLD, signal.SIGUSR1)
IGNORED = (
    signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGPIPE, signal.SIGTSTP,
    signal.SIGTTIN, signal.SIGTTOU, signal.SIGALRM, signal.SIGUSR2, signal.SIGXFSZ,
)  # fmt: skip
"""Signals that do not end the holder."""


def adopt_orphans() -> None:
    """Become the parent of orphaned descendants."""
    try:
        ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
    except (AttributeError, OSError):
        pass  # macOS: orphans are found only by their session and mark


def start(order: Order, slave: int) -> int:
    """Start the program and return its pid. On an error, report it to the supervisor and exit."""
    failed, fails = os.pipe()
    try:
        pid = os.fork()
    except OSError as error:
        os.write(order["told"], b"errno %d\n" % (error.errno or 0))
        os._exit(1)
    if pid == 0:
        become(order, slave, fails)
    os.close(fails)
    refused = until_end(failed)
    os.close(failed)
    if refused:
        os.write(order["told"], b"errno %b\n" % refused)
        os._exit(1)
    return pid


def become(order: Order, slave: int, fails: int) -> NoReturn:
    """Become the program; on failure, write the error number into a pipe."""
    try:
        os.setsid()
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
        for descriptor in (0, 1, 2):
            os.dup2(slave, descriptor)
        # An ignored signal would stay ignored in the program.
        for number in (*IGNORED, *NOTICED):
            signal.signal(number, signal.SIG_DFL)
        os.execve(order["program"], order["argv"], order["environment"])  # noqa: S606  no shell is wanted
    except OSError as error:
        os.write(fails, b"%d" % (error.errno or 0))
    finally:
        os._exit(127)


def until_end(descriptor: int) -> bytes:
    """Return all data from a pipe or a file."""
    parts = []
    while part := os.read(descriptor, 65536):
        parts.append(part)
    return b"".join(parts)


def runs(pid: int) -> bool:
    """Whether a process exists; for a negative number, whether its process group has one."""
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True
