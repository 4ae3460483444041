"""Specifies that the writer of devinit.toml keeps every key of the schema, also one that is added tomorrow.

The cases come from the schema: each key is tried with values of its type in a few services. A case counts
when the key means something there: the file loads, and describes another project than without the key.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import pytest
from msgspec import Struct, inspect, structs

from devinit.config.initial import initial_toml
from devinit.config.load import load
from devinit.config.schema import tables
from devinit.config.tables import (
    HealthTable,
    LogsTable,
    ReadyTable,
    RestartTable,
    StopTable,
    Table,
    TaskTable,
)
from devinit.errors import ConfigError
from devinit.kinds import KINDS
from devinit.model.service import (
    Health,
    LogLimits,
    Project,
    Readiness,
    RestartPolicy,
    Service,
    StopPolicy,
)
from tests.config.conftest import with_names

TABLES = tables(tuple(KINDS.values()))
Key: TypeAlias = tuple[str, ...]
Raw: TypeAlias = dict[str, Any]  # a parsed devinit.toml: what the keys hold is what is tried here

TEXTS = (
    "sub", "/page?x=1", r"say \"it\" or \\d+", "HUP", "7990-8010", "500 kB", "file.env", "src/**/*.py",
    "API_PORT", "db", "subject", "postgresql://ada:secret@db.example.com:5433/shop", "redis", "postgres", "a.json",
    "data:/srv", "mysql", "m",
)  # fmt: skip
"""One of them suits every key that takes a text."""
NUMBERS = (2, 4.5, 8123, 204)
NAMES = ("LOG_LEVEL", "debugger", "subject", "db")
"""Of tables whose keys are free."""

PROCESS: Raw = {"command": "serve ${PORT}", "port": 8000}
SERVICES: dict[str, Raw] = {
    "a web server": PROCESS,
    "one asked over HTTP": {**PROCESS, "ready": {"http": "/"}, "health": {"http": "/"}},
    "a command without a port": {"command": "work"},
    "a command that is asked": {"command": "work", "ready": {"exec": "true"}, "health": {"exec": "true"}},
    "one that is set up": {**PROCESS, "setup": ["install"]},
    "a database": {"provider": "postgres"},
    "a cache": {"provider": "redis"},
    "a container": {"provider": "docker", "image": "box:1", "port": 8000},
    "one that is built": {"provider": "docker", "build": "other", "port": 8000},
    "a server in one": {"provider": "docker", "server": "nats", "port": 8000},
}
"""In which a key is tried: not every key means something in every one."""

TASKS: tuple[Raw, ...] = (
    {"command": "work"},
    {"command": "work", "service": "subject", "depends_on": ["db"]},
)
"""In which a key of a task is tried."""


class Case(NamedTuple):
    """A file with a key in it, and the same without it."""

    key: Key
    file: Raw
    without: Raw


def keys_of(kind: inspect.Type, above: Key = ()) -> Iterator[tuple[Key, inspect.Type]]:
    """Yield every key of a table and of the tables in it."""
    for each in kinds_of(kind):
        if isinstance(each, inspect.StructType):
            for field in each.fields:
                key = (*above, field.encode_name)
                yield key, field.type
                yield from keys_of(field.type, key)


def kinds_of(kind: inspect.Type) -> list[inspect.Type]:
    """Return what a value may be, one by one."""
    match kind:
        case inspect.Metadata(type=inner):
            return kinds_of(inner)
        case inspect.UnionType(types=kinds):
            return [each for one in kinds for each in kinds_of(one)]
        case inspect.NoneType():
            return []
    return [kind]


def values_of(kind: inspect.Type) -> Iterator[object]:
    """Yield values of a type to try."""
    for each in kinds_of(kind):
        match each:
            case inspect.BoolType():
                yield from (True, False)
            case inspect.IntType():
                yield from (number for number in NUMBERS if isinstance(number, int))
            case inspect.FloatType():
                yield from NUMBERS
            case inspect.StrType():
                yield from TEXTS
            case inspect.EnumType(cls=enum):
                yield from (member.value for member in enum)
            case inspect.LiteralType(values=values):
                yield from values
            case inspect.ListType(item_type=inner):
                yield from ([value] for value in values_of(inner))
            case inspect.DictType(value_type=inner):
                yield from ({name: value} for name in NAMES for value in values_of(inner))
            case inspect.StructType(fields=fields):
                yield {}
                if any(field.encode_name == "port" for field in fields):
                    # Of a further port: nothing of it means anything without its number.
                    yield from (
                        {"port": 8123, field.encode_name: value}
                        for field in fields
                        for value in values_of(field.type)
                    )


def with_key(table: Raw, key: Key, value: object) -> Raw:
    """Return a table with a key of it, or of a table in it, set."""
    name, *rest = key
    inner = table.get(name)
    return {
        **table,
        name: with_key(inner if isinstance(inner, dict) else {}, tuple(rest), value) if rest else value,
    }


def cases() -> Iterator[Case]:
    """Yield each key of the schema with each value in each surrounding, whether that makes sense or not."""
    for key, kind in keys_of(inspect.type_info(TABLES.service)):
        for value in values_of(kind):
            for service in SERVICES.values():
                # `depends_on` needs another service, `discovery` a service with a port.
                file = {"services": {"subject": service, "db": {"provider": "postgres"}}}
                without = {**file, "services": {**file["services"], "subject": without_key(service, key)}}
                yield Case(
                    ("services", "", *key), with_key(file, ("services", "subject", *key), value), without
                )
    yield from cases_of_tasks()
    for key, kind in keys_of(inspect.type_info(TABLES.layer)):
        for value in values_of(kind) if key[0] not in ("services", "tasks") else ():
            file = {"services": {"subject": PROCESS}}
            yield Case(key, with_key(file, key, value), file)


def cases_of_tasks() -> Iterator[Case]:
    """Yield each key of a task with each value, in one that runs a command and waits for another one."""
    for key, kind in keys_of(inspect.type_info(TaskTable)):
        for value in values_of(kind):
            for task in TASKS:
                file = {"services": {"subject": PROCESS}, "tasks": {"db": {"command": "x"}, "a": task}}
                without = {**file, "tasks": {**file["tasks"], "a": without_key(task, key)}}
                yield Case(("tasks", "", *key), with_key(file, ("tasks", "a", *key), value), without)


def without_key(table: Raw, key: Key) -> Raw:
    name, *rest = key
    left = {each: value for each, value in table.items() if each != name}
    inner = table.get(name)
    return {**left, name: without_key(inner, tuple(rest))} if rest and isinstance(inner, dict) else left


def toml(value: object) -> str:
    """Return a value as TOML: not by the writer that is tested."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {toml(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value)


