"""A network for each worker that runs tests, and the way out of it to a registry.

Workers that run side by side would take each other's ports. Each has a network namespace of its own, with
nothing but a loopback in it, where the system lets it have one.
"""

from __future__ import annotations

import ctypes
import os
import subprocess

_CLONE_NEWNET = 0x40000000
"""unshare(2); `os.unshare` came with Python 3.12."""
_outside: list[str] = []
"""The command that runs another one in the network of the machine; empty where the tests are in it."""


def enter_own_network() -> None:
    """Leave the network of the machine, with this thread and with everything that it starts from now on."""
    descriptor = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"no network namespace: {os.strerror(number)}; run the tests without -n")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    _outside[:] = ["nsenter", f"--net=/proc/{os.getpid()}/fd/{descriptor}"]


def on_the_network(*command: str) -> list[str]:
    """Return the command that runs another one where registries are reached."""
    return [*_outside, *command]
