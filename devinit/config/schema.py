"""The shape of devinit.toml: each key with its type and description, for loading, editors and the docs."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

import msgspec
from msgspec import Meta, Struct

from devinit.kinds import KINDS
from devinit.model.port import HIGHEST_PORT, LOWEST_PORT, ConflictPolicy, Exhausted
from devinit.model.service import Condition, RestartMode, Scheme, StopTarget

SERVICE_NAME = "[a-z][a-z0-9_-]*"
VARIABLE_NAME = "[A-Za-z_][A-Za-z0-9_]*"
KINDS_OF_READINESS = ("http", "tcp", "exec", "log", "after")
"""The keys of `ready` of which one is chosen."""

# Limits stand in the JSON Schema only: the loader reports them itself, with the advice that belongs to each.
_PORT = {"minimum": LOWEST_PORT, "maximum": HIGHEST_PORT}
_PATH = {"pattern": "^/"}
_SECONDS = {"minimum": 0}
_COUNT = {"minimum": 1}
_VARIABLES = {"propertyNames": {"pattern": f"^{VARIABLE_NAME}$"}}
_SERVICES = {"propertyNames": {"pattern": f"^{SERVICE_NAME}$", "not": {"const": "all"}}}

Texts: TypeAlias = str | list[str]
Dependencies: TypeAlias = Texts | dict[str, Condition]
Values: TypeAlias = dict[str, str | int | bool]
Seconds: TypeAlias = int | float

# Of `ready` and of `health`.
Status: TypeAlias = Annotated[
    int | list[int] | None, Meta(description="Accepted status codes of `http`. Default: 200 to 399.")
]
Body: TypeAlias = Annotated[
    str | None, Meta(description="Regular expression that the body of the `http` answer must contain.")
]


class Table(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the file: a key that it does not know is an error."""


class ReadyTable(Table, frozen=True, kw_only=True):
    """How a service is proven ready: one of http, tcp, exec and log; with a port tcp is the default."""

    http: Annotated[
        str | None,
        Meta(description="Path: ready when GET answers with an accepted status.", extra_json_schema=_PATH),
    ] = None
    status: Status = None
    body: Body = None
    tcp: Annotated[bool | None, Meta(description="Ready when the port accepts a connection (default).")] = (
        None
    )
    exec: Annotated[str | None, Meta(description="Command: ready when it exits with 0.")] = None
    log: Annotated[
        str | None, Meta(description="Regular expression: ready when a line of the output matches.")
    ] = None
    after: Annotated[
        Seconds | None,
        Meta(
            description="Without a port: ready when it has stayed up this many seconds. Default: 1.",
            extra_json_schema=_SECONDS,
        ),
    ] = None
    timeout: Annotated[
        Seconds | None,
        Meta(
            description="Seconds after which a start that is not ready has failed. Default: 60.",
            extra_json_schema=_SECONDS,
        ),
    ] = None
    attempt: Annotated[
        Seconds | None,
        Meta(
            description="Seconds that one attempt of `http`, `tcp` or `exec` may take. Default: 5, and twice as "
            "long after each that gets no answer. The last one runs to `timeout`.",
            extra_json_schema=_SECONDS,
        ),
    ] = None


class HealthTable(Table, frozen=True, kw_only=True):
    """Whether a service that is ready is still well: one of http, tcp and exec; default: asked as for `ready`."""

    http: Annotated[
        str | None,
        Meta(description="Path: well when GET answers with an accepted status.", extra_json_schema=_PATH),
    ] = None
    status: Status = None
    body: Body = None
    tcp: Annotated[bool | None, Meta(description="Well when a process accepts a connection to the port.")] = (
        None
    )
    exec: Annotated[str | None, Meta(description="Command: well when it exits with 0.")] = None
    every: Annotated[
        Seconds | None,
        Meta(description="Seconds between two checks. Default: 10.", extra_json_schema=_SECONDS),
    ] = None
    timeout: Annotated[
        Seconds | None,
        Meta(description="Seconds that one check may take. Default: 5.", extra_json_schema=_SECONDS),
    ] = None
    failures: Annotated[
        int | None,
        Meta(
            description="Unhealthy after this many failed checks in a row. Default: 3.",
            extra_json_schema=_COUNT,
        ),
    ] = None
    restart_after: Annotated[
        int | None,
        Meta(
            description="Started again after this many failed checks in a row, at least `failures`. "
            "Default: never.",
            extra_json_schema=_COUNT,
        ),
    ] = None


