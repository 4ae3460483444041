"""Which password the project's own files name for its PostgreSQL: then the server gets that one. Pure.

Code that has the password from there goes on working, and the choice is the developer's.
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
"""What a text contains that another program still fills in: dotenv and devinit, make, configparser, Jinja."""
# A pattern, compiled where it is first needed: most starts read no such file.
_URL = (
    r"\bpostgres(?:ql)?(?:\+\w+)?://"
    r"(?P<user>[^\s:/@?#'\"]*):(?P<password>[^\s/@'\"]+)@(?P<host>[^\s/?#'\"]*)(?:/(?P<database>[^\s?#'\"]*))?"
)


Login: TypeAlias = tuple[str, str, str]
"""Role, password and database of a URL, decoded. A bare tuple: nearly every start loads this module."""


def named_password(prefix: str, wanted: DatabaseSettings, stated: Mapping[str, str]) -> str | None:
    """Return the password that files name for a server; None when they name none.

    `prefix` is what the names of its variables begin with; `stated` is what the files say, by variable or by
    file. A variable that names this server's password or URL counts; any other URL counts only when its role or
    its database is this server's. Servers on other machines never count: their passwords stay where they are.
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
    """Yield the logins that URLs in a text hold for a PostgreSQL on this machine or in a container beside it."""
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
    """Whether a host is this machine, a container's name (`db`), or still a template."""
    return host in LOOPBACK or _is_template(host) or not any(letter in host for letter in ".:")


def _is_template(text: str) -> bool:
    return any(beginning in text for beginning in TEMPLATE)


def _decoded(text: str) -> str:
    if "%" not in text:
        return text
    from urllib.parse import unquote  # few passwords need it

    return unquote(text)
