"""The check whether a detected migration would reach a server that devinit did not give it. Pure.

The migration runs only if every value that it may read leads to a database that devinit runs, or if no value
states a location: the framework then has its own name for it, which devinit sets (ADR 30).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec import Struct

from devinit.runtime.forms.address import Address, parse
from devinit.runtime.forms.elsewhere import (
    elsewhere,
    is_port_of_ours,
    leads_to,
    names_a_database,
    tells_where,
)
from devinit.runtime.forms.known import Servers
from devinit.runtime.forms.statement import Source, Statement

_MIGRATES = re.compile(
    r"migrat|\balembic\b|\bdb:(?:prepare|push|setup)|\b(?:db|database) upgrade\b|\bdb push\b"
    r"|\becto\b|\bflyway\b|\bliquibase\b"
)
_MOST_NAMED = 4


class Value(Struct, frozen=True, kw_only=True):
    """A variable of the process of a migration, or of a program in it that loads a file."""

    name: str
    text: str
    place: str
    """Its origin, worded to follow "in": `.env:2`, "the shell that called devinit"."""


def migrates(command: str) -> bool:
    """Whether a command line changes a database."""
    return _MIGRATES.search(command) is not None


def obstacle(
    values: Sequence[Value],
    statements: Sequence[Statement],
    servers: Servers,
    *,
    constants: Sequence[tuple[str, str]] = (),
) -> str | None:
    """Return why a migration may reach a server that devinit did not give it; None if it does not.

    `values`: all values that it may read, the first to be named in front. `statements`: variables that the code
    reads. `constants`: database URLs in alembic.ini or the code, each with its place.
    """
    for each in values:
        if other := leads_to(each.name, each.text, servers):
            place = f"services.{other.service}.url in devinit.toml"
            return f"{other.service} is a server that devinit does not run: {place}"
    for each in values:
        if why := elsewhere(each.name, each.text, servers):
            return f"{each.name} in {each.place} {why}"
    reads = [each for each in statements if each.source is Source.CODE]
    known = {each.name.upper() for each in values if each.text}
    found = (*_of_ports(values, servers), *_of_defaults(reads, known, servers))
    return found[0] if found else _of_code(reads, known, servers, constants)


def _of_ports(values: Sequence[Value], servers: Servers) -> Iterator[str]:
    """Yield a message for each port beside a host of this machine that is not the port of our database."""
    names = {each.name.upper() for each in values if each.text and tells_where(each.name)}
    for each in values:
        before = each.name.upper().removesuffix("PORT")
        is_beside_a_host = {f"{before}PORT", f"{before}HOST"} <= names and before != each.name.upper()
        if is_beside_a_host and not is_port_of_ours(each.text, servers):
            yield f"{each.name} in {each.place} names port {each.text}, where devinit runs no database"


def _of_defaults(reads: Sequence[Statement], known: set[str], servers: Servers) -> Iterator[str]:
    """Yield a message for each default in the code that leads to another machine.

    A host without a dot may be a placeholder.
    """
    for each in reads:
        if each.name.upper() in known or not names_a_database(each.value):
            continue
        address = parse(each.value)
        is_placeholder = address is not None and "." not in address.host
        if not is_placeholder and (why := elsewhere(each.name, each.value, servers)):
            yield f"{each.place} {why} where {each.name} has no value"


def _of_code(
    reads: Sequence[Statement], known: set[str], servers: Servers, constants: Sequence[tuple[str, str]]
) -> str | None:
    databases = [each for each in servers.known if each.databases]
    if not databases:
        return None
    # The values were checked before: they lead to no other server.
    if naming := [each for each in reads if tells_where(each.name)]:
        return None if any(each.name.upper() in known for each in naming) else _unset(naming)
    schemes = frozenset().union(*(each.schemes for each in databases))
    for url, place in constants:
        address = parse(url)
        if address is not None and address.scheme in schemes and not _is_ours(address, servers):
            return f"{place} names {address.host}:{address.port}, and no variable tells it another one"
    return None


def _unset(reads: Sequence[Statement]) -> str:
    """Return a message with the names that the settings read."""
    names = list(dict.fromkeys(each.name for each in reads))
    shown = ", ".join(names[:_MOST_NAMED]) + (" …" if len(names) > _MOST_NAMED else "")
    return f"the settings read {shown} ({reads[0].place}), and devinit gives none of these"


def _is_ours(address: Address, servers: Servers) -> bool:
    return servers.is_near(address.host) and any(
        address.port == each.server.port for each in servers.known if address.scheme in each.schemes
    )
