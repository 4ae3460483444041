"""What a service is doing, as it goes over the wire and by `status --json`.

These are typed dictionaries: the supervisor builds them, msgspec encodes them, and a thin command
prints them without importing anything (docs/adr/0006).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, NotRequired, TypeAlias, TypedDict


class Phase(StrEnum):
    """The one thing a service is doing."""

    STOPPED = "stopped"
    WAITING = "waiting"
    """For the services it depends on."""
    STARTING = "starting"
    """Being prepared, spawned or probed."""
    READY = "ready"
    UNHEALTHY = "unhealthy"
    """It was ready and runs, but its health checks fail."""
    BACKOFF = "backoff"
    """It ended and will be started again."""
    STOPPING = "stopping"
    EXITED = "exited"
    """It ended as it should and is not started again."""
    FAILED = "failed"
    """It ended, never became ready, or could not be started, and was given up."""
    ORPHANED = "orphaned"
    """It runs without a supervisor and without a record: only shown by `status` and `why`."""


Mode: TypeAlias = Literal["preferred", "moved", "external"]
"""How a service came to its address: "external" is a server that devinit does not run, start or stop."""


class SupervisorStatus(TypedDict):
    """The process that looks after a project."""

    pid: int
    version: str


class ExtraPortStatus(TypedDict):
    """A further port of a service."""

    name: str
    """`backend.admin`, as in `devinit ports`."""
    port: int | None
    preferred_port: int
    url: str | None


class LastError(TypedDict):
    """The error that a build ended with which goes on: a dev server that waits for the next change."""

    text: str
    """The tool's own words."""
    file: str | None
    """From the project's folder, if it lies there."""
    line: int | None
    at: float
    """Unix time at which it was noticed."""


PromptKind: TypeAlias = Literal["debugger", "shell", "password", "question", "other"]
"""What a program asks for."""


class InputWait(TypedDict):
    """What a service waits for that a person has to type: a debugger's command, the answer to a question."""

    prompt: str
    """The end of its last line: "(Pdb)", "Overwrite? [y/N]"."""
    kind: PromptKind
    """"other" where the words say nothing, and only the kernel that it reads."""
    pid: int
    """The process that reads."""
    since: float
    """Unix time at which it was noticed."""


class WrongServer(TypedDict):
    """A server that a service is connected to in the place of one of its own project."""

    kind: str
    """The provider of the service that it takes the place of: "postgres", "redis", "process"."""
    port: int
    """Of that server, on this machine."""
    socket: str | None
    """The path of its Unix socket; None for TCP."""
    project: str | None
    """The other project whose service it is; None for a server that devinit does not run."""
    root: str | None
    """The checkout of that project."""
    service: str | None
    """The name of that service."""
    pid: int | None
    """The process that listens, where it can be seen."""
    instead_of: str
    """The service of this project."""
    own_port: int | None
    """The port of that service."""
    text: str
    """The same in words that follow "is": "connected to guestbook's postgres (port 5432), not to its own …"."""
    advice: list[str]
    """Where the address comes from, as far as that is known, and what helps; a line each."""


class ServiceStatus(TypedDict):
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
    """Keys of devinit.toml and files that say something else now than when it was started, and files for which its
    `setup` would run again. "removed" alone: devinit.toml does not have it any more; "added" alone: it is new."""
    restarted_for: NotRequired[str | None]
    """Why it was started again last, when no command asked for that and it had not failed: a file changed, an
    address moved. Missing from an older supervisor."""
    has_pages: NotRequired[bool]
    """Whether it speaks HTTP: its URL opens in a browser. Missing from an older supervisor."""
    autostart: NotRequired[bool]
    """Whether a start of everything starts it. Missing from an older supervisor."""
    optional: NotRequired[bool]
    """Whether its failure is no failure of a start. Missing from an older supervisor."""
    depends_on: NotRequired[list[str]]
    """The services that it needs. Missing from an older supervisor."""
    extra_ports: NotRequired[list[ExtraPortStatus]]
    """Missing from an older supervisor."""
    watch: NotRequired[str | None]
    """What is wrong with how its files are watched for `watch`; None when nothing is. An older supervisor does not
    report it."""
    last_error: NotRequired[LastError | None]
    """The error that its last build ended with, although it runs on, or by which it failed; None once a build is
    clean."""
    next_port: NotRequired[int | None]
    """The port that its next start asks for, if that is another one (`devinit ports set`)."""
    talks_to: NotRequired[list[str]]
    """The services of the project to which its processes were connected at the last look. Missing from an older
    supervisor."""
    wrong_servers: NotRequired[list[WrongServer]]
    """Servers that its processes are connected to in the place of the project's own. An older supervisor does not
    report it."""
    waits_for_input: NotRequired[InputWait | None]
    """What it waits for that has to be typed (`devinit attach`); None when nothing. An older supervisor does not
    report it."""
    terminal: NotRequired[TerminalStatus | None]
    """Its terminal; None of a service without one. Missing from an older supervisor."""
    truncated: NotRequired[bool]
    """Whether the reason is longer than what is shown."""


WHOLLY_CHANGED = {"added": "new in the configuration", "removed": "not in the configuration any more"}
"""What is said where not only a part of a service has changed."""


