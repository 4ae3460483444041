"""The decision rule: which value each variable gets for which the project states a value itself. Pure.

A value that means a server of the project gets the address of that server in the same form. The host of another
machine is never replaced, and an ambiguous value stays unchanged.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from devinit.runtime.forms.address import Address, Form, parse, written
from devinit.runtime.forms.known import Servers
from devinit.runtime.forms.lists import (
    Listed,
    Separator,
    as_json,
    extended,
    is_entry,
    list_read_with,
    parse_list,
    without,
)
from devinit.runtime.forms.meaning import AGREEING, is_name_of, meaning
from devinit.runtime.forms.parts import database_for, groups_of, of_group
from devinit.runtime.forms.statement import Decision, Outcome, Source, Statement

_OWN = frozenset(
    {"DEVINIT_PROJECT", "HOST", "PORT", "HOME", "LANG", "PATH", "SHELL", "TERM", "TMPDIR", "USER"}
)
"""Names that devinit sets regardless of the files, and names that every program needs unchanged."""
_LOCAL_HOSTS = ("localhost", "127.0.0.1")
_OF_ADDRESSES = ("URL", "URI", "DSN")
_EMPTIED = frozenset({"TEST", "TESTS", "TESTING", "SHADOW"})
"""Words in the names of databases that are emptied regularly: test databases."""


class Situation(Struct, frozen=True, kw_only=True):
    """Everything that a decision depends on, except the statement itself."""

    servers: Servers
    service: str
    """The service that has the variable."""
    standard: Mapping[str, str]
    """The values that devinit gives by default."""
    main_database: str | None = None
    """The name, in the files of the application, of the database that the application itself uses."""

    def ours(self, name: str) -> str | None:
        """Return devinit's own value for a name; case is ignored, as in pydantic."""
        return self.standard.get(name, self.standard.get(name.upper()))


def decisions(statements: Iterable[Statement], situation: Situation) -> dict[str, Decision]:
    """Return decisions, by name, about the variables that the files and the code of a service mention.

    `statements` have the strongest ones first. A name without a decision gets devinit's default value.
    """
    by_name: dict[str, list[Statement]] = {}
    for each in statements:
        if each.name.upper() not in _OWN and is_variable(each.name, each.value):
            by_name.setdefault(each.name, []).append(each)
    meant = {
        name: strongest(_as_read(found))
        for name, found in by_name.items()
        if not all(is_driver_alone(each.value) for each in found)
    }
    situation = replace(situation, main_database=_main_database(meant, situation.servers))
    found: dict[str, Decision] = {}
    for group in groups_of({name: each[0] for name, each in meant.items()}):
        found |= of_group(
            group, situation.servers, situation.service, situation.standard, situation.main_database
        )
    for name, candidates in meant.items():
        if name not in found:
            decided = (decision_about(each, situation) for each in candidates)
            if decision := next((each for each in decided if each is not None), None):
                found[name] = decision
    return found


def is_variable(name: str, value: str) -> bool:
    """Whether a process can have a variable with this name and value: a literal in code may be any text."""
    is_text = "\0" not in value and not any("\ud800" <= letter <= "\udfff" for letter in value)
    return name.isascii() and name.isidentifier() and is_text


def strongest(found: Sequence[Statement]) -> Sequence[Statement]:
    """Return the statements about one name that count: the value in a file alone, else every known form."""
    for each in found:
        if each.source is Source.FILE and not is_open(each.value):
            return (each,)
    forms = [each for each in found if each.source is not Source.FILE]
    return sorted(forms, key=lambda each: (is_open(each.value), is_driver_alone(each.value))) or found[:1]


def is_driver_alone(value: str) -> bool:
    """Whether a URL states nothing but its driver."""
    return value.endswith("://")


def _as_read(found: Sequence[Statement]) -> Sequence[Statement]:
    """Return the statements about a name, all with the separator with which the code splits a list."""
    separator = next((each.separator for each in found if each.separator is not None), None)
    return found if separator is None else [replace(each, separator=separator) for each in found]


def is_open(value: str) -> bool:
    """Whether a value is empty or a placeholder that the developer has to replace."""
    plain = value.strip().lower()
    is_bracketed = plain.startswith("<") and plain.endswith(">")
    return not plain or is_bracketed or plain.startswith(("your_", "your-")) or plain == "changeme"


