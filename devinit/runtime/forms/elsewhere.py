"""The check whether a value leads to a database that devinit does not run for the project. Pure.

It is used only for a migration that devinit detected, so a value that cannot be read counts as another database.
"""

from __future__ import annotations

import re

from devinit.runtime.forms.address import LOOPBACK, Address, Form, parse
from devinit.runtime.forms.deciding import is_open
from devinit.runtime.forms.known import Known, Servers

_WORDS = frozenset(
    {"DATABASE", "DB", "POSTGRES", "POSTGRESQL", "PG", "SQL", "SQLALCHEMY", "MYSQL", "MARIADB", "DSN", "JDBC"}
)
_JOINED = ("PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "DBHOST", "DBPORT", "DBNAME", "DBURL", "DBURI")
_OF_NAMES = ("PGDATABASE", "DBNAME")
"""Parts of names that stand beside a host: they show that code reads the location of its
database, not where it is."""
_OF_HOSTS = ("HOST", "HOSTNAME", "HOSTADDR", "SERVER", "ADDRESS", "ADDR")
_TELLS_WHERE = (*_OF_HOSTS, "PORT", "URL", "URI", "DSN", "STRING")
_OTHERS = frozenset({"REDIS", "VALKEY", "CACHE"})
_EMPTIED = frozenset({"TEST", "TESTS", "TESTING", "SHADOW"})
"""Words in names of databases that a migration of the application does not reach."""
_LIBPQ_SERVICE = "PGSERVICE"
_FILES = frozenset({"sqlite", "sqlite3", "file", "duckdb"})
_FILE = re.compile(
    r"(?:jdbc:)?(?:sqlite\w{0,9}(?:\+\w{1,20})?|file|duckdb|h2:mem|h2:file|hsqldb|derby):", re.IGNORECASE
)
_ENDS_OF_FILES = (".db", ".db3", ".sqlite", ".sqlite3")
_SCHEMES = (
    r"postgres(?:ql)?|postgis|pgsql|pg|psql|mysql2?|mariadb|mssql|sqlserver|oracle|cockroach(?:db)?|timescale(?:db|gis)?"
    r"|redshift|prisma|libsql"
)
_OF_DATABASE = re.compile(
    rf"\b(?:{_SCHEMES})(?:\+\w{{1,20}})?(?:://|:thin:|:oci:)|@(?:tcp|unix)\(", re.IGNORECASE
)
"""Matches in a value of any form: the start of a database URL, or the address in a DSN of Go's MySQL driver."""
_KEY = r"(?:host|server|data source|addr|address|database|initial catalog)"
_KEYED = re.compile(rf"(?:\A|;)\s{{0,9}}{_KEY}\s{{0,9}}=[^;]{{1,300}};", re.IGNORECASE)
"""A connection string of ADO.NET: `Host=localhost;Port=5432;Database=shop`."""
_LIBPQ = re.compile(r"(?:\A|\s)(?:host|hostaddr|service|dbname)[ ]{0,9}=[ ]{0,9}\S")


def tells_where(name: str) -> bool:
    """Whether a variable holds the location of a database, going by its name."""
    upper = name.upper()
    words = set(upper.split("_"))
    if upper in _JOINED:
        return True
    return bool(words & _WORDS) and upper.endswith(_TELLS_WHERE) and not words & (_OTHERS | _EMPTIED)


def elsewhere(name: str, value: str, servers: Servers) -> str:
    """Return words for the place where a value leads if that is no database of ours, else "".

    The words contain at most a host and a port, because the rest may be secret.
    """
    if is_open(value) or set(name.upper().split("_")) & _EMPTIED:
        return ""
    if name.upper() == _LIBPQ_SERVICE:
        return "names a service of libpq, which may be any server"
    is_named, is_database = tells_where(name), names_a_database(value)
    if not (is_named or is_database) or _is_file(name, value):
        return ""
    address = parse(value)
    if address is None:
        return "" if _keyed_is_ours(value, servers) else "holds an address that devinit cannot read"
    if not address.scheme:
        return "" if name.upper() in _OF_NAMES else _of_a_plain_one(address, servers)
    if address.scheme in _FILES or (address.is_web and servers.is_near(address.host)):
        return ""
    return "" if _is_ours(address, servers) else _where(address, servers)


def names_a_database(value: str) -> bool:
    """Whether a value by itself names a database, whatever its variable is called."""
    return any(pattern.search(value) is not None for pattern in (_OF_DATABASE, _KEYED, _LIBPQ))


def leads_to(name: str, value: str, servers: Servers) -> Known | None:
    """Return the database to which a value leads if devinit.toml declares it as run elsewhere."""
    address = parse(value) if tells_where(name) or names_a_database(value) else None
    if address is None or address.form is Form.PORT:
        return None
    for each in servers.known:
        # A loopback host alone may belong to any server.
        is_there = address.host == each.server.host and (
            address.port == each.server.port or (address.form is Form.HOST and address.host not in LOOPBACK)
        )
        if each.is_elsewhere and is_there and names_a_database(each.url):
            return each
    return None


def is_port_of_ours(text: str, servers: Servers) -> bool:
    """Whether a text is the port of a database that devinit runs; also true for a text that is not a port."""
    return not text.isdigit() or any(text == str(each.server.port) for each in _ours(servers))


def _of_a_plain_one(address: Address, servers: Servers) -> str:
    """Return words for the place where a host leads, with or without its port; "" for a port alone."""
    if address.form is Form.PORT:
        return ""
    if address.form is Form.HOST:
        return "" if _is_near(address.host, servers) else f"talks to {address.host}"
    return "" if _is_ours(address, servers) else _where(address, servers)


def _is_ours(address: Address, servers: Servers) -> bool:
    """Whether one of our servers answers at an address; the name of a container reaches no other server."""
    return any(
        address.host in each.hosts or (_is_near(address.host, servers) and address.port == each.server.port)
        for each in _ours(servers)
        if not address.scheme or address.scheme in each.schemes
    )


def _where(address: Address, servers: Servers) -> str:
    if not _is_near(address.host, servers):
        return f"talks to {address.host}"
    place = (
        f"{address.host or 'this machine'}:{address.port}" if address.port else address.host or address.scheme
    )
    if address.scheme and not any(address.scheme in each.schemes for each in servers.known):
        return f"is {address.scheme}, and names {place}"
    return f"names {place}, where devinit runs no database"


def _ours(servers: Servers) -> list[Known]:
    return [each for each in servers.known if not each.is_elsewhere and not each.is_web]


def _is_near(host: str, servers: Servers) -> bool:
    return servers.is_near(host) or any(host == each.server.host for each in _ours(servers))


def _is_file(name: str, value: str) -> bool:
    if _FILE.match(value):
        return True
    if value == ":memory:":
        return True
    is_path = value.endswith(_ENDS_OF_FILES) and "://" not in value and not names_a_database(value)
    return is_path and not name.upper().endswith(_OF_HOSTS)


def _keyed_is_ours(value: str, servers: Servers) -> bool:
    pairs = (pair.partition("=") for pair in value.split(";") if ";" in value)
    said = {key.strip().lower(): text.strip() for key, _, text in pairs}
    host, port = said.get("host", said.get("server", "")), said.get("port", "5432")
    return bool(host) and _is_near(host, servers) and port.isdigit() and is_port_of_ours(port, servers)