class ExtraPortTable(Table, frozen=True, kw_only=True):
    """A further port of a service."""

    port: Annotated[int | None, Meta(description="Preferred port; it may move.", extra_json_schema=_PORT)] = (
        None
    )
    url_path: Annotated[
        str | None,
        Meta(description="Path added to its URL, where its start page is.", extra_json_schema=_PATH),
    ] = None
    scheme: Annotated[
        Scheme | None,
        Meta(
            description="How it is asked, and what its URL begins with. Default: https when it is found to speak "
            "TLS, else http."
        ),
    ] = None
    ready: Annotated[
        bool | str | None,
        Meta(
            description="The service is ready only when it answers there, too: true for a connection, or a path "
            "for GET. Default: false."
        ),
    ] = None


class RestartTable(Table, frozen=True, kw_only=True):
    """When and how often a service that ended is started again."""

    mode: Annotated[RestartMode | None, Meta(description="on-failure (default), always or never.")] = None
    failures: Annotated[
        int | None,
        Meta(
            description="Given up after this many failures within `window`. Default: 5.",
            extra_json_schema=_COUNT,
        ),
    ] = None
    window: Annotated[
        Seconds | None, Meta(description="Seconds. Default: 60.", extra_json_schema=_SECONDS)
    ] = None


class StopTable(Table, frozen=True, kw_only=True):
    """How a service is asked to end. Default: what suits its provider."""

    signal: Annotated[
        str | None, Meta(description="Name of the signal: TERM (default), INT, QUIT, HUP …")
    ] = None
    to: Annotated[
        StopTarget | None,
        Meta(
            description="all: every process of the service gets the signal; main: only the program itself, and "
            "the others when it has ended or `grace` is over. Default: all; main for workers of Celery and RQ."
        ),
    ] = None
    grace: Annotated[
        Seconds | None,
        Meta(description="Seconds that it may take to end. Default: 5.", extra_json_schema=_SECONDS),
    ] = None
    kill: Annotated[bool | None, Meta(description="Whether KILL follows after that. Default: true.")] = None


class LogsTable(Table, frozen=True, kw_only=True):
    """How much of a service's output is kept on disk."""

    size: Annotated[
        int | str | None,
        Meta(description='Size of one file: bytes, or a text like "500 kB" or "10 MB" (default).'),
    ] = None
    count: Annotated[
        int | None,
        Meta(
            description="How many files are kept; size times count is the limit, also in one run. Default: 3.",
            extra_json_schema=_COUNT,
        ),
    ] = None


