"""The namespaces of a process, by which the kernel tells containers apart.

A pid is valid only in one pid namespace, and a loopback address only in one network namespace.
"""

from __future__ import annotations

import os


def pid_namespace() -> str:
    """Return the name of this process's pid namespace, `pid:[4026531836]`; empty if there are none."""
    return _name_of("pid")


def network_namespace() -> str:
    """Return the name of this process's network namespace, `net:[4026531840]`; empty if there are none."""
    return _name_of("net")


def _name_of(kind: str) -> str:
    try:
        return os.readlink(f"/proc/self/ns/{kind}")
    except OSError:
        return ""  # macOS, or no /proc
