"""What values with addresses become where devinit runs the servers: host and port are devinit's then. Pure.

In a compose file the host is the name of another container, and the port the one inside of it. Host and port
become templates of devinit, and so do user, password and database where devinit runs the server. Scheme, driver,
path, query and all else stay as they are. What is not certain is left out, and the reason is returned.
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
"""How a container calls the machine that it runs on."""
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
"""Names of variables that hold a host."""
_USUAL_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443, "redis": 6379, "rediss": 6379}
DATA_PORTS = {"postgresql": 5432, "postgres": 5432, "postgis": 5432, "redis": 6379}
"""Scheme → the port that a URL without one means, of a server that devinit runs."""
_PARTS = {
    "USER": "USER", "USERNAME": "USER", "PASSWORD": "PASSWORD", "PASS": "PASSWORD", "DB": "DB", "NAME": "DB",
    "DATABASE": "DB", "DBNAME": "DB", "DB_NAME": "DB",
}  # fmt: skip
"""The end of a variable's name → that of the variable which has the same part of a login."""
_IN_A_URL = re.compile(r"[A-Za-z0-9._~-]*")
"""What a URL needs no escape for."""


class Login(Struct, frozen=True):
    """The login of a data service."""

    user: str = ""
    password: str = ""
    database: str = ""


class Server(Struct, frozen=True, kw_only=True):
    """A service of the compose file, as others reach it."""

    name: str
    """What the compose file calls it."""
    prefix: str | None
    """What the names of its variables begin with; None for one that devinit does not run."""
    ports: tuple[int, ...]
    """Inside of its container, the main one first; none when they are not known."""
    is_data: bool = False
    login: Login = Login()

    @property
    def main(self) -> int | None:
        """The port that it is known by."""
        return self.ports[0] if self.ports else None


class Network(Struct, frozen=True, kw_only=True):
    """Whom a service can reach, and how."""

    hosts: Mapping[str, Server]
    published: Mapping[int, Server]
    """Keyed by the port of the host; only those that lead to the main port of a service."""
    own: Server
    folders: tuple[tuple[str, str], ...] = ()
    """Folders of its container, and the templates of those that it has natively; the longest first."""
    gone: tuple[str, ...] = ()
    """Folders of its container that nothing native stands for."""


class Rewritten(Struct):
    """A value as a template, and why it cannot be one."""

    template: str
    changed: bool = False
    problems: list[str] = field(default_factory=list)
    missing: list[Server] = field(default_factory=list)
    """Servers that it names, and that devinit does not run."""


def rewritten(name: str, value: str, values: Mapping[str, str], network: Network) -> Rewritten:
    """Return what a variable is natively; `values` are those of all variables of the same service."""
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
    """Return a text with every address in it replaced, as a template."""
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
    """Yield the data services that URLs of this machine name, with the login that they name."""
    for found in _ADDRESS.finditer(text):
        if found["scheme"] and found["host"] in LOOPBACK:
            usual = DATA_PORTS.get(found["scheme"].partition("+")[0].lower())
            server = network.published.get(int(found["port"]) if found["port"] else usual or 0)
            if server is not None and server.is_data:
                path = (found["path"] or "")[1:]
                yield server, Login(found["user"] or "", found["password"] or "", path)


def added_ports(values: Mapping[str, str], network: Network) -> Iterator[tuple[str, str, str]]:
    """Yield the variable of a host that has none for its port beside it, then name and template of that."""
    for name, value in values.items():
        server = _host(name, value, network)
        if server is not None and server.prefix is not None:
            beside = f"{name.rpartition('_')[0]}_PORT".removeprefix("_")
            if beside not in values and beside not in ("PORT", f"{server.prefix}_PORT"):
                yield name, beside, f"${{{server.prefix}_PORT}}"


def _host(name: str, value: str, network: Network) -> Server | None:
    """Return the server that a variable for a host names."""
    return network.hosts.get(value) if _HOST_NAME.fullmatch(name.upper()) else None


def _of_a_port(name: str, values: Mapping[str, str], network: Network) -> Server | None:
    """Return the server whose host is named beside a variable for a port."""
    prefix = name.upper().removesuffix("PORT")
    return _beside(prefix, values, network) if prefix.endswith("_") and prefix != name.upper() else None


def _whole(name: str, value: str, values: Mapping[str, str], network: Network) -> str | None:
    """Return the template of a value that is one part of an address; None when it is none."""
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
    """Return the template of a port, a user, a password or a database."""
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
    """Return the template of a port, whose server another variable may name; None when it stays."""
    if not (value.isascii() and value.isdigit()):
        return None
    if server is not None:
        return f"${{{server.prefix}_PORT}}" if server.prefix and _is_port_of(int(value[:6]), server) else None
    if (published := _published_beside(prefix, int(value[:6]), values, network)) is not None:
        return f"${{{published.prefix}_PORT}}"
    return "${PORT}" if value == str(network.own.main) else None


def _published_beside(prefix: str, port: int, values: Mapping[str, str], network: Network) -> Server | None:
    """Return the server at a port of this machine, when another variable with the same beginning says so."""
    server = network.published.get(port)
    for name, value in values.items():
        is_host = name.upper().startswith(prefix) and _HOST_NAME.fullmatch(name.upper()[len(prefix) :])
        if is_host and value in LOOPBACK:
            return server if server is not None and server.prefix is not None else None
    return None


def _beside(prefix: str, values: Mapping[str, str], network: Network) -> Server | None:
    """Return the server whose host another variable with the same beginning names."""
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
    """Return the template of a URL's address; None when it stays as it is."""
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
    """Return the template of a URL that names a server of devinit."""
    scheme, path = found["scheme"], found["path"] or ""
    login = _userinfo(found, server, result)
    if server.is_data and server.login.database and path[1:] == server.login.database:
        path = f"/${{{server.prefix}_DB}}"
    else:
        path = literal(path)
    return f"{scheme}://{login}${{{server.prefix}_HOST}}:${{{server.prefix}_PORT}}{path}"


def _userinfo(found: re.Match[str], server: Server, result: Rewritten) -> str:
    """Return user and password of a URL, as the server that devinit runs has them."""
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
    """Return the template of a URL by which the host is reached: `http://localhost:8000`."""
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
    """Return the template of `host:port`; None when it is something else."""
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
    """Return `host=db port=5432 …` with both replaced."""
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