class ServiceTable(Table, frozen=True, kw_only=True):
    """One service."""

    provider: Annotated[
        str | None,
        Meta(
            description="What runs it: process (default; any command), postgres or redis (built in).",
            extra_json_schema={"enum": list(KINDS)},
        ),
    ] = None
    command: Annotated[
        str | None,
        Meta(description="For a process: what starts it. ${PORT} is its port; shell syntax goes through sh."),
    ] = None
    directory: Annotated[
        str | None, Meta(description="Where it runs, relative to the project. Default: the project's folder.")
    ] = None
    host: Annotated[str | None, Meta(description="Address that it listens on. Default: 127.0.0.1.")] = None
    scheme: Annotated[
        Scheme | None,
        Meta(
            description="How it is asked, and what its URL begins with: http or https. Default: https when it is "
            "found to speak TLS, else http."
        ),
    ] = None
    port: Annotated[
        int | None,
        Meta(
            description="Preferred port. Default: none for a process, 5432 for postgres, 6379 for redis.",
            extra_json_schema=_PORT,
        ),
    ] = None
    range: Annotated[
        str | None,
        Meta(
            description='Ports it may move to, inclusive: "8000-8010". Default: from `port` on, 100 ports.',
            extra_json_schema={"pattern": r"^\s*[0-9]+\s*-\s*[0-9]+\s*$"},
        ),
    ] = None
    strict_port: Annotated[
        bool | None,
        Meta(description="The port is fixed elsewhere (code, OAuth): never moved, a taken one is an error."),
    ] = None
    port_env: Annotated[
        Texts | None,
        Meta(description="Further names of its port, as API_PORT: set for it, and obeyed as a preference."),
    ] = None
    extra_ports: Annotated[
        dict[str, int | ExtraPortTable] | None,
        Meta(
            description="Further ports by name, as { debugger = 5678 }; or a table with port, url_path and ready, "
            'as { admin = { port = 9001, ready = "/health" } }.',
            extra_json_schema={"propertyNames": {"pattern": f"^{SERVICE_NAME}$"}},
        ),
    ] = None
    oauth_redirect_ports: Annotated[
        list[int] | None,
        Meta(
            description="Ports registered as redirects with an OAuth provider: moving elsewhere is warned about.",
            extra_json_schema={"items": {"type": "integer", **_PORT}},
        ),
    ] = None
    on_conflict: Annotated[
        ConflictPolicy | None,
        Meta(
            description="When its port is taken: ask, kill, move, reuse or fail. Default: as the command says."
        ),
    ] = None
    exhausted: Annotated[
        Exhausted | None,
        Meta(
            description="When all of `range` is taken: fail (default), or any: a port from 20000-32767, else one "
            "that the system chooses."
        ),
    ] = None
    depends_on: Annotated[
        Dependencies | None,
        Meta(
            description="Services that must be ready before this one is started; or a table that says of each "
            'what is waited for, started, ready or completed: { postgres = "ready", codegen = "completed" }.'
        ),
    ] = None
    setup: Annotated[
        Texts | None,
        Meta(description="Commands that install what it needs; run when lock files have changed since."),
    ] = None
    setup_inputs: Annotated[
        Texts | None,
        Meta(
            description="Further files that `setup` depends on, relative to its directory: "
            '["schema/*.graphql", "../shared/codegen.yml"].'
        ),
    ] = None
    before_start: Annotated[
        Texts | None,
        Meta(description="Commands that run before each start, after dependencies are ready: migrations."),
    ] = None
    ready: Annotated[ReadyTable | None, Meta(description="How it is proven ready.")] = None
    health: Annotated[
        HealthTable | None,
        Meta(description="Asked again and again while it is ready. Default: not at all."),
    ] = None
    env: Annotated[
        Values | None,
        Meta(
            description="Its environment, over all else. ${NAME}, ${NAME:-default} and $$ are expanded.",
            extra_json_schema=_VARIABLES,
        ),
    ] = None
    env_file: Annotated[
        Texts | None,
        Meta(description="Files with variables (.env), relative to the project; a later one wins."),
    ] = None
    restart: Annotated[
        RestartMode | RestartTable | None,
        Meta(description="on-failure (default), always or never; or a table with mode, failures and window."),
    ] = None
    watch: Annotated[
        Texts | None,
        Meta(
            description="Files that restart it when they change, relative to its directory: "
            '["src/**/*.py"]. For a service that cannot reload itself.'
        ),
    ] = None
    stop: Annotated[StopTable | None, Meta(description="How it is asked to end.")] = None
    logs: Annotated[LogsTable | None, Meta(description="How much of its output is kept.")] = None
    optional: Annotated[
        bool | None, Meta(description="Its failure does not fail the start. Default: false.")
    ] = None
    autostart: Annotated[
        bool | None,
        Meta(
            description="false: started only by its name, or for a service that depends on it. Default: true."
        ),
    ] = None
    warm: Annotated[
        str | None,
        Meta(
            description="Path requested once when it is ready: some servers compile a page on demand.",
            extra_json_schema=_PATH,
        ),
    ] = None
    url_path: Annotated[
        str | None,
        Meta(description="Path added to its URL, where its start page is.", extra_json_schema=_PATH),
    ] = None
    docs_path: Annotated[
        str | None,
        Meta(description="Path of its API documentation, shown beside its URL.", extra_json_schema=_PATH),
    ] = None
    database: Annotated[
        str | None, Meta(description="For postgres: the database's name. Default: the project's name.")
    ] = None
    databases: Annotated[
        list[str] | None,
        Meta(
            description='For postgres: further databases on the same server, ["shop_test"]. The first one with '
            "the word `test` in its name is the test database: TEST_DATABASE_URL, `devinit run --test`."
        ),
    ] = None
    user: Annotated[
        str | None, Meta(description="For postgres: the role's name. Default: the project's name.")
    ] = None
    password: Annotated[
        str | None,
        Meta(
            description='For postgres and redis: its password; "random" is one that is made for this checkout. '
            "Default: the one that `.env` names, else random, for postgres; none for redis."
        ),
    ] = None
    binaries: Annotated[
        str | None,
        Meta(description="For postgres and redis: folder of the server's programs, instead of a search."),
    ] = None
    url: Annotated[
        str | None,
        Meta(description="For postgres and redis: a server elsewhere, used but never started or stopped."),
    ] = None


