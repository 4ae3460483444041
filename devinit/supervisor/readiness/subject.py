"""What is proven ready, and what can come of that, as values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias

from msgspec import Struct

from devinit.kinds.contained import Published
from devinit.model.probe import HttpProbe, Probe, TcpProbe
from devinit.model.service import Scheme
from devinit.supervisor.readiness.probing import ReadOutput, RunCommand


class Ready(Struct, frozen=True):
    """It answers, and it is the one that answers."""

    listener: int | None = None
    """The process that listens; None for a service without a port of its own."""


class Foreign(Struct, frozen=True):
    """Another process listens on its port."""

    reason: str


class Redirected(Struct, frozen=True):
    """It listens, but the kernel sends connections to its port to another program."""

    reason: str


class Elsewhere(Struct, frozen=True):
    """It listens, but on another port than it was given."""

    port: int


class Unreachable(Struct, frozen=True):
    """It listens on its port, but at an address where no client looks for it."""

    reason: str


class Speaks(Struct, frozen=True):
    """It answers, but to the other scheme than the one that it was asked by."""

    scheme: Scheme
    port: str | None = None
    """The name of the further port where it does; None for its own."""


class TimeOver(Struct, frozen=True):
    """It was not ready in time, and what was seen last."""

    detail: str


class Ailing(Struct, frozen=True):
    """It was not ready in time, but it serves: it answers with an error of its own."""

    detail: str


Verdict: TypeAlias = Ready | Foreign | Redirected | Elsewhere | Unreachable | Speaks | TimeOver | Ailing


class Subject(Struct, frozen=True, kw_only=True):
    """What is watched."""

    probe: Probe
    port: int | None
    extra_ports: tuple[int, ...]
    extra_probes: Mapping[str, TcpProbe | HttpProbe] = MappingProxyType({})
    """How it is asked at further ports before it is ready, by their names."""
    strict: bool
    timeout_seconds: float | None
    """None: for as long as it takes."""
    is_scheme_open: bool = False
    """Whether it has to be found out if it speaks TLS."""
    open_extra_ports: frozenset[str] = frozenset()
    """The names of the further ports where that has to be found out."""
    attempt_seconds: float | None = None
    """How long one attempt may take; None: longer after each that was cut off."""
    main: Callable[[], int | None] = lambda: None
    """The process that was started."""
    pids: Callable[[], list[int]]
    """Its whole tree."""
    run_command: RunCommand
    read_output: ReadOutput
    saw: Callable[[str], None]
    note: Callable[[str], None] = lambda _text: None
    """Told what the developer should know of a service that is taken for ready."""
    answered: Callable[[int | None], None] = lambda _status: None
    """Told the status of the last HTTP answer that was refused, after each attempt; None before there is one."""
    stays: Callable[[], bool] = lambda: True
    """Whether its program has stayed up, where that is started again after each end."""
    has_come_up: Callable[[], bool] = lambda: True
    """The same where nothing else can be asked: a loop may do its work with each run."""
    is_stuck: Callable[[], bool] = lambda: False
    """Whether it waits for its code to be fixed: then no time is over."""
    moved_at: Callable[[], float | None] = lambda: None
    """When it did something again after it was stuck, by the loop's clock: from then on it has all its time."""
    published: Callable[[], Published | None] | None = None
    """Returns what the engine of its container has on record, None before it runs; None for a service whose own
    processes listen."""
    was_ready: bool = False
    """Whether it was ready before: then a process has to accept the connection, not only the kernel."""
