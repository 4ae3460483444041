"""The description of PostgreSQL as a kind of service."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Self

from msgspec import Meta, convert

from devinit.kinds.kind import (
    Binaries,
    ClientNames,
    Context,
    Flavour,
    Keys,
    Kind,
    Where,
    checked_password,
    values_of,
)
from devinit.model.service import DatabaseSettings, Service, Settings

LONGEST_IDENTIFIER = 63
"""In bytes. PostgreSQL truncates longer names without an error, and a login with the whole name then fails."""
# CREATE ROLE refuses the first two (and pg_…) even in quotes; the templates always exist.
_RESERVED_IDENTIFIERS = ("public", "none", "template0", "template1")
_LIBPQ = {"HOST": "PGHOST", "PORT": "PGPORT", "USER": "PGUSER", "PASSWORD": "PGPASSWORD", "DB": "PGDATABASE"}
"""The names of libpq for the endings of a service's own variables."""
_LIBPQ_ENCRYPTION = "PGSSLMODE"
_LIBPQ_ELSEWHERE = frozenset({"PGHOSTADDR", "PGSERVICE"})
"""libpq connects to PGHOSTADDR instead of PGHOST or the host of a URL, and prefers PGSERVICE to PGHOST."""
_LIBPQ_DEMANDS = frozenset(
    {
        "PGCHANNELBINDING",
        "PGGSSENCMODE",
        "PGREQUIREAUTH",
        "PGSSLCERTMODE",
        "PGSSLNEGOTIATION",
        "PGSSLROOTCERT",
        "PGTARGETSESSIONATTRS",
    }
)
"""With some values (`require`, `system`, `standby`) libpq refuses devinit's servers; tested with libpq 18."""


class PostgresSettings(DatabaseSettings, frozen=True, kw_only=True):
    """The settings of a PostgreSQL that belongs to the checkout."""

    binaries: Path | None = None
    """The folder of its programs, if the developer states it."""


class PostgresKeys(Keys, frozen=True, kw_only=True):
    """The keys that PostgreSQL declares."""

    comments = {  # noqa: RUF012 - the base says that it is the class's
        "database": "the role is `user`; its password is random unless `password` names one"
    }
    database: Annotated[str | None, Meta(description="the database's name. Default: the project's name.")] = (
        None
    )
    databases: Annotated[
        list[str] | None,
        Meta(
            description='further databases on the same server, ["shop_test"]. The first one with '
            "the word `test` in its name is the test database: TEST_DATABASE_URL, `devinit run --test`."
        ),
    ] = None
    user: Annotated[str | None, Meta(description="the role's name. Default: the project's name.")] = None
    password: Annotated[
        str | None,
        Meta(
            description='its password; "random" is one that is made for this checkout, "${NAME}" that of a '
            "variable in `.env` or the shell. Default: the one that `.env` names, else random."
        ),
    ] = None
    binaries: Binaries = None

    def settings(self, context: Context) -> PostgresSettings | None:
        """Return the settings of the server; names default to that of the project."""
        if context.is_elsewhere:
            return None
        usual, where = identifier(context.project), context.where
        _check_identifier(self.database, where.at("database"))
        _check_identifier(self.user, where.at("user"), reserved=("public", "none"))
        stated = {"database": self.database, "user": self.user}
        return PostgresSettings(
            database=self.database or usual,
            user=self.user or usual,
            password=checked_password(self.password, where.at("password")),
            databases=_databases(self.databases or [], self.database or usual, where.at("databases")),
            after_folder=() if context.is_named else tuple(key for key in stated if stated[key] is None),
            binaries=context.folder("binaries", self.binaries) if self.binaries else None,
        )

    @classmethod
    def stating(cls, settings: Settings, project: str, root: Path) -> Self:
        """Return the keys for these settings: always the database, and the role if its name differs."""
        values = values_of(settings, cls.__struct_fields__, root)
        if values.get("user") == identifier(project):
            del values["user"]
        return convert(values, cls)


def identifier(name: str) -> str:
    """Return a name that SQL accepts without quotes: "Café-Shop" → "cafe_shop"."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    text = re.sub(r"[^a-z0-9]+", "_", plain.lower()).strip("_") or "app"
    if text[0].isdigit() or text.startswith("pg_") or text in _RESERVED_IDENTIFIERS:
        text = f"app_{text}"
    return text[:LONGEST_IDENTIFIER].rstrip("_")


def _databases(names: list[str], first: str, where: Where) -> tuple[str, ...]:
    seen = {first}
    for number, name in enumerate(names):
        _check_identifier(name, where.at(number))
        if name in seen:
            where.at(number).add(f'"{name}" is there already', "each database has a name of its own")
        seen.add(name)
    return tuple(names)


def _check_identifier(name: str | None, where: Where, *, reserved: tuple[str, ...] = ()) -> None:
    if name is None:
        return
    if not name or len(name.encode()) > LONGEST_IDENTIFIER:
        where.add(f"a name has 1 to {LONGEST_IDENTIFIER} bytes")
    elif reserved and (name.startswith("pg_") or name in reserved):
        where.add(f'PostgreSQL keeps the name "{name}" for itself')


def _libpq_names(service: Service, own: Mapping[str, str]) -> dict[str, str]:
    """Return a service under libpq's names, by which psql, pg_dump and every driver find it.

    devinit's servers have no TLS, and Go's lib/pq refuses such a server unless PGSSLMODE says so. For an external
    server, the URL determines the encryption.
    """
    found = {name: own.get(part, "") for part, name in _LIBPQ.items()}
    if service.external_url is None or service.is_reused:
        found[_LIBPQ_ENCRYPTION] = "disable"
    else:
        found[_LIBPQ_ENCRYPTION] = _encryption_of(service.external_url)
    return {name: value for name, value in found.items() if value}


def _misleading(service: Service) -> frozenset[str]:
    """Return variables that must not come from a shell that is set up for another server.

    PGPASSFILE and PGSERVICEFILE have no effect next to PGPASSWORD and without PGSERVICE. For an external server,
    the shell's requirements stay.
    """
    is_ours = service.external_url is None or service.is_reused
    return _LIBPQ_ELSEWHERE | _LIBPQ_DEMANDS if is_ours else _LIBPQ_ELSEWHERE


def _encryption_of(url: str) -> str:
    """Return the value of `sslmode` in a URL; empty if there is none."""
    settings = url.partition("?")[2].partition("#")[0].split("&")
    return next((each.partition("=")[2] for each in settings if each.startswith("sslmode=")), "")


POSTGRES = Kind(
    name="postgres",
    runner="devinit.kinds.postgres.provider:PostgresProvider",
    container="devinit.kinds.postgres.container:container_of",
    own=PostgresKeys,
    settings=PostgresSettings,
    flavours=(Flavour(name="postgres", title="PostgreSQL", banner=r"postgres \(PostgreSQL\)"),),
    programs=("postgres", "postmaster"),
    default_port=5432,
    url_schemes=("postgresql", "postgres"),
    common_prefix="POSTGRES",
    client_names=ClientNames(
        names=frozenset({*_LIBPQ.values(), _LIBPQ_ENCRYPTION}), of=_libpq_names, misleading=_misleading
    ),
    keeps_data=True,
    has_databases=True,
    proves_itself=True,
    refuses_root=True,
)
