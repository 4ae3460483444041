"""Databases that code names as constants, which no variable can replace. Pure.

Used only for a detected migration, which would change the database that it reaches.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

from devinit.python_code import parsed

MARKS = (b"://", b"ENGINE", b"host")
"""A file without one of these names no database in a way that this module knows."""
_URL = re.compile(r"(?:postgres(?:ql)?|mysql|mariadb)(?:\+\w{1,20})?://[^\s\"'`]{1,300}", re.IGNORECASE)
_ENGINES = (("postg", "postgresql"), ("mysql", "mysql"))
"""Schemes of URLs by a word in the name of a Django backend."""
_IN_OBJECT = re.compile(
    r"\bhost[\"']?\s{0,20}:\s{0,20}[\"'`](?P<host>[\w.-]{1,100})[\"'`](?P<rest>[^}]{0,400})", re.IGNORECASE
)
_PORT = re.compile(r"\bport[\"']?\s{0,20}:\s{0,20}[\"'`]?(?P<port>\d{2,5})\b", re.IGNORECASE)
_USUAL_PORT = 5432
_OF_DATABASES = re.compile(
    r"knexfile|ormconfig|data-?source|database|sequelize|drizzle|mikro-?orm|(?:\A|[._-])db(?:[._-]|\Z)"
)
"""In the name of a JavaScript file: an object in it with a host is the location of a database."""


class Named(NamedTuple):
    """A database address in code."""

    url: str
    line: int


def databases_in(name: str, text: str) -> Iterator[Named]:
    """Yield the databases that a file names. `name`: of the file, without its folder."""
    if name.endswith(".py"):
        yield from _in_python(text)
        return
    for found in _URL.finditer(text):
        yield Named(found[0], _line(text, found.start()))
    if _OF_DATABASES.search(name.lower()):
        for found in _IN_OBJECT.finditer(text):
            port = _PORT.search(found["rest"])
            yield Named(
                f"postgresql://{found['host']}:{port['port'] if port else _USUAL_PORT}",
                _line(text, found.start()),
            )


def _in_python(text: str) -> Iterator[Named]:
    module = parsed(text)
    if module is None:
        return
    for node in ast.walk(module):
        match node:
            case ast.Constant(value=str() as value) if (found := _URL.fullmatch(value)) is not None:
                yield Named(found[0], node.lineno)
            case ast.Dict(keys=keys, values=values):
                settings: dict[object, object] = {
                    key.value: value.value
                    for key, value in zip(keys, values, strict=True)
                    if isinstance(key, ast.Constant) and isinstance(value, ast.Constant)
                }
                if url := _of_django(settings):
                    yield Named(url, node.lineno)


def _of_django(settings: dict[object, object]) -> str:
    """Return the address in an entry of DATABASES; "" for any other dictionary, and for a database in a file."""
    engine = str(settings.get("ENGINE", "")).lower()
    scheme = next((scheme for word, scheme in _ENGINES if word in engine), "")
    if not scheme:
        return ""
    port = settings.get("PORT") or (_USUAL_PORT if scheme == "postgresql" else "")
    return f"{scheme}://{settings.get('HOST') or 'localhost'}{f':{port}' if port else ''}"


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1
