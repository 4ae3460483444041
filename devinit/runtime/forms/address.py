"""An address as a project writes it: a URL with a driver, a host with a port, a DSN. Pure.

A value is never rebuilt from its parts. The parser finds the position of each part, and only parts that change are
written, so everything else stays identical byte for byte.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct

from devinit.model.web_ports import without_usual_port

LONGEST = 4000
"""In characters. A longer value is a certificate or a document, not an address, and is not parsed."""
# Parts that can begin at every character have a limited length, to avoid quadratic time.
_URL = re.compile(
    r"(?P<before>jdbc:)?(?P<scheme>[a-zA-Z][a-zA-Z0-9+.-]{0,60})://"
    r"(?P<login>(?P<user>[^\s:/?#@]*)(?::(?P<password>[^\s/?#@]*))?@)?"
    r"(?P<host>\[[0-9A-Fa-f:.%]+\]|[A-Za-z0-9._-]*)(?::(?P<port>\d{1,5}))?"
    r"(?P<path>/[^\s?#]*)?(?P<query>\?[^\s#]*)?(?P<fragment>#\S*)?"
)
_HOST = r"(?P<host>\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9][A-Za-z0-9._-]{0,252})"
_HOST_PORT = re.compile(_HOST + r":(?P<port>\d{1,5})(?P<path>/\S*)?")
_EVERY_HOST_PORT = re.compile(r":(?P<port>\d{1,5})")
"""The address on which a Go program listens: all interfaces."""
_LONE_HOST = re.compile(_HOST)
_PAIR = re.compile(
    r"(?<!\S)(?P<key>[a-z_]{1,40})[ ]{0,9}=[ ]{0,9}(?P<value>'(?:[^'\\]|\\.){0,300}'|[^\s']\S{0,300}|)(?=\s|\Z)"
)
_PARTS_OF_DSN = {"hostaddr": "host", "dbname": "database"}
_USUAL_PORTS = {
    "http": 80, "https": 443, "ws": 80, "wss": 443, "postgres": 5432, "postgresql": 5432, "redis": 6379,
    "rediss": 6379, "valkey": 6379,
}  # fmt: skip
WEB_SCHEMES = frozenset({"http", "https", "ws", "wss"})
_HOSTS_IN_QUERY = frozenset({"host", "hostaddr", "hostname", "pghost", "pghostaddr", "server"})
_PLACES_IN_QUERY = _HOSTS_IN_QUERY | {
    "port", "pgport", "service", "servicefile", "socket", "socketpath", "unix_socket", "unixsocket", "unix_sock",
    "socketfactory", "cloudsqlinstance",
}  # fmt: skip
"""Keys in the query of a database URL, in lower case, that clients prefer to the host before the query.

