"""Start a program in a terminal, as the leader of a session of its own."""

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
"""Of linux/prctl.h: what loses its parent becomes our child, and not that of init."""
NOTICED = (signal.SIGCHLD, signal.SIGUSR1)
IGNORED = (
    signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGPIPE, signal.SIGTSTP,
    signal.SIGTTIN, signal.SIGTTOU, signal.SIGALRM, signal.SIGUSR2, signal.SIGXFSZ,
)  # fmt: skip
"""Signals that do not end the holder."""


def adopt_orphans() -> None:
    """Be the parent of what loses its own one."""
    try:
        ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
    except (AttributeError, OSError):
        pass  # macOS: what loses its parent is found by its session and mark alone


def start(order: Order, slave: int) -> int:
    """Start the program and return its pid. What the system refuses, the supervisor hears, and we end."""
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
    """Become the program; write the number of an error into a pipe that ends otherwise."""
    try:
        os.setsid()
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
        for descriptor in (0, 1, 2):
            os.dup2(slave, descriptor)
        # What is ignored stays ignored in the program.
        for number in (*IGNORED, *NOTICED):
            signal.signal(number, signal.SIG_DFL)
        os.execve(order["program"], order["argv"], order["environment"])  # noqa: S606  no shell is wanted
    except OSError as error:
        os.write(fails, b"%d" % (error.errno or 0))
    finally:
        os._exit(127)


def until_end(descriptor: int) -> bytes:
    """Return all that comes from a pipe or a file."""
    parts = []
    while part := os.read(descriptor, 65536):
        parts.append(part)
    return b"".join(parts)


def runs(pid: int) -> bool:
    """Whether there is a process, or with a negative number one of a process group."""
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True
