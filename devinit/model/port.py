"""Ports: what a service asks for, what it was granted, who stands in the way, and what to do about it."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from devinit.model.process import ProcessFacts, ProcessIdentity
from devinit.text import one_line

LOWEST_PORT = 1
LOWEST_UNPRIVILEGED_PORT = 1024
"""The first port on which every user may listen, where the kernel is not configured otherwise."""
HIGHEST_PORT = 65535
ATTEMPTS = 100
"""How many candidates are tried before the search gives up."""
LAST_RESORT = range(20000, 32768)
"""Where a service goes whose range is used up, if it may: below what Linux gives to outgoing connections."""


class ConflictPolicy(StrEnum):
    """What to do when a preferred port is taken."""

    ASK = "ask"
    """Ask the person at the terminal; without a terminal the same as MOVE."""
    KILL = "kill"
    """End the holder when that is allowed, else move."""
    MOVE = "move"
    """Take the next free port."""
    REUSE = "reuse"
    """Use the server that runs there, if it lets the service in; else move."""
    FAIL = "fail"
    """Refuse, with the holder's facts."""


class Exhausted(StrEnum):
    """What to do when every port of a range is taken."""

    FAIL = "fail"
    """Refuse, with the first holders."""
    ANY = "any"
    """Take any port: one of LAST_RESORT, else one that the kernel chooses."""


class PortRequest(Struct, frozen=True, kw_only=True):
    """The port that a service wants, and how far it may move."""

    service: str
    """The service's name; an extra port is `service.name` (`backend.debugger`)."""
    preferred: int
    first: int
    """The lowest port of the range, inclusive."""
    last: int
    """The highest port of the range, inclusive."""
    strict: bool = False
    """Never moved: the number stands in code or in an OAuth registration."""
    fixed_by: str = ""
    """The line of the repository that has the number as a constant: `frontend/src/api.ts, line 3`."""
    browser: bool = False
    """A browser connects to it, so ports that browsers refuse are skipped."""
    policy: ConflictPolicy | None = None
    """The service's own policy; None leaves it to the command."""
    exhausted: Exhausted = Exhausted.FAIL
    """What to do when the range is used up."""

    def allows(self, port: int) -> bool:
        """Return whether the service may have a port."""
        if self.strict:
            return port == self.preferred
        beyond = self.exhausted is Exhausted.ANY and port >= LOWEST_UNPRIVILEGED_PORT
        return beyond or self.first <= port <= self.last

    def objection(self, port: int) -> str:
        """Say why the service cannot have a port, to follow the number; empty when it can."""
        if self.allows(port):
            return ""
        if self.strict:
            why = f" ({self.why_fixed})" if self.fixed_by else ""
            return f"is not the fixed port of {self.service}, {self.preferred}{why}"
        return f"is outside of the range of {self.service}, {self.first}-{self.last}"

    @property
    def why_fixed(self) -> str:
        """Say why the service cannot move."""
        return f"{one_line(self.fixed_by)} has it as a constant" if self.fixed_by else "strict_port"

    @property
    def how_to_move(self) -> str:
        """Say what gives the service another port although it is fixed."""
        if not self.fixed_by:
            return "give the service another port"
        return (
            "change the number in that line, or let it read the port from the environment; "
            f"a `port` in devinit.toml moves {self.service} alone"
        )

    def recall(self, remembered: int | None) -> int | None:
        """Return the port of the last start while it is one that this request may have."""
        fits = remembered is not None and not self.strict and self.allows(remembered)
        return remembered if fits else None

    def expected(self, remembered: int | None) -> int:
        """Return the port that a start would try first."""
        return self.recall(remembered) or self.preferred


class LeaseOwner(Struct, frozen=True, kw_only=True):
    """The service that a port is, or was last, leased to: the content of its lease file."""

    root: str
    """The checkout, absolute."""
    project: str
    service: str
    pid: int
    """The supervisor that took the lease: information, never proof. The file lock is the proof."""
    at: float
    """Unix time at which the lease was taken."""
    by_program: bool = False
    """A program leased the port for itself (`devinit.lease_port`): devinit has not started that program, and does
    not end it. Missing in records of earlier versions, which count as devinit's."""


class Listener(Struct, frozen=True, kw_only=True):
    """A TCP socket that listens."""

    port: int
    address: str
    family: int
    """4 or 6."""
    dual_stack: bool | None = None
    """Bound to every IPv6 address and serving IPv4 as well, as Node, Go and Java do; None when not told."""
    inode: int
    uid: int


class UseState(StrEnum):
    """How a port can be taken although no process listens on it."""

    CONNECTED = "connected"
    """An outgoing connection has it as its own end."""
    CLOSED = "closed"
    """Such a connection was closed less than a minute ago."""
    BOUND = "bound"
    """A socket is bound to it and does nothing."""


class PortUse(Struct, frozen=True, kw_only=True):
    """Which processes use a port on which none listens."""

    state: UseState
    user: str
    peer: str = ""
    """The other end of the connection, as in URLs."""
    processes: tuple[ProcessFacts, ...] = ()
    """The processes that have the socket; empty when they are hidden from us, or when none has it any longer."""


