"""An address that is spread over several variables: `DB_HOST`, `DB_PORT`, `DB_USER` … Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from devinit.runtime.forms.address import Form, is_host_of, parse, written
from devinit.runtime.forms.known import Known, Servers
from devinit.runtime.forms.meaning import AGREEING, is_called_by_kind, is_name_of
from devinit.runtime.forms.statement import Decision, Outcome, Source, Statement

_NAMES = {
    "HOST": "host", "HOSTNAME": "host", "SERVER": "host", "LOCATION": "host", "ADDRESS": "host", "PORT": "port",
    "USER": "user", "USERNAME": "user", "LOGIN": "user", "PASSWORD": "password", "PASS": "password",
    "PASSWD": "password", "PWD": "password", "PSWD": "password", "NAME": "database", "DATABASE": "database",
    "DBNAME": "database", "DB": "database",
}  # fmt: skip
_JOINED = re.compile(rf"(?P<prefix>DB|PG)(?P<part>{'|'.join(_NAMES)})")
"""These two prefixes are common without an underscore: DBHOST, PGHOST."""
_KIND_OF_SERVER = ("CONNECTION", "DRIVER", "ENGINE", "TYPE", "DIALECT", "CLIENT")
"""Endings of names that state which kind of server is used."""


class Group(Struct, frozen=True, kw_only=True):
    """Variables with the same prefix."""

    prefix: str
    """In upper case, without its final underscore."""
    parts: dict[str, Statement]
    kind: str = ""
    """The kind of server according to another variable with the same prefix: `mysql`, `django.db.backends.…`."""

    def value(self, part: str) -> str:
        """Return the text of a part; empty if there is none."""
        return self.parts[part].value if part in self.parts else ""

    @property
    def has_values(self) -> bool:
        """Whether a file states where the server is."""
        return any(
            each.source is Source.FILE and each.value
            for part, each in self.parts.items()
            if part in ("host", "port")
        )


def groups_of(meant: Mapping[str, Statement]) -> list[Group]:
    """Return the variables that belong together: at least two with the same prefix."""
    found: dict[str, dict[str, Statement]] = {}
    for name, statement in meant.items():
        upper = name.upper()
        prefix, part = _taken_apart(upper)
        if part is not None and "://" not in statement.value:
            found.setdefault(prefix, {}).setdefault(part, statement)
    upper_values = {name.upper(): each.value for name, each in meant.items()}
    return [
        Group(prefix=prefix, parts=parts, kind=_stated_kind(prefix, upper_values))
        for prefix, parts in found.items()
        if len(parts) > 1 and not _is_login_of_a_url(prefix, parts, meant)
    ]


def _is_login_of_a_url(prefix: str, parts: Mapping[str, Statement], meant: Mapping[str, Statement]) -> bool:
    """Whether the variables are only a login, for an address that a file states beside them."""
    url = next((each for name, each in meant.items() if name.upper() == f"{prefix}_URL"), None)
    return not parts.keys() & {"host", "port"} and url is not None and url.source is Source.FILE


def _taken_apart(name: str) -> tuple[str, str | None]:
    """Return the prefix of a name, and the part of an address that its ending means, or None."""
    if joined := _JOINED.fullmatch(name):
        return joined["prefix"], _NAMES[joined["part"]]
    prefix, _, ending = name.rpartition("_")
    return (prefix.rstrip("_"), _NAMES.get(ending)) if prefix.strip("_") else (name, None)


def of_group(
    group: Group, servers: Servers, service: str, standard: Iterable[str], main: str | None
) -> dict[str, Decision]:
    """Return decisions, by name, about the variables of a group; empty if the group means none of our servers.

    `main`: the name, in the files, of the database that the application itself uses.
    """
    host = parse(group.value("host"))
    known, agreeing = _meant(group, servers, service)
    if known is None:
        return {}
    if group.value("host") and (host is None or host.form not in (Form.HOST, Form.HOST_PORT)):
        return _left(group, known, standard, Outcome.UNSURE, "names a socket, or several hosts")
    if host is not None and not _is_near(host.host, group, servers):
        return _left(group, known, standard, Outcome.REMOTE, f"talks to {host.host}")
    if agreeing < AGREEING:
        return _left(group, known, standard, Outcome.UNSURE, f"may mean {known.service}")
    return {name: decision for name, decision in _given(group, known, main) if decision is not None}


def _meant(group: Group, servers: Servers, service: str) -> tuple[Known | None, int]:
    """Return the server that a group means, and how many of place, name and kind agree."""
    host = parse(group.value("host"))
    port = parse(group.value("port"))
    number = port.port if port is not None else host.port if host is not None else None
    best: tuple[Known | None, int] = None, 0
    for known in servers.known:
        if known.is_web or not is_name_of(known, group.prefix, service) or not _may_be(known, group.kind):
            continue
        is_container = host is not None and host.host in known.hosts
        is_there = is_container or number is None or number in known.ports
        says_kind = is_called_by_kind(known, group.prefix) or bool(group.kind)
        agreeing = 1 + int(is_there) + int(says_kind)
        if agreeing > best[1]:
            best = known, agreeing
    return best


def _given(group: Group, known: Known, main: str | None) -> Iterable[tuple[str, Decision | None]]:
    server = known.server
    for part, statement in group.parts.items():
        value: str | None = statement.value
        match part:
            case "host":
                value = _host(group, known)
            case "port":
                value = str(server.port)
            case "user" if server.has_login:
                value = server.user if server.user is not None else value
            case "password" if server.has_login:
                value = server.password or ""
            case "database" if server.database is not None:
                value = database_for(statement.name, statement.value, known, main) or value
        is_lonely = part == "host" and "port" not in group.parts and ":" not in (value or "")
        lacks_port = is_lonely and server.port != min(known.ports & {5432, 6379}, default=server.port)
        why = f"has no port beside it, and {known.service} is on {server.port}" if lacks_port else ""
        yield (
            statement.name,
            Decision(
                statement=statement, outcome=Outcome.GIVEN, value=value or "", service=known.service, why=why
            ),
        )


def _host(group: Group, known: Known) -> str:
    text = group.value("host")
    address = parse(text)
    if address is None:
        return known.server.host
    if address.form is Form.HOST:
        return text if is_host_of(address, known.server) else known.server.host
    return written(address, known.server)


def database_for(name: str, stated: str, known: Known, main: str | None) -> str | None:
    """Return the database of ours that a variable means; None if the stated name stays.

    A database named after tests, or Prisma's shadow database, gets emptied: it never
    becomes that of the application.
    """
    words = set(name.upper().split("_"))
    if not known.databases:
        return known.server.database
    if stated in known.databases:
        return None
    if words & {"TEST", "TESTS", "TESTING"}:
        return known.test_database
    if "SHADOW" in words:
        return None
    return known.server.database if main is None or stated in ("", main) else None


def _left(
    group: Group, known: Known, standard: Iterable[str], outcome: Outcome, why: str
) -> dict[str, Decision]:
    """Leave a group unchanged, and withhold devinit's own values with the same prefix."""
    if not group.has_values:
        return {}
    found = {
        each.name: Decision(statement=each, outcome=Outcome.KEPT, service=known.service)
        for each in group.parts.values()
    }
    where = group.parts.get("host") or next(iter(group.parts.values()))
    found[where.name] = Decision(statement=where, outcome=outcome, service=known.service, why=why)
    beginning = group.prefix if group.prefix == "PG" else f"{group.prefix}_"
    for name in standard:
        if name.startswith(beginning) and name not in found:
            found[name] = Decision(statement=replace(where, name=name), outcome=Outcome.LEFT_OUT)
    return found


def _is_near(host: str, group: Group, servers: Servers) -> bool:
    return servers.is_near(host) or (not group.has_values and "." not in host)


def _may_be(known: Known, kind: str) -> bool:
    """Whether a stated kind of server, if any, is compatible with this server."""
    plain = kind.lower()
    return not plain or any(
        scheme[:8] in plain or plain in (scheme, "pg", "pgsql") for scheme in known.schemes
    )


def _stated_kind(prefix: str, values: Mapping[str, str]) -> str:
    return next((values[name] for each in _KIND_OF_SERVER if (name := f"{prefix}_{each}") in values), "")
