"""The subject of a readiness proof (a service with its port and probe), and the possible verdicts."""

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
    """The service answers, and the answer is proven to be its own."""

    listener: int | None = None
    """Pid of the process that listens; None for a service without a port."""


class Foreign(Struct, frozen=True):
    """Another process listens on the service's port."""

    reason: str


class Redirected(Struct, frozen=True):
    """The service listens, but the kernel redirects or rejects connections to its port."""

    reason: str


class Elsewhere(Struct, frozen=True):
    """The service listens on another port than the one it was given."""

    port: int


class Unreachable(Struct, frozen=True):
    """The service listens on its port, but not at the address that clients use."""

    reason: str


class Speaks(Struct, frozen=True):
    """The service answers to the other scheme (HTTP or HTTPS) than the probe used."""

    scheme: Scheme
    port: str | None = None
    """Name of the extra port with that scheme; None for the main port."""


class TimeOver(Struct, frozen=True):
    """The service was not ready in time; `detail` is the last observation."""

    detail: str


class Ailing(Struct, frozen=True):
    """The service was not ready in time, but it does answer, with a server error."""

    detail: str


Verdict: TypeAlias = Ready | Foreign | Redirected | Elsewhere | Unreachable | Speaks | TimeOver | Ailing


class Subject(Struct, frozen=True, kw_only=True):
    """A service whose readiness is to be proven, with callbacks to observe and report."""

    probe: Probe
    port: int | None
    extra_ports: tuple[int, ...]
    extra_probes: Mapping[str, TcpProbe | HttpProbe] = MappingProxyType({})
    """Probes of its extra ports by name; it is ready only when these answer as well."""
    strict: bool
    timeout_seconds: float | None
    """None: no limit."""
    is_scheme_open: bool = False
    """Whether it is unknown if its port speaks TLS."""
    open_extra_ports: frozenset[str] = frozenset()
    """Names of the extra ports for which that is unknown."""
    attempt_seconds: float | None = None
    """Timeout of one attempt; None: the timeout doubles after each one that was cut off."""
    main: Callable[[], int | None] = lambda: None
    """Returns the pid of the process that was started."""
    pids: Callable[[], list[int]]
    """Returns the pids of all its processes."""
    run_command: RunCommand
    read_output: ReadOutput
    saw: Callable[[str], None]
    note: Callable[[str], None] = lambda _text: None
    """Called with a note for the developer about a service that is considered ready."""
    answered: Callable[[int | None], None] = lambda _status: None
    """Called after each attempt with the status of the last refused HTTP answer; None before there is one."""
    stays: Callable[[], bool] = lambda: True
    """Returns whether its program has stayed up, if that is started again after each end."""
    has_come_up: Callable[[], bool] = lambda: True
    """The same for a service without a port, where each run of a loop may be successful work."""
    is_stuck: Callable[[], bool] = lambda: False
    """Returns whether it waits for its code to be fixed; its time does not run out meanwhile."""
    moved_at: Callable[[], float | None] = lambda: None
    """Returns when it was active again after it was stuck, by the loop's clock; its time starts anew then."""
    published: Callable[[], Published | None] | None = None
    """Returns the ports that the engine of its container reports, None before it runs. None for a service whose
    own processes listen."""
    was_ready: bool = False
    """Whether it was ready before. Then a process must accept the connection, not only the kernel."""