libpq: https://www.postgresql.org/docs/current/libpq-connect.html; node-postgres, mysql2 and pgjdbc do the same.
"""
_WITH_TLS = {"http": "https", "ws": "wss"}


class Form(StrEnum):
    """The notation of an address."""

    URL = "url"
    """`postgresql+asyncpg://user:password@host:5432/shop?schema=a`, `http://localhost:8000/api/`."""
    JDBC = "jdbc"
    """`jdbc:postgresql://host:5432/shop`: the login is in the query, or elsewhere."""
    DSN = "dsn"
    """`host=localhost port=5432 dbname=shop`, as libpq reads it."""
    HOST_PORT = "host:port"
    HOST = "host"
    PORT = "port"


class Span(NamedTuple):
    """The position of a part in a text; empty at the place where a missing part would be inserted."""

    start: int
    end: int


class Server(Struct, frozen=True, kw_only=True):
    """The address and the login of a server of the project."""

    host: str
    port: int
    user: str | None = None
    password: str | None = None
    database: str | None = None
    has_login: bool = False
    """Whether devinit knows the login: user, password and database then replace those of the project."""
    tls: bool = False


class Address(Struct, frozen=True, kw_only=True):
    """An address in a text: its parts and their positions."""

    text: str
    form: Form
    scheme: str = ""
    """Without the driver: `postgresql` for `postgresql+asyncpg`."""
    host: str = ""
    port: int | None = None
    """None if the text has no port and the scheme no default port."""
    user: str | None = None
    password: str | None = None
    database: str | None = None
    """For a URL: the path without its slash."""
    spans: dict[str, Span]
    """Positions by part, for parts that may be replaced; empty if the query names the host."""

    @property
    def is_local(self) -> bool:
        """Whether the host is this machine."""
        return self.host in LOOPBACK or self.host.endswith(_OF_THIS_MACHINE)

    @property
    def is_web(self) -> bool:
        """Whether the scheme is HTTP, WebSocket, or one of these over TLS."""
        return self.scheme in WEB_SCHEMES


LOOPBACK = frozenset({"", "localhost", "127.0.0.1", "::1", "0.0.0.0"})  # noqa: S104 - recognised, not bound
_KEPT_HOSTS = frozenset({"localhost", "127.0.0.1", "0.0.0.0"})  # noqa: S104 - recognised, not bound
"""Host names that reach every server on this machine; `::1` does not, and `db` names a container."""
_OF_THIS_MACHINE = ".localhost"
"""Browsers resolve every name with this ending to this machine."""


def parse(text: str) -> Address | None:
    """Return the address that a text contains; None for any other text, and for an address with several hosts."""
    if not text or len(text) > LONGEST:
        return None
    if "://" in text:
        return _url(text)
    if text.isascii() and text.isdigit():
        number = int(text) if len(text) <= 5 else 0  # noqa: PLR2004 - the digits of 65535
        return _port(text, number)
    if "=" in text:
        return _dsn(text)
    if found := _HOST_PORT.fullmatch(text):
        spans = {"host": Span(*found.span("host")), "port": Span(*found.span("port"))}
        return Address(
            text=text, form=Form.HOST_PORT, host=_bare(found["host"]), port=int(found["port"]), spans=spans
        )
    if found := _EVERY_HOST_PORT.fullmatch(text):
        spans = {"port": Span(*found.span("port"))}
        return Address(text=text, form=Form.HOST_PORT, port=int(found["port"]), spans=spans)
    if found := _LONE_HOST.fullmatch(text):
        return Address(
            text=text, form=Form.HOST, host=_bare(found["host"]), spans={"host": Span(0, len(text))}
        )
    return None


def written(address: Address, server: Server, *, database: bool = True) -> str:
    """Return the text of an address with the server in it, in the same form.

    `database`: whether the server's database replaces the one in the address.
    """
    new: dict[str, str] = {}
    if not is_host_of(address, server):
        new["host"] = f"[{server.host}]" if ":" in server.host and _is_in_url(address) else server.host
    if address.port != server.port:
        new["port"] = str(server.port)
    if server.has_login and not address.is_web:
        new |= _login(address, server)
        if database and server.database is not None and address.database != server.database:
            new["database" if address.form is Form.DSN else "path"] = server.database
    if server.tls and address.scheme in _WITH_TLS:
        new["scheme"] = _WITH_TLS[address.scheme]
    text = _replaced(address, new)
    # The application may compare it with the origin that a browser sends.
    return without_usual_port(text) if "port" in new and address.is_web else text


def is_host_of(address: Address, server: Server) -> bool:
    """Whether the host of an address is the server's host, in this or another spelling."""
    if server.host in LOOPBACK:
        is_kept = address.host in _KEPT_HOSTS or address.host.endswith(_OF_THIS_MACHINE)
        return is_kept or address.host == server.host
    return address.host == server.host


def _url(text: str) -> Address | None:
    found = _URL.fullmatch(text)
    if found is None:
        return None
    scheme = found["scheme"].partition("+")[0].lower()
    form = Form.JDBC if found["before"] else Form.URL
    host_end = found.end("host")
    path_end = (
        found.end("path") if found["path"] is not None else (found.end("port"), host_end)[not found["port"]]
    )
    spans = {
        "scheme": Span(*found.span("scheme")),
        "host": Span(*found.span("host")),
        "port": Span(host_end, found.end("port")) if found["port"] else Span(host_end, host_end),
        "path": Span(*found.span("path")) if found["path"] is not None else Span(path_end, path_end),
    }
    user, password = found["user"], found["password"]
    if form is Form.JDBC:
        user, password = _query_login(found, spans)
    else:
        start = found.start("host")
        spans["login"] = Span(*found.span("login")) if found["login"] else Span(start, start)
    host = _bare(found["host"]).lower()
    if scheme not in WEB_SCHEMES and (places := _places_in_query(found["query"] or "")):
        # The query replaces the host: writing our login beside the host would send it to the other server.
        host, spans = places[0][1].lower(), {}
        if len(places) > 1 or places[0][0] not in _HOSTS_IN_QUERY or not _is_of_the_net(host):
            return None  # a socket, a service of libpq, another port
    return Address(
        text=text,
        form=form,
        scheme=scheme,
        host=host,
        port=int(found["port"]) if found["port"] else _USUAL_PORTS.get(scheme),
        user=None if user is None else _decoded(user),
        password=None if password is None else _decoded(password),
        database=_decoded(found["path"][1:]) if found["path"] else None,
        spans=spans,
    )


def _places_in_query(query: str) -> list[tuple[str, str]]:
    """Return the pairs of a query that decide where the server is, with keys in lower case."""
    pairs = (pair.partition("=") for pair in query[1:].split("&"))
    places = ((_decoded(key).lower(), _decoded(value)) for key, _, value in pairs)
    return [(key, value) for key, value in places if key in _PLACES_IN_QUERY]


def _is_of_the_net(host: str) -> bool:
    return "." in host and host not in LOOPBACK and _LONE_HOST.fullmatch(host) is not None


