"""Who stands in the way on a port, whether it may be ended, and what to do instead when it may not."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping

from msgspec import Struct
from msgspec.structs import asdict

from devinit.model.port import Holder, Listener
from devinit.model.process import ProcessFacts, ProcessIdentity
from devinit.system.listeners import connection_on, holders_of, tcp_listeners
from devinit.system.processes import ancestors_of, facts_of, user_name

_LONGEST_COMMAND = 60
_KERNEL_THREADS = 2
"""The pid of kthreadd, the parent of all kernel threads."""
_LAUNCHERS = ("com.docker", "docker", "containerd", "OrbStack", "vpnkit")

_CONTAINER = (
    "it publishes a container's port: see `docker ps --filter publish={port}`, then `docker stop NAME`"
)
_ROOTLESS = "it publishes a container's port: see `podman ps` or `docker ps`, then `podman stop NAME`"
_SYSTEMD = (
    "systemd listens for a socket unit: see `systemctl list-sockets`, then `systemctl stop NAME.socket`"
)
_LAUNCHD = "launchd listens for a service: see `launchctl list`, then `launchctl bootout` it"
_SSH = "an SSH connection forwards this port: end that connection, or its -L, -R or -D forward"
_EDITOR = "an editor forwards this port: close it in its Ports panel"
_AIRPLAY = "the AirPlay receiver of macOS: turn it off in System Settings, General, AirDrop & Handoff"
_WSL = "it forwards a port between Windows and WSL: stop what listens on the other side"
_DISPLAY = "your desktop session runs in it"

# By the kernel's short name, which has at most 15 letters; each is a prefix. Killing one of these stops
# something else than what answers on the port: facts/ports.md 2.4 lists the incidents.
PROTECTED_PROGRAMS: Mapping[str, str] = {
    **dict.fromkeys(_LAUNCHERS, _CONTAINER),
    **dict.fromkeys(("rootlesskit", "rootlessport", "slirp4netns", "pasta", "conmon"), _ROOTLESS),
    "systemd": _SYSTEMD,
    "launchd": _LAUNCHD,
    "ssh": _SSH,
    **dict.fromkeys(("ControlCenter", "rapportd"), _AIRPLAY),
    "wslrelay": _WSL,
    "Xorg": _DISPLAY,
}
EDITORS = ("code", "code-server", "code-tunnel", "cursor", "idea", "pycharm", "webstorm")


class Holding(Struct, frozen=True, kw_only=True):
    """What keeps one port, as far as it is visible to us."""

    port: int
    listeners: tuple[Listener, ...] = ()
    holders: tuple[Holder, ...] = ()
    """Every process that has a copy of a listening socket: ending one of them may free nothing."""
    protection: str = ""
    """Why the holders must not be ended and what to do instead; empty when they may be."""
    connection: str | None = None
    """Who uses the port without listening, when nobody listens."""

    @property
    def killable(self) -> bool:
        """Tell whether every holder is known and may be ended."""
        return bool(self.holders) and not self.protection

    @property
    def identities(self) -> tuple[ProcessIdentity, ...]:
        """Return who holds it, for comparison."""
        return tuple(each.identity for each in self.holders)

    @property
    def reason(self) -> str:
        """Say in words how the port is taken: "held by vite (pid 4242)"."""
        match self.holders:
            case [only]:
                return f"held by {named(only)}"
            case [first, second]:
                return f"held by {named(first)} and {named(second)}"
            case [first, *others]:
                return f"held by {named(first)} and {len(others)} more processes"
        if self.listeners:
            return f"held by {_hidden(self.listeners[0])}"
        if self.connection:
            return f"taken: {self.connection}"
        return "taken without anybody listening on it"


def named(facts: ProcessFacts) -> str:
    """Name a process for a person: its command, shortened, and its pid."""
    title = " ".join(facts.title.split())
    if len(title) > _LONGEST_COMMAND:
        title = title[: _LONGEST_COMMAND - 1].rstrip() + "…"
    return f"{title} (pid {facts.identity.pid})"


def holdings(ports: Collection[int], *, protected: Iterable[int] = ()) -> dict[int, Holding]:
    """Find out who holds these ports, in one pass over the processes.

    `protected` are pids that must be spared together with their ancestors: those of whoever asked us.
    """
    listeners = [found for found in tcp_listeners() if found.port in ports]
    pids = holders_of({found.inode for found in listeners}, every=True) if listeners else {}
    spared = spared_pids(protected) if listeners else frozenset()
    result = {}
    for port in ports:
        here = tuple(found for found in listeners if found.port == port)
        holders = _facts(pid for found in here for pid in pids[found.inode])
        result[port] = Holding(
            port=port,
            listeners=here,
            holders=holders,
            protection=_protection(port, here, pids, holders, spared),
            connection=None if here else connection_on(port),
        )
    return result


def holding(port: int, *, protected: Iterable[int] = ()) -> Holding:
    """Find out who holds one port."""
    return holdings([port], protected=protected)[port]


def spared_pids(protected: Iterable[int]) -> frozenset[int]:
    """Return the pids that are never ended: init, us, whoever asked us, and everybody's ancestors."""
    roots = {os.getpid(), *protected}
    return frozenset({1, *roots, *(pid for root in roots for pid in ancestors_of(root))})


def protection_of(facts: ProcessFacts, port: int, *, uid: int, spared: Collection[int]) -> str:
    """Say why a process must not be ended and what to do instead, or return an empty text."""
    pid = facts.identity.pid
    if facts.name.startswith("systemd") or facts.name == "launchd":
        return PROTECTED_PROGRAMS["launchd" if facts.name == "launchd" else "systemd"]
    if pid == 1:
        return "it is the first process of this system or container: stop the server inside it instead"
    if pid in spared:
        return f"devinit itself runs in {named(facts)}: end it by hand, or choose another port"
    if not facts.command and _KERNEL_THREADS in (pid, facts.parent_pid):  # 2 alone is nobody in a container
        return "it is a part of the kernel: choose another port"
    if facts.uid != uid:
        sudo = "" if uid == 0 else "sudo "
        return f"it belongs to user {facts.user}: ask them, or end it yourself with `{sudo}kill {pid}`"
    if _is_editor(facts):
        return _EDITOR
    for program, advice in PROTECTED_PROGRAMS.items():
        if facts.name.startswith(program):
            return advice.format(port=port)
    return ""


def _protection(
    port: int,
    listeners: Collection[Listener],
    pids: Mapping[int, Collection[int]],
    holders: Collection[ProcessFacts],
    spared: Collection[int],
) -> str:
    for facts in holders:
        if reason := protection_of(facts, port, uid=os.geteuid(), spared=spared):
            return reason
    for listener in listeners:
        if not pids[listener.inode]:
            return f"it is {_hidden(listener)}: look with `sudo ss -ltnp 'sport = :{port}'`"
    if not listeners:
        return "nobody listens there, so there is nothing to end: wait for it, or choose another port"
    return ""


def _facts(pids: Iterable[int]) -> tuple[Holder, ...]:
    found = (facts_of(pid) for pid in dict.fromkeys(pids))
    return tuple(Holder(**asdict(facts)) for facts in found if facts is not None)


def _hidden(listener: Listener) -> str:
    if listener.uid == os.geteuid():
        return "a process that is hidden from us (another container or namespace)"
    return f"user {user_name(listener.uid)}, pid hidden"


def _is_editor(facts: ProcessFacts) -> bool:
    # The remote server of VS Code is a node process; only its command line tells.
    return facts.name in EDITORS or any(part.endswith("server-main.js") for part in facts.command[:3])
