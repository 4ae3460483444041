"""A project and its services, as configured or detected: parsed once, then frozen."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, ClassVar, Self, TypeVar

from msgspec import Meta, Struct, field
from msgspec.structs import replace

from devinit.model.evidence import Evidence
from devinit.model.port import PortRequest
from devinit.model.project_keys import PlainProjectKeys
from devinit.model.saving import SAVING_SECONDS
from devinit.model.task import Task


class Readiness(Struct, frozen=True, kw_only=True):
    """How a service proves that it is ready. At most one of the kinds is set; the default is TCP."""

    http: str | None = None
    """A path: ready when GET answers with an accepted status."""
    status: tuple[int, ...] = ()
    """Accepted status codes of `http`; empty means 200-399."""
    body: str | None = None
    """A regular expression that the answer's body must contain."""
    tcp: bool = False
    exec: str | None = None
    """A command: ready when it exits with 0."""
    log: str | None = None
    """A regular expression: ready when a line of the output matches."""
    after_seconds: float | None = None
    """For a service without a port: ready when it has stayed up this long; None: not stated."""
    timeout_seconds: float = 60.0
    attempt_seconds: float | None = None
    """How long one attempt may take; None: 5 s, and longer after each attempt that was cut off."""

    @property
    def stays_up_seconds(self) -> float:
        """How long a service without a port has to stay up to count as ready, if there is no other check."""
        return 1.0 if self.after_seconds is None else self.after_seconds

    @property
    def is_stated(self) -> bool:
        """Whether the configuration states the proof of readiness; `timeout` alone is not enough."""
        kinds = (self.http, self.exec, self.log, self.after_seconds)
        return self.tcp or any(kind is not None for kind in kinds)


class Health(Struct, frozen=True, kw_only=True):
    """The health check of a ready service. Without a kind, it repeats the check of its readiness."""

    http: str | None = None
    """A path: healthy if GET answers with an accepted status."""
    status: tuple[int, ...] = ()
    """Accepted status codes of `http`; empty means 200-399."""
    body: str | None = None
    """A regular expression that the answer's body must contain."""
    tcp: bool = False
    exec: str | None = None
    """A command: healthy if it exits with 0."""
    every_seconds: float = 10.0
    timeout_seconds: float = 5.0
    """How long one check may take."""
    failures: int = 3
    """Unhealthy after this many failed checks in a row ..."""
    restart_after: int | None = None
    """... and restarted after this many; None: never."""


class Scheme(StrEnum):
    """How a web server is asked."""

    HTTP = "http"
    HTTPS = "https"


class ExtraEndpoint(Struct, frozen=True, kw_only=True):
    """The settings of a service's extra port beyond its number."""

    url_path: str = ""
    ready: bool = False
    """Whether the service is ready only when this port answers, too."""
    http: str | None = None
    """The path for that request; None: a connection must be accepted."""
    scheme: Scheme | None = None
    """The scheme of the port; None: it is determined by a test, and is http until then."""


class RestartMode(StrEnum):
    """When a service that ended is started again."""

    ON_FAILURE = "on-failure"
    ALWAYS = "always"
    NEVER = "never"


class RestartPolicy(Struct, frozen=True, kw_only=True):
    """When and how often a service that ended is started again."""

    mode: RestartMode = RestartMode.ON_FAILURE
    failures: int = 5
    """Restarts stop after this many failures ..."""
    window_seconds: float = 60.0
    """... within this time."""


class Condition(StrEnum):
    """Which state of a dependency a service waits for."""

    STARTED = "started"
    """Its process was started."""
    READY = "ready"
    COMPLETED = "completed"
    """It ended with code 0: a job that has to be done first."""


class StopTarget(StrEnum):
    """Which of a service's processes are asked to end first."""

    ALL = "all"
    """All of them, as with Ctrl-C in a terminal."""
    MAIN = "main"
    """The program itself, which ends its children when they have finished their work."""


class StopPolicy(Struct, frozen=True, kw_only=True):
    """How a service is stopped, and how long that may take."""

    signal: str = "TERM"
    to: StopTarget | None = None
    """The processes that get the signal; None: the provider's `stop` decides, by the program."""
    grace_seconds: float = 5.0
    kill: bool = True
    """Whether KILL follows after the grace period; PostgreSQL gets QUIT instead."""
    saving_seconds: float = SAVING_SECONDS
    """How long a database server that saves when it ends may take beyond the grace period. After that
    it is left running, not killed, unless the stop is forced. 0: it has nothing to save, and is
    killed like any other process."""


class LogLimits(Struct, frozen=True, kw_only=True):
    """The limits for the stored output of a service."""

    size_bytes: int = 10_000_000
    count: int = 3