def _query_login(found: re.Match[str], spans: dict[str, Span]) -> tuple[str | None, str | None]:
    """Return user and password from the query of a JDBC URL, and add their positions to `spans`."""
    values: dict[str, str | None] = {"user": None, "password": None}
    start = found.start("query") + 1
    for pair in (found["query"] or "?")[1:].split("&"):
        key, sign, value = pair.partition("=")
        if sign and key in values:
            values[key] = value
            spans[key] = Span(start + len(key) + 1, start + len(pair))
        start += len(pair) + 1
    return values["user"], values["password"]


def _port(text: str, number: int) -> Address | None:
    if not 0 < number <= 65535:  # noqa: PLR2004 - the highest port
        return None
    return Address(text=text, form=Form.PORT, port=number, spans={"port": Span(0, len(text))})


def _dsn(text: str) -> Address | None:
    values: dict[str, str] = {}
    spans: dict[str, Span] = {}
    hosts, done = set(), 0
    for found in _PAIR.finditer(text):
        if text[done : found.start()].strip():
            return None
        done = found.end()
        part = _PARTS_OF_DSN.get(found["key"], found["key"])
        hosts |= {found["key"]} & {"host", "hostaddr"}
        values[part] = _unquoted(found["value"])
        spans[part] = Span(*found.span("value"))
    # libpq connects to `hostaddr`, and uses `host` only as a name.
    if text[done:].strip() or len(hosts) != 1 or values.keys() & {"service", "passfile"}:
        return None
    port = values.get("port", "5432")
    if not (port.isascii() and port.isdigit()) or values["host"].startswith("/") or "," in values["host"]:
        return None
    return Address(
        text=text,
        form=Form.DSN,
        scheme="postgresql",
        host=values["host"].lower(),
        port=int(port),
        user=values.get("user"),
        password=values.get("password"),
        database=values.get("database"),
        spans=spans,
    )


def _login(address: Address, server: Server) -> dict[str, str]:
    if address.form is Form.URL:
        user, password = address.user, address.password
        if (user or None, password or None) == (server.user or None, server.password or None):
            return {}
        return {"user": server.user or "", "password": server.password or ""}
    parts = {"user": server.user, "password": server.password}
    return {
        part: value
        for part, value in parts.items()
        if value is not None and value != getattr(address, part) and _may_have(address, part)
    }


def _may_have(address: Address, part: str) -> bool:
    return part in address.spans or address.form is Form.DSN


def _replaced(address: Address, new: dict[str, str]) -> str:
    match address.form:
        case Form.DSN:
            return _replaced_in_dsn(address, new)
        case Form.URL | Form.JDBC:
            changes = _changes_in_url(address, new)
        case _:
            changes = [(address.spans[part], value) for part, value in new.items() if part in address.spans]
    text = address.text
    # Replace from the end, so that earlier positions stay valid. Changes at the same position keep their order.
    numbered = [(span, number, value) for number, (span, value) in enumerate(changes)]
    for span, _, value in sorted(numbered, reverse=True):
        text = text[: span.start] + value + text[span.end :]
    return text


def _changes_in_url(address: Address, new: dict[str, str]) -> list[tuple[Span, str]]:
    spans = address.spans
    new = {part: _in_url(part, value) for part, value in new.items()}
    if address.form is Form.URL and "user" in new:
        # Half of a login is useless with the other half of another login, so both are replaced.
        sign = ":" if new["password"] else ""
        login = f"{new['user']}{sign}{new['password']}"
        new["login"] = f"{login}@" if login else ""
    order = ("scheme", "login", "host", "port", "path", "user", "password")
    return [(spans[part], new[part]) for part in order if part in new and part in spans]


def _in_url(part: str, value: str) -> str:
    match part:
        case "port":
            return f":{value}"
        case "path":
            return f"/{_encoded(value)}"
        case "user" | "password":
            return _encoded(value)
    return value


def _replaced_in_dsn(address: Address, new: dict[str, str]) -> str:
    text, spans = address.text, address.spans
    for part in sorted(new.keys() & spans.keys(), key=lambda part: spans[part], reverse=True):
        span = spans[part]
        text = text[: span.start] + _quoted(new[part]) + text[span.end :]
    names = {"database": "dbname"}
    for part, value in new.items():
        if part not in spans and part != "scheme":
            text += f" {names.get(part, part)}={_quoted(value)}"
    return text


def _decoded(text: str) -> str:
    if "%" not in text:
        return text
    from urllib.parse import unquote  # few addresses need it

    return unquote(text)


def _encoded(text: str) -> str:
    if text.isascii() and text.replace("_", "").replace("-", "").isalnum():
        return text
    from urllib.parse import quote  # as above

    return quote(text, safe="")


def _quoted(value: str) -> str:
    if value and not re.search(r"[\s'\\]", value):
        return value
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _unquoted(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value[1:-1] if value.startswith("'") else value)


def _bare(host: str) -> str:
    return host.strip("[]")


def _is_in_url(address: Address) -> bool:
    return address.form in (Form.URL, Form.JDBC, Form.HOST_PORT)