class ProjectStatus(TypedDict):
    """The whole of `status --json`."""

    project: str
    root: str
    supervisor: SupervisorStatus | None
    services: list[ServiceStatus]
    out_of_reach: NotRequired[str | None]
    """Why the services cannot be reached from where the command runs: they run in another container or namespace.
    None when they can. The command adds it."""
    configuration_error: NotRequired[str | None]
    """Why `devinit.toml` cannot be read now, in one line: the services run as they were configured before. None
    when it can. Missing from an older supervisor."""


class DependencyStatus(TypedDict):
    """A service that another one depends on, or the other way round."""

    name: str
    phase: str
    condition: NotRequired[str]
    """What is waited for: `started`, `ready` or `completed`. Missing from an older supervisor."""


CONDITION_WORDS = {"started": "must have started", "completed": "must have completed"}
"""What is said of a dependency that is not waited for to be ready."""


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
    """How long it has been in its phase; None when it is stopped."""
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
    """How many it had recently."""
    changed: NotRequired[list[str]]
    """As in `status`. Missing from an older supervisor."""
    port: int | None
    preferred_port: int | None
    port_reason: str | None
    """Why it has another port than the preferred one, or one that is not its own."""
    extra_ports: NotRequired[list[ExtraPortStatus]]
    next_port: NotRequired[int | None]
    """As in `status`."""
    command: str | None
    """Its command; after a failed set-up the one that failed."""
    directory: str
    depends_on: list[DependencyStatus]
    needed_by: list[DependencyStatus]
    probe: str
    """What readiness means for it."""
    last_probe: str | None
    """What the last attempt saw."""
    log: str
    """The path of its log."""
    log_tail: list[str]
    truncated: NotRequired[bool]
    """Whether lines are shortened or left out; the log has all of it."""


class Checked(TypedDict):
    """What one service answered when it was asked once: each of the `services` of `check --json`."""

    service: str
    well: bool
    phase: str
    detail: str | None
    """What is wrong; None when it is well."""
    url: str | None
    last_error: LastError | None
    wrong_servers: NotRequired[list[WrongServer]]
    """As in `status`. A service may be well all the same."""
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
    """Why it failed, or what was seen of it last; None when it is live."""
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
    """One port that the project asks for, as `ports` on the wire tells it."""

    service: str
    """The service; an extra port is `service.name`."""
    port: int
    """The one that it has, or would ask for."""
    preferred_port: int
    next_port: int
    """The one that its next start asks for."""
    range: list[int]
    strict: bool
    problem: str | None
    """What is wrong with the port's entry in `.ports.json`, which is not obeyed then."""
    phase: str
    holder: str | None
    """Who has the preferred port while the service has not, in words that follow "is"."""
    holder_kind: str | None
    """What that is, a `VerdictKind`."""


class CommandSetting(TypedDict):
    """What `devinit run` gives a command."""

    environment: dict[str, str]
    """To be added to the caller's; the whole environment of the command where there is a `directory`."""
    directory: NotRequired[str]
    """Where the command runs, absolute; missing: where the caller is."""
    path: list[str]
    """Folders for behind the PATH of the caller: the client programs of the servers, and without a `directory` the
    tools of all services."""
    folders: NotRequired[dict[str, str]]
    """Where each service runs, absolute. An older supervisor does not send it."""
    phases: dict[str, str]
    """Of each service that devinit runs."""
    databases: list[str]
    """Those of them that are servers: PostgreSQL and Redis."""
    untested: list[str]
    """PostgreSQL services without a test database."""
    without: NotRequired[list[str]]
    """Variables of the caller that are to be left out: by them client programs would reach another server."""


class TerminalStatus(TypedDict):
    """The terminal of a service that has one in this run, or will have one in the next."""

    socket: str | None
    """Where `devinit attach` meets the process that holds it; None while the service does not run."""
    pid: int | None
    """That process."""
    lost: bool
    """Whether that process was killed: nothing that the service prints arrives any more."""


class InputReport(TypedDict):
    """What became of something that was written to the standard input of a service."""

    pid: int
    """The process of the current run, which it was written to."""
    taken: bool
    """False: the service has not read what was written before, and there is no room for more."""
    unread: int
    """How many bytes the service has not read yet."""


class StopReport(TypedDict):
    """What a stop came to."""

    stopped: list[str]
    left: list[str]
    """Services whose server devinit does not run: it is not used any more, and runs on."""
    remaining: NotRequired[dict[str, list[int]]]
    """Services that still run although they were ended, and the pids of what is left of them."""
    supervisor_ends: NotRequired[bool]
    """Whether nothing is left to look after; missing where no supervisor was asked."""


class Change(TypedDict):
    """A variable that would have another value if the service were started now."""

    name: str
    then: str | None
    now: str


class Inspection(TypedDict):
    """What a service is given, and where its files are."""

    environment: dict[str, str]
    """Beyond the environment of the command that started it."""
    origins: dict[str, str]
    """Where each of these comes from: `rewritten from backend/.env:3`. An older supervisor does not send it."""
    notes: list[str]
    """What there is to say about values of the project's own that stay as they are."""
    changed: list[Change]
    files: dict[str, str]
    """What they are, and their paths."""
