"""The password that the project's own files name for its PostgreSQL, which the server then gets. Pure.

Code that contains this password keeps working, and the choice is the developer's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from devinit.model.service import DatabaseSettings

PASSWORDS = ("POSTGRES_PASSWORD", "PGPASSWORD")
URLS = ("DATABASE_URL", "POSTGRES_URL")
LOOPBACK = frozenset({"", "localhost", "127.0.0.1", "[::1]", "0.0.0.0"})  # noqa: S104 - recognised, not bound
TEMPLATE = ("${", "$(", "%(", "{{")
"""Placeholders that another program fills in later: dotenv and devinit, make, configparser, Jinja."""
# Compiled at the first use, because most starts read no such file.
_URL = (
    r"\bpostgres(?:ql)?(?:\+\w+)?://"
    r"(?P<user>[^\s:/@?#'\"]*):(?P<password>[^\s/@'\"]+)@(?P<host>[^\s/?#'\"]*)(?:/(?P<database>[^\s?#'\"]*))?"
)


Login: TypeAlias = tuple[str, str, str]
"""Role, password and database of a URL, decoded. A plain tuple, because nearly every start loads this module."""


def named_password(prefix: str, wanted: DatabaseSettings, stated: Mapping[str, str]) -> str | None:
    """Return the password that files name for a server; None if they name none.

    `prefix` is the prefix of its variables; `stated` are values in files, by variable or by file. A variable for
    this server's password or URL counts; any other URL counts only if its role or its database is this server's.
    Servers on other machines never count: their passwords stay where they are.
    """
    for name in (f"{prefix}_PASSWORD", *PASSWORDS):
        value = stated.get(name, "")
        if value and not _is_template(value):
            return value
    for name in (f"{prefix}_DATABASE_URL", f"{prefix}_URL", *URLS):
        for _, password, _ in logins(stated.get(name, "")):
            return password
    for text in stated.values():
        for user, password, database in logins(text):
            if user == wanted.user or database == wanted.database:
                return password
    return None


def logins(text: str) -> Iterator[Login]:
    """Yield the logins in URLs of a text for a PostgreSQL on this machine or in a container next to it."""
    if "://" not in text:
        return
    for found in re.finditer(_URL, text):
        if not _is_near(_without_port(found["host"])) or _is_template(found["password"]):
            continue
        yield _decoded(found["user"]), _decoded(found["password"]), _decoded(found["database"] or "")


def _without_port(place: str) -> str:
    host, sign, port = place.rpartition(":")
    return host if sign and "]" not in port else place


def _is_near(host: str) -> bool:
    """Whether a host is this machine, a container's name (`db`), or a placeholder."""
    return host in LOOPBACK or _is_template(host) or not any(letter in host for letter in ".:")


def _is_template(text: str) -> bool:
    return any(beginning in text for beginning in TEMPLATE)


def _decoded(text: str) -> str:
    if "%" not in text:
        return text
    from urllib.parse import unquote  # few passwords need it

    return unquote(text)
