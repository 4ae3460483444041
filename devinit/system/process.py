"""One process, held by a descriptor: it can be waited for and signalled, and is never confused with another."""

from __future__ import annotations

import fcntl
import os
import select
import signal as signals
import struct
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Self

from devinit.model.process import ProcessIdentity
from devinit.system.descriptors import descriptors
from devinit.system.facts import alive

if TYPE_CHECKING:
    from devinit.system.forking import Child

_WAITER_SECONDS = 0.05
_INFO = struct.Struct("Q52xi")
"""`struct pidfd_info` (linux/pidfd.h): the mask of requested or known fields, and `exit_code` as in `waitpid`."""
_INFO_EXIT = 1 << 3
_GET_INFO = (3 << 30) | (_INFO.size << 16) | (0xFF << 8) | 11


class Process:
    """A process that we started or adopted.

    `fileno()` becomes readable when the process has ended, for `loop.add_reader` or `wait`.
    """

    def __init__(
        self,
        identity: ProcessIdentity,
        child: Child | None = None,
        code: Callable[[], int | None] | None = None,
    ) -> None:
        """`code`: returns the exit code of a process that is no child of ours, from its parent; None: unknown."""
        self.identity = identity
        self._child = child
        self._ask_code = code
        self._is_pidfd = True
        try:
            self._descriptor = descriptors.keep(os.pidfd_open(identity.pid))
        except ProcessLookupError:
            raise
        except (AttributeError, OSError):
            # macOS; Linux before 5.3; sandboxes that refuse the call.
            self._descriptor = _descriptor_that_ends_with(identity)
            self._is_pidfd = False

    @classmethod
    def open(cls, identity: ProcessIdentity, code: Callable[[], int | None] | None = None) -> Self | None:
        """Adopt a process that another process started; return None if exactly this one no longer runs."""
        try:
            process = cls(identity, code=code)
        except ProcessLookupError:
            return None
        # Checked after the descriptor was opened: it keeps referring to the process that is checked here, even if
        # that ends and its pid is reused.
        if alive(identity):
            return process
        process.close()
        return None

    @property
    def pid(self) -> int:
        """The pid of the process."""
        return self.identity.pid

    def fileno(self) -> int:
        """Return a descriptor that becomes readable when the process has ended."""
        return self._descriptor

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the process has ended; return False if it still runs after `timeout` seconds."""
        # Not select(): it refuses descriptors above 1023.
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        return bool(poll.poll(None if timeout is None else timeout * 1000))

    def returncode(self) -> int | None:
        """Reap our child and return its exit code (-9: signal 9); None while it runs, or if it is unknown."""
        if self._child is not None:
            return self._child.poll()
        return self._ask_code() if self._ask_code is not None and self.wait(0) else None

    def kernel_code(self) -> int | None:
        """Return the exit code of a process that its parent has reaped; None if the kernel does not report it.

        Since Linux 6.15, holders of a pidfd can read it.
        """
        if not self._is_pidfd:
            return None
        info = bytearray(_INFO.size)
        _INFO.pack_into(info, 0, _INFO_EXIT, 0)
        try:
            fcntl.ioctl(self._descriptor, _GET_INFO, info)
        except OSError:
            return None
        mask, status = _INFO.unpack(info)
        return os.waitstatus_to_exitcode(status) if mask & _INFO_EXIT else None

    def send(self, signal: int) -> bool:
        """Signal only this process; return False if it has ended. Raise PermissionError for another user's."""
        try:
            if self._is_pidfd:
                signals.pidfd_send_signal(self._descriptor, signal)
            elif alive(self.identity):
                os.kill(self.identity.pid, signal)
            else:
                return False
        except ProcessLookupError:
            return False
        return True

    def close(self) -> None:
        """Release the process; it keeps running."""
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            os.close(descriptor)
        if self._child is not None:
            self._child.poll()  # it may keep running: services outlive their supervisor
            self._child = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def signal_exactly(identity: ProcessIdentity, signal: int, still: Callable[[], bool] = lambda: True) -> bool:
    """Signal exactly this process if `still()` holds at the last moment; return whether the signal was sent.

    PermissionError is passed on: the process exists, but belongs to another user.
    """
    process = Process.open(identity)
    if process is None:
        return False
    with process:
        return still() and process.send(signal)


def _descriptor_that_ends_with(identity: ProcessIdentity) -> int:
    """Return the reading end of a pipe that a thread closes when the process has ended."""
    readable, writable = os.pipe()

    def watch() -> None:
        while alive(identity):
            time.sleep(_WAITER_SECONDS)
        os.close(writable)

    threading.Thread(target=watch, name=f"waiter-{identity.pid}", daemon=True).start()
    return readable
