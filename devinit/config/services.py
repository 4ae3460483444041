"""One service of the file: its table, checked and completed with defaults."""

from __future__ import annotations

import os.path
import re
from pathlib import Path

from msgspec import Struct

from devinit.config.health import health
from devinit.config.policies import log_limits, readiness, restart_policy, stop_policy, url_path
from devinit.config.port_requests import extra_endpoints, extra_ports, oauth_redirect_ports, port_request
from devinit.config.problems import Place
from devinit.config.schema import ServiceTable, plain_keys, stated_by
from devinit.config.tables import SERVICE_NAME, VARIABLE_NAME, Dependencies, Texts, Values
from devinit.kinds import KINDS, USUAL, Context, Kind, kind_implied_by
from devinit.model.defaults import LOCAL_HOST
from devinit.model.service import Condition, PlainServiceKeys, Project, RestartMode, Scheme, Service
from devinit.system.bounds import bounds_of, bounds_within

_QUOTING = frozenset("'\"\\")
"""Without any of these, the words of a command line are separated only by spaces."""
_WILDCARDS = frozenset("*?[")
LONGEST_NAME = 40
"""A service's name becomes part of file names and of container names."""

_OF_A_SERVER_THAT_WE_RUN = (
    "port", "range", "exhausted", "strict_port", "port_env", "extra_ports", "oauth_redirect_ports", "setup",
    "setup_inputs", "before_start", "stop", "restart", "logs",
)  # fmt: skip
"""Keys that need a server which devinit runs, besides the keys that its kind declares."""


class Surroundings(Struct, frozen=True):
    """The project around a service, on which its defaults depend."""

    root: Path
    project: str
    is_named: bool = True
    """Whether the project has its own name; otherwise it is that of its folder."""
    found: Project | None = None
    """The project detected beneath the file; None if the file is the whole configuration."""


def service(name: str, table: ServiceTable, surroundings: Surroundings, place: Place) -> Service:
    """Return the service that a table describes; report mistakes at the place."""
    provider = table.provider or kind_implied_by(name, has_command=table.command is not None)
    kind = KINDS.get(provider, USUAL)
    _check_name(name, place)
    _check_provider(name, provider, table, surroundings, place)
    return Service(
        name=name,
        provider=kind.name,
        command=table.command,
        directory=folder(table.directory, surroundings.root, place.at("directory")),
        host=_host(table.host, place.at("host")),
        scheme=_scheme(table, place.at("scheme")),
        port=port_request(name, kind, table, place),
        port_env=_variable_names(table.port_env, place.at("port_env")),
        extra_ports=extra_ports(name, kind, table, place.at("extra_ports")),
        extra_endpoints=extra_endpoints(name, table, place.at("extra_ports")),
        oauth_redirect_ports=oauth_redirect_ports(table, place.at("oauth_redirect_ports")),
        depends_on=tuple(dict.fromkeys(texts(table.depends_on))),
        conditions=_conditions(table.depends_on),
        setup=commands(table.setup, place.at("setup")),
        setup_inputs=_inputs(table, surroundings.root, place.at("setup_inputs")),
        before_start=commands(table.before_start, place.at("before_start")),
        ready=readiness(table, kind, place.at("ready")),
        health=health(table, kind, place.at("health")),
        env=variables(table.env, place.at("env")),
        left_out=left_out(table.env),
        env_file=_env_files(table, surroundings.root, place.at("env_file")),
        restart=restart_policy(table.restart, place.at("restart")),
        watch=_patterns(table, surroundings.root, place.at("watch")),
        stop=stop_policy(table.stop, place.at("stop")),
        logs=log_limits(table.logs, place.at("logs")),
        once=_once(table, kind, place.at("once")),
        warm=url_path(table.warm, place.at("warm")),
        url_path=url_path(table.url_path, place.at("url_path")) or "",
        docs_path=url_path(table.docs_path, place.at("docs_path")),
        settings=stated_by(table, kind).settings(_context(table, surroundings, place)),
        external_url=_external_url(table.url, kind, place.at("url")),
        **plain_keys(table, PlainServiceKeys),
    )


def variables(values: Values | None, place: Place) -> dict[str, str]:
    """Return variables with their values as text."""
    found = {}
    for name, value in (values or {}).items():
        if not re.fullmatch(VARIABLE_NAME, name):
            place.at(name).add("not a name that a shell can read", "letters, digits and _; no digit first")
        found[name] = str(value).lower() if isinstance(value, bool) else str(value)
    return found


