from __future__ import annotations

import json
import re
import tomllib
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import fields

from devinit.config.as_tables import project_keys, service_keys
from devinit.config.json_schema import json_schema
from devinit.config.load import load
from devinit.config.schema import ConfigurationFile, tables
from devinit.errors import ConfigError
from devinit.kinds import KINDS
from devinit.model.project_keys import PlainProjectKeys
from devinit.model.service import PlainServiceKeys

# JSON, read here as any editor reads it.
SCHEMA: dict[str, Any] = json.loads(json_schema())
TABLES = tables(tuple(KINDS.values()))

EXAMPLE = """
[project]
name = "shop"

[services.postgres]
provider = "postgres"
port = 5432
database = "shop"

[services.backend]
command = "uvicorn app.main:app --reload --port ${PORT}"
directory = "backend"
port = 8000
depends_on = ["postgres"]
setup = ["uv sync"]
before_start = "alembic upgrade head"
ready = { http = "/health", status = [200, 204], timeout = 60 }
restart = "always"
stop = { signal = "INT", grace = 2.5 }
logs = { size = "10 MB" }
extra_ports = { debugger = 5678 }
optional = true

[environment]
API_V1 = "${BACKEND_URL}/api/v1"
WORKERS = 2

[discovery]
backend = false

[profiles.ci]
services.backend.range = "8000-8010"
services.backend.restart = { mode = "never" }
"""


def accepts(schema: dict[str, Any], value: Any) -> bool:
    """Judge a value by the part of JSON Schema that is used here."""
    if "$ref" in schema and not accepts(SCHEMA["$defs"][schema["$ref"].removeprefix("#/$defs/")], value):
        return False
    if "anyOf" in schema and not any(accepts(each, value) for each in schema["anyOf"]):
        return False
    match value:
        case dict():
            known, others = schema.get("properties", {}), schema.get("additionalProperties", {})
            name = schema.get("propertyNames", {})
            return schema.get("type", "object") == "object" and all(
                re.search(name.get("pattern", ""), key)
                and key != name.get("not", {}).get("const")
                and (key in known or others is not False)
                and accepts(known.get(key, others), each)
                for key, each in value.items()
            )
        case list():
            return schema.get("type", "array") == "array" and all(
                accepts(schema.get("items", {}), each) for each in value
            )
        case bool():
            return schema.get("type", "boolean") == "boolean" and "enum" not in schema
        case int() | float():
            right = schema.get("type", "number") in (
                "number",
                "integer" if isinstance(value, int) else "number",
            )
            return right and schema.get("minimum", value) <= value <= schema.get("maximum", value)
        case str():
            right = schema.get("type", "string") == "string" and value in schema.get("enum", [value])
            return right and re.search(schema.get("pattern", ""), value) is not None
    return False


class TestTheJsonSchema:
    def test_accepts_a_whole_file(self) -> None:
        assert accepts(SCHEMA, tomllib.loads(EXAMPLE))

    @pytest.mark.parametrize(
        "text",
        [
            "[servces.a]",
            "[services.a]\nprot = 1",
            "[services.a]\nport = 0",
            "[services.a]\nport = '8000'",
            "[services.a]\nrange = '8000'",
            "[services.a]\nprovider = 'oracle'",
            "[services.a]\nrestart = 'allways'",
            "[services.a]\nready.http = 'health'",
            "[services.all]",
            "[services.Api]",
            "[environment]\nA-B = 'x'",
            "[profiles.ci]\nservices.a.prot = 1",
        ],
    )
    def test_refuses_what_the_loader_refuses(self, text: str) -> None:
        assert not accepts(SCHEMA, tomllib.loads(text))

    def test_describes_every_key(self) -> None:
        silent = [
            f"{name}.{key}"
            for name, definition in SCHEMA["$defs"].items()
            for key, each in definition.get("properties", {}).items()
            if not each.get("description")
        ]

        assert silent == []

    @pytest.mark.parametrize("table", [TABLES.file, TABLES.layer, TABLES.service])
    def test_knows_every_key_and_no_other(self, table: type[ConfigurationFile]) -> None:
        definition = SCHEMA["$defs"][table.__name__]

        assert set(definition["properties"]) == set(table.__struct_fields__)
        assert definition["additionalProperties"] is False

    def test_knows_no_null(self) -> None:
        assert "null" not in json_schema().decode()

    def test_says_which_dialect_it_is(self) -> None:
        assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"


class TestAPlainKey:
    """Declared in the model, and nowhere else: the file, the schema and what `devinit init` writes follow."""

    def test_of_a_service_is_read_described_and_written(self, root: Path) -> None:
        for field in fields(PlainServiceKeys):
            other = another(field.default)
            folder = write_toml(
                root, f"[services.web]\ncommand = 'serve'\n{field.name} = {json.dumps(other)}"
            )
            service = load(folder).services["web"]

            assert getattr(service, field.name) == other
            assert "description" in SCHEMA["$defs"]["ServiceTable"]["properties"][field.name]
            assert dict(service_keys(service, load(folder)))[field.name] == other

    def test_of_the_project_is_read_described_and_written(self, root: Path) -> None:
        for field in fields(PlainProjectKeys):
            other = another(field.default)
            folder = write_toml(root, f"[project]\n{field.name} = {json.dumps(other)}")

            assert getattr(load(folder), field.name) == other
            assert "description" in SCHEMA["$defs"]["ProjectTable"]["properties"][field.name]
            assert project_keys(load(folder))[field.name] == other

    def test_of_a_wrong_type_is_refused(self, root: Path) -> None:
        folder = write_toml(root, "[services.web]\ncommand = 'serve'\nautostart = 'no'")

        with pytest.raises(ConfigError, match=r"services\.web\.autostart"):
            load(folder)


def another(default: object) -> object:
    """Return a value for a key that is not its default."""
    if isinstance(default, StrEnum):
        return next(each for each in type(default) if each is not default)
    return not default if isinstance(default, bool) else "another"


def write_toml(root: Path, text: str) -> Path:
    (root / "devinit.toml").write_text(text)
    return root
