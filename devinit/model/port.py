"""Ports: requests, grants, holders of taken ports, and the possible answers."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from devinit.model.process import ProcessFacts, ProcessIdentity
from devinit.text import one_line

LOWEST_PORT = 1
LOWEST_UNPRIVILEGED_PORT = 1024
"""The first port on which every user may listen, unless the kernel is configured otherwise."""
HIGHEST_PORT = 65535
ATTEMPTS = 100
"""How many candidates are tried before the search gives up."""
LAST_RESORT = range(20000, 32768)
"""Ports for a service whose range is used up, if that is allowed: below those that Linux
gives to outgoing connections."""


class ConflictPolicy(StrEnum):
    """What to do when a preferred port is taken."""

    ASK = "ask"
    """Ask the user at the terminal; without a terminal, the same as MOVE."""
    KILL = "kill"
    """End the holder if that is allowed, else move."""
    MOVE = "move"
    """Take the next free port."""
    REUSE = "reuse"
    """Use the server that runs there if it accepts the service, else move."""
    FAIL = "fail"
    """Refuse, with facts about the holder."""


class Exhausted(StrEnum):
    """What to do when every port of a range is taken."""

    FAIL = "fail"
    """Refuse, and name the first holders."""
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
    """Whether the service never moves, because the number is in code or in an OAuth registration."""
    fixed_by: str = ""
    """The line of the repository that contains the number as a constant: `frontend/src/api.ts, line 3`."""
    browser: bool = False
    """Whether a browser connects to it, so that ports that browsers refuse are skipped."""
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
        """Return why the service cannot have a port, worded to follow the number; empty if it can."""
        if self.allows(port):
            return ""
        if self.strict:
            why = f" ({self.why_fixed})" if self.fixed_by else ""
            return f"is not the fixed port of {self.service}, {self.preferred}{why}"
        return f"is outside of the range of {self.service}, {self.first}-{self.last}"

    @property
    def why_fixed(self) -> str:
        """Why the service cannot move."""
        return f"{one_line(self.fixed_by)} has it as a constant" if self.fixed_by else "strict_port"

    @property
    def how_to_move(self) -> str:
        """Advice on how to give the service another port although it is fixed."""
        if not self.fixed_by:
            return "give the service another port"
        return (
            "change the number in that line, or let it read the port from the environment; "
            f"a `port` in devinit.toml moves {self.service} alone"
        )

    def recall(self, remembered: int | None) -> int | None:
        """Return the port of the last start if this request still allows it, else None."""
        fits = remembered is not None and not self.strict and self.allows(remembered)
        return remembered if fits else None

    def expected(self, remembered: int | None) -> int:
        """Return the port that a start tries first."""
        return self.recall(remembered) or self.preferred


class LeaseOwner(Struct, frozen=True, kw_only=True):
    """The current or last leaseholder of a port: the content of its lease file."""

    root: str
    """The absolute path of the checkout."""
    project: str
    service: str
    pid: int
    """The supervisor that took the lease; for information only, because the file lock is the proof."""
    at: float
    """Unix time at which the lease was taken."""
    by_program: bool = False
    """Whether a program leased the port for itself (`devinit.port`): devinit has not started that program,
    and does not end it. Missing in records of earlier versions, whose leases are all devinit's."""


class Listener(Struct, frozen=True, kw_only=True):
    """A listening TCP socket."""

    port: int
    address: str
    family: int
    """4 or 6."""
    dual_stack: bool | None = None
    """Whether a socket bound to every IPv6 address serves IPv4 as well, as with Node, Go
    and Java; None if unknown."""
    inode: int
    uid: int


class UseState(StrEnum):
    """How a port can be taken without a process that listens."""

    CONNECTED = "connected"
    """An outgoing connection uses it as its local port."""
    CLOSED = "closed"
    """Such a connection was closed less than a minute ago."""
    BOUND = "bound"
    """A socket is bound to it but does not listen."""


class PortUse(Struct, frozen=True, kw_only=True):
    """The use of a port on which no process listens."""

    state: UseState
    user: str
    peer: str = ""
    """The remote end of the connection, in URL notation."""
    processes: tuple[ProcessFacts, ...] = ()
    """The processes that have the socket; empty if they are hidden from us, or if no process has it any longer."""


class VerdictKind(StrEnum):
    """The kind of holder of a port, which determines the possible actions."""

    OURS = "ours"
    """A supervised service of this checkout: nothing to do."""
    ORPHAN = "orphan"
    """A leftover of this checkout that devinit started and no supervisor has: devinit may end it."""
    STRAY = "stray"
    """A process that works inside this checkout, but was not started by devinit."""
    PROGRAM = "program"
    """A program that has leased the port for itself, in any checkout."""
    NEIGHBOUR = "neighbour"
    """A running service of another devinit project or worktree."""
    RESERVED = "reserved"
    """No process: the port is reserved for a devinit service that does not run."""
    ASSIGNED = "assigned"
    """A stopped PM2 application has the port in its environment."""
    CONTAINER = "container"
    """A container publishes the port."""
    SUPERVISED = "supervised"
    """A process that systemd, PM2 or another supervisor would restart."""
    FORWARD = "forward"
    """An SSH connection or an editor forwards the port."""
    PROTECTED = "protected"
    """A process that is never ended: init, an ancestor of ours, the kernel, the desktop."""
    OTHER_USER = "other_user"
    """Another user's process."""
    CONNECTION = "connection"
    """An outgoing connection uses it, or one that was closed a moment ago; no process listens."""
    BOUND = "bound"
    """A process has bound it but does not listen."""
    FORBIDDEN = "forbidden"
    """The kernel refuses it to this user."""
    STRANGER = "stranger"
    """Any other process of this user."""


