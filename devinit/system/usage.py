"""The cost of a service: CPU time and memory of all its processes, and the CPU time that they wanted."""

from __future__ import annotations

import os
from collections.abc import Iterable

from msgspec import Struct

from devinit.system.procfs import LINUX, TICKS_PER_SECOND, read

_PAGE_SIZE = os.sysconf("SC_PAGE_SIZE")


class Usage(Struct, frozen=True):
    """CPU time and memory of a tree of processes at one moment."""

    cpu_seconds: float
    """Sum over the processes that currently run. It falls when one of them ends, so a rate is clipped at 0."""
    memory_bytes: int
    """Resident memory. Pages that processes share are counted for each: for the exact share (PSS) the kernel walks
    the page tables, which takes 20 times as long for a small process and more for a large one."""

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.cpu_seconds + other.cpu_seconds, self.memory_bytes + other.memory_bytes)


def usage_of(pids: Iterable[int]) -> Usage:
    """Return the usage of these processes together; those that are gone count nothing."""
    cpu_seconds, memory_bytes = 0.0, 0
    for pid in pids:
        seconds, size = _usage_of_one(pid)
        cpu_seconds += seconds
        memory_bytes += size
    return Usage(cpu_seconds, memory_bytes)


def wanted_seconds(pids: Iterable[int]) -> float:
    """Return for how many seconds these processes have run or waited for a CPU.

    A program that computes wants a whole CPU, on a busy machine as well. Each process counts with its first
    thread, or with the CPU time of all its threads if that is more. If the kernel keeps no such statistics
    (`CONFIG_SCHED_INFO`), and on macOS, only CPU time is known.
    """
    return sum(max(_wanted_by(pid), _usage_of_one(pid)[0]) for pid in pids)


def _wanted_by(pid: int) -> float:
    raw = read(f"/proc/{pid}/schedstat") if LINUX else None
    if not raw:
        return 0.0
    # Time on a CPU and on its queue, in nanoseconds (Documentation/scheduler/sched-stats.rst of the kernel).
    ran, waited, _ = raw.split()
    return (int(ran) + int(waited)) / 1e9


def _usage_of_one(pid: int) -> tuple[float, int]:
    if not LINUX:
        from devinit.system import macos  # loads psutil

        return macos.usage_of(pid)
    raw = read(f"/proc/{pid}/stat")
    if not raw:
        return 0.0, 0
    # Fields 14, 15 (CPU) and 24 (resident pages), counted after the name.
    fields = raw[raw.rindex(b")") + 2 :].split(None, 22)
    ticks = int(fields[11]) + int(fields[12])
    return ticks / TICKS_PER_SECOND, int(fields[21]) * _PAGE_SIZE
