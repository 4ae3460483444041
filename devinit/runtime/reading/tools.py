"""Databases in the configuration of migration tools that no variable replaces.

Used only for a detected migration.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from devinit.errors import StateFileError
from devinit.system.files import read_bytes

LARGEST_FILE = 500_000
_ALEMBIC = "alembic.ini"
_NAMES_CONFIGURATION = re.compile(r"\balembic (?:-c|--config)[ =]'?(?P<file>[\w@.][\w@./-]{0,300})")
_OF_PRISMA = ("prisma/schema.prisma", "schema.prisma")
ENV_FILES = (".env", "prisma/.env")
"""Prisma loads them in its working directory; the environment has priority over them."""
_GOES_TO = re.compile(r"\Acd (?P<folder>[\w@.][\w@./-]{0,300}) && ")
_URL_OF_ALEMBIC, _FOLDER_OF_ALEMBIC = "sqlalchemy.url", "script_location"
_HERE = re.compile(r"\A%\(here\)s/")
_REPLACES_URL = re.compile(
    r"set_(?:main|section)_option|environ|getenv|create_(?:async_)?engine|\burl\s{0,9}=|settings"
)
"""Code in env.py by which a project takes the address from elsewhere; alembic's template contains none of it."""
_ITS_OWN = re.compile(
    r"get_main_option\(\s{0,20}[\"']sqlalchemy\.url[\"']|\burl\s{0,9}=\s{0,9}(?:config\.|url\b)"
)
_LITERAL_OF_PRISMA = re.compile(
    r"^\s{0,20}(?P<key>url|directUrl)\s{0,20}=\s{0,20}\"(?P<url>[^\"\n]{1,2000})\"", re.MULTILINE
)


class Fixed(NamedTuple):
    """An address in the configuration of a tool."""

    key: str
    url: str
    path: Path
    at: str = ""
    """The line, after a colon."""


def folders_of(command: str, folder: Path, is_inside: Callable[[Path], bool]) -> list[Path]:
    """Return the folder of a service, and the folder to which its command changes first, if that is inside."""
    found = _GOES_TO.match(command)
    there = Path(os.path.normpath(folder / found["folder"])) if found else folder
    return [folder, there] if there != folder and is_inside(there) else [folder]


def addresses_of_tools(folder: Path, command: str) -> Iterator[Fixed]:
    """Yield the addresses that a command in a folder uses regardless of its environment. Blocking."""
    of_alembic = address_of_alembic(folder, command)
    if of_alembic is not None and not _is_replaced(folder, command):
        yield of_alembic
    for name in _OF_PRISMA:
        schema = _text_of(folder, name)
        for found in _LITERAL_OF_PRISMA.finditer(schema):
            line = schema.count("\n", 0, found.start("key")) + 1
            yield Fixed(found["key"], found["url"], folder / name, f":{line}")


def address_of_alembic(folder: Path, command: str) -> Fixed | None:
    """Return the URL in the alembic.ini of a folder, or in the file that a command names. Blocking."""
    name = _configuration_in(command)
    url = _setting(_text_of(folder, name), _URL_OF_ALEMBIC)
    return Fixed(_URL_OF_ALEMBIC, url, folder / name) if url else None


def _configuration_in(command: str) -> str:
    found = _NAMES_CONFIGURATION.search(command)
    return os.path.normpath(found["file"]) if found else _ALEMBIC


def _is_replaced(folder: Path, command: str) -> bool:
    """Whether alembic's env.py takes the address from elsewhere, or cannot be read."""
    name = _configuration_in(command)
    stated = _setting(_text_of(folder, name), _FOLDER_OF_ALEMBIC)
    place = _HERE.sub(f"{os.path.dirname(name) or '.'}/", stated)  # noqa: PTH120 - a relative name
    text = _text_of(folder, f"{place or 'alembic'}/env.py")
    return not text or _REPLACES_URL.search(_ITS_OWN.sub("", text)) is not None


def _setting(text: str, name: str) -> str:
    lines = (line.partition("=") for line in text.splitlines())
    return next((value.strip() for key, _, value in lines if key.strip() == name), "")


def _text_of(folder: Path, name: str) -> str:
    """Return the text of a file; "" if it cannot be read or a link leads out of the folder."""
    path = folder / name
    try:
        if not path.resolve().is_relative_to(folder.resolve()):
            return ""
        return (read_bytes(path, inside=folder, most=LARGEST_FILE) or b"").decode(errors="replace")
    except (OSError, ValueError, StateFileError):
        return ""
