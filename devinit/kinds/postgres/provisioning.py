"""The project's role and database inside the running server, created once and recorded in the cluster."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from shlex import quote

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from devinit.errors import ProviderError
from devinit.kinds.postgres.cluster import SUPERUSER, server_environment, superuser_file
from devinit.kinds.postgres.kind import PostgresSettings
from devinit.kinds.provider import Place
from devinit.model.service import DatabaseSettings, Endpoint
from devinit.system.digest import blake2b
from devinit.system.files import read_text, write_atomically

PROVISIONED = "devinit.json"
PSQL_TIMEOUT_SECONDS = 60.0
FIRST_NORMAL_OBJECT_ID = 16384


class Provisioned(Struct, frozen=True, kw_only=True):
    """The record of the created objects."""

    database: str
    user: str
    password_digest: str
    """Keyed with the superuser's password, so that it is useless outside this cluster."""
    oid: int
    """The oid of the database, which is also its folder; that is gone if the database was dropped."""
    others: dict[str, int] = {}
    """The oids of further databases, by name."""


def with_kept_names(wanted: PostgresSettings, clusters: Mapping[int, Path]) -> PostgresSettings:
    """Return settings in which names after the folder are replaced by those in the newest cluster.

    A checkout that was moved keeps its data, and its folder may have had another name. A database with data is
    also kept if files of the project now name another one, and devinit.toml none.
    """
    names, is_found = wanted.after_folder, wanted.is_found
    if not names and not is_found:
        return wanted
    wanted = replace(wanted, after_folder=(), is_found=False)
    for _, cluster in sorted(clusters.items(), reverse=True):
        if (kept := _recorded(cluster)) is not None:
            wanted = replace(wanted, **{name: getattr(kept, name) for name in names})
            if is_found and kept.database != wanted.database and is_filled(cluster, kept.oid):
                others = tuple(name for name in wanted.databases if name != kept.database)
                return replace(wanted, database=kept.database, databases=others, instead_of=wanted.database)
            return wanted
    return wanted


def of_names(service: str, wanted: PostgresSettings, cluster: Path) -> tuple[str, ...]:
    """Return a note if a database is kept although files name another, or one with data is no longer used."""
    table = f"under [services.{service}] in devinit.toml"
    if wanted.instead_of is not None:
        kept, named = wanted.database, wanted.instead_of
        way_out = f'`database = "{named}"` {table} begins with that one'
        said = f"it keeps the database {kept}, which has data, although files of the project name {named}"
        return (f"{said}; {way_out}",)
    before = _recorded(cluster)
    if before is None or before.database in (wanted.database, *wanted.databases):
        return ()
    if not is_filled(cluster, before.oid):
        return ()
    back = f'`database = "{before.database}"` {table} goes back to it'
    return (f"it has the database {before.database} still, with data; {back}",)


def is_filled(cluster: Path, oid: int) -> bool:
    """Return whether anything was created in a database, going by its files, without asking the server.

    The files of PostgreSQL's own objects have lower numbers (FirstNormalObjectId in access/transam.h).
    """
    try:
        names = [path.name for path in (cluster / "base" / str(oid)).iterdir()]
    except OSError:
        return False
    return any(name.isdecimal() and int(name) >= FIRST_NORMAL_OBJECT_ID for name in names)


def is_provisioned(cluster: Path, wanted: DatabaseSettings) -> bool:
    """Return whether role and databases match the settings, without asking the server."""
    return has_password(cluster, wanted) and not missing(cluster, wanted)


def has_password(cluster: Path, wanted: DatabaseSettings) -> bool:
    """Return whether role and first database exist with this password, without asking the server."""
    before = _remembered(cluster, wanted)
    return before is not None and before.password_digest == _digest(cluster, wanted.secret)


def missing(cluster: Path, wanted: DatabaseSettings) -> tuple[str, ...]:
    """Return the databases that do not exist yet, without asking the server."""
    before = _remembered(cluster, wanted)
    if before is None:
        return (wanted.database, *wanted.databases)
    return tuple(name for name in wanted.databases if not _is_there(cluster, before.others.get(name)))


