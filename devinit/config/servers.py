"""What only the built-in servers have: a database, or a server that devinit does not run instead of its own."""

from __future__ import annotations

from devinit.config.problems import Place
from devinit.config.schema import ServiceTable
from devinit.kinds import Kind
from devinit.model.defaults import LONGEST_IDENTIFIER, database_settings
from devinit.model.service import RANDOM_PASSWORD, DatabaseSettings

_LINE_ENDS = frozenset("\r\n")


def database(
    table: ServiceTable, provider: str, project: str, place: Place, *, is_named: bool
) -> DatabaseSettings | None:
    """Return what a postgres service is created with; named after the project unless said otherwise.

    `is_named`: whether the project has a name of its own; else it is called like its folder.
    """
    if provider != "postgres" or table.url is not None:
        return None
    default = database_settings(project, is_named=is_named)
    for key in ("database", "user"):
        _check_identifier(getattr(table, key), place.at(key))
    name = table.database or default.database
    return DatabaseSettings(
        database=name,
        user=table.user or default.user,
        password=password(table, place),
        databases=_databases(table.databases or [], name, place.at("databases")),
        after_folder=tuple(key for key in default.after_folder if getattr(table, key) is None),
    )


def password(table: ServiceTable, place: Place) -> str | None:
    """Return the password that a service is configured with; None when it names none."""
    text = table.password
    if text == "":
        place.at("password").add("is empty", f'choose one, or "{RANDOM_PASSWORD}" for a random one')
    elif text is not None and set(text) & _LINE_ENDS:
        place.at("password").add("has several lines", "a password is one line")
    return text


def external_url(text: str | None, kind: Kind, place: Place) -> str | None:
    """Return the address of a server that runs elsewhere."""
    schemes = kind.url_schemes
    if text is None or not schemes:
        return None
    scheme, separator, _ = text.partition("://")
    if not separator or scheme not in schemes:
        beginnings = " or ".join(f"{scheme}://" for scheme in schemes)
        place.add(f"not the URL of a {kind.name} server", f"it begins with {beginnings}")
        return text
    # 2 ms that only a project with such a service pays.
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(text)
        if not parts.hostname or parts.port == 0:
            place.add("names no host", f"{scheme}://user:password@host:port/name")
    except ValueError as error:
        place.add(f"not a URL: {error}")
    return text


def _databases(names: list[str], first: str, place: Place) -> tuple[str, ...]:
    seen = {first}
    for number, name in enumerate(names):
        _check_identifier(name, place.at(number))
        if name in seen:
            place.at(number).add(f'"{name}" is there already', "each database has a name of its own")
        seen.add(name)
    return tuple(names)


def _check_identifier(name: str | None, place: Place) -> None:
    if name is None:
        return
    if not name or len(name.encode()) > LONGEST_IDENTIFIER:
        place.add(f"a name has 1 to {LONGEST_IDENTIFIER} bytes")
    elif place.key[-1] == "user" and (name.startswith("pg_") or name in ("public", "none")):
        place.add(f'PostgreSQL keeps the name "{name}" for itself')