def text_of(file: Raw) -> str:
    return "".join(f"{key} = {toml(value)}\n" for key, value in file.items())


def described(root: Path, file: Raw | str) -> Project | None:
    """Return the project that a file describes; None when it is refused."""
    if not isinstance(file, str):
        # Nothing of the thousand cases is about what lies in the folder.
        file = text_of(
            file
            if "detect" in file.get("project", {})
            else with_key(file, ("project", "detect"), value=False)
        )
    (root / "devinit.toml").write_text(file)
    try:
        return structs.replace(with_names(load(root)), evidence={}, notes=())
    except ConfigError:
        return None


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("shop")
    (root / "sub").mkdir()
    (root / "file.env").touch()
    return root


@pytest.fixture(scope="module")
def kept() -> list[tuple[Case, Project | None]]:
    """What the first test found, for the second one: to read thousands of files takes some 20 s."""
    return []


@pytest.fixture
def projects(shop: Path, kept: list[tuple[Case, Project | None]]) -> list[tuple[Case, Project | None]]:
    """Each case, with the project that its file describes."""
    if not kept:
        kept.extend((case, described(shop, case.file)) for case in cases())
    return kept


class TestEveryKeyOfTheSchema:
    def test_is_kept_when_a_project_is_written_down(
        self, shop: Path, projects: list[tuple[Case, Project | None]]
    ) -> None:
        lost, meaningful = [], set()
        before: dict[str, Project | None] = {}
        for case, project in projects:
            without = text_of(case.without)
            if without not in before:
                before[without] = described(shop, case.without)
            if project is None or project == before[without]:
                continue
            meaningful.add(case.key)
            if described(shop, initial_toml(project)) != project:
                lost.append(case)

        assert [(".".join(case.key), text_of(case.file)) for case in lost] == []
        # A key without a case would not be tested: give it a text, a number or a service above.
        assert every_key() - meaningful == {
            ("project", "detect")
        }  # says how a file is read, not what a project is


class TestEveryFieldOfTheModel:
    def test_of_a_service_is_reached_by_a_key(
        self, shop: Path, projects: list[tuple[Case, Project | None]]
    ) -> None:
        usual = Service(name="subject", directory=shop)
        # What lies on the disk says the last two, and no file of the project.
        reached = {"name", "data_of", "data_left"}

        for _, project in projects:
            if project:
                service = project.services["subject"]
                reached |= {
                    name
                    for name in service.__struct_fields__
                    if getattr(service, name) != getattr(usual, name)
                }

        assert {*Service.__struct_fields__} - reached == set()

    @pytest.mark.parametrize(
        ("table", "model"),
        [
            (ReadyTable, Readiness),
            (HealthTable, Health),
            (RestartTable, RestartPolicy),
            (StopTable, StopPolicy),
            (LogsTable, LogLimits),
        ],
    )
    def test_has_the_name_of_its_key_and_its_unit(self, table: type[Table], model: type[Struct]) -> None:
        keys = {name.removesuffix("_seconds").removesuffix("_bytes") for name in model.__struct_fields__}

        assert keys == {*table.__struct_fields__}


def every_key() -> set[Key]:
    """Return the keys with values. `profiles` is none of them: a project is what one of them came to."""
    keys = {
        ("services", "", *key) for key, kind in keys_of(inspect.type_info(TABLES.service)) if has_value(kind)
    }
    keys |= {("tasks", "", *key) for key, _ in keys_of(inspect.type_info(TaskTable))}
    layer = {
        key
        for key, kind in keys_of(inspect.type_info(TABLES.layer))
        if key[0] not in ("services", "tasks") and has_value(kind)
    }
    return keys | layer


def has_value(kind: inspect.Type) -> bool:
    """Tell whether a key is more than the name of a table, which says nothing by itself."""
    return not all(isinstance(each, inspect.StructType) for each in kinds_of(kind))