RANDOM_PASSWORD = "random"  # noqa: S105 - the word in devinit.toml that stands for one
"""The value of `password` that requests a random one, which is stored next to the data."""


class Settings:
    """The settings of a service that only its kind has: a frozen Struct of the kind with this base class.

    A field that is a key of devinit.toml has the name of the key.
    """

    __slots__ = ()
    __struct_fields__: ClassVar[tuple[str, ...]] = ()

    @property
    def lets_everyone_in(self) -> bool:
        """Whether a server with these settings requires no password from clients."""
        return False

    def with_login_of(self, _running: Settings) -> Settings:
        """Return these settings with the names and the password of a running server of the same kind."""
        return self


AnySettings = TypeVar("AnySettings", bound=Settings)


class DatabaseSettings(Struct, Settings, frozen=True, kw_only=True):
    """The settings with which a database server is created: the base class for such kinds."""

    database: str
    user: str
    password: str | None = None
    """As configured; None if `devinit.toml` states none. A provider's `settled` replaces None and "random"."""
    databases: tuple[str, ...] = ()
    """Further databases on the same server, owned by the same role."""
    after_folder: tuple[str, ...] = ()
    """Which of `database` and `user` have the name of the checkout's folder, because no name is
    stated. A provider's `settled` replaces them by the names in existing data, because the folder may
    have had another name before."""
    is_found: bool = False
    """Whether `database` comes from files of the project, not from devinit.toml:
    `settled` keeps one that has data."""
    instead_of: str | None = None
    """The database in those files, if another one is kept."""

    @property
    def test_database(self) -> str | None:
        """The first further database with the word "test" in its name: `shop_test`, `test`."""
        return next((name for name in self.databases if _is_for_tests(name)), None)

    @property
    def secret(self) -> str:
        """The password of a settled service; empty before that."""
        return self.password or ""

    def with_login_of(self, running: Settings) -> Self:
        """Return these settings with the database, the role and the password of a running server."""
        if not isinstance(running, DatabaseSettings):
            return self
        return replace(self, database=running.database, user=running.user, password=running.password)


def _is_for_tests(database: str) -> bool:
    words = database.lower().replace("-", "_").split("_")
    return "test" in words or "tests" in words


class PlainServiceKeys(Struct, frozen=True, kw_only=True):
    """The keys of a service in devinit.toml that need no check and no conversion.

    Each is declared only here: the schema, loading, the text that `devinit init` writes and the reference follow.
    """

    optional: Annotated[bool, Meta(description="Its failure does not fail the start. Default: false.")] = (
        False
    )
    autostart: Annotated[
        bool,
        Meta(
            description="false: started only by its name, or for a service that depends on it. Default: true."
        ),
    ] = True
    tty: Annotated[
        bool,
        Meta(
            description="true: it has a terminal of its own, into which `devinit attach` types: line editing, "
            "Tab, Ctrl-C, programs that fill the screen. Default: false, a standard input that is a pipe."
        ),
    ] = False
    restart_on_move: Annotated[
        bool,
        Meta(
            description="false: it runs on when the address of another service changes, because it follows "
            "addresses itself, with a client. Default: true, it is restarted with the new addresses."
        ),
    ] = True


