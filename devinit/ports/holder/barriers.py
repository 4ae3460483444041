"""Processes that are never ended, with advice for each. Pure. Each rule goes back to a real loss."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping

from msgspec import Struct

from devinit.model.port import Container, Manager, VerdictKind
from devinit.model.process import ProcessFacts
from devinit.model.workplace import Workplace, workplace_of
from devinit.ports.holder.naming import described, named

_INIT = 1
_KERNEL_THREADS = 2
"""The pid of kthreadd, the parent of all kernel threads."""
_ENGINES = ("docker", "podman")


class Barrier(Struct, frozen=True):
    """The reason why a holder must not be ended."""

    kind: VerdictKind
    advice: str
    """What the user can do instead."""


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
_SSH_SERVER = Barrier(
    VerdictKind.PROTECTED,
    "it is an SSH server, by which a user may be logged in here: choose another port",
)
_FORWARDED = Barrier(VerdictKind.FORWARD, "an editor forwards this port: close it in its Ports panel")
_WSL = Barrier(
    VerdictKind.FORWARD,
    "it forwards a port between Windows and WSL: stop what listens on the other side",
)
_AIRPLAY = Barrier(
    VerdictKind.PROTECTED,
    "the AirPlay receiver of macOS: turn it off in System Settings, General, AirDrop & Handoff",
)
RUN_ELSEWHERE = Barrier(
    VerdictKind.NEIGHBOUR,
    "devinit runs it with another state folder (another HOME or XDG_STATE_HOME): `devinit stop` there ends it",
)
_MACHINE = Barrier(
    VerdictKind.PROTECTED,
    "a whole virtual machine would end with it: stop what listens inside, or remove the forward of this port",
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
# Keys are prefixes of the kernel's short process name, which has at most 15 characters. Killing one of these
# programs ends more than the server on the port: a container engine, a desktop, a user's connection.
PROTECTED_PROGRAMS: Mapping[str, Barrier] = {
    **dict.fromkeys(CONTAINER_PROGRAMS[:5], _CONTAINER),
    **dict.fromkeys(CONTAINER_PROGRAMS[5:], _ROOTLESS),
    "systemd": _SYSTEMD,
    "launchd": _LAUNCHD,
    "ssh": _SSH,
    "dropbear": _SSH_SERVER,
    **dict.fromkeys(
        (
            *("qemu-system", "qemu-kvm", "VBoxHeadless", "VirtualBoxVM", "vmware-vmx", "multipassd"),
            *("limactl", "gvproxy", "passt", "vfkit", "krunkit", "com.apple.Virtu", "crosvm"),
            *("firecracker", "cloud-hyperviso"),
        ),
        _MACHINE,
    ),
    **dict.fromkeys(("ControlCenter", "rapportd"), _AIRPLAY),
    "wslrelay": _WSL,
    **dict.fromkeys(
        ("Xorg", "Xwayland", "Xvnc", "Xtigervnc", "Xtightvnc", "Xephyr", "xpra", "gnome-", "kwin_"), _DISPLAY
    ),
    "supervisord": _SUPERVISORD,
    "process-compose": _PROCESS_COMPOSE,
}
_LOSSES = {
    Workplace.MULTIPLEXER: "end every session in that terminal multiplexer",
    Workplace.TERMINAL: "end all that runs in the windows of that terminal",
    Workplace.BROWSER: "close every window of that browser",
    Workplace.EDITOR: "lose what is not saved in that editor",
    Workplace.SHELL: "end what runs in that interactive shell",
}
"""What ending an interactive program would do besides freeing the port."""


def barrier_of(
    facts: ProcessFacts,
    port: int,
    *,
    uid: int,
    spared: Collection[int],
    leader: int | None = None,
    inherited: bool = False,
) -> Barrier | None:
    """Return why a process must not be ended, with advice, or None.

    `leader` is the parent server of a worker; it would start another worker. `inherited`: the process shares the
    socket with a server that holds the port as well.
    """
    pid = facts.identity.pid
    if facts.name in ("systemd", "launchd"):
        return PROTECTED_PROGRAMS[facts.name]
    if pid == _INIT:
        return _protected(
            "it is the first process of this system or container: stop the server inside it instead"
        )
    if pid in spared:
        return _protected(f"devinit itself runs in {named(facts)}: end it by hand, or choose another port")
    if not facts.command and _KERNEL_THREADS in (pid, facts.parent_pid):  # in a container 2 is any process
        return _protected("it is a part of the kernel: choose another port")
    known = next(
        (PROTECTED_PROGRAMS[each] for each in PROTECTED_PROGRAMS if facts.name.startswith(each)), None
    )
    if known is not None and known.kind is VerdictKind.CONTAINER:  # engine programs often run as root
        return Barrier(known.kind, known.advice.format(port=port))
    if facts.uid != uid:
        sudo = "" if uid == 0 else "sudo "
        advice = (
            f"it belongs to user {facts.user}: ask them, or end it yourself with `{sudo}kill {leader or pid}`"
        )
        return Barrier(VerdictKind.OTHER_USER, advice)
    if _is_ssh_server(facts):
        return _SSH_SERVER
    kind = workplace_of(facts)
    if kind is Workplace.EDITOR and not inherited:
        return _FORWARDED
    return _lost_with(facts, kind) if kind is not None else known


def managed_by(manager: Manager) -> Barrier:
    """Return the barrier for a process that its manager would restart, with the command that prevents that."""
    if manager.kind in _ENGINES:
        return Barrier(VerdictKind.CONTAINER, f"it runs in a container: `{manager.stop_command}` ends it")
    name = f" (there {manager.name})" if manager.name else ""
    advice = f"{manager.kind} would start it again{name}: `{manager.stop_command}` ends it"
    return Barrier(VerdictKind.SUPERVISED, advice)


def published_by(container: Container) -> Barrier:
    """Return the barrier for a port that a container publishes, with the command that stops the container."""
    advice = f"it is {described(container)}: `{container.engine} stop {shlex.quote(container.name)}` ends it"
    return Barrier(VerdictKind.CONTAINER, advice)


def _lost_with(facts: ProcessFacts, kind: Workplace) -> Barrier:
    advice = f"ending {named(facts)} would {_LOSSES[kind]}: choose another port, or end it by hand"
    return _protected(advice)


def _is_ssh_server(facts: ProcessFacts) -> bool:
    # The process that serves one connection, and forwards ports for it, is titled "sshd: ada@pts/0".
    title = " ".join(facts.command)
    return facts.name == "sshd" and (not title.startswith("sshd: ") or "[listener]" in title)


def _protected(advice: str) -> Barrier:
    return Barrier(VerdictKind.PROTECTED, advice)