class Ancestor(Struct, frozen=True):
    """A parent or a further ancestor of a process."""

    pid: int
    title: str


class Manager(Struct, frozen=True, kw_only=True):
    """A program that would restart a process."""

    kind: str
    """In one word: "systemd", "pm2", "supervisord", "nodemon", "overmind"."""
    name: str
    """The manager's name for the process: a unit, a program, an application; empty if unknown."""
    pid: int | None
    stop_command: str
    """The shell command that ends the process without a restart."""


class Container(Struct, frozen=True, kw_only=True):
    """A container that publishes a port."""

    engine: str
    """The command of its engine: "docker" or "podman"."""
    id: str
    name: str
    image: str
    compose_project: str | None = None
    compose_service: str | None = None


class Holder(ProcessFacts, frozen=True, kw_only=True):
    """A process that holds a port, with facts by which the user recognises it."""

    worktree: str | None = None
    """The top folder of the git checkout in which it works."""
    branch: str | None = None
    linked: bool = False
    """Whether that checkout is a linked worktree."""
    ancestors: tuple[Ancestor, ...] = ()
    """Its parent, that parent's parent, and so on, without init."""
    manager: Manager | None = None


class PortReport(Struct, frozen=True, kw_only=True):
    """All that is known about a taken port: the content of `ports who --json`."""

    port: int
    kind: VerdictKind
    summary: str
    """Who has it, worded to follow "is": "held by next dev (pid 4121)"."""
    holders: tuple[Holder, ...] = ()
    """All processes that hold the listening socket. If no process listens, those that use the port otherwise,
    which are never ended for it. Empty if none is visible to us."""
    listeners: tuple[Listener, ...] = ()
    clients: int = 0
    """Established connections to the port."""
    container: Container | None = None
    owner: LeaseOwner | None = None
    """The service to which it is leased or for which it is reserved."""
    killable: bool = False
    """Whether every holder is known and proven, and may be ended."""
    ends: int = 0
    """How many processes end with the holders: these, and those that they started in their process groups. 0 if
    they must not be ended, or were not counted."""
    advice: str = ""
    """Why the holders must not be ended, and what to do instead; empty if they may be."""


class ResolutionKind(StrEnum):
    """The answer of the user, or of the policy."""

    KILL = "kill"
    MOVE = "move"
    REUSE = "reuse"
    """Use the server that answers there; devinit never stops it."""
    TAKE = "take"
    """Take over a port that is reserved for a stopped project."""
    RETRY = "retry"
    ABORT = "abort"


class Conflict(PortReport, frozen=True, kw_only=True):
    """A requested port that is taken: all that is known about it, and the possible answers."""

    service: str
    move_to: int | None = None
    """The next port that was free at the time of the search; None if the request may not move."""
    used_up: str = ""
    """The range, if all of it was taken and `move_to` lies elsewhere; empty otherwise."""
    choices: tuple[ResolutionKind, ...] = ()
    """The possible answers, in the order in which they are offered."""
    default: ResolutionKind = ResolutionKind.ABORT
    """The preselected answer: it ends no processes except leftovers that devinit has started."""
    changes: tuple[str, ...] = ()
    """The consequences of a move, in words: ".env.runtime: FRONTEND_URL, CORS_ORIGINS", "the OAuth redirect
    registered for port 3000"."""
    reuse: str = ""
    """The server there and its data: "PostgreSQL 15.18, database shop", or why it cannot be used."""
    problem: str = ""
    """Why an earlier answer could not be carried out."""


class Resolution(Struct, frozen=True, kw_only=True):
    """The answer to one conflict. It is valid only for the holders that the user saw."""

    service: str
    port: int
    kind: ResolutionKind
    holders: tuple[ProcessIdentity, ...] = ()


class Passed(Struct, frozen=True):
    """A candidate port that was passed over, with the reason."""

    port: int
    reason: str


class GrantedPort(Struct, frozen=True, kw_only=True):
    """The outcome of one request, as it is shown and recorded."""

    service: str
    port: int
    preferred: int
    moved_from: int | None = None
    """The port that was wanted first, if another one was granted."""
    attempts: int = 1
    """How many candidates were tried."""
    reason: str = ""
    """Why it moved, in words: "8000 is held by vite (pid 4242)"."""
    kind: VerdictKind | None = None
    """The kind of holder of the port that was wanted first; None if it was free or not examined."""
    killed: tuple[str, ...] = ()
    """Holders that were ended for it, in words."""
    uses: str = ""
    """The server there that the service uses and devinit does not run, in words; empty if the port is ours."""
    used_up: str = ""
    """The range, "8000-8009", if all of it was taken and the port is a last resort; empty otherwise."""
    passed: tuple[Passed, ...] = ()
