"""Rewrite addresses in the values of variables, so that they name the servers that devinit runs. Pure.

In a compose file, the host is the name of another container and the port is the one inside that container. Both
become templates of devinit. User, password and database do, too, where devinit runs the server. Scheme, driver,
path, query and all other text stay unchanged. An ambiguous address is left out, and the result gives the reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from msgspec import Struct, field

from devinit.model.defaults import LOCAL_HOST
from devinit.sources.interpolation import literal

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
EVERY_ADDRESS = "0.0.0.0"  # noqa: S104 - recognised, and replaced
THE_HOST = frozenset({"host.docker.internal", "gateway.docker.internal", "host.containers.internal"})
"""Names by which a container reaches the machine that it runs on."""
_URL = (
    r"(?P<scheme>(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]{0,40})://"
    r"(?:(?P<user>[^\s/:@'\",?#]{0,200})(?::(?P<password>[^\s/@'\",]{0,200}))?@)?"
    r"(?P<host>\[::1\]|[A-Za-z0-9_][A-Za-z0-9_.-]{0,200})(?::(?P<port>\d{1,5}))?"
    r"(?P<path>/[^\s/?#'\",;&\]]{0,200})?"
)
_PAIR = r"(?<![\w./:@$-])(?P<name>[A-Za-z0-9_][A-Za-z0-9_.-]{0,200}):(?P<number>\d{1,5})(?![\w:.])"
_ADDRESS = re.compile(f"{_URL}|{_PAIR}")
_DSN_HOST = re.compile(r"(?<![\w-])host=([A-Za-z0-9_.-]{1,200})")
_DSN_PORT = re.compile(r"(?<![\w-])port=(\d{1,5})")
_ANY_PORT = re.compile(r"(?:0\.0\.0\.0)?:(\d{1,5})")
_HOST_NAME = re.compile(r"(?:.*_)?(?:HOST|HOSTNAME|SERVER|ADDR|ADDRESS|HOSTS|BROKER)")
"""Matches names of variables that hold a host."""
_USUAL_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443, "redis": 6379, "rediss": 6379}
DATA_PORTS = {"postgresql": 5432, "postgres": 5432, "postgis": 5432, "redis": 6379}
"""URL scheme → the port of a URL that names none, for servers that devinit runs."""
_PARTS = {
    "USER": "USER", "USERNAME": "USER", "PASSWORD": "PASSWORD", "PASS": "PASSWORD", "DB": "DB", "NAME": "DB",
    "DATABASE": "DB", "DBNAME": "DB", "DB_NAME": "DB",
}  # fmt: skip
"""Ending of a variable's name → the suffix of devinit's own variable for the same part of a login."""
_IN_A_URL = re.compile(r"[A-Za-z0-9._~-]*")
"""Characters that need no escape in a URL."""


class Login(Struct, frozen=True):
    """The login of a data service."""

    user: str = ""
    password: str = ""
    database: str = ""


class Server(Struct, frozen=True, kw_only=True):
    """A service of the compose file, as other services reach it."""

    name: str
    """Its name in the compose file."""
    prefix: str | None
    """Prefix of its variables; None when devinit does not run it."""
    ports: tuple[int, ...]
    """Ports inside its container, the main one first; empty when they are unknown."""
    is_data: bool = False
    login: Login = Login()

    @property
    def main(self) -> int | None:
        """The port at which other services reach it."""
        return self.ports[0] if self.ports else None


class Network(Struct, frozen=True, kw_only=True):
    """The servers that one service can reach, and its own folders."""

    hosts: Mapping[str, Server]
    published: Mapping[int, Server]
    """Keyed by the port on the host; holds only ports that lead to the main port of a service."""
    own: Server
    folders: tuple[tuple[str, str], ...] = ()
    """Folders of its container, each with the template of the native folder; longest first."""
    gone: tuple[str, ...] = ()
    """Folders of its container that have no native counterpart."""


class Rewritten(Struct):
    """A value as a template, with the reasons if it cannot be one."""

    template: str
    changed: bool = False
    problems: list[str] = field(default_factory=list)
    missing: list[Server] = field(default_factory=list)
    """Servers that the value names and that devinit does not run."""


def rewritten(name: str, value: str, values: Mapping[str, str], network: Network) -> Rewritten:
    """Return the native value of a variable; `values` holds all variables of the same service."""
    server = _host(name, value, network) or _of_a_port(name, values, network)
    if server is not None and server.prefix is None:
        return Rewritten("", missing=[server])
    if (whole := _whole(name, value, values, network)) is not None:
        return Rewritten(whole, changed=True)
    for folder in network.gone:
        if value == folder or value.startswith(f"{folder}/"):
            return Rewritten("", problems=[f"{folder} is a folder of the container"])
    for folder, native in network.folders:
        if value == folder or value.startswith(f"{folder}/"):
            return Rewritten(native + literal(value[len(folder) :]), changed=True)
    return in_text(value, network)


def in_text(text: str, network: Network) -> Rewritten:
    """Return a text as a template in which every known address is replaced."""
    result = Rewritten("")
    parts: list[str] = []
    position = 0
    for found in _ADDRESS.finditer(text):
        new = _of_url(found, network, result) if found["scheme"] else _of_pair(found, network, result)
        if new is not None:
            parts += (literal(text[position : found.start()]), new)
            position = found.end()
            result.changed = True
    rest = text[position:]
    parts.append(literal(rest) if position or "host=" not in rest else _dsn(rest, network, result))
    result.template = "".join(parts)
    return result


def logins_in(text: str, network: Network) -> Iterator[tuple[Server, Login]]:
    """Yield each data service that a loopback URL in the text names, with the login in that URL."""
    for found in _ADDRESS.finditer(text):
        if found["scheme"] and found["host"] in LOOPBACK:
            usual = DATA_PORTS.get(found["scheme"].partition("+")[0].lower())
            server = network.published.get(int(found["port"]) if found["port"] else usual or 0)
            if server is not None and server.is_data:
                path = (found["path"] or "")[1:]
                yield server, Login(found["user"] or "", found["password"] or "", path)


def added_ports(values: Mapping[str, str], network: Network) -> Iterator[tuple[str, str, str]]:
    """Yield each host variable without a port variable, then the name and the template of that port variable."""
    for name, value in values.items():
        server = _host(name, value, network)
        if server is not None and server.prefix is not None:
            beside = f"{name.rpartition('_')[0]}_PORT".removeprefix("_")
            if beside not in values and beside not in ("PORT", f"{server.prefix}_PORT"):
                yield name, beside, f"${{{server.prefix}_PORT}}"


def _host(name: str, value: str, network: Network) -> Server | None:
    """Return the server that a host variable names."""
    return network.hosts.get(value) if _HOST_NAME.fullmatch(name.upper()) else None


def _of_a_port(name: str, values: Mapping[str, str], network: Network) -> Server | None:
    """Return the server that the host variable beside a port variable names."""
    prefix = name.upper().removesuffix("PORT")
    return _beside(prefix, values, network) if prefix.endswith("_") and prefix != name.upper() else None


def _whole(name: str, value: str, values: Mapping[str, str], network: Network) -> str | None:
    """Return the template of a value that is one whole part of an address; None for any other value."""
    server = _host(name, value, network)
    if server is not None and server.prefix is not None:
        return f"${{{server.prefix}_HOST}}"
    if value == EVERY_ADDRESS:
        return LOCAL_HOST
    if value in THE_HOST:
        return "localhost"
    own = network.own.main
    found = _ANY_PORT.fullmatch(value)
    if found is not None and own is not None and int(found[1]) == own:
        return f"{LOCAL_HOST}:${{PORT}}"
    return _part(name, value, values, network)


def _part(name: str, value: str, values: Mapping[str, str], network: Network) -> str | None:
    """Return the template of a port, user, password or database; None for any other value."""
    upper = name.upper()
    for ending in ("PORT", *sorted(_PARTS, key=len, reverse=True)):
        prefix = upper.removesuffix(ending)
        if prefix == upper or (prefix and not prefix.endswith("_")):
            continue
        server = _beside(prefix, values, network)
        if ending == "PORT":
            return _port(prefix, value, server, values, network)
        if server is not None and server.prefix and server.is_data:
            part, login = _PARTS[ending], server.login
            stated = {"USER": login.user, "PASSWORD": login.password}.get(part, login.database)
            if value and value == stated:
                return f"${{{server.prefix}_{part}}}"
    return None


def _port(
    prefix: str, value: str, server: Server | None, values: Mapping[str, str], network: Network
) -> str | None:
    """Return the template of a port, whose server another variable may name; None when the port stays."""
    if not (value.isascii() and value.isdigit()):
        return None
    if server is not None:
        return f"${{{server.prefix}_PORT}}" if server.prefix and _is_port_of(int(value[:6]), server) else None
    if (published := _published_beside(prefix, int(value[:6]), values, network)) is not None:
        return f"${{{published.prefix}_PORT}}"
    return "${PORT}" if value == str(network.own.main) else None


def _published_beside(prefix: str, port: int, values: Mapping[str, str], network: Network) -> Server | None:
    """Return the server at a published port when a variable with the same prefix holds a loopback host."""
    server = network.published.get(port)
    for name, value in values.items():
        is_host = name.upper().startswith(prefix) and _HOST_NAME.fullmatch(name.upper()[len(prefix) :])
        if is_host and value in LOOPBACK:
            return server if server is not None and server.prefix is not None else None
    return None


def _beside(prefix: str, values: Mapping[str, str], network: Network) -> Server | None:
    """Return the server that a host variable with the same prefix names."""
    for name, value in values.items():
        upper = name.upper()
        if upper.startswith(prefix) and upper != prefix and _HOST_NAME.fullmatch(upper[len(prefix) :]):
            server = network.hosts.get(value)
            if server is not None:
                return server
    return None


def _is_port_of(port: int | None, server: Server) -> bool:
    return port is None or not server.ports or port == server.main


def _of_url(found: re.Match[str], network: Network, result: Rewritten) -> str | None:
    """Return the template of a URL up to its path; None when the URL stays unchanged."""
    scheme, host = found["scheme"], found["host"]
    port = int(found["port"]) if found["port"] else None
    server = network.hosts.get(host)
    if server is None:
        return _of_published(found, network, result)
    if server.prefix is None:
        result.missing.append(server)
        return None
    wanted = port or _USUAL_PORTS.get(scheme.lower())
    if not _is_port_of(wanted, server):
        result.problems.append(f"{server.name} is known by port {server.main}, not by {wanted}")
        return None
    return _at_the_server(found, server, result)


def _at_the_server(found: re.Match[str], server: Server, result: Rewritten) -> str:
    """Return the template of a URL of a server that devinit runs."""
    scheme, path = found["scheme"], found["path"] or ""
    login = _userinfo(found, server, result)
    if server.is_data and server.login.database and path[1:] == server.login.database:
        path = f"/${{{server.prefix}_DB}}"
    else:
        path = literal(path)
    return f"{scheme}://{login}${{{server.prefix}_HOST}}:${{{server.prefix}_PORT}}{path}"


def _userinfo(found: re.Match[str], server: Server, result: Rewritten) -> str:
    """Return user and password of a URL as a template, as far as devinit's server has the same user."""
    user, password = found["user"], found["password"]
    if user is None:
        return ""
    as_written = literal(user + (f":{password}" if password is not None else "")) + "@"
    if not server.is_data or not _IN_A_URL.fullmatch(server.login.password + server.login.user):
        return as_written
    if not server.login.user:
        has_password = bool(server.login.password) and password is not None
        return f"{literal(user)}:${{{server.prefix}_PASSWORD}}@" if has_password else as_written
    if user != server.login.user:
        result.problems.append(f"{server.name} has no role {user or 'without a name'}")
        return as_written
    return f"${{{server.prefix}_USER}}:${{{server.prefix}_PASSWORD}}@"


