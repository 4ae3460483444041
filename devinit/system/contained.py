"""Processes in containers, as their host sees them: the listeners in their network, and their group's usage."""

from __future__ import annotations

from devinit.system.procfs import read
from devinit.system.usage import Usage

LISTENS = "0A"
"""The state of a listening socket in /proc/net/tcp."""


def listeners_of(pid: int) -> list[tuple[str, int]] | None:
    """Return address (in the kernel's notation) and port of a container's listeners; None if they are hidden."""
    found = []
    if not (tables := [read(f"/proc/{pid}/net/{name}") for name in ("tcp", "tcp6")])[0]:
        return None
    for table in tables:
        for line in (table or b"").decode("ascii").splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTENS:
                address, _, port = fields[1].rpartition(":")
                found.append((address, int(port, 16)))
    return found


def usage_of_group(pid: int, name: str) -> Usage | None:
    """Return the usage of a process's control group, if its path contains this name; None if it cannot be read."""
    raw = read(f"/proc/{pid}/cgroup")
    if not raw:
        return None
    groups = {
        controller: path
        for _, controllers, path in (line.split(":", 2) for line in raw.decode().splitlines())
        for controller in controllers.split(",")
    }
    if name not in groups.get("memory", groups.get("", "")):
        return None  # it shares a group with other programs
    return _usage_of_version_1(groups) if "memory" in groups else _usage_of_version_2(groups[""])


def _usage_of_version_1(groups: dict[str, str]) -> Usage | None:
    memory = read(f"/sys/fs/cgroup/memory{groups['memory']}/memory.usage_in_bytes")
    cpu = read(f"/sys/fs/cgroup/cpuacct{groups.get('cpuacct', '')}/cpuacct.usage")
    return Usage(int(cpu) / 1e9, int(memory)) if memory and cpu else None


def _usage_of_version_2(group: str) -> Usage | None:
    folder = f"/sys/fs/cgroup{group}"
    memory, cpu = read(f"{folder}/memory.current"), read(f"{folder}/cpu.stat")
    if not memory or not cpu:
        return None
    used = dict(line.split() for line in cpu.decode().splitlines())
    return Usage(int(used["usage_usec"]) / 1e6, int(memory))
