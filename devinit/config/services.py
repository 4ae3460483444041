"""One service of the file: its table checked and completed with defaults."""

from __future__ import annotations

import math
import os.path
import re
import signal
import unicodedata
import warnings
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct

from devinit.config.problems import Place, choose
from devinit.config.schema import (
    PROVIDERS,
    SERVICE_NAME,
    VARIABLE_NAME,
    LogsTable,
    ReadyTable,
    RestartTable,
    Seconds,
    ServiceTable,
    StopTable,
    Texts,
    Values,
)
from devinit.model.port import ATTEMPTS, HIGHEST_PORT, LOWEST_UNPRIVILEGED_PORT, PortRequest
from devinit.model.service import (
    DatabaseSettings,
    LogLimits,
    Readiness,
    RestartMode,
    RestartPolicy,
    Service,
    StopPolicy,
)

DEFAULT_PORTS = {"postgres": 5432, "redis": 6379}
LOCAL_HOST = "127.0.0.1"
LONGEST_NAME = 40
"""A service's name becomes a part of file names and of container names."""
LONGEST_IDENTIFIER = 63
"""PostgreSQL cuts longer names off without an error."""

_SCHEMES = {"postgres": ("postgresql", "postgres"), "redis": ("redis", "rediss")}
_PROVIDERS_OF = {
    "command": ("process",),
    "url_path": ("process",),
    "docs_path": ("process",),
    "warm": ("process",),
    "database": ("postgres",),
    "user": ("postgres",),
    "password": ("postgres",),
    "binaries": ("postgres", "redis"),
    "url": ("postgres", "redis"),
}
"""The keys that only some providers understand."""
_OF_A_SERVER_THAT_WE_RUN = (
    "port", "range", "strict_port", "port_env", "extra_ports", "database", "user", "password", "binaries", "setup",
    "before_start", "stop", "restart", "logs",
)  # fmt: skip
_KINDS_OF_READINESS = ("http", "tcp", "exec", "log", "after")
_SIZE_UNITS = {
    "": 1, "b": 1, "kb": 1000, "mb": 1000**2, "gb": 1000**3, "kib": 1024, "mib": 1024**2, "gib": 1024**3,
}  # fmt: skip
_SMALLEST_LOG = 1000


class Surroundings(Struct, frozen=True):
    """What a service's defaults depend on."""

    root: Path
    project: str


def service(name: str, table: ServiceTable, surroundings: Surroundings, place: Place) -> Service:
    """Return the service that a table describes; what is wrong is reported at the place."""
    provider = table.provider or "process"
    _check_name(name, place)
    _check_provider(provider, table, place)
    return Service(
        name=name,
        provider=provider,
        command=table.command,
        directory=_directory(table.directory, surroundings.root, place.at("directory")),
        host=_host(table.host, place.at("host")),
        port=_port_request(name, provider, table, place),
        port_env=_variable_names(table.port_env, place.at("port_env")),
        extra_ports=_extra_ports(name, provider, table, place.at("extra_ports")),
        depends_on=tuple(dict.fromkeys(_texts(table.depends_on))),
        setup=_commands(table.setup, place.at("setup")),
        before_start=_commands(table.before_start, place.at("before_start")),
        ready=_readiness(table, provider, place.at("ready")),
        env=variables(table.env, place.at("env")),
        env_file=_env_files(table, surroundings.root, place.at("env_file")),
        restart=_restart(table.restart, place.at("restart")),
        stop=_stop(table.stop, place.at("stop")),
        logs=_logs(table.logs, place.at("logs")),
        optional=bool(table.optional),
        warm=_url_path(table.warm, place.at("warm")),
        url_path=_url_path(table.url_path, place.at("url_path")) or "",
        docs_path=_url_path(table.docs_path, place.at("docs_path")),
        database=_database(table, provider, surroundings.project, place),
        binaries=_binaries(table.binaries, surroundings.root, place.at("binaries")),
        external_url=_external_url(table.url, provider, place.at("url")),
    )


