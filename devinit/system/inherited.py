"""What a process inherits from the program that starts it, as far as it would break devinit or its services.

A caller may ignore SIGCHLD (some container entry points, `trap '' CHLD`): the kernel then throws exit codes away,
and every process seems to have exited with 0. It may block SIGTERM: services that inherit it end by SIGKILL alone.
Its umask may take rights from the owner (`umask 177`, for secrets): folders made under it cannot be entered.
"""

from __future__ import annotations

# The module below `signal`, which builds enumerations for 4 ms.
import _signal  # type: ignore[import-not-found]  # typeshed has only what stands above it
import os

OWNER = 0o700
USUAL_MASK = 0o077
"""The most that is kept of a umask that takes rights from the owner: it still keeps out all other users."""


def make_usual() -> None:
    """Keep exit codes, deliver signals, and leave the owner its rights to new files and folders."""
    if _signal.getsignal(_signal.SIGCHLD) is _signal.SIG_IGN:
        _signal.signal(_signal.SIGCHLD, _signal.SIG_DFL)
    _signal.pthread_sigmask(_signal.SIG_SETMASK, ())
    mask = os.umask(USUAL_MASK)
    os.umask(mask & USUAL_MASK if mask & OWNER else mask)


def all_signals() -> list[int]:
    """Return the signals that a process can handle or ignore: a new process gets the default action for each."""
    return [each for each in _signal.valid_signals() if each not in (_signal.SIGKILL, _signal.SIGSTOP)]
