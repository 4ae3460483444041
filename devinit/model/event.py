"""Events of a project, reported as they happen: the lines of `start --json` and of every subscription.

They are typed dictionaries for the same reason as in `status`: one definition serves both ends of the wire.
"""

from __future__ import annotations

from typing import Literal, NotRequired, TypeAlias, TypedDict

from devinit.model.status import ExtraPortStatus, InputWait, LastError, Mode, WrongServer


class PlanEvent(TypedDict):
    """The first event of a start: what it covers, and what of that it has to bring up."""

    type: Literal["plan"]
    at: float
    services: list[str]
    starting: list[str]


class PortEvent(TypedDict):
    """A decision about a port."""

    type: Literal["port"]
    at: float
    service: str
    port: int
    preferred: int
    moved_from: int | None
    attempts: int
    reason: str
    kind: str | None
    """The kind of holder of the port that was wanted first, a `VerdictKind`; None if it
    was free, or a sibling's."""
    killed: list[str]
    uses: str | None
    """The server there that the service uses and devinit does not run, in words; None if the port is ours."""
    used_up: str | None
    """The range, "8000-8009", if all of it was taken and the port is a last resort (`exhausted = "any"`)."""


class PhaseEvent(TypedDict):
    """A service entered another phase."""

    type: Literal["phase"]
    at: float
    service: str
    phase: str
    previous: str
    reason: str | None
    pid: int | None
    ready_seconds: float | None
    """Seconds from the start of its preparation until it was ready; only in the event with the phase ready."""


class ProgressEvent(TypedDict):
    """What a service is busy with inside its phase: "creating the database cluster"."""

    type: Literal["progress"]
    at: float
    service: str
    message: str


class PortInfoEvent(TypedDict):
    """The announcement of a service that is ready: its verified address."""

    type: Literal["port_info"]
    at: float
    mode: Mode
    service: str
    port: int | None
    url: str | None
    docs_url: str | None
    health_url: str | None


class LastErrorEvent(TypedDict):
    """A build of a service that goes on ended with an error, with another one, or with none any more."""

    type: Literal["last_error"]
    at: float
    service: str
    error: LastError | None
    """None if there is no error any more."""
    gone_by: NotRequired[Literal["build", "change", "run"] | None]
    """Why there is no error any more: a build was clean, the file with the error has changed, or a new run began.
    Missing from an older supervisor."""


class WrongServersEvent(TypedDict):
    """A service is connected to other servers in the place of its project's own, or to none any more."""

    type: Literal["wrong_servers"]
    at: float
    service: str
    servers: list[WrongServer]
    """Empty if there are none any more."""


class InputWaitEvent(TypedDict):
    """A service waits for something to be typed, for something else, or for nothing any more."""

    type: Literal["waits_for_input"]
    at: float
    service: str
    waits_for_input: InputWait | None
    """None if it no longer waits."""


class EnvironmentEvent(TypedDict):
    """`.env.runtime` was written."""

    type: Literal["environment"]
    at: float
    path: str
    changed: bool


class NoteEvent(TypedDict):
    """Something the developer should know."""

    type: Literal["note"]
    at: float
    service: str | None
    message: str


class SummaryRow(TypedDict):
    """One service in the summary of a start."""

    service: str
    phase: str
    mode: Mode
    port: int | None
    preferred: int | None
    moved_from: int | None
    attempts: int
    ready_seconds: float | None
    url: str | None
    reason: str | None
    log_tail: list[str]
    """The last lines of a service that failed; else empty."""
    extra_ports: NotRequired[list[ExtraPortStatus]]
    """As in `status`."""
    wrong_servers: NotRequired[list[WrongServer]]
    """As in `status`."""
    truncated: NotRequired[bool]
    """Whether lines are shortened or left out; if many services fail, the first ones get the most lines."""


class SummaryEvent(TypedDict):
    """The last event of a start."""

    type: Literal["summary"]
    at: float
    services: list[SummaryRow]
    seconds: float
    exit_code: int


Event: TypeAlias = (
    PlanEvent
    | PortEvent
    | PhaseEvent
    | ProgressEvent
    | PortInfoEvent
    | LastErrorEvent
    | WrongServersEvent
    | InputWaitEvent
    | EnvironmentEvent
    | NoteEvent
    | SummaryEvent
)