class Service(PlainServiceKeys, frozen=True, kw_only=True):
    """One service of a project."""

    name: str
    provider: str = "process"
    """The kind of service, such as `process` or `postgres`: the provider with that name runs it."""
    command: str | None = None
    directory: Path
    """Its working directory, absolute."""
    host: str = "127.0.0.1"
    scheme: Scheme | None = None
    """The scheme of its port, if any; None: it is determined by a test, and is http until then."""
    port: PortRequest | None = None
    port_env: tuple[str, ...] = ()
    """Other variables for its port: set in its environment, and read as a preference (`API_PORT`)."""
    extra_ports: tuple[PortRequest, ...] = ()
    extra_endpoints: dict[str, ExtraEndpoint] = field(default_factory=dict)
    """Extra ports with more settings than a number, by the name of the request."""
    oauth_redirect_ports: tuple[int, ...] = ()
    """The ports to which an OAuth provider redirects; on any other port, signing in fails."""
    depends_on: tuple[str, ...] = ()
    conditions: dict[str, Condition] = field(default_factory=dict)
    """The awaited state of each dependency; READY if none is stated."""
    setup: tuple[str, ...] = ()
    setup_inputs: tuple[str, ...] = ()
    """Patterns of files, relative to its folder: `setup` runs again when one changes, as for a lock file."""
    before_start: tuple[str, ...] = ()
    ready: Readiness = Readiness()
    health: Health | None = None
    """None: it is not checked any more once it is ready."""
    env: dict[str, str] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    """Names in `env` that are `false`: the service does not get devinit's own values for them."""
    env_file: tuple[Path, ...] = ()
    restart: RestartPolicy = RestartPolicy()
    watch: tuple[str, ...] = ()
    """Patterns of files, relative to its folder: a change of one restarts the service."""
    stop: StopPolicy | None = None
    """None leaves it to the provider."""
    logs: LogLimits = LogLimits()
    once: bool = False
    """For a one-shot: it runs once on the same data, unless a restart names it."""
    warm: str | None = None
    """A path that is requested once after it is ready, because the first page is compiled on demand."""
    url_path: str = ""
    docs_path: str | None = None
    settings: Settings | None = None
    """Settings that only its kind has, such as `database`; see `settings_as`. None for a kind without settings."""
    external_url: str | None = None
    """A server that devinit does not run: it is used, but never started or stopped."""
    data_of: str | None = None
    """The name, which no service has any more, under which its data is stored until it is started."""
    data_left: tuple[str, ...] = ()
    """Such names whose data may belong to another service, so that this service begins empty."""

    def settings_as(self, kind: type[AnySettings]) -> AnySettings | None:
        """Return its settings if they are of this type, else None."""
        return self.settings if isinstance(self.settings, kind) else None

    def condition_of(self, dependency: str) -> Condition:
        """Return the awaited state of a dependency."""
        return self.conditions.get(dependency, Condition.READY)

    @property
    def port_requests(self) -> tuple[PortRequest, ...]:
        """All ports that it requests, its main port first."""
        return (*((self.port,) if self.port is not None else ()), *self.extra_ports)

    @property
    def is_reused(self) -> bool:
        """Whether its server was found running on the requested port; a configured external one requests none."""
        return self.external_url is not None and self.port is not None


class Project(PlainProjectKeys, frozen=True, kw_only=True):
    """A checkout and the services in it."""

    name: str
    root: Path
    services: dict[str, Service]
    """In the order of the file; the start order follows from `depends_on`."""
    other_names: tuple[str, ...] = ()
    """Names of services that the project has without its profile, or with another one: their data stays theirs."""
    tasks: dict[str, Task] = field(default_factory=dict)
    """Commands that the user runs by name, in the order of the file."""
    environment: dict[str, str] = field(default_factory=dict)
    """`[environment]`: templates that are expanded against the runtime environment."""
    left_out: tuple[str, ...] = ()
    """Names in it that are `false`: devinit does not set them."""
    discovery: dict[str, str] = field(default_factory=dict)
    """Service name → discovery file (relative to the root)."""
    discovery_refresh_seconds: float = 10.0
    """How often discovery files are refreshed; 0 turns it off."""
    source: Path | None = None
    """devinit.toml; None when the services were detected."""
    evidence: dict[str, tuple[Evidence, ...]] = field(default_factory=dict)
    """The origins of detected services, by service."""
    notes: tuple[str, ...] = ()
    """Notes of detection or loading for the developer."""

    @property
    def port_requests(self) -> dict[str, PortRequest]:
        """All ports that it requests, by their names in `.ports.json`."""
        return {
            request.service: request
            for service in self.services.values()
            for request in service.port_requests
        }

    def is_job(self, name: str) -> bool:
        """Whether a service only has to end: it runs once, or others wait for its end."""
        service = self.services[name]
        if service.once:
            return True
        if service.port is not None or service.ready.is_stated:
            return False
        return any(each.conditions.get(name) is Condition.COMPLETED for each in self.services.values())


class Endpoint(Struct, frozen=True, kw_only=True):
    """The address of a service, and what others need to use it."""

    service: str
    host: str
    port: int | None
    url: str | None
    """For a browser or a client library: http://localhost:8001, postgresql://user:password@127.0.0.1:5432/shop."""
    origins: tuple[str, ...] = ()
    """The origins from which a browser may load it; empty for a server without web pages."""
    variables: dict[str, str] = field(default_factory=dict)
    """Variables beyond `<SERVICE>_HOST`, `_PORT` and `_URL`: POSTGRES_USER, DATABASE_URL."""
    aliases: tuple[str, ...] = ()
    """Other names for the port (`API_PORT`)."""
    docs_url: str | None = None
    health_url: str | None = None
    hosts: tuple[str, ...] = ()
    """The names under which the gateway serves its pages, its own first; empty without names."""
    name_url: str | None = None
    """Its address by name: http://backend.shop.localhost:7080."""
    name_origins: tuple[str, ...] = ()
    """The origins of these names."""
