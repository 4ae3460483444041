"""The smaller tables of a service in devinit.toml, and types of values that several tables share."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from msgspec import Meta, Struct

from devinit.model.port import HIGHEST_PORT, LOWEST_PORT
from devinit.model.service import Condition, RestartMode, Scheme, StopTarget

SERVICE_NAME = "[a-z][a-z0-9_-]*"
TASK_NAME = "[A-Za-z][A-Za-z0-9_.:-]*"
VARIABLE_NAME = "[A-Za-z_][A-Za-z0-9_]*"
KINDS_OF_READINESS = ("http", "tcp", "exec", "log", "after")
"""The keys of `ready` of which only one may be set."""

# These limits are only in the JSON Schema; the loader reports violations itself, with specific advice for each.
PORT_LIMITS = {"minimum": LOWEST_PORT, "maximum": HIGHEST_PORT}
PATH_SHAPE = {"pattern": "^/"}
NOT_NEGATIVE = {"minimum": 0}
AT_LEAST_ONE = {"minimum": 1}
VARIABLE_NAMES = {"propertyNames": {"pattern": f"^{VARIABLE_NAME}$"}}
SERVICE_NAMES = {"propertyNames": {"pattern": f"^{SERVICE_NAME}$", "not": {"const": "all"}}}

TASK_NAMES = {"propertyNames": {"pattern": f"^{TASK_NAME}$"}}

Texts: TypeAlias = str | list[str]
Dependencies: TypeAlias = Texts | dict[str, Condition]
Values: TypeAlias = dict[str, str | int | bool]
Seconds: TypeAlias = int | float

# Shared by `ready` and `health`.
Status: TypeAlias = Annotated[
    int | str | list[int] | None,
    Meta(description='Accepted status codes of `http`; "200-499" is a range. Default: 200 to 399.'),
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
        Meta(
            description="Path: ready when GET answers with an accepted status.", extra_json_schema=PATH_SHAPE
        ),
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
            description="Without a port: ready when it has stayed up this many seconds. Default: 1, and at rest.",
            extra_json_schema=NOT_NEGATIVE,
        ),
    ] = None
    timeout: Annotated[
        Seconds | None,
        Meta(
            description="Seconds after which a start that is not ready has failed. Default: 60.",
            extra_json_schema=NOT_NEGATIVE,
        ),
    ] = None
    attempt: Annotated[
        Seconds | None,
        Meta(
            description="Seconds that one attempt of `http`, `tcp` or `exec` may take. Default: 5, and twice as "
            "long after each that gets no answer. The last one runs to `timeout`.",
            extra_json_schema=NOT_NEGATIVE,
        ),
    ] = None


class HealthTable(Table, frozen=True, kw_only=True):
    """Whether a service that is ready is still well: one of http, tcp and exec; default: asked as for `ready`."""

    http: Annotated[
        str | None,
        Meta(
            description="Path: well when GET answers with an accepted status.", extra_json_schema=PATH_SHAPE
        ),
    ] = None
    status: Status = None
    body: Body = None
    tcp: Annotated[bool | None, Meta(description="Well when a process accepts a connection to the port.")] = (
        None
    )
    exec: Annotated[str | None, Meta(description="Command: well when it exits with 0.")] = None
    every: Annotated[
        Seconds | None,
        Meta(description="Seconds between two checks. Default: 10.", extra_json_schema=NOT_NEGATIVE),
    ] = None
    timeout: Annotated[
        Seconds | None,
        Meta(description="Seconds that one check may take. Default: 5.", extra_json_schema=NOT_NEGATIVE),
    ] = None
    failures: Annotated[
        int | None,
        Meta(
            description="Unhealthy after this many failed checks in a row. Default: 3.",
            extra_json_schema=AT_LEAST_ONE,
        ),
    ] = None
    restart_after: Annotated[
        int | None,
        Meta(
            description="Started again after this many failed checks in a row, at least `failures`. "
            "Default: never.",
            extra_json_schema=AT_LEAST_ONE,
        ),
    ] = None


class ExtraPortTable(Table, frozen=True, kw_only=True):
    """A further port of a service."""

    port: Annotated[
        int | None, Meta(description="Preferred port; it may move.", extra_json_schema=PORT_LIMITS)
    ] = None
    url_path: Annotated[
        str | None,
        Meta(description="Path added to its URL, where its start page is.", extra_json_schema=PATH_SHAPE),
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
            extra_json_schema=AT_LEAST_ONE,
        ),
    ] = None
    window: Annotated[
        Seconds | None, Meta(description="Seconds. Default: 60.", extra_json_schema=NOT_NEGATIVE)
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
        Meta(description="Seconds that it may take to end. Default: 5.", extra_json_schema=NOT_NEGATIVE),
    ] = None
    kill: Annotated[bool | None, Meta(description="Whether KILL follows after that. Default: true.")] = None
    saving: Annotated[
        Seconds | None,
        Meta(
            description="Seconds that a database server may take beyond `grace` to save its data. It is left "
            "running then, not killed. Default: 30; 0 kills it like any other process.",
            extra_json_schema=NOT_NEGATIVE,
        ),
    ] = None


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
            extra_json_schema=AT_LEAST_ONE,
        ),
    ] = None


class TaskTable(Table, frozen=True, kw_only=True):
    """A command that is run by its name: `devinit run NAME`."""

    command: Annotated[
        Texts | None,
        Meta(
            description="What it runs: a command line, or several one after the other. ${NAME} is expanded from "
            "its environment; shell syntax goes through sh. Arguments behind its name are added to the last one."
        ),
    ] = None
    service: Annotated[
        str | None,
        Meta(
            description="The service as which it runs: in its folder, with its environment, PORT, virtual "
            "environment and node_modules/.bin. Default: none."
        ),
    ] = None
    directory: Annotated[
        str | None,
        Meta(
            description="Where it runs without a `service`, relative to the project; tools that are installed "
            "there are found. Default: the project's folder."
        ),
    ] = None
    depends_on: Annotated[
        Texts | None,
        Meta(
            description="Services that must be ready before it, which are started if they are not, and tasks "
            "that run before it."
        ),
    ] = None
    description: Annotated[str | None, Meta(description="What it is for, shown by `devinit run`.")] = None
    label: Annotated[
        str | None, Meta(description="What it is called in the dashboard. Default: its name.")
    ] = None
    confirm: Annotated[
        str | bool | None,
        Meta(
            description="Whether the dashboard asks before it runs it; a text says what then happens. "
            "`devinit run NAME` does not ask."
        ),
    ] = None
    key: Annotated[
        str | None,
        Meta(
            description="A letter or digit that runs it from the dashboard's list of tasks.",
            extra_json_schema={"pattern": "^[A-Za-z0-9]$"},
        ),
    ] = None
