"""Whether a migration that was only detected would reach a server that devinit has given it. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

from devinit.runtime.forms.address import Address, parse
from devinit.runtime.forms.known import Servers
from devinit.runtime.forms.statement import Decision, Outcome, Source, Statement

_MIGRATES = re.compile(
    r"migrat|\balembic\b|\bdb:(?:prepare|push|setup)|\b(?:db|database) upgrade\b|\bdb push\b"
    r"|\becto\b|\bflyway\b|\bliquibase\b"
)
_WORDS = frozenset(
    {"DATABASE", "DB", "POSTGRES", "POSTGRESQL", "PG", "SQL", "SQLALCHEMY", "MYSQL", "MARIADB", "DSN", "JDBC"}
)
_JOINED = ("PGHOST", "PGPORT", "PGDATABASE", "DBHOST", "DBPORT", "DBNAME", "DBURL", "DBURI")
_TELLS_WHERE = ("HOST", "HOSTNAME", "SERVER", "PORT", "URL", "URI", "DSN")
_OTHERS = frozenset({"REDIS", "VALKEY", "CACHE", "TEST", "TESTS", "TESTING", "SHADOW"})
_FILES = frozenset({"sqlite", "sqlite3", "file"})
_MOST_NAMED = 4


def migrates(command: str) -> bool:
    """Whether a command line changes a database."""
    return _MIGRATES.search(command) is not None


def obstacle(
    statements: Sequence[Statement],
    decided: Mapping[str, Decision],
    given: Collection[str],
    servers: Servers,
    *,
    constants: Sequence[tuple[str, str]] = (),
    env: Mapping[str, str] = MappingProxyType({}),
) -> str | None:
    """Return why a migration would reach a server that devinit has not given it; None when it would not.

    `given`: the names that devinit gives to the service. `constants`: URLs of databases that alembic.ini or
    the code names, each with its place. `env`: what the service is configured with.
    """
    for name, value in env.items():
        address = parse(value) if tells_where(name) else None
        if address is not None and not (address.is_web or servers.is_near(address.host)):
            return f"{name} in its `env` talks to {address.host}"
    stated = [each for each in statements if each.source is Source.FILE and each.value]
    for each in stated:
        if why := _elsewhere(each, decided.get(each.name), servers):
            return f"{each.name} in {each.place} {why}"
    databases = [each for each in servers.known if each.databases]
    if not databases:
        return None
    # What a file says has been looked at above, and is no other server.
    known = {name.upper() for name in (*given, *(each.name for each in stated))}
    reads = [each for each in statements if tells_where(each.name) and each.source is Source.CODE]
    if reads:
        return None if any(each.name.upper() in known for each in reads) else _unset(reads)
    schemes = frozenset().union(*(each.schemes for each in databases))
    for url, place in constants:
        address = parse(url)
        if address is not None and address.scheme in schemes and not _is_ours(address, servers):
            return f"{place} names {address.host}:{address.port}, and no variable tells it another one"
    return None


def tells_where(name: str) -> bool:
    """Whether a variable tells where a database is."""
    upper = name.upper()
    words = set(upper.split("_"))
    if upper in _JOINED:
        return True
    return bool(words & _WORDS) and upper.endswith(_TELLS_WHERE) and not words & _OTHERS


def _elsewhere(statement: Statement, decision: Decision | None, servers: Servers) -> str:
    """Return where a value leads that devinit has left as it is; "" for nowhere else."""
    if not tells_where(statement.name) or decision is None or decision.is_given:
        return ""
    address = parse(statement.value)
    if address is None or address.scheme in _FILES or address.is_web:
        return ""
    if decision.outcome in (Outcome.REMOTE, Outcome.UNSURE):
        return decision.why
    if address.host and not servers.is_near(address.host):
        return f"talks to {address.host}"
    is_ours = any(address.port == each.server.port for each in servers.known)
    return "" if is_ours or not address.scheme else f"names a {address.scheme} that devinit does not run"


def _unset(reads: Sequence[Statement]) -> str:
    """Say which names the settings read."""
    names = list(dict.fromkeys(each.name for each in reads))
    shown = ", ".join(names[:_MOST_NAMED]) + (" …" if len(names) > _MOST_NAMED else "")
    return f"the settings read {shown} ({reads[0].place}), and devinit gives none of these"


def _is_ours(address: Address, servers: Servers) -> bool:
    return servers.is_near(address.host) and any(
        address.port == each.server.port for each in servers.known if address.scheme in each.schemes
    )