def left_out(values: Values | None) -> tuple[str, ...]:
    """Return the variables that are `false`: a name of devinit's own is left out, any other gets the text."""
    return tuple(name for name, value in (values or {}).items() if value is False)


def _check_name(name: str, place: Place) -> None:
    if name == "all":
        place.add('a service cannot be named "all"', "`devinit start all` means every service")
    elif not re.fullmatch(SERVICE_NAME, name) or len(name) > LONGEST_NAME:
        place.add(
            "not a name for a service",
            f"small letters, digits, - and _, a letter first, at most {LONGEST_NAME}",
        )


def _check_provider(
    name: str, provider: str, table: ServiceTable, surroundings: Surroundings, place: Place
) -> None:
    if provider not in KINDS:
        from devinit.config.plug_ins import refuse  # for an error only

        refuse(provider, place.at("provider"))
        return
    mine = KINDS[provider]
    for key in sorted(frozenset().union(*(kind.known_keys for kind in KINDS.values())) - mine.known_keys):
        # A key of a plug-in that another file has loaded meanwhile is not in this file's table.
        if getattr(table, key, None) is not None:
            meant = [name for name, kind in KINDS.items() if key in kind.known_keys]
            place.at(key).add(f"means nothing for {provider}", f"it is for {' and '.join(meant)}")
    if mine.runs_a_command and not (table.command or "").strip():
        from devinit.config.offered import advice_without_command  # for an error only

        place.at("command").add("missing", advice_without_command(name, surroundings.found))
    _refuse_open_quotes(table.command or "", place.at("command"))
    if table.url is not None:
        for key in (*_OF_A_SERVER_THAT_WE_RUN, *mine.own.__struct_fields__):
            if getattr(table, key) is not None:
                place.at(key).add("means nothing beside `url`", "a server that runs elsewhere is only used")


def folder(text: str | None, root: Path, place: Place) -> Path:
    """Return the folder for a path, by default that of the project; report one that does not exist."""
    directory = root / text if text else root
    if not os.path.isdir(directory):  # noqa: PTH112 - Path.is_dir() raises for a path that is too long
        place.add(_missing(directory, "folder"), "paths are relative to the project's folder")
    return directory


def _context(table: ServiceTable, surroundings: Surroundings, place: Place) -> Context:
    def folder_of(key: str, text: str) -> Path:
        return folder(text, surroundings.root, place.at(key))

    return Context(
        project=surroundings.project,
        is_named=surroundings.is_named,
        is_elsewhere=table.url is not None,
        where=place,
        folder=folder_of,
    )


def _external_url(text: str | None, kind: Kind, place: Place) -> str | None:
    """Return the address of a server that devinit does not run."""
    schemes = kind.url_schemes
    if text is None or not schemes:
        return None
    scheme, separator, _ = text.partition("://")
    if not separator or scheme not in schemes:
        beginnings = " or ".join(f"{scheme}://" for scheme in schemes)
        place.add(f"not the URL of a {kind.name} server", f"it begins with {beginnings}")
        return text
    # Only a project with such a service pays for these 2 ms.
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(text)
        if not parts.hostname or parts.port == 0:
            place.add("names no host", f"{scheme}://user:password@host:port/name")
    except ValueError as error:
        place.add(f"not a URL: {error}")
    return text


def _missing(path: Path, what: str) -> str:
    there = os.path.exists(path)  # noqa: PTH110 - as above
    return f"{path} is not a {what}" if there else f"{path} does not exist"


def _host(text: str | None, place: Place) -> str:
    if text is None:
        return LOCAL_HOST
    if not re.fullmatch(r"[A-Za-z0-9._:%-]+", text):
        place.add(f'"{text}" is not an address', f"an address or a host name, as {LOCAL_HOST} or 0.0.0.0")
    return text


def _once(table: ServiceTable, kind: Kind, place: Place) -> bool:
    if not table.once:
        return False
    mode = table.restart if isinstance(table.restart, RestartMode) else table.restart and table.restart.mode
    if not kind.runs_a_command or table.port is not None or table.range is not None:
        place.add("means nothing for a server", "it is for a command that ends, without a `port`")
    elif table.ready is not None:
        place.add("means nothing beside `ready`", "a one-shot is done when it ends with code 0")
    elif mode is RestartMode.ALWAYS:
        place.add('means nothing beside restart = "always"', "it would run again at once")
    return True