def creation_of(databases: Sequence[str]) -> str:
    """Return the message that databases are created."""
    return f"creating the database{'s' if len(databases) > 1 else ''} {', '.join(databases)}"


def has_been_provisioned(cluster: Path, wanted: DatabaseSettings) -> bool:
    """Return whether role and database exist, with any password, without asking the server."""
    return _remembered(cluster, wanted) is not None


def is_of_another_role(cluster: Path, wanted: DatabaseSettings) -> bool:
    """Return whether the database exists but was created for another role, without asking the server."""
    before = _recorded(cluster)
    if before is None or before.database != wanted.database or before.user == wanted.user:
        return False
    return _is_there(cluster, before.oid)


def provision(cluster: Path, wanted: DatabaseSettings, endpoint: Endpoint, place: Place, psql: Path) -> None:
    """Create the role and the databases, or change them to match the settings; never drop anything."""
    said = _carried_out(script(wanted), cluster, endpoint, place, psql)
    names = (wanted.database, *wanted.databases)
    lines = said.stdout.strip().split("\n")
    roles, oids = lines[: -len(names)], lines[-len(names) :]
    if said.returncode == 0 and (named := called_like_their_password(roles)):
        said = _carried_out(closing_script(named, wanted), cluster, endpoint, place, psql)
    if said.returncode != 0 or len(oids) < len(names) or not all(map(str.isdigit, oids)):
        # psql prints the line at which it failed.
        shown = said.stderr.replace(literal(wanted.secret), "'…'").strip()
        reason = shown or f"psql ended with {said.returncode}"
        raise ProviderError(
            f"the database {wanted.database} of {wanted.user} cannot be created: {reason}",
            hint=f"look yourself: PGPASSFILE={quote(str(superuser_file(cluster)))} psql -h {endpoint.host} "
            f"-p {endpoint.port} -U {SUPERUSER} postgres",
        )
    record = Provisioned(
        database=wanted.database,
        user=wanted.user,
        password_digest=_digest(cluster, wanted.secret),
        oid=int(oids[0]),
        others=dict(zip(wanted.databases, map(int, oids[1:]), strict=True)),
    )
    write_atomically(cluster / PROVISIONED, msgspec.json.encode(record), mode=0o600)


def oid_of(database: str, cluster: Path, endpoint: Endpoint, place: Place, psql: Path) -> int | None:
    """Return the oid of a database; None if there is none, or the server does not answer. Raise ProviderError."""
    question = f"SELECT oid FROM pg_database WHERE datname = {literal(database)};"  # noqa: S608 - it is quoted
    said = _carried_out(question, cluster, endpoint, place, psql).stdout.strip()
    return int(said) if said.isdecimal() else None


def script(wanted: DatabaseSettings) -> str:
    """Return the commands for psql, which can be repeated without harm.

    The role is no superuser: its password is in the environment of every application, and a superuser could run
    programs as the developer. It has CREATEDB for the test databases that Django and Prisma create.

    The last lines of the output are the oids of the databases. Each line before them is another role that may log
    in, in hexadecimal digits, with its stored password verifier.
    """
    role, role_name = identifier(wanted.user), literal(wanted.user)
    create_role = literal(f"CREATE ROLE {role}")
    names = (wanted.database, *wanted.databases)
    databases = "".join(_database_script(name, wanted.user) for name in names)
    numbers = "".join(f"SELECT oid FROM pg_database WHERE datname = {literal(name)};\n" for name in names)  # noqa: S608  as below
    return f"""
-- A statement that fails is logged, with the password in it.
SET log_min_error_statement = 'panic';
SELECT {create_role} WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {role_name}) \\gexec
ALTER ROLE {role} WITH LOGIN CREATEDB PASSWORD {literal(wanted.secret)};
{databases}
SELECT encode(convert_to(rolname, 'UTF8'), 'hex'), rolpassword FROM pg_authid
  WHERE rolcanlogin AND NOT rolsuper AND rolname <> {role_name} AND rolpassword IS NOT NULL;
{numbers}"""  # noqa: S608 - every name and text is quoted; these commands take no parameters


