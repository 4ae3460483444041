"""Reset inherited process attributes that would break devinit or its services: signals and umask.

A parent may ignore SIGCHLD (some container entry points, `trap '' CHLD`): the kernel then discards exit codes,
and every process seems to have exited with 0. It may block SIGTERM: services that inherit this end only by
SIGKILL. Its umask may remove the owner's rights (`umask 177`, for secrets): folders created with it cannot be
entered.
"""

from __future__ import annotations

# The module below `signal`, which builds enumerations for 4 ms.
import _signal  # type: ignore[import-not-found]  # typeshed has only what stands above it
import os

OWNER = 0o700
USUAL_MASK = 0o077
"""The bits that are kept of a umask that removes the owner's rights: all other users stay excluded."""


def make_usual() -> None:
    """Reset SIGCHLD and the signal mask, and give the owner full rights to new files and folders."""
    if _signal.getsignal(_signal.SIGCHLD) is _signal.SIG_IGN:
        _signal.signal(_signal.SIGCHLD, _signal.SIG_DFL)
    _signal.pthread_sigmask(_signal.SIG_SETMASK, ())
    mask = os.umask(USUAL_MASK)
    os.umask(mask & USUAL_MASK if mask & OWNER else mask)


def all_signals() -> list[int]:
    """Return the signals that a process can handle or ignore: a new process gets the default action for each."""
    return [each for each in _signal.valid_signals() if each not in (_signal.SIGKILL, _signal.SIGSTOP)]
