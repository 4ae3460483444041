"""Facts about processes and sockets without /proc, from psutil. Kept small, and untested: no Mac was at hand.

Imported only where needed: psutil takes 20 ms.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterable

import psutil

from devinit.model.port import Listener
from devinit.model.process import ProcessFacts, ProcessIdentity
from devinit.system.process_stat import Stat

_STATES = {psutil.STATUS_ZOMBIE: "Z", psutil.STATUS_STOPPED: "T"}
_FAMILIES = {socket.AF_INET: 4, socket.AF_INET6: 6}


def boot_id() -> str:
    """Return the time of the boot."""
    return str(int(psutil.boot_time()))


def process_ids() -> list[int]:
    """Return the pids of all processes."""
    return psutil.pids()


def stat_of(pid: int) -> Stat | None:
    """Return the state of a process; its start time is in microseconds since 1970."""
    try:
        process = psutil.Process(pid)
        start_time = round(process.create_time() * 1_000_000)
        return Stat(_STATES.get(process.status(), "S"), process.ppid() or 0, os.getsid(pid), start_time)
    except (psutil.Error, OSError):
        return None


def facts_of(identity: ProcessIdentity, found: Stat) -> ProcessFacts | None:
    """Return the known facts about a process; hidden facts are None or empty."""
    try:
        known = psutil.Process(identity.pid).as_dict(["name", "cmdline", "uids", "username", "cwd"])
    except psutil.Error:
        return None
    return ProcessFacts(
        identity=identity,
        parent_pid=found.parent,
        name=known["name"] or "",
        command=tuple(known["cmdline"] or ()),
        user=known["username"] or "",
        uid=known["uids"].effective if known["uids"] else -1,
        directory=known["cwd"],
        age_seconds=max(0.0, time.time() - identity.start_time / 1_000_000),
        stopped=found.stopped,
    )


def variable_of(pid: int, name: str) -> str | None:
    """Return a variable of the environment with which a process was started."""
    try:
        return psutil.Process(pid).environ().get(name)
    except (psutil.Error, OSError):
        return None


def has_legible_environment(pid: int) -> bool:
    """Whether the environment of a process is readable; that of the system's own programs is not."""
    try:
        return bool(psutil.Process(pid).environ())
    except (psutil.Error, OSError):
        return False


def open_files_of(pid: int) -> list[str]:
    """Return the paths of the regular files that a process has open."""
    try:
        return [found.path for found in psutil.Process(pid).open_files()]
    except (psutil.Error, OSError):
        return []


def usage_of(pid: int) -> tuple[float, int]:
    """Return CPU seconds and resident bytes."""
    try:
        process = psutil.Process(pid)
        times = process.cpu_times()
        return times.user + times.system, process.memory_info().rss
    except (psutil.Error, OSError):
        return 0.0, 0


def listeners(pids: Iterable[int] | None = None) -> list[Listener]:
    """Return the listeners of these processes, or of all accessible ones.

    There are no inodes: a socket is identified by its process and port, so that `holders_of` finds the process.
    """
    found: list[Listener] = []
    for pid in psutil.pids() if pids is None else pids:
        try:
            found += _listeners_of(pid)
        except (psutil.Error, OSError):  # gone, or another user's
            continue
    return found


def connected_ports() -> list[int]:
    """Return the local port of every established connection of the accessible processes."""
    found: list[int] = []
    for pid in psutil.pids():
        try:
            connections = psutil.Process(pid).net_connections("tcp")
        except (psutil.Error, OSError):  # gone, or another user's
            continue
        found += [one.laddr.port for one in connections if one.status == psutil.CONN_ESTABLISHED]
    return found


def connections_of(pids: Iterable[int]) -> list[tuple[str, int, str, int]]:
    """Return the established connections of processes: address and port of the local and of the remote end."""
    found: list[tuple[str, int, str, int]] = []
    for pid in pids:
        try:
            connections = psutil.Process(pid).net_connections("tcp")
        except (psutil.Error, OSError):  # gone, or another user's
            continue
        found += [
            (one.laddr.ip, one.laddr.port, one.raddr.ip, one.raddr.port)
            for one in connections
            if one.status == psutil.CONN_ESTABLISHED
        ]
    return found


def _listeners_of(pid: int) -> list[Listener]:
    process = psutil.Process(pid)
    uid = process.uids().effective
    return [
        Listener(
            port=one.laddr.port,
            address=one.laddr.ip,
            family=_FAMILIES[socket.AddressFamily(one.family)],
            dual_stack=None if one.laddr.ip == "::" else False,
            inode=pid << 16 | one.laddr.port,
            uid=uid,
        )
        for one in process.net_connections("tcp")
        if one.status == psutil.CONN_LISTEN
    ]