def decision_about(statement: Statement, situation: Situation) -> Decision | None:
    """Return the decision about one value; None where devinit's default value, or no value, is right."""
    name, value = statement.name.upper(), statement.value
    is_of_origins = bool({"CORS", "ORIGIN", "ORIGINS"} & set(name.split("_")))
    if is_open(value) and not (is_of_origins and statement.separator is not None):
        return (_origin if is_of_origins else _filled)(statement, situation)
    if name.endswith("ALLOWED_HOSTS"):
        return _hosts(statement)
    if is_of_origins:
        return _origins(statement, situation)
    address = parse(value)
    if address is None or address.form in (Form.HOST, Form.PORT):
        return _plain(statement, address, situation)
    return _address(statement, address, situation)


def _filled(statement: Statement, situation: Situation) -> Decision | None:
    """Give an address of the project to a name that the code requires and for which no file has a value."""
    name = statement.name
    words = set(name.upper().split("_"))
    if situation.ours(name) is not None or not statement.is_required or words & _EMPTIED:
        return None
    if not name.upper().endswith(_OF_ADDRESSES):
        return None
    found = [each for each in situation.servers.known if is_name_of(each, name, situation.service)]
    return _given(statement, found[0].url, found[0].service) if len(found) == 1 else None


def _origin(statement: Statement, situation: Situation) -> Decision | None:
    """Give the origin of the first frontend to a name that the code requires and that has no value."""
    wanted, ours = situation.servers.frontend_origins, situation.ours(statement.name)
    is_right = ours is not None and not (statement.is_one_origin and parse_list(ours))
    if is_right or not statement.is_required or not wanted:
        return None
    return _given(statement, wanted[0])


def _listed(statement: Statement) -> Listed | None:
    found = parse_list(statement.value)
    if statement.separator is None or (found is not None and found.separator is statement.separator):
        return found
    if statement.separator is Separator.JSON:
        # pydantic refuses commas here, so an example with commas is written as JSON.
        return as_json(found.entries if found is not None else filter(None, (statement.value.strip(),)))
    return found or list_read_with(statement.separator, statement.value)


def _hosts(statement: Statement) -> Decision | None:
    """Decide about the hosts, without scheme and port, for which an application answers."""
    listed = _listed(statement)
    if listed is None or listed.allows_all or not listed.are_hosts:
        return _kept(statement)
    return _given(statement, extended(listed, _LOCAL_HOSTS))


def _origins(statement: Statement, situation: Situation) -> Decision | None:
    """Decide about the origins that a backend accepts: ours are added, the others stay."""
    wanted = situation.servers.frontend_origins
    listed = _listed(statement)
    if listed is not None:
        return _listed_origins(statement, listed, situation.servers)
    address = parse(statement.value)
    if address is None or address.form not in (Form.URL, Form.HOST_PORT):
        return _kept(statement)  # `*`, a pattern, several of them in another form
    if not situation.servers.is_near(address.host):
        return _remote(statement, address)
    known, agreeing = meaning(statement.name, address, situation.servers, situation.service)
    if known is not None and known.is_web and agreeing >= AGREEING:
        return _given(statement, written(address, known.server), known.service)
    if not wanted:
        return _kept(statement)
    page = parse(wanted[0])
    frontend = next(
        (each for each in situation.servers.known if page and each.server.port == page.port), None
    )
    if frontend is None:
        return _kept(statement)
    return _given(statement, written(address, frontend.server), frontend.service)


def _listed_origins(statement: Statement, listed: Listed, servers: Servers) -> Decision | None:
    are_origins = all(map(is_entry, listed.entries))
    wanted = servers.frontend_origins
    if not wanted or listed.allows_all or not are_origins:
        return _kept(statement)
    text = extended(listed, wanted)
    whole = parse_list(text) or list_read_with(listed.separator, text)
    return _given(statement, without(whole, _left_by_pages(whole.entries, servers)))


def _left_by_pages(entries: Iterable[str], servers: Servers) -> frozenset[str]:
    """Return the origins on this machine from which a page of the project has moved away.

    The server that answers there now may belong to another project.
    """
    pages = [each for each in servers.known if set(each.origins) & set(servers.frontend_origins)]
    now = {each.server.port for each in servers.known}
    before = frozenset(port for each in pages for port in each.ports) - now
    found = ((each, parse(each)) for each in entries)
    return frozenset(
        each for each, address in found if address and address.is_local and address.port in before
    )


