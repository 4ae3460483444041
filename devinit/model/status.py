"""The state of services, as it goes over the wire and into `status --json`.

It consists of typed dictionaries: the supervisor builds them, msgspec encodes them, and a thin command prints them
without importing anything (docs/adr/0006).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, NotRequired, TypeAlias, TypedDict

from devinit.model.named import PagesByName, Returning


class Phase(StrEnum):
    """What a service is currently doing."""

    STOPPED = "stopped"
    WAITING = "waiting"
    """It waits for the services on which it depends."""
    STARTING = "starting"
    """It is being prepared, started or probed."""
    READY = "ready"
    UNHEALTHY = "unhealthy"
    """It was ready and runs, but its health checks fail."""
    BACKOFF = "backoff"
    """It ended and will be restarted."""
    STOPPING = "stopping"
    EXITED = "exited"
    """It ended as it should and is not restarted."""
    FAILED = "failed"
    """It ended, never became ready, or could not be started, and devinit gave up."""
    ORPHANED = "orphaned"
    """It runs without a supervisor and without a record: shown only by `status` and `why`."""


Mode: TypeAlias = Literal["preferred", "moved", "external"]
"""How a service got its address: "external" is a server that devinit does not run, start or stop."""


class SupervisorStatus(TypedDict):
    """The process that supervises a project."""

    pid: int
    version: str


class ExtraPortStatus(PagesByName):
    """An extra port of a service."""

    name: str
    """`backend.admin`, as in `devinit ports`."""
    port: int | None
    preferred_port: int
    url: str | None


class LastError(TypedDict):
    """The error that a build ended with which goes on: a dev server that waits for the next change."""

    text: str
    """The text of the tool itself."""
    file: str | None
    """Relative to the project's folder, if it lies there."""
    line: int | None
    at: float
    """Unix time at which devinit noticed it."""


PromptKind: TypeAlias = Literal["debugger", "shell", "password", "question", "other"]
"""The kind of prompt of a program."""


class InputWait(TypedDict):
    """What a service waits for that a person has to type: a debugger's command, the answer to a question."""

    prompt: str
    """The end of its last line: "(Pdb)", "Overwrite? [y/N]"."""
    kind: PromptKind
    """"other" if the text shows nothing, and only the kernel reports that the process reads."""
    pid: int
    """The process that reads."""
    since: float
    """Unix time at which devinit noticed it."""


class WrongServer(TypedDict):
    """A server that a service is connected to in the place of one of its own project."""

    kind: str
    """The provider of the service that it replaces: "postgres", "redis", "process"."""
    port: int
    """The port of that server, on this machine."""
    socket: str | None
    """The path of its Unix socket; None for TCP."""
    project: str | None
    """The other project to which the service belongs; None for a server that devinit does not run."""
    root: str | None
    """The checkout of that project."""
    service: str | None
    """The name of that service."""
    pid: int | None
    """The listening process, if it is visible."""
    instead_of: str
    """The service of this project."""
    own_port: int | None
    """The port of that service."""
    text: str
    """The same in words, to follow "is": "connected to guestbook's postgres (port 5432), not to its own …"."""
    advice: list[str]
    """The origin of the address, as far as it is known, and advice; one line each."""