class ProjectTable(Table, frozen=True, kw_only=True):
    """The project as a whole."""

    name: Annotated[str | None, Meta(description="Default: the folder's name.")] = None
    discovery_refresh: Annotated[
        Seconds | None,
        Meta(
            description="How often discovery files are refreshed, in seconds; 0 turns it off. Default: 10.",
            extra_json_schema=_SECONDS,
        ),
    ] = None
    discovery_per_process: Annotated[
        bool | None,
        Meta(
            description="Also write a discovery file for each process that listens, with its pid in the "
            "name: .backend-port.4711.json. Default: false."
        ),
    ] = None
    keep_ports: Annotated[
        bool | None,
        Meta(
            description="Reserve its preferred ports, too, for 14 days after a stop: for a machine with many "
            "projects. Default: false."
        ),
    ] = None


class Layer(Table, frozen=True, kw_only=True):
    """What the file says, and what each profile may say over it."""

    project: Annotated[ProjectTable | None, Meta(description="The project as a whole.")] = None
    services: Annotated[
        dict[str, ServiceTable] | None, Meta(description="The services by name.", extra_json_schema=_SERVICES)
    ] = None
    environment: Annotated[
        Values | None,
        Meta(
            description="Variables for all services. ${NAME}, ${NAME:-default} and $$ are expanded.",
            extra_json_schema=_VARIABLES,
        ),
    ] = None
    discovery: Annotated[
        dict[str, str | bool] | None,
        Meta(
            description="Service → file in the project that says where it answers; false for none. "
            'Default: { backend = ".backend-port.json" }.'
        ),
    ] = None


class ConfigurationFile(Layer, frozen=True, kw_only=True):
    """devinit.toml: the services of a project, and how each is started on a port that works."""

    profiles: Annotated[
        dict[str, Layer] | None,
        Meta(description="Overrides by name, chosen with --profile or DEVINIT_PROFILE."),
    ] = None


def json_schema() -> bytes:
    """Return the JSON Schema of devinit.toml, for editors."""
    (reference,), definitions = msgspec.json.schema_components([ConfigurationFile])
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "devinit.toml",
        **reference,
        "$defs": definitions,
    }
    return msgspec.json.format(msgspec.json.encode(_without_null(schema)), indent=2) + b"\n"


def _without_null(schema: Any) -> Any:
    """Return a schema without null: it is how Python says "not given", and nothing that TOML can say."""
    match schema:
        case {"anyOf": [only, {"type": "null"}], **others}:
            return _without_null({**only, **others})
        case {"default": None, **others}:
            return _without_null(others)
        case {"anyOf": list(choices), **others}:
            kept = [choice for choice in choices if choice != {"type": "null"}]
            return {**_without_null(others), "anyOf": _without_null(kept)}
        case dict():
            return {key: _without_null(value) for key, value in schema.items()}
        case list():
            return [_without_null(value) for value in schema]
        case _:
            return schema
