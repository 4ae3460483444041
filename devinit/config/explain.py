"""A report of every value that does not fit the schema, with its full key.

msgspec checks a file in microseconds, but it reports only the first error, and not the key inside a table with
free names (`services[...]`). Only when it refuses a file does this walk find all errors.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from msgspec import inspect

from devinit.config.borrowed import VALUES, written_here
from devinit.config.plug_ins import refuse
from devinit.config.problems import Place, Raw, choose
from devinit.config.schema import providers_in
from devinit.config.tables import Table
from devinit.kinds import KINDS
from devinit.text import nearest

# Any below is a value from tomllib: its actual type, which may differ from the expected one, is what matters.


def explain(raw: Raw, table: type[Table], place: Place) -> None:
    """Report every unknown key and every wrong type, after providers that do not exist.

    The keys of a provider that does not exist are unknown, too.
    """
    for key, provider in providers_in(raw):
        if provider not in KINDS:
            refuse(provider, place.at(*key))
    _walk(raw, inspect.type_info(table), place)


def _walk(value: Any, kind: inspect.Type, place: Place) -> None:
    match kind:
        case inspect.Metadata(type=inner):
            _walk(value, inner, place)
        case inspect.UnionType(types=kinds):
            _walk_choice(value, kinds, place)
        case inspect.StructType(cls=cls, fields=fields) if isinstance(value, dict):
            _walk_table(value, cls, {field.encode_name: field.type for field in fields}, place)
        case inspect.DictType(value_type=inner) if isinstance(value, dict):
            for key, each in value.items():
                _walk(each, inner, place.at(key))
        case inspect.ListType(item_type=inner) if isinstance(value, list):
            for index, each in enumerate(value):
                _walk(each, inner, place.at(index))
        case inspect.EnumType(cls=enum) if isinstance(value, str):
            names = [str(member.value) for member in enum]
            if value not in names:
                place.add(f"{shown(value)} is not one of {', '.join(names)}", _meant(value, names))
        case _ if not _fits(value, kind):
            place.add(f"expected {_expected([kind])}, got {shown(value)}", _advice(value, [kind]))


def _walk_table(table: Raw, shape: type, known: dict[str, inspect.Type], place: Place) -> None:
    for key, value in table.items():
        if key in known:
            _walk(value, known[key], place.at(key))
        else:
            hint = written_here(key, shape) or choose(key, known, what="known keys")
            place.at(key).add("unknown key", hint)


def _walk_choice(value: Any, kinds: Iterable[inspect.Type], place: Place) -> None:
    """Walk into the one kind that has the value's form, or report the expected kinds."""
    kinds = [kind for kind in kinds if not isinstance(kind, inspect.NoneType)]
    for kind in kinds:
        if _fits(value, kind):
            _walk(value, kind, place)
            return
    place.add(f"expected {_expected(kinds)}, got {shown(value)}", _advice(value, kinds))


def _fits(value: Any, kind: inspect.Type) -> bool:
    match kind:
        case inspect.StructType() | inspect.DictType():
            return isinstance(value, dict)
        case inspect.ListType():
            return isinstance(value, list)
        case inspect.StrType() | inspect.EnumType():
            return isinstance(value, str)
        case inspect.BoolType():
            return isinstance(value, bool)
        case inspect.IntType():
            return isinstance(value, int) and not isinstance(value, bool)
        case inspect.FloatType():
            return isinstance(value, (int, float)) and not isinstance(value, bool)
    return False


def _expected(kinds: list[inspect.Type]) -> str:
    words = list(dict.fromkeys(_word(kind) for kind in kinds))
    if "a number" in words and "a whole number" in words:
        words.remove("a whole number")
    return " or ".join(words)


def _word(kind: inspect.Type) -> str:
    match kind:
        case inspect.StructType() | inspect.DictType():
            return "a table"
        case inspect.ListType():
            return "a list of texts"
        case inspect.StrType():
            return "a text in quotes"
        case inspect.EnumType(cls=enum):
            return " or ".join(f'"{member.value}"' for member in enum)
        case inspect.BoolType():
            return "true or false"
        case inspect.IntType():
            return "a whole number"
    return "a number"


def shown(value: Any) -> str:
    """Return a value for a message, shortened."""
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return f"the number {value}"
        case str():
            return f'the text "{value}"' if len(value) <= 40 else f'the text "{value[:40]}…"'  # noqa: PLR2004
        case list():
            return "a list"
        case dict():
            return "a table"
        case dt.date() | dt.time():
            return f"the date {value}" if isinstance(value, dt.date) else f"the time {value}"
    return type(value).__name__


def _advice(value: Any, kinds: list[inspect.Type]) -> str | None:
    wants_text = any(isinstance(kind, inspect.StrType) for kind in kinds)
    if wants_text and not isinstance(value, (dict, list)):
        return "put it in quotes, so that it arrives as it is written"
    if isinstance(value, str) and value.strip().isdecimal():
        return "write it without quotes"
    return None


def _meant(value: str, names: list[str]) -> str | None:
    borrowed = VALUES.get(value.lower())
    close = borrowed if borrowed in names else nearest(value.lower(), names)
    return f'did you mean "{close}"?' if close else None
