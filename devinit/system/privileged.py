"""The lowest port on which our programs may listen: the kernel decides, and containers often allow every port."""

from __future__ import annotations

import os

from devinit.model.port import LOWEST_PORT, LOWEST_UNPRIVILEGED_PORT
from devinit.system.permissions import has_capability
from devinit.system.procfs import LINUX, read

_NET_BIND_SERVICE = 10
"""The capability to listen on privileged ports (capabilities(7))."""
_START = "/proc/sys/net/ipv4/ip_unprivileged_port_start"


def first_port_for(*, refuses_root: bool) -> int:
    """Return the first port on which a service may listen.

    `refuses_root`: the service does not run as root, so that root starts it as another user,
    or as no user of the machine.
    """
    passes_over = not refuses_root and os.geteuid() == 0 and has_capability(_NET_BIND_SERVICE)
    return LOWEST_PORT if passes_over else first_unprivileged()


def first_unprivileged() -> int:
    """Return the first port on which every user may listen, in this network namespace."""
    if not LINUX:
        return LOWEST_UNPRIVILEGED_PORT
    text = (read(_START) or b"").strip()
    # 0 means that all ports are allowed.
    return max(LOWEST_PORT, int(text)) if text.isdigit() else LOWEST_UNPRIVILEGED_PORT
