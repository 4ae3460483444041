"""The JSON Schema of devinit.toml, for editors: built from the types in `schema` and the declarations of kinds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from devinit.config.schema import tables
from devinit.kinds import BUILT_IN, USUAL, Kind


def json_schema(kinds: tuple[Kind, ...] = BUILT_IN) -> bytes:
    """Return the JSON Schema of devinit.toml for editors, with the keys of these kinds of services."""
    (reference,), definitions = msgspec.json.schema_components([tables(kinds).file])
    properties = definitions["ServiceTable"]["properties"]
    properties["provider"]["enum"] = [kind.name for kind in kinds]
    for key, said in _texts_of_kinds(kinds).items():
        properties[key]["description"] = properties[key]["description"].format(**said)
    for key, text in _texts_of_keys(kinds).items():
        properties[key]["description"] = text
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "devinit.toml",
        **reference,
        "$defs": definitions,
    }
    return msgspec.json.format(msgspec.json.encode(_without_null(schema)), indent=2) + b"\n"


def _texts_of_kinds(kinds: Iterable[Kind]) -> dict[str, dict[str, str]]:
    """Return the texts about kinds in the descriptions of common keys: by key, then by name in braces."""
    servers = " or ".join(kind.name for kind in BUILT_IN if kind is not USUAL)
    others = "".join(f", {kind.name} (plug-in)" for kind in kinds if kind not in BUILT_IN)
    ports = [f"{kind.default_port} for {kind.name}" for kind in kinds if kind.default_port is not None]
    return {
        "provider": {"kinds": f"{USUAL.name} (default; any command), {servers} (built in){others}"},
        "port": {"ports": ", ".join(ports)},
        "url": {"servers": " and ".join(kind.name for kind in kinds if kind.url_schemes)},
    }


def _texts_of_keys(kinds: Iterable[Kind]) -> dict[str, str]:
    """Return the descriptions of the keys that kinds declare, each with the kinds that it applies to."""
    meant: dict[str, dict[str, list[str]]] = {}
    for kind in kinds:
        _, definitions = msgspec.json.schema_components([kind.own])
        for key, schema in definitions[kind.own.__name__].get("properties", {}).items():
            meant.setdefault(key, {}).setdefault(schema["description"], []).append(kind.name)
    return {
        key: " ".join(f"For {' and '.join(names)}: {text}" for text, names in texts.items())
        for key, texts in meant.items()
    }


def _without_null(schema: Any) -> Any:
    """Return a schema without null: in Python it means "not given", and TOML has no null."""
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
