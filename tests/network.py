"""A separate network for each test worker, and the way out of it to a registry.

Parallel workers would take each other's ports. So each gets its own network namespace, with only a loopback
interface, where the system permits it.
"""

from __future__ import annotations

import ctypes
import os
import subprocess

_CLONE_NEWNET = 0x40000000
"""For unshare(2); `os.unshare` was added in Python 3.12."""
_outside: list[str] = []
"""The prefix that runs a command in the machine's network; empty if the tests run in it."""


def enter_own_network() -> None:
    """Move this thread, and all processes that it starts from now on, out of the machine's network."""
    descriptor = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"no network namespace: {os.strerror(number)}; run the tests without -n")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    _outside[:] = ["nsenter", f"--net=/proc/{os.getpid()}/fd/{descriptor}"]


def on_the_network(*command: str) -> list[str]:
    """Return a command that runs where registries can be reached."""
    return [*_outside, *command]
