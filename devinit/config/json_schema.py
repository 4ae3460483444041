"""The JSON Schema of devinit.toml, for editors: made from the types of `schema`."""

from __future__ import annotations

from typing import Any

import msgspec

from devinit.config.schema import ConfigurationFile


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
