"""Ports: what a service asks for, what it was granted, who stands in the way, and what to do about it."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from devinit.model.process import ProcessFacts, ProcessIdentity

LOWEST_UNPRIVILEGED_PORT = 1024
HIGHEST_PORT = 65535
ATTEMPTS = 100
"""How many candidates are tried before the search gives up."""


class ConflictPolicy(StrEnum):
    """What to do when a preferred port is taken."""

    ASK = "ask"
    """Ask the person at the terminal; without a terminal the same as MOVE."""
    KILL = "kill"
    """End the holder when that is allowed, else move."""
    MOVE = "move"
    """Take the next free port."""
    FAIL = "fail"
    """Refuse, with the holder's facts."""


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
    browser: bool = False
    """A browser connects to it, so ports that browsers refuse are skipped."""
    policy: ConflictPolicy | None = None
    """The service's own policy; None leaves it to the command."""


class LeaseOwner(Struct, frozen=True, kw_only=True):
    """Who a port is, or was last, leased to: the content of its lease file."""

    root: str
    """The checkout, absolute."""
    project: str
    service: str
    pid: int
    """The supervisor that took the lease: information, never proof. The file lock is the proof."""
    at: float
    """Unix time at which the lease was taken."""


class Listener(Struct, frozen=True, kw_only=True):
    """A TCP socket that listens."""

    port: int
    address: str
    family: int
    """4 or 6."""
    inode: int
    uid: int


class Obstacle(StrEnum):
    """Why a port cannot be had."""

    LISTENER = "listener"
    """Somebody listens on it."""
    BOUND = "bound"
    """Somebody has bound it, or uses it for an outgoing connection; nobody listens."""
    LEASED = "leased"
    """A service of a devinit project runs on it, or is about to."""
    RESERVED = "reserved"
    """A stopped devinit project will want it again."""
    FORBIDDEN = "forbidden"
    """The kernel refuses it to this user."""


class Conflict(Struct, frozen=True, kw_only=True):
    """A port that was asked for and cannot be had, with what is known about it."""

    service: str
    port: int
    obstacle: Obstacle
    holders: tuple[ProcessFacts, ...] = ()
    """All processes that hold the listening socket; empty when none is visible to us."""
    listeners: tuple[Listener, ...] = ()
    owner: LeaseOwner | None = None
    killable: bool = False
    """Every holder is ours to end: the same user's, not protected, not another devinit project's."""
    protection: str = ""
    """Why the holder must not be killed and what to do instead; empty when it may be."""
    move_to: int | None = None
    """The next port that was free when this was found out; None when the request may not move."""


class ResolutionKind(StrEnum):
    """What the person, or the policy, chose."""

    KILL = "kill"
    MOVE = "move"
    RETRY = "retry"
    ABORT = "abort"


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
    killed: tuple[str, ...] = ()
    """Holders that were ended for it, in words."""
    passed: tuple[Passed, ...] = ()