def _plain(statement: Statement, address: Address | None, situation: Situation) -> Decision | None:
    """Decide about a word, a path, a lone host or a lone port."""
    ours = situation.ours(statement.name)
    if statement.source is not Source.FILE:
        # A path alone: the page requests its own origin, and the dev server forwards the request.
        if ours is not None and statement.value.startswith("/") and "://" in ours:
            return Decision(statement=statement, outcome=Outcome.LEFT_OUT)
        return _port(statement, address, situation) if ours is None else None
    if ours is None:
        return _port(statement, address, situation)
    same = parse(ours)
    if same is None:
        return None if parse_list(ours) is None else _kept(statement)
    if address is None or address.form is not same.form:
        return _kept(statement)
    if address.form is Form.HOST and same.host and not situation.servers.is_near(address.host):
        return _remote(statement, address) if "." in address.host else None
    return None


def _port(statement: Statement, address: Address | None, situation: Situation) -> Decision | None:
    """Decide about a lone number: it is the port of a server if both the name and the number match."""
    name = statement.name.upper()
    if address is None or address.form is not Form.PORT or not name.endswith("PORT"):
        return None
    prefix = name.rpartition("_")[0] or name
    known = [
        each
        for each in situation.servers.known
        if address.port in each.ports and is_name_of(each, prefix, situation.service)
    ]
    return _given(statement, str(known[0].server.port), known[0].service) if len(known) == 1 else None


def _address(statement: Statement, address: Address, situation: Situation) -> Decision | None:
    """Decide about a URL, a DSN, or a host with a port."""
    servers, is_form_only = situation.servers, statement.source is not Source.FILE
    known, agreeing = meaning(statement.name, address, servers, situation.service)
    is_ours = situation.ours(statement.name) is not None
    # In an example, any word may stand for a host.
    is_near = servers.is_near(address.host) or (is_form_only and "." not in address.host)
    if known is not None and is_near and agreeing >= AGREEING:
        stated = address.database or ""
        database = database_for(statement.name, stated, known, situation.main_database)
        server = replace(known.server, database=database)
        value = written(address, server, database=database is not None)
        is_lost = bool(known.databases) and database is None and stated not in known.databases
        why = f"names the database {stated!r}, which {known.service} does not have" if is_lost else ""
        return _given(statement, value, known.service, why)
    if is_form_only:
        return None
    if not is_near:
        # A value that does not concern the project's servers, such as a public API or a
        # mail server, gets no message.
        is_meant = known is not None and (not known.is_web or is_ours or agreeing >= AGREEING)
        return _remote(statement, address) if is_meant or is_ours else _kept(statement)
    if known is None and not is_ours:
        return _kept(statement)
    if known is not None and address.port == known.server.port:
        return _kept(statement)
    return _unsure(statement, address, is_ours=is_ours)


def _given(statement: Statement, value: str, service: str | None = None, why: str = "") -> Decision:
    return Decision(statement=statement, outcome=Outcome.GIVEN, value=value, service=service, why=why)


def _kept(statement: Statement) -> Decision | None:
    """Keep a value unchanged; return None for a form without a value."""
    return Decision(statement=statement, outcome=Outcome.KEPT) if statement.source is Source.FILE else None


def _remote(statement: Statement, address: Address) -> Decision | None:
    if statement.source is not Source.FILE:
        return None
    return Decision(statement=statement, outcome=Outcome.REMOTE, why=f"talks to {address.host}")


def _unsure(statement: Statement, address: Address, *, is_ours: bool) -> Decision:
    place = f"{address.host or 'this machine'}:{address.port}" if address.port else address.scheme
    why = f"names {place}"
    if is_ours:
        why = f"is {address.scheme or address.form}, and names {place}" if address.scheme else why
    return Decision(statement=statement, outcome=Outcome.UNSURE, why=why)


def _main_database(meant: Mapping[str, Sequence[Statement]], servers: Servers) -> str | None:
    """Return the database in DATABASE_URL, else the first one in the files."""
    names = sorted(meant, key=lambda name: name.upper() != "DATABASE_URL")
    schemes = frozenset().union(*(each.schemes for each in servers.known if each.databases))
    for name in names:
        if set(name.upper().split("_")) & _EMPTIED:
            continue
        for statement in meant[name]:
            address = parse(statement.value)
            if address is not None and address.scheme in schemes and address.database:
                return address.database
    return None