class VerdictKind(StrEnum):
    """What has a port, as far as it decides what may be done about it."""

    OURS = "ours"
    """A service of this checkout that is looked after: fine as it is."""
    ORPHAN = "orphan"
    """A left-over of this checkout that devinit itself started and no supervisor looks after: ours to end."""
    STRAY = "stray"
    """A process that works inside this checkout and was not started by devinit."""
    PROGRAM = "program"
    """A program that has leased the port for itself, in whatever checkout."""
    NEIGHBOUR = "neighbour"
    """A running service of another devinit project or worktree."""
    RESERVED = "reserved"
    """No process: it is reserved for a devinit service that does not run."""
    ASSIGNED = "assigned"
    """A stopped application of PM2 has it in its environment."""
    CONTAINER = "container"
    """A container publishes it."""
    SUPERVISED = "supervised"
    """A process that systemd, PM2 or another supervisor would start again."""
    FORWARD = "forward"
    """An SSH connection or an editor forwards it."""
    PROTECTED = "protected"
    """A process that is never ended: init, an ancestor of ours, the kernel, the desktop."""
    OTHER_USER = "other_user"
    """Another user's process."""
    CONNECTION = "connection"
    """An outgoing connection uses it, or one that was closed a moment ago; no process listens."""
    BOUND = "bound"
    """A process has bound it and does not listen."""
    FORBIDDEN = "forbidden"
    """The kernel refuses it to this user."""
    STRANGER = "stranger"
    """Any other process of this user."""


class Ancestor(Struct, frozen=True):
    """One process above another one."""

    pid: int
    title: str


class Manager(Struct, frozen=True, kw_only=True):
    """A program that would start a process again."""

    kind: str
    """In one word: "systemd", "pm2", "supervisord", "nodemon", "overmind"."""
    name: str
    """What it calls the process: a unit, a program, an application; empty when it does not say."""
    pid: int | None
    stop_command: str
    """The command that ends the process so that it is not started again, to be copied into a shell."""


class Container(Struct, frozen=True, kw_only=True):
    """A container that publishes a port."""

    engine: str
    """The command that knows it: "docker" or "podman"."""
    id: str
    name: str
    image: str
    compose_project: str | None = None
    compose_service: str | None = None


class Holder(ProcessFacts, frozen=True, kw_only=True):
    """A process that holds a port, with what a person recognises it by."""

    worktree: str | None = None
    """The top folder of the git checkout that it works in."""
    branch: str | None = None
    linked: bool = False
    """That checkout is a linked worktree."""
    ancestors: tuple[Ancestor, ...] = ()
    """Its parent, that one's parent, and so on; init left out."""
    manager: Manager | None = None


class PortReport(Struct, frozen=True, kw_only=True):
    """Everything that is known about a port that cannot be had: the whole of `ports who --json`."""

    port: int
    kind: VerdictKind
    summary: str
    """Who has it, in words that follow "is": "held by next dev (pid 4121)"."""
    holders: tuple[Holder, ...] = ()
    """All processes that hold the listening socket, or, where no process listens, that use the port otherwise:
    these are never ended for it. Empty when none is visible to us."""
    listeners: tuple[Listener, ...] = ()
    clients: int = 0
    """Established connections to it."""
    container: Container | None = None
    owner: LeaseOwner | None = None
    """The service that it is leased to or reserved for."""
    killable: bool = False
    """Every holder is known, was proven, and may be ended."""
    ends: int = 0
    """How many processes end with the holders: these, and what they started in their process groups. 0 where
    they must not be ended, or were not counted."""
    advice: str = ""
    """Why the holders must not be ended and what to do instead; empty when they may be."""


class ResolutionKind(StrEnum):
    """What the person, or the policy, chose."""

    KILL = "kill"
    MOVE = "move"
    REUSE = "reuse"
    """Use the server that answers there as it is; it is never stopped by us."""
    TAKE = "take"
    """Take over a port that is reserved for a stopped project."""
    RETRY = "retry"
    ABORT = "abort"


class Conflict(PortReport, frozen=True, kw_only=True):
    """A port that was asked for and cannot be had: what is known about it, and what can be answered."""

    service: str
    move_to: int | None = None
    """The next port that was free when this was found out; None when the request may not move."""
    used_up: str = ""
    """The range, when all of it was taken and `move_to` lies elsewhere; empty otherwise."""
    choices: tuple[ResolutionKind, ...] = ()
    """What can be answered, in the order in which it is offered."""
    default: ResolutionKind = ResolutionKind.ABORT
    """The preselected answer: it ends no process but one that devinit has started and left over."""
    changes: tuple[str, ...] = ()
    """What moving changes, in words: ".env.runtime: FRONTEND_URL, CORS_ORIGINS", "the OAuth redirect
    registered for port 3000"."""
    reuse: str = ""
    """What the server there says about being used: "PostgreSQL 15.18, database shop", or why it cannot be."""
    problem: str = ""
    """Why an earlier answer could not be carried out."""


class Resolution(Struct, frozen=True, kw_only=True):
    """The answer to one conflict. It holds for exactly the holders that were shown."""

    service: str
    port: int
    kind: ResolutionKind
    holders: tuple[ProcessIdentity, ...] = ()


class Passed(Struct, frozen=True):
    """A candidate port that was passed over, and why."""

    port: int
    reason: str


class GrantedPort(Struct, frozen=True, kw_only=True):
    """The outcome for one request, as it is shown and recorded."""

    service: str
    port: int
    preferred: int
    moved_from: int | None = None
    """The port that was wanted first, when another one had to do."""
    attempts: int = 1
    """How many candidates were tried."""
    reason: str = ""
    """Why it moved, in words: "8000 is held by vite (pid 4242)"."""
    kind: VerdictKind | None = None
    """What had the port that was wanted first; None when it was free, or that was not looked at."""
    killed: tuple[str, ...] = ()
    """Holders that were ended for it, in words."""
    uses: str = ""
    """The server that is used there and that devinit does not run, in words; empty when the port is ours."""
    used_up: str = ""
    """The range, "8000-8009", when all of it was taken and the port is a last resort; empty otherwise."""
    passed: tuple[Passed, ...] = ()