def _scheme(table: ServiceTable, place: Place) -> Scheme | None:
    if table.scheme is not None and table.port is None and table.range is None:
        place.add("needs a `port`", "without one, nothing asks it")
    return table.scheme


def _conditions(value: Dependencies | None) -> dict[str, Condition]:
    stated = value if isinstance(value, dict) else {}
    return {name: condition for name, condition in stated.items() if condition is not Condition.READY}


def texts(value: Dependencies | None) -> tuple[str, ...]:
    """Return one text or a list of texts as a tuple; for a table, its names."""
    return (value,) if isinstance(value, str) else tuple(value or ())


def commands(value: Texts | None, place: Place) -> tuple[str, ...]:
    """Return command lines; report empty ones and those that cannot be split into words."""
    lines = texts(value)
    if not all(line.strip() for line in lines):
        place.add("an empty command")
    for line in lines:
        _refuse_open_quotes(line, place)
    return lines


def _refuse_open_quotes(command: str, place: Place) -> None:
    """Report a command line that cannot be split into words, before anything is started for it."""
    if _QUOTING.isdisjoint(command):
        return
    import shlex  # few commands quote anything

    try:
        shlex.split(command)
    except ValueError as error:
        place.add(f"{command!r} cannot be parsed: {str(error).lower()}", "close every quote")


def _patterns(table: ServiceTable, root: Path, place: Place) -> tuple[str, ...]:
    patterns = texts(table.watch)
    for pattern in patterns:
        if not pattern.strip() or pattern.startswith("/") or ".." in pattern.split("/"):
            place.add(f'"{pattern}" does not lie in its directory', 'a pattern as "src/**/*.py"')
        elif _leads_outside(pattern, root / (table.directory or ""), root):
            place.add(
                f'"{pattern}" leads out of the repository through a link', "watch files of the repository"
            )
    return patterns


def _leads_outside(pattern: str, directory: Path, root: Path) -> bool:
    """Whether a link leads from a service's folder out of the repository, to a folder that would be watched."""
    parts = pattern.split("/")[:-1]
    first = next((count for count, part in enumerate(parts) if _WILDCARDS & set(part)), len(parts))
    bounds = bounds_within(root, directory)
    # The deepest existing folder is watched.
    return not all(bounds.holds(directory.joinpath(*parts[: count + 1])) for count in range(first))


def _inputs(table: ServiceTable, root: Path, place: Place) -> tuple[str, ...]:
    patterns = texts(table.setup_inputs)
    if patterns and not texts(table.setup):
        place.add("means nothing without `setup`", "say what has to be run when these files change")
    for pattern in patterns:
        if not pattern.strip() or pattern.startswith("/"):
            place.add(f'"{pattern}" is not relative to its directory', 'a pattern as "schema/*.graphql"')
        elif _searches_outside(pattern, root / (table.directory or ""), root):
            place.add(
                f'"{pattern}" searches folders outside of the repository',
                'there, name single files or one folder, as "../shared/*.yml"',
            )
    return patterns


def _searches_outside(pattern: str, directory: Path, root: Path) -> bool:
    """Whether a pattern searches several folders outside of the repository, which may be the whole disk."""
    parts = pattern.split("/")
    first = next((count for count, part in enumerate(parts) if _WILDCARDS & set(part)), len(parts))
    wild = parts[first:]
    if len(wild) < 2 and "**" not in wild:  # noqa: PLR2004 - one folder is listed, or none
        return False
    return ".." in wild or not bounds_of(root).holds(directory.joinpath(*parts[:first]))


def _variable_names(value: Texts | None, place: Place) -> tuple[str, ...]:
    names = texts(value)
    for name in names:
        if not re.fullmatch(VARIABLE_NAME, name):
            place.add(f'"{name}" is not a name for a variable', "letters, digits and _; no digit first")
    return names


def _env_files(table: ServiceTable, root: Path, place: Place) -> tuple[Path, ...]:
    files = []
    for text in texts(table.env_file):
        file = root / text
        files.append(file)
        # A named pipe is accepted as well, because secret managers use them.
        if os.path.isfile(file) or file.is_fifo():  # noqa: PTH113 - as above
            continue
        beside = Path(table.directory or ".") / text
        found = os.path.isfile(root / beside)  # noqa: PTH113 - as above
        meant = f'did you mean "{beside}"?' if found else "create it, or remove the key"
        place.add(_missing(file, "file"), meant)
    return tuple(files)