def _database_script(name: str, user: str) -> str:
    """Return the commands that create one database, or make the role its owner."""
    role, database = identifier(user), identifier(name)
    role_name, database_name = literal(user), literal(name)
    create_database = literal(f"CREATE DATABASE {database} OWNER {role}")
    return f"""
SELECT {create_database} WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = {database_name}) \\gexec
-- Another user in the configuration than before: the new one may use what the old one made.
SELECT format('GRANT %I TO %I', rolname, {role_name})
  FROM pg_roles AS before JOIN pg_database ON before.oid = datdba
  WHERE datname = {database_name} AND NOT rolsuper AND NOT pg_has_role({role_name}, rolname, 'MEMBER') \\gexec
ALTER DATABASE {database} OWNER TO {role};
"""  # noqa: S608 - as above


def called_like_their_password(rows: list[str]) -> list[str]:
    """Return the roles in these rows whose password is their name, which every user of the machine can guess.

    devinit created them before passwords were random; they remain if another role has been configured since.
    """
    if not rows:
        return []
    from devinit.kinds.postgres.scram import verifies  # few databases have had another role

    pairs = (row.partition("|") for row in rows)
    named = ((bytes.fromhex(name).decode(), verifier) for name, _, verifier in pairs)
    return [name for name, verifier in named if verifies(verifier, name)]


def closing_script(roles: list[str], wanted: DatabaseSettings) -> str:
    """Return the commands that give these roles the password in the settings."""
    password = literal(wanted.secret)
    statements = (f"ALTER ROLE {identifier(role)} PASSWORD {password};" for role in roles)
    return "\n".join(["SET log_min_error_statement = 'panic';", *statements])


def identifier(name: str) -> str:
    """Quote an identifier for SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Quote a text for SQL, for any value of standard_conforming_strings."""
    quoted = text.replace("'", "''")
    if "\\" not in quoted:
        return f"'{quoted}'"
    escaped = quoted.replace("\\", "\\\\")
    return f" E'{escaped}'"


def _remembered(cluster: Path, wanted: DatabaseSettings) -> Provisioned | None:
    """Return the record if it is about this role and database and the database still exists."""
    before = _recorded(cluster)
    if before is None or (before.database, before.user) != (wanted.database, wanted.user):
        return None
    return before if _is_there(cluster, before.oid) else None


def _recorded(cluster: Path) -> Provisioned | None:
    """Return the latest record."""
    text = read_text(cluster / PROVISIONED)
    try:
        return None if text is None else msgspec.json.decode(text, type=Provisioned)
    except (msgspec.DecodeError, RecursionError):
        # The record is derived and cheap to derive again.
        return None


def _is_there(cluster: Path, oid: int | None) -> bool:
    return oid is not None and (cluster / "base" / str(oid)).is_dir()


def _carried_out(
    script: str, cluster: Path, endpoint: Endpoint, place: Place, psql: Path
) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            # The password goes through a pipe, because every user of the machine can read arguments.
            [psql, "-X", "-q", "-A", "-t", "-w", "-v", "ON_ERROR_STOP=1"],
            input=script,
            env={
                **server_environment(place.environment),
                "PGHOST": endpoint.host,
                "PGPORT": str(endpoint.port),
                "PGUSER": SUPERUSER,
                "PGDATABASE": "postgres",
                "PGPASSFILE": str(superuser_file(cluster)),
                "PGCLIENTENCODING": "UTF8",
                "PGCONNECT_TIMEOUT": "10",
            },
            cwd="/",
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=PSQL_TIMEOUT_SECONDS,
            check=False,
            # A Ctrl-C at the terminal must not interrupt it.
            start_new_session=True,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ProviderError(
            f"psql could not create the database: {error}", hint=f"does {psql} run by itself?"
        ) from error


def _digest(cluster: Path, password: str) -> str:
    key = (read_text(superuser_file(cluster)) or "").encode()[-blake2b.MAX_KEY_SIZE :]
    return blake2b(password.encode(), key=key, digest_size=16).hexdigest()