class ServiceStatus(PagesByName):
    """One service in `status --json`."""

    name: str
    provider: str
    phase: str
    mode: Mode
    port: int | None
    preferred_port: int | None
    url: str | None
    pid: int | None
    uptime_seconds: float | None
    restarts: int
    cpu_percent: float | None
    memory_bytes: int | None
    reason: str | None
    changed: list[str]
    """Keys of devinit.toml and files that have changed since it was started, and files for which its `setup` would
    run again. "removed" alone: devinit.toml does not have it any more; "added" alone: it is new."""
    restarted_for: NotRequired[str | None]
    """Why it was last restarted without a command and without a failure: a file changed, an address moved. Missing
    from an older supervisor."""
    has_pages: NotRequired[bool]
    """Whether it speaks HTTP: its URL opens in a browser. Missing from an older supervisor."""
    autostart: NotRequired[bool]
    """Whether `start all` starts it. Missing from an older supervisor."""
    optional: NotRequired[bool]
    """Whether a start can succeed although it fails. Missing from an older supervisor."""
    depends_on: NotRequired[list[str]]
    """The services on which it depends. Missing from an older supervisor."""
    extra_ports: NotRequired[list[ExtraPortStatus]]
    """Missing from an older supervisor."""
    watch: NotRequired[str | None]
    """What is wrong with the watch on its files for `watch`; None if nothing is. Missing
    from an older supervisor."""
    last_error: NotRequired[LastError | None]
    """The error at the end of its last build, although it runs on, or by which it failed;
    None once a build is clean."""
    next_port: NotRequired[int | None]
    """The port that its next start requests, if it differs (`devinit ports set`)."""
    talks_to: NotRequired[list[str]]
    """The services of the project to which its processes were recently connected. Missing
    from an older supervisor."""
    wrong_servers: NotRequired[list[WrongServer]]
    """Servers to which its processes are connected instead of the project's own. Missing
    from an older supervisor."""
    waits_for_input: NotRequired[InputWait | None]
    """The input for which it waits (`devinit attach`); None if it does not. Missing from an older supervisor."""
    terminal: NotRequired[TerminalStatus | None]
    """Its terminal; None for a service without one. Missing from an older supervisor."""
    truncated: NotRequired[bool]
    """Whether the reason is longer than the shown text."""


WHOLLY_CHANGED = {"added": "new in the configuration", "removed": "not in the configuration any more"}
"""Texts for services that were added or removed as a whole."""


class ProjectStatus(Returning):
    """The whole of `status --json`."""

    project: str
    root: str
    supervisor: SupervisorStatus | None
    services: list[ServiceStatus]
    out_of_reach: NotRequired[str | None]
    """Why the services are out of reach of the command: they run in another container or namespace. None if they
    are not. The command adds it."""
    configuration_error: NotRequired[str | None]
    """Why `devinit.toml` cannot be read at present, in one line; the services run with their former configuration.
    None if it can be read. Missing from an older supervisor."""


class DependencyStatus(TypedDict):
    """A service on which another one depends, or that depends on it."""

    name: str
    phase: str
    condition: NotRequired[str]
    """The awaited state: `started`, `ready` or `completed`. Missing from an older supervisor."""


CONDITION_WORDS = {"started": "must have started", "completed": "must have completed"}
"""Texts for dependencies that need not be ready."""


class WhyReport(TypedDict):
    """Everything that explains why a service is as it is: the whole of `why --json`."""

    name: str
    out_of_reach: NotRequired[str | None]
    """As in `status`."""
    configuration_error: NotRequired[str | None]
    """As in `status`."""
    phase: str
    reason: str | None
    since_seconds: float | None
    """How long it has been in its phase; None if it is stopped."""
    last_exit: int | None
    restarts: int
    restarted_for: NotRequired[str | None]
    """As in `status`."""
    watch: NotRequired[str | None]
    """As in `status`."""
    last_error: NotRequired[LastError | None]
    """As in `status`."""
    talks_to: NotRequired[list[str]]
    """As in `status`."""
    wrong_servers: NotRequired[list[WrongServer]]
    """As in `status`."""
    waits_for_input: NotRequired[InputWait | None]
    """As in `status`."""
    failures: int
    """How many failures it had recently."""
    changed: NotRequired[list[str]]
    """As in `status`. Missing from an older supervisor."""
    port: int | None
    preferred_port: int | None
    port_reason: str | None
    """Why its port differs from the preferred one, or belongs to another server."""
    extra_ports: NotRequired[list[ExtraPortStatus]]
    next_port: NotRequired[int | None]
    """As in `status`."""
    command: str | None
    """Its command; after a failed set-up, the one that failed."""
    directory: str
    depends_on: list[DependencyStatus]
    needed_by: list[DependencyStatus]
    probe: str
    """The meaning of readiness for it."""
    last_probe: str | None
    """The observation of the last attempt."""
    log: str
    """The path of its log."""
    log_tail: list[str]
    truncated: NotRequired[bool]
    """Whether lines are shortened or left out; the log is complete."""