def _of_published(found: re.Match[str], network: Network, result: Rewritten) -> str | None:
    """Return the template of a URL that goes through the host, such as `http://localhost:8000`."""
    host, port = found["host"], int(found["port"]) if found["port"] else None
    if host not in LOOPBACK and host not in THE_HOST:
        return None
    usual = DATA_PORTS.get(found["scheme"].partition("+")[0].lower())
    server = network.published.get(port or usual or 0)
    if server is not None and server.prefix is not None and server.is_data:
        return _at_the_server(found, server, result)
    if server is None and port is not None and port == network.own.main and host in LOOPBACK:
        variable = "${PORT}"
    elif server is not None and server.prefix is not None:
        variable = f"${{{server.prefix}_PORT}}"
    else:
        variable = str(port) if host in THE_HOST and port else ""
    if not variable:
        return None
    begin = found.start()
    before = found.string[begin : found.start("host")]
    near = "localhost" if host in THE_HOST else host
    return f"{literal(before)}{near}:{variable}{literal(found['path'] or '')}"


def _of_pair(found: re.Match[str], network: Network, result: Rewritten) -> str | None:
    """Return the template of `host:port`; None when it is no known address."""
    host, port = found["name"], int(found["number"])
    server = network.hosts.get(host)
    if server is not None and (not server.ports or port == server.main):
        if server.prefix is None:
            result.missing.append(server)
            return None
        return f"${{{server.prefix}_HOST}}:${{{server.prefix}_PORT}}"
    if host == EVERY_ADDRESS and port == network.own.main:
        return f"{LOCAL_HOST}:${{PORT}}"
    published = network.published.get(port)
    if host in LOOPBACK and published is not None and published.prefix is not None:
        return f"{host}:${{{published.prefix}_PORT}}"
    return None


def _dsn(text: str, network: Network, result: Rewritten) -> str:
    """Return a text such as `host=db port=5432 …` with host and port replaced."""
    found = _DSN_HOST.search(text)
    server = network.hosts.get(found[1]) if found else None
    if found is None or server is None:
        return literal(text)
    if server.prefix is None:
        result.missing.append(server)
        return literal(text)
    port = _DSN_PORT.search(text)
    if port is not None and not _is_port_of(int(port[1]), server):
        result.problems.append(f"{server.name} is known by port {server.main}, not by {port[1]}")
        return literal(text)
    host = f"host=${{{server.prefix}_HOST}}"
    changes = [(found.span(), host if port else f"{host} port=${{{server.prefix}_PORT}}")]
    if port is not None:
        changes.append((port.span(), f"port=${{{server.prefix}_PORT}}"))
    parts: list[str] = []
    position = 0
    for (start, end), new in sorted(changes):
        parts += (literal(text[position:start]), new)
        position = end
    result.changed = True
    return "".join((*parts, literal(text[position:])))
