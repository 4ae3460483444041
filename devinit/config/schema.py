"""The schema of devinit.toml: each key with its type and description, for loading, editors and the docs."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Annotated, Any, TypeVar, cast, get_args

import msgspec
from msgspec import Meta, Struct, structs

from devinit.config.problems import Key, Raw
from devinit.config.tables import (
    NOT_NEGATIVE,
    PATH_SHAPE,
    PORT_LIMITS,
    SERVICE_NAME,
    SERVICE_NAMES,
    TASK_NAMES,
    VARIABLE_NAMES,
    Dependencies,
    ExtraPortTable,
    HealthTable,
    LogsTable,
    ReadyTable,
    RestartTable,
    Seconds,
    StopTable,
    Table,
    TaskTable,
    Texts,
    Values,
)
from devinit.kinds import KINDS, Keys, Kind
from devinit.model.port import ConflictPolicy, Exhausted
from devinit.model.project_keys import PlainProjectKeys
from devinit.model.service import PlainServiceKeys, RestartMode, Scheme

_PROJECT = Meta(description="The project as a whole.")
_SERVICES = Meta(
    description="The services by name. false leaves out one that is found in the repository.",
    extra_json_schema=SERVICE_NAMES,
)
_PROFILES = Meta(description="Overrides by name, chosen with --profile or DEVINIT_PROFILE.")
_SomeTable = TypeVar("_SomeTable", bound=Table)


class ServiceTable(Table, frozen=True, kw_only=True):
    """One service."""

    # The keys here are those that more than one kind may have and that `services` checks or converts. `tables`
    # adds the others: `PlainServiceKeys`, and the keys of a single kind, which that kind declares (`kinds`).
    # `json_schema` fills in names in braces.

    provider: Annotated[
        str | None,
        Meta(description="What runs it: {kinds}."),
    ] = None
    command: Annotated[
        str | None,
        Meta(
            description="For a process: what starts it. ${PORT} is its port; shell syntax goes through sh. "
            "For docker: what runs instead of the image's own command."
        ),
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
            description="Preferred port. Default: none for a process, {ports}.",
            extra_json_schema=PORT_LIMITS,
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
            extra_json_schema={"items": {"type": "integer", **PORT_LIMITS}},
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
            description="Its environment, over all else. ${NAME}, ${NAME:-default} and $$ are expanded. `false` "
            "leaves out a name that devinit gives by itself, such as CORS_ORIGINS.",
            extra_json_schema=VARIABLE_NAMES,
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
            description="Files and folders that restart it when they change, relative to its directory: "
            '["src/**/*.py"]. For a service that cannot reload itself.'
        ),
    ] = None
    stop: Annotated[StopTable | None, Meta(description="How it is asked to end.")] = None
    logs: Annotated[LogsTable | None, Meta(description="How much of its output is kept.")] = None
    once: Annotated[
        bool | None,
        Meta(
            description="For a one-shot, a command without `port` and `ready` that ends: true runs it once on the "
            "same data, as a seed. A new database makes it run again, and so does `devinit restart NAME`. "
            "Default: false."
        ),
    ] = None
    warm: Annotated[
        str | None,
        Meta(
            description="Path requested once when it is ready: some servers compile a page on demand.",
            extra_json_schema=PATH_SHAPE,
        ),
    ] = None
    url_path: Annotated[
        str | None,
        Meta(description="Path added to its URL, where its start page is.", extra_json_schema=PATH_SHAPE),
    ] = None
    docs_path: Annotated[
        str | None,
        Meta(
            description="Path of its API documentation, shown beside its URL.", extra_json_schema=PATH_SHAPE
        ),
    ] = None
    url: Annotated[
        str | None,
        Meta(description="For {servers}: a server elsewhere, used but never started or stopped."),
    ] = None


COMMON_KEYS = frozenset((*ServiceTable.__struct_fields__, *PlainServiceKeys.__struct_fields__))
"""The keys of a service that its kind does not declare itself."""


class ProjectTable(Table, frozen=True, kw_only=True):
    """The project as a whole."""

    name: Annotated[str | None, Meta(description="Default: the folder's name.")] = None
    discovery_refresh: Annotated[
        Seconds | None,
        Meta(
            description="How often discovery files are refreshed, in seconds; 0 turns it off. Default: 10.",
            extra_json_schema=NOT_NEGATIVE,
        ),
    ] = None
    detect: Annotated[
        bool | None,
        Meta(
            description="Whether this file lies over what devinit finds in the repository; false: the services in "
            "it are all. Default: true."
        ),
    ] = None


class Layer(Table, frozen=True, kw_only=True):
    """What the file says, and what each profile may say over it."""

    project: Annotated[ProjectTable | None, _PROJECT] = None
    services: Annotated[dict[str, ServiceTable | bool] | None, _SERVICES] = None
    tasks: Annotated[
        dict[str, TaskTable] | None,
        Meta(
            description="Commands by name: `devinit run NAME` runs one, `devinit run` lists them.",
            extra_json_schema=TASK_NAMES,
        ),
    ] = None
    environment: Annotated[
        Values | None,
        Meta(
            description="Variables for all services. ${NAME}, ${NAME:-default} and $$ are expanded. `false` "
            "leaves out a name that devinit gives by itself.",
            extra_json_schema=VARIABLE_NAMES,
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

    profiles: Annotated[dict[str, Layer] | None, _PROFILES] = None


class FileTables(Struct, frozen=True):
    """The tables of the file with the keys that some kinds of services declare."""

    file: type[ConfigurationFile]
    layer: type[Layer]
    service: type[ServiceTable]


def tables_for(raw: Raw) -> FileTables:
    """Return the tables that fit a file: with the keys of all built-in kinds, and of other kinds that it names.

    Raise ConfigError if such a kind is broken.
    """
    for _, name in providers_in(raw):
        if name not in KINDS:
            from devinit.config.plug_ins import add_kind  # hardly any file names one

            add_kind(name, COMMON_KEYS)
    return tables(tuple(KINDS.values()))


@lru_cache(maxsize=2)
def tables(kinds: tuple[Kind, ...]) -> FileTables:
    """Return the tables of a file whose services may be of these kinds."""
    own = _optional_keys(PlainServiceKeys)
    for kind in kinds:
        for field in structs.fields(kind.own):
            own.setdefault(field.name, field.type)
    service: Any = _extended(ServiceTable, own)
    project: Any = _extended(ProjectTable, _optional_keys(PlainProjectKeys))
    stated = {
        "project": Annotated[project | None, _PROJECT],
        "services": Annotated[dict[str, service | bool] | None, _SERVICES],
    }
    layer: Any = _extended(Layer, stated)
    profiles = {"profiles": Annotated[dict[str, layer] | None, _PROFILES]}
    return FileTables(file=_extended(ConfigurationFile, stated | profiles), layer=layer, service=service)


def providers_in(raw: Raw) -> Iterator[tuple[Key, str]]:
    """Yield the providers that an unchecked file names, each with its key."""
    layers: dict[Key, Any] = {(): raw}  # any value, until it has been checked
    if isinstance(profiles := raw.get("profiles"), dict):
        layers |= {("profiles", name): layer for name, layer in profiles.items()}
    for key, layer in layers.items():
        services = layer.get("services") if isinstance(layer, dict) else None
        for name, service in services.items() if isinstance(services, dict) else ():
            provider = service.get("provider") if isinstance(service, dict) else None
            if isinstance(provider, str):
                yield (*key, "services", name, "provider"), provider


def stated_by(table: ServiceTable, kind: Kind) -> Keys:
    """Return the values of a service's table for the keys that its kind declares."""
    return msgspec.convert({key: getattr(table, key) for key in kind.own.__struct_fields__}, kind.own)


def plain_keys(table: Table, declared: type[Struct]) -> dict[str, Any]:
    """Return the declared keys that a table states; Any: each has its own type."""
    stated = {key: getattr(table, key, None) for key in declared.__struct_fields__}
    return {key: value for key, value in stated.items() if value is not None}


def _optional_keys(declared: type[Struct]) -> dict[str, Any]:
    """Return the types of keys, each made optional (Any: an annotation has no type of its own)."""
    types = {}
    for field in structs.fields(declared):
        value, *said = get_args(field.type)
        types[field.name] = Annotated[(value | None, *said)]
    return types


# Any: as above.
def _extended(table: type[_SomeTable], fields: dict[str, Any]) -> type[_SomeTable]:
    """Return a table with the same name and more keys, or with other types for some keys."""
    made = msgspec.defstruct(
        table.__name__,
        [(name, annotation, None) for name, annotation in fields.items()],
        bases=(table,),
        namespace={"__doc__": table.__doc__},
        frozen=True,
        kw_only=True,
        forbid_unknown_fields=True,
    )
    return cast("type[_SomeTable]", made)