def identifier(name: str) -> str:
    """Return a project's name as a name that SQL takes without quotes or surprises: "Café-Shop" → "cafe_shop"."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    text = re.sub(r"[^a-z0-9]+", "_", plain.lower()).strip("_") or "app"
    if text[0].isdigit() or text.startswith("pg_") or text in _RESERVED_IDENTIFIERS:
        text = f"app_{text}"
    return text[:LONGEST_IDENTIFIER].rstrip("_")


# Roles named pg_… and these two are refused by CREATE ROLE even in quotes; the templates always exist.
_RESERVED_IDENTIFIERS = ("public", "none", "template0", "template1")


def variables(values: Values | None, place: Place) -> dict[str, str]:
    """Return variables with their values as text."""
    found = {}
    for name, value in (values or {}).items():
        if not re.fullmatch(VARIABLE_NAME, name):
            place.at(name).add("not a name that a shell can read", "letters, digits and _; no digit first")
        match value:
            case bool():
                found[name] = "true" if value else "false"
            case int() if abs(value) >= 2**63:
                place.at(name).add(
                    "a very large number", "put it in quotes, so that it arrives as it is written"
                )
            case _:
                found[name] = str(value)
    return found


def seconds(value: Seconds | None, default: float, place: Place, *, positive: bool = False) -> float:
    """Return a duration, or its default when none is given."""
    if value is None:
        return default
    if not 0 <= value < math.inf or (positive and value == 0):
        place.add(f"{value} is no duration", "seconds, more than 0" if positive else "seconds, 0 or more")
        return default
    return float(value)


def _check_name(name: str, place: Place) -> None:
    if name == "all":
        place.add('a service cannot be named "all"', "`devinit start all` means every service")
    elif not re.fullmatch(SERVICE_NAME, name) or len(name) > LONGEST_NAME:
        place.add(
            "not a name for a service",
            f"small letters, digits, - and _, a letter first, at most {LONGEST_NAME}",
        )


def _check_provider(provider: str, table: ServiceTable, place: Place) -> None:
    if provider not in PROVIDERS:
        place.at("provider").add(
            f'there is no provider "{provider}"', choose(provider, PROVIDERS, what="providers")
        )
        return
    for key, providers in _PROVIDERS_OF.items():
        if getattr(table, key) is not None and provider not in providers:
            place.at(key).add(
                f"means nothing for provider {provider}", f"it is for {' and '.join(providers)}"
            )
    if provider == "process" and not (table.command or "").strip():
        place.at("command").add("missing", "say what starts the service, or choose a built-in provider")
    if table.url is not None:
        for key in _OF_A_SERVER_THAT_WE_RUN:
            if getattr(table, key) is not None:
                place.at(key).add("means nothing beside `url`", "a server that runs elsewhere is only used")


def _directory(text: str | None, root: Path, place: Place) -> Path:
    directory = root / text if text else root
    if not os.path.isdir(directory):  # noqa: PTH112 - Path.is_dir() raises for a path that is too long
        place.add(_missing(directory, "directory"), "paths are relative to the project's folder")
    return directory


def _binaries(text: str | None, root: Path, place: Place) -> Path | None:
    return _directory(text, root, place) if text else None


def _missing(path: Path, what: str) -> str:
    there = os.path.exists(path)  # noqa: PTH110 - as above
    return f"{path} is not a {what}" if there else f"{what} {path} does not exist"


def _host(text: str | None, place: Place) -> str:
    if text is None:
        return LOCAL_HOST
    if not re.fullmatch(r"[A-Za-z0-9._:%-]+", text):
        place.add(f'"{text}" is not an address', f"an address or a host name, as {LOCAL_HOST} or 0.0.0.0")
    return text


def _port_request(name: str, provider: str, table: ServiceTable, place: Place) -> PortRequest | None:
    if table.url is not None:
        return None
    limits = _range(table.range, place.at("range")) if table.range is not None else None
    preferred = table.port
    if preferred is None:
        preferred = limits[0] if limits else DEFAULT_PORTS.get(provider)
    if preferred is None:
        for key in ("strict_port", "port_env"):
            if table.range is None and getattr(table, key):
                place.at(key).add("needs a `port`")
        return None
    if table.port is not None and not _check_port(table.port, place.at("port")):
        return None
    strict = bool(table.strict_port)
    if strict and limits:
        place.at("range").add("means nothing beside `strict_port`", "a strict port is never moved")
    if limits and not limits[0] <= preferred <= limits[1]:
        place.at("range").add(
            f"the preferred port {preferred} lies outside {limits[0]}-{limits[1]}", "change `port` or `range`"
        )
    first, last = limits or _range_from(preferred, strict=strict)
    return PortRequest(
        service=name,
        preferred=preferred,
        first=first,
        last=last,
        strict=strict,
        browser=provider == "process",
        policy=table.on_conflict,
    )


def _extra_ports(name: str, provider: str, table: ServiceTable, place: Place) -> tuple[PortRequest, ...]:
    requests = []
    for extra, port in (table.extra_ports or {}).items():
        if not re.fullmatch(SERVICE_NAME, extra):
            place.at(extra).add("not a name for a port", "small letters, digits, - and _, a letter first")
        if _check_port(port, place.at(extra)):
            first, last = _range_from(port, strict=False)
            requests.append(
                PortRequest(
                    service=f"{name}.{extra}",
                    preferred=port,
                    first=first,
                    last=last,
                    browser=provider == "process",
                    policy=table.on_conflict,
                )
            )
    return tuple(requests)


def _range_from(port: int, *, strict: bool) -> tuple[int, int]:
    return (port, port) if strict else (port, min(port + ATTEMPTS - 1, HIGHEST_PORT))


def _range(text: str, place: Place) -> tuple[int, int] | None:
    parts = re.fullmatch(r"\s*(\d{1,9})\s*-\s*(\d{1,9})\s*", text, re.ASCII)
    if parts is None:
        place.add(f'"{text}" is not a range of ports', 'first and last port, as "8000-8010"')
        return None
    first, last = int(parts[1]), int(parts[2])
    if not (_check_port(first, place) and _check_port(last, place)):
        return None
    if first > last:
        place.add(f'"{text}" ends before it begins', f'did you mean "{last}-{first}"?')
        return None
    return first, last


def _check_port(port: int, place: Place) -> bool:
    if not 0 < port <= HIGHEST_PORT:
        place.add(f"{port} is not a port", f"{LOWEST_UNPRIVILEGED_PORT} to {HIGHEST_PORT}")
        return False
    if port < LOWEST_UNPRIVILEGED_PORT:
        place.add(
            f"port {port} is privileged: only root may listen below {LOWEST_UNPRIVILEGED_PORT}",
            f"choose one from {LOWEST_UNPRIVILEGED_PORT} on, for example {port + 8000}",
        )
        return False
    return True


def _texts(value: Texts | None) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value or ())


def _commands(value: Texts | None, place: Place) -> tuple[str, ...]:
    commands = _texts(value)
    if not all(command.strip() for command in commands):
        place.add("an empty command")
    return commands


def _variable_names(value: Texts | None, place: Place) -> tuple[str, ...]:
    names = _texts(value)
    for name in names:
        if not re.fullmatch(VARIABLE_NAME, name):
            place.add(f'"{name}" is not a name for a variable', "letters, digits and _; no digit first")
    return names


def _env_files(table: ServiceTable, root: Path, place: Place) -> tuple[Path, ...]:
    files = []
    for text in _texts(table.env_file):
        file = root / text
        files.append(file)
        if os.path.isfile(file):  # noqa: PTH113 - as above
            continue
        beside = Path(table.directory or ".") / text
        found = os.path.isfile(root / beside)  # noqa: PTH113 - as above
        meant = f'did you mean "{beside}"?' if found else "create it, or remove the key"
        place.add(_missing(file, "file"), meant)
    return tuple(files)


def _url_path(text: str | None, place: Place) -> str | None:
    if text and not text.startswith("/"):
        place.add(f'"{text}" is not a path', f'did you mean "/{text}"?')
    return text


def _readiness(table: ServiceTable, provider: str, place: Place) -> Readiness:
    ready = table.ready or ReadyTable()
    _check_kind(ready, table, provider, place)
    return Readiness(
        http=_url_path(ready.http, place.at("http")),
        status=_statuses(ready.status, place.at("status")),
        body=_pattern(ready.body, place.at("body")),
        tcp=bool(ready.tcp),
        exec=ready.exec,
        log=_pattern(ready.log, place.at("log")),
        after_seconds=seconds(ready.after, Readiness().after_seconds, place.at("after")),
        timeout_seconds=seconds(
            ready.timeout, Readiness().timeout_seconds, place.at("timeout"), positive=True
        ),
    )


def _check_kind(ready: ReadyTable, table: ServiceTable, provider: str, place: Place) -> None:
    kinds = [kind for kind in _KINDS_OF_READINESS if getattr(ready, kind) not in (None, False)]
    has_port = table.port is not None or table.range is not None
    if provider != "process":
        for kind in kinds:
            place.at(kind).add(f"{provider} is proven ready by its own protocol", "only `timeout` can be set")
    elif len(kinds) > 1:
        place.add(f"two kinds of readiness: {' and '.join(kinds)}", "keep one of them")
    elif kinds and kinds[0] in ("http", "tcp") and not has_port:
        place.at(kinds[0]).add("needs a `port`", "without one: `log`, `exec` or `after`")
    elif kinds == ["after"] and has_port:
        place.at("after").add("is for a service without a port", "use `http`, `tcp`, `exec` or `log`")
    for key in ("status", "body"):
        if getattr(ready, key) is not None and ready.http is None:
            place.at(key).add("means nothing without `http`")
    for key in ("exec", "http"):
        if getattr(ready, key) == "":
            place.at(key).add("is empty")


def _statuses(value: int | list[int] | None, place: Place) -> tuple[int, ...]:
    codes = (value,) if isinstance(value, int) else tuple(value or ())
    for code in codes:
        if not 100 <= code <= 599:  # noqa: PLR2004 - HTTP's
            place.add(f"{code} is not a status code of HTTP", "100 to 599")
    return codes


def _pattern(text: str | None, place: Place) -> str | None:
    if text is None:
        return None
    try:
        with warnings.catch_warnings(action="ignore"):
            re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        place.add(f'"{text}" is not a regular expression: {error}')
    return text


def _restart(value: RestartMode | RestartTable | None, place: Place) -> RestartPolicy:
    if value is None:
        return RestartPolicy()
    if isinstance(value, RestartMode):
        return RestartPolicy(mode=value)
    default = RestartPolicy()
    return RestartPolicy(
        mode=value.mode or default.mode,
        failures=_count(value.failures, default.failures, place.at("failures")),
        window_seconds=seconds(value.window, default.window_seconds, place.at("window"), positive=True),
    )


def _stop(table: StopTable | None, place: Place) -> StopPolicy | None:
    if table is None:
        return None
    default = StopPolicy()
    return StopPolicy(
        signal=_signal(table.signal, place.at("signal")) if table.signal is not None else default.signal,
        grace_seconds=seconds(table.grace, default.grace_seconds, place.at("grace")),
        kill=default.kill if table.kill is None else table.kill,
    )


def _signal(text: str, place: Place) -> str:
    name = text.upper().removeprefix("SIG")
    known = [each.name.removeprefix("SIG") for each in signal.Signals]
    if name not in known:
        place.add(f'there is no signal "{text}"', choose(name, known, what="signals"))
    return name


def _logs(table: LogsTable | None, place: Place) -> LogLimits:
    if table is None:
        return LogLimits()
    default = LogLimits()
    return LogLimits(
        size_bytes=_size(table.size, default.size_bytes, place.at("size")),
        count=_count(table.count, default.count, place.at("count")),
    )


def _size(value: int | str | None, default: int, place: Place) -> int:
    if value is None:
        return default
    text = f"{value:x}" if isinstance(value, int) and abs(value) >= 10**12 else str(value)
    parts = re.fullmatch(r"\s*(\d{1,12})\s*([A-Za-z]*)\s*", text, re.ASCII)
    if parts is None or parts[2].lower() not in _SIZE_UNITS:
        place.add("not a size", 'bytes, or a text like "500 kB" or "10 MB"')
        return default
    size = int(parts[1]) * _SIZE_UNITS[parts[2].lower()]
    if size < _SMALLEST_LOG:
        place.add(f"{size} bytes are too few", f"at least {_SMALLEST_LOG}")
    return size


def _count(value: int | None, default: int, place: Place) -> int:
    if value is not None and value < 1:
        place.add(f"{value} is too few", "at least 1")
    return default if value is None else value


def _database(table: ServiceTable, provider: str, project: str, place: Place) -> DatabaseSettings | None:
    if provider != "postgres" or table.url is not None:
        return None
    default = identifier(project)
    for key in ("database", "user"):
        _check_identifier(getattr(table, key), place.at(key))
    if table.password == "":
        place.at("password").add("is empty", "any text will do: the server listens on this machine only")
    return DatabaseSettings(
        database=table.database or default, user=table.user or default, password=table.password or default
    )


def _check_identifier(name: str | None, place: Place) -> None:
    if name is None:
        return
    if not name or len(name.encode()) > LONGEST_IDENTIFIER:
        place.add(f"a name has 1 to {LONGEST_IDENTIFIER} bytes")
    elif place.key[-1] == "user" and (name.startswith("pg_") or name in ("public", "none")):
        place.add(f'PostgreSQL keeps the name "{name}" for itself')


def _external_url(text: str | None, provider: str, place: Place) -> str | None:
    schemes = _SCHEMES.get(provider)
    if text is None or schemes is None:
        return None
    scheme, separator, _ = text.partition("://")
    if not separator or scheme not in schemes:
        place.add(
            f"not the URL of a {provider} server", f"it begins with {' or '.join(f'{s}://' for s in schemes)}"
        )
        return text
    try:
        parts = urlsplit(text)
        if not parts.hostname or parts.port == 0:
            place.add("names no host", f"{scheme}://user:password@host:port/name")
    except ValueError as error:
        place.add(f"not a URL: {error}")
    return text
