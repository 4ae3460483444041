"""What keeps a port, as a value, and why its holders must not be ended: pure."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping
from pathlib import PurePath

from msgspec import Struct

from devinit.model.port import Container, Holder, Listener, Manager, PortUse, UseState, VerdictKind
from devinit.model.process import ProcessFacts, ProcessIdentity

_LONGEST_COMMAND = 60
_INIT = 1
_KERNEL_THREADS = 2
"""The pid of kthreadd, the parent of all kernel threads."""
_ENGINES = ("docker", "podman")


class Barrier(Struct, frozen=True):
    """Why a holder must not be ended."""

    kind: VerdictKind
    advice: str
    """What to do instead."""


class Hidden(Struct, frozen=True):
    """A user whose process listens and is not visible to us."""

    uid: int
    user: str


_CONTAINER = Barrier(
    VerdictKind.CONTAINER,
    "it publishes a container's port: see `docker ps --filter publish={port}`, then `docker stop NAME`",
)
_ROOTLESS = Barrier(
    VerdictKind.CONTAINER,
    "it publishes a container's port: see `podman ps` or `docker ps`, then `podman stop NAME`",
)
_SYSTEMD = Barrier(
    VerdictKind.SUPERVISED,
    "systemd listens for a socket unit: see `systemctl list-sockets`, then `systemctl stop NAME.socket`",
)
_LAUNCHD = Barrier(
    VerdictKind.SUPERVISED,
    "launchd listens for a service: see `launchctl list`, then `launchctl bootout` it",
)
_SSH = Barrier(
    VerdictKind.FORWARD,
    "an SSH connection forwards this port: end that connection, or its -L, -R or -D forward",
)
_EDITOR = Barrier(VerdictKind.FORWARD, "an editor forwards this port: close it in its Ports panel")
_WSL = Barrier(
    VerdictKind.FORWARD,
    "it forwards a port between Windows and WSL: stop what listens on the other side",
)
_AIRPLAY = Barrier(
    VerdictKind.PROTECTED,
    "the AirPlay receiver of macOS: turn it off in System Settings, General, AirDrop & Handoff",
)
_DISPLAY = Barrier(VerdictKind.PROTECTED, "your desktop session runs in it")
_SUPERVISORD = Barrier(
    VerdictKind.SUPERVISED,
    "all that supervisord runs would end with it: give its web interface another port ([inet_http_server])",
)
_PROCESS_COMPOSE = Barrier(
    VerdictKind.SUPERVISED,
    "all that process-compose runs would end with it: give it another port (`-p`), or none (`--no-server`)",
)

CONTAINER_PROGRAMS = (
    *("com.docker", "docker", "containerd", "OrbStack", "vpnkit"),
    *("rootlesskit", "rootlessport", "slirp4netns", "pasta", "conmon"),
)
# By the kernel's short name, which has at most 15 letters; each is a prefix. Killing one of these stops
# something else than what answers on the port: a whole engine, a desktop, somebody's connection.
PROTECTED_PROGRAMS: Mapping[str, Barrier] = {
    **dict.fromkeys(CONTAINER_PROGRAMS[:5], _CONTAINER),
    **dict.fromkeys(CONTAINER_PROGRAMS[5:], _ROOTLESS),
    "systemd": _SYSTEMD,
    "launchd": _LAUNCHD,
    "ssh": _SSH,
    **dict.fromkeys(("ControlCenter", "rapportd"), _AIRPLAY),
    "wslrelay": _WSL,
    **dict.fromkeys(("Xorg", "Xwayland", "Xvnc", "gnome-", "kwin_"), _DISPLAY),
    "supervisord": _SUPERVISORD,
    "process-compose": _PROCESS_COMPOSE,
}
EDITORS = (
    *("code", "code-insiders", "code-server", "code-tunnel", "codium", "cursor", "windsurf", "zed-editor"),
    *("clion", "goland", "idea", "phpstorm", "pycharm", "rider", "rubymine", "rustrover", "webstorm"),
)


class Holding(Struct, frozen=True, kw_only=True):
    """What keeps one port, as far as it is visible to us."""

    port: int
    listeners: tuple[Listener, ...] = ()
    holders: tuple[Holder, ...] = ()
    """Every process that has a copy of a listening socket: ending one of them may free nothing."""
    hidden: tuple[Hidden, ...] = ()
    """Whose the sockets are that no visible process has."""
    clients: int = 0
    container: Container | None = None
    use: PortUse | None = None
    """Who uses the port without listening, when nobody listens."""
    uid: int = -1
    """The user who asks."""
    spared: frozenset[int] = frozenset()
    """Pids that are never ended: whoever asks, and all that it runs in."""

    @property
    def identities(self) -> tuple[ProcessIdentity, ...]:
        """Return who holds it, for comparison."""
        return tuple(each.identity for each in self.holders)

    @property
    def barrier(self) -> Barrier | None:
        """Return why a holder must not be ended; managers, who would start it again, left aside."""
        if self.container is not None:
            return Barrier(VerdictKind.CONTAINER, _stop_container(self.container))
        for facts in self.holders:
            if found := barrier_of(facts, self.port, uid=self.uid, spared=self.spared):
                return found
            if facts.manager is not None and facts.manager.pid == facts.identity.pid:
                return managed_by(facts.manager)  # PM2 listens for its clusters itself, and runs all else too
        for each in self.hidden:
            kind = VerdictKind.STRANGER if each.uid == self.uid else VerdictKind.OTHER_USER
            look = f"look with `sudo ss -ltnp 'sport = :{self.port}'`"
            return Barrier(kind, f"it is {_unseen(each, self.uid)}: {look}")
        return None

    @property
    def manager(self) -> Manager | None:
        """Return who would start a holder again."""
        return next((each.manager for each in self.holders if each.manager is not None), None)

    @property
    def protection(self) -> str:
        """Say why the holders must never be ended and what to do instead; empty when they may be."""
        if not self.listeners:
            return "nobody listens there, so there is nothing to end: wait for it, or choose another port"
        found = self.barrier
        return found.advice if found else ""

    @property
    def killable(self) -> bool:
        """Tell whether every holder is known and none is protected."""
        return bool(self.holders) and not self.protection

    @property
    def reason(self) -> str:
        """Say in words how the port is taken: "held by vite (pid 4242)"."""
        if self.container is not None:
            return f"published by {described(self.container)}"
        match self.holders:
            case [only]:
                return f"held by {named(only)}{', stopped by Ctrl-Z' if only.stopped else ''}"
            case [first, second]:
                return f"held by {named(first)} and {named(second)}"
            case [first, *others]:
                return f"held by {named(first)} and {len(others)} more processes"
        if self.hidden:
            return f"held by {_unseen(self.hidden[0], self.uid)}"
        if self.use:
            return f"taken: {_used(self.use)}"
        return "taken without anybody listening on it"


def named(facts: ProcessFacts) -> str:
    """Name a process for a person: its command, shortened, and its pid."""
    title = " ".join(facts.title.split())
    if len(title) > _LONGEST_COMMAND:
        title = title[: _LONGEST_COMMAND - 1].rstrip() + "…"
    return f"{title} (pid {facts.identity.pid})"


def described(container: Container) -> str:
    """Name a container for a person: "container shop-db-1 (db of the Compose project shop)"."""
    compose = ""
    if container.compose_project:
        service = container.compose_service or container.image
        compose = f" ({service} of the Compose project {container.compose_project})"
    return f"container {container.name}{compose}"


def works_in(facts: Holder, root: str) -> bool:
    """Tell whether a process works inside a checkout, and not in another worktree that lies in there."""
    if not root or facts.directory is None:
        return False
    checkout = PurePath(root)
    if not PurePath(facts.directory).is_relative_to(checkout):
        return False
    worktree = PurePath(facts.worktree or root)
    return not (facts.linked and worktree != checkout and worktree.is_relative_to(checkout))


def barrier_of(facts: ProcessFacts, port: int, *, uid: int, spared: Collection[int]) -> Barrier | None:
    """Say why a process must not be ended and what to do instead."""
    pid = facts.identity.pid
    if facts.name in ("systemd", "launchd"):
        return PROTECTED_PROGRAMS[facts.name]
    if pid == _INIT:
        return _protected(
            "it is the first process of this system or container: stop the server inside it instead"
        )
    if pid in spared:
        return _protected(f"devinit itself runs in {named(facts)}: end it by hand, or choose another port")
    if not facts.command and _KERNEL_THREADS in (pid, facts.parent_pid):  # 2 alone is nobody in a container
        return _protected("it is a part of the kernel: choose another port")
    known = next(
        (PROTECTED_PROGRAMS[each] for each in PROTECTED_PROGRAMS if facts.name.startswith(each)), None
    )
    if known is not None and known.kind is VerdictKind.CONTAINER:  # an engine's programs are often root's
        return Barrier(known.kind, known.advice.format(port=port))
    if facts.uid != uid:
        sudo = "" if uid == 0 else "sudo "
        advice = f"it belongs to user {facts.user}: ask them, or end it yourself with `{sudo}kill {pid}`"
        return Barrier(VerdictKind.OTHER_USER, advice)
    return _EDITOR if _is_editor(facts) else known


def managed_by(manager: Manager) -> Barrier:
    """Say that a process would be started again, and what ends it for good."""
    if manager.kind in _ENGINES:
        return Barrier(VerdictKind.CONTAINER, f"it runs in a container: `{manager.stop_command}` ends it")
    name = f" (there {manager.name})" if manager.name else ""
    advice = f"{manager.kind} would start it again{name}: `{manager.stop_command}` ends it"
    return Barrier(VerdictKind.SUPERVISED, advice)


def _protected(advice: str) -> Barrier:
    return Barrier(VerdictKind.PROTECTED, advice)


def _stop_container(container: Container) -> str:
    return f"it is {described(container)}: `{container.engine} stop {shlex.quote(container.name)}` ends it"


def _unseen(hidden: Hidden, uid: int) -> str:
    if hidden.uid == uid:
        return "a process that is hidden from us (another container or namespace)"
    return f"user {hidden.user}, pid hidden"


def _used(use: PortUse) -> str:
    if use.state is UseState.CLOSED:
        return f"a connection to {use.peer} was closed less than a minute ago"
    who = named(use.process) if use.process else f"a process of user {use.user}"
    if use.state is UseState.BOUND:
        return f"{who} has bound it without listening"
    return f"{who} uses it for a connection to {use.peer}"


def _is_editor(facts: ProcessFacts) -> bool:
    # The remote server of VS Code is a node process; only its command line tells.
    return facts.name in EDITORS or any(part.endswith("server-main.js") for part in facts.command[:3])
