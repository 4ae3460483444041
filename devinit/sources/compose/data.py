"""The data services of a compose file that devinit runs itself: port, role, password and databases."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct, structs

from devinit.kinds import KINDS
from devinit.model.defaults import preferring
from devinit.model.evidence import Evidence
from devinit.model.port import LOWEST_UNPRIVILEGED_PORT
from devinit.model.service import RANDOM_PASSWORD, Service
from devinit.sources.addresses import Login, Server
from devinit.sources.compose.definition import Definition
from devinit.sources.compose.environment import variables_of_files
from devinit.sources.compose.project_files import ComposeProject
from devinit.sources.compose.roles import Member
from devinit.sources.compose.variable import Variable
from devinit.sources.interpolation import Variable as Pattern
from devinit.sources.interpolation import expanded, variables_in
from devinit.sources.servers import server, settings_of

_USERS = ("POSTGRES_USER", "POSTGRESQL_USERNAME")
_PASSWORDS = ("POSTGRES_PASSWORD", "POSTGRESQL_PASSWORD", "REDIS_PASSWORD", "VALKEY_PASSWORD")
_DATABASES = ("POSTGRES_DB", "POSTGRESQL_DATABASE")
_MORE = ("POSTGRES_MULTIPLE_DATABASES", "POSTGRES_MULTIPLE_DBS")
"""Variables with database names for a script that is often mounted into the image."""
_USUAL_ROLE = "postgres"
_PASSWORD_OPTION = re.compile(
    r"--requirepass[ =]+(?:\"([^\"$]{1,200})\"|'([^']{1,200})'|(?!--)([^\s\"'$]{1,200}))"
)
_ADDRESS = re.compile(
    r"postgres(?:ql)?(?:\+\w{1,30})?://(?:[^\s/@]{0,200}@)?(?P<host>[\w.-]{1,100})(?::\d{1,5})?/(?P<database>[\w-]{1,63})"
)
_PORT_OPTION = re.compile(r"(?<!\S)(?:--port|-p)[ =]+(\d{1,5})(?!\S)")


class Statement(Struct, frozen=True):
    """The settings of a data service in a compose file."""

    login: Login
    keys: dict[str, Any]
    """Keys of devinit.toml (Any: texts and lists of texts)."""
    evidence: tuple[Evidence, ...]


def port_inside(definition: Definition, kind: str) -> int:
    """Return the port of a data service in its container."""
    found = _PORT_OPTION.search(" ".join(definition.command or ()))
    return int(found[1]) if found else KINDS[kind].default_port or 0


def statement_of(member: Member, project: ComposeProject, addressed: Iterable[str] = ()) -> Statement:
    """Return the settings in the variables and the command of a data service.

    `addressed`: the databases in other services' addresses of this one.
    """
    definition, kind = member.definition, member.image.kind
    variables = (*variables_of_files(definition, project), *definition.environment)
    given = {each.name: each for each in variables if each.value}
    if kind == "postgres":
        unset = {each.name: each for each in variables if not each.value and any(variables_in(each.pieces))}
        return _of_postgres(unset | given, addressed, project.names)
    password = _first(given, _PASSWORDS)
    text = password.value if password else _password_option(definition)
    keys: dict[str, Any] = {}
    evidence: list[Evidence] = []
    if text:
        # The text of a command has been expanded already.
        stated = _stated(password, project.names) if password else _variable_of(text, project.names) or text
        keys["password"] = stated or RANDOM_PASSWORD
        evidence.append((password.at if password else definition.command_at).evidence("password"))
    return Statement(Login(password=text), keys, tuple(evidence))


def databases_in(text: str, hosts: Collection[str]) -> Iterator[str]:
    """Yield the database names in the URLs of a text whose host is one of `hosts`."""
    yield from (found["database"] for found in _ADDRESS.finditer(text) if found["host"] in hosts)


def _of_postgres(given: dict[str, Variable], addressed: Iterable[str], names: Mapping[str, str]) -> Statement:
    user, password = _first(given, _USERS), _first(given, _PASSWORDS)
    database, more = _first(given, _DATABASES), _first(given, _MORE)
    role = user.value if user and user.value else _USUAL_ROLE
    keys: dict[str, Any] = {"user": role, "database": database.value if database and database.value else role}
    if password is not None and (text := _stated(password, names)) is not None:
        keys["password"] = text
    listed = [each.strip() for each in more.value.split(",") if each.strip()] if more is not None else []
    others = [each for each in dict.fromkeys((*listed, *addressed)) if each != keys["database"]]
    if others:
        keys["databases"] = others[:20]
    stated = {"user": user, "password": password, "database": database, "databases": more}
    evidence = tuple(each.at.evidence(key) for key, each in stated.items() if each is not None)
    return Statement(Login(role, password.value if password else "", keys["database"]), keys, evidence)


def _first(given: dict[str, Variable], names: tuple[str, ...]) -> Variable | None:
    return next((given[name] for name in names if name in given), None)


def _stated(password: Variable, names: Mapping[str, str]) -> str | None:
    """Return a password for devinit.toml; one from a file of variables becomes a reference to a variable.

    Return None if no variable equals the whole password: devinit then searches for it, or makes a random one.
    """
    if not password.is_of_a_file and not any(variables_in(password.pieces)):
        return password.value
    match password.pieces:
        case (Pattern(name=name, operator=operator, operand=operand),) if (
            not password.is_of_a_file and not any(variables_in(operand))
        ):
            default = expanded(operand, {}) if operator.endswith("-") else ""
            return f"${{{name}:-{default}}}" if default else f"${{{name}}}"
    return _variable_of(password.value, names)


def _variable_of(text: str, names: Mapping[str, str]) -> str | None:
    """Return a reference to the `.env` variable with a value; None if there is none."""
    return next((f"${{{name}}}" for name, value in names.items() if value == text), None) if text else None


def _password_option(definition: Definition) -> str:
    found = _PASSWORD_OPTION.search(" ".join(definition.command or ()))
    return next(filter(None, found.groups()), "") if found else ""


def data_service(
    member: Member, name: str, server_of: Server, statement: Statement, root: Path
) -> tuple[Service, tuple[Evidence, ...], list[str]]:
    """Return the service, its evidence, and notes about it."""
    definition, kind = member.definition, KINDS[member.image.kind]
    service = structs.replace(server(kind, root), name=name)
    place = definition.build.at if definition.build else definition.image_at
    evidence = [place.evidence("provider")]
    notes = [*_unusual(member)]
    try:
        service = structs.replace(service, settings=settings_of(kind, statement.keys, root))
        evidence += statement.evidence
    except ValueError as error:
        notes.append(f"{place}: {member.name} keeps its usual names: {error}")
    port = published_port(definition, server_of.main)
    if port is not None:
        evidence.append(port[1])
    number = port[0] if port else kind.default_port
    if number is not None:
        service = structs.replace(service, port=preferring(name, number, browser=kind.has_pages))
    return service, tuple(evidence), notes


def published_port(definition: Definition, container: int | None) -> tuple[int, Evidence] | None:
    """Return the host port of a container's port, if unprivileged users may listen there."""
    for each in definition.ports:
        if each.container == container and each.host and each.host >= LOWEST_UNPRIVILEGED_PORT:
            return each.host, each.at.evidence("port")
    return None


def _unusual(member: Member) -> Iterator[str]:
    """Yield notes about contents of a container that a native server lacks."""
    for source, target in member.definition.mounts:
        if "docker-entrypoint-initdb.d" in target.parts:
            yield (
                f"{member.definition.at}: {source.name} is not run: it fills the database of a new container"
            )