class Checked(TypedDict):
    """What one service answered when it was asked once: each of the `services` of `check --json`."""

    service: str
    well: bool
    phase: str
    detail: str | None
    """What is wrong; None if it is well."""
    url: str | None
    last_error: LastError | None
    wrong_servers: NotRequired[list[WrongServer]]
    """As in `status`. A service may be well nevertheless."""
    seconds: float


class CheckReport(TypedDict):
    """The whole of `check --json`."""

    well: bool
    services: list[Checked]
    configuration_error: NotRequired[str | None]
    """As in `status`."""


class Awaited(TypedDict):
    """What came of waiting for one service: each of the `services` of `wait --json`."""

    service: str
    outcome: Literal["live", "failed", "timed out"]
    phase: str
    reason: str | None
    """Why it failed, or its last observation; None if it is live."""
    url: str | None
    last_error: LastError | None
    log_tail: list[str]
    """The last lines of a service that is not live; else empty."""
    truncated: bool
    """As in `why`."""


class WaitReport(TypedDict):
    """The whole of `wait --json`."""

    exit_code: int
    seconds: float
    services: list[Awaited]
    configuration_error: NotRequired[str | None]
    """As in `status`."""


class OwnPort(TypedDict):
    """A port that the project requests, as in the answer to `ports` on the wire."""

    service: str
    """The service; an extra port is `service.name`."""
    port: int
    """The current port, or the one that it would request."""
    preferred_port: int
    next_port: int
    """The port that its next start requests."""
    range: list[int]
    strict: bool
    problem: str | None
    """What is wrong with the port's entry in `.ports.json`, which is then ignored."""
    phase: str
    holder: str | None
    """Who has the preferred port if the service has not, worded to follow "is"."""
    holder_kind: str | None
    """The kind of that holder, a `VerdictKind`."""


class CommandSetting(TypedDict):
    """What `devinit run` gives a command."""

    environment: dict[str, str]
    """Added to the caller's environment; with a `directory`, the whole environment of the command."""
    directory: NotRequired[str]
    """The working directory of the command, absolute; missing: that of the caller."""
    path: list[str]
    """Folders to append to the caller's PATH: the client programs of the servers and, without a `directory`, the
    tools of all services."""
    folders: NotRequired[dict[str, str]]
    """The working directory of each service, absolute. Missing from an older supervisor."""
    phases: dict[str, str]
    """The phase of each service that devinit runs."""
    databases: list[str]
    """The servers among them: PostgreSQL and Redis."""
    untested: list[str]
    """PostgreSQL services without a test database."""
    without: NotRequired[list[str]]
    """Variables of the caller to leave out, because they would lead client programs to another server."""


class TerminalStatus(TypedDict):
    """The terminal of a service that has one in this run, or will have one in the next."""

    socket: str | None
    """The socket of the process that holds it, for `devinit attach`; None while the service does not run."""
    pid: int | None
    """The pid of that process."""
    lost: bool
    """Whether that process was killed: the output of the service is then lost."""


class InputReport(TypedDict):
    """The result of writing to the standard input of a service."""

    pid: int
    """The process of the current run to which the text was written."""
    taken: bool
    """False if there is no space, because the service has not read earlier input."""
    unread: int
    """How many bytes the service has not read yet."""


class StopReport(TypedDict):
    """The result of a stop."""

    stopped: list[str]
    left: list[str]
    """Services whose server devinit does not run: it is no longer used, but still runs."""
    remaining: NotRequired[dict[str, list[int]]]
    """Services that still run although they were ended, with the remaining pids."""
    supervisor_ends: NotRequired[bool]
    """Whether nothing is left to supervise; missing if no supervisor was asked."""


class Change(TypedDict):
    """A variable that would have another value if the service were started now."""

    name: str
    then: str | None
    now: str


class Inspection(TypedDict):
    """The environment of a service, and the places of its files."""

    environment: dict[str, str]
    """The variables beyond the environment of the command that started it."""
    origins: dict[str, str]
    """The origin of each of these: `rewritten from backend/.env:3`. Missing from an older supervisor."""
    notes: list[str]
    """Messages about values of the project's own that stay unchanged."""
    changed: list[Change]
    files: dict[str, str]
    """The paths of its files, by what they are."""
