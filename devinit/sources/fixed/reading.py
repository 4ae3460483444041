"""Find addresses on this machine that are constants in the code of a repository.

No setting can change such an address, so the service behind it cannot move. A constant that is only the default of
an environment variable does not count.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from devinit.model.port import HIGHEST_PORT, LOWEST_PORT
from devinit.sources.files import content_of, decoded, entries_below, seen
from devinit.sources.fixed.constant import CONFIGURATION, Constant, Direction
from devinit.sources.fixed.containers import Containers, of_container
from devinit.sources.fixed.origins import LOCAL as _LOCAL
from devinit.sources.fixed.origins import SUFFIXES, origins_in, origins_in_python
from devinit.sources.fixed.stores import of_migrations
from devinit.sources.packages import read_package
from devinit.system.bounds import Bounds

_ADDRESS = re.compile(rf"(?:https?|wss?)://{_LOCAL}:(\d{{2,5}})\b")
_OF_THE_PAGE = r"location\.hostname(?:\}|\s{0,9}\+\s{0,9}[\"'`]):"
"""Matches the host of the current page, followed by a port."""
_MENTION = re.compile(
    rb"(?:localhost|127\.0\.0\.1|0\.0\.0\.0):(?:\d|\$\{\w)|//(?:localhost|127\.0\.0\.1)[/\"'`]|[\"']django_vite[\"']|"
    + _OF_THE_PAGE.encode()
    + rb"\d"
)
_BEFORE = r"(?:[^\n;,{}]|\n[ \t]{0,40}(?:[?:|&]|process\.env\.|import\.meta\.env\.|window\.location)){0,240}?"
"""Matches text between a name and its value, such as the condition of a choice, which may have its own line."""
_PROXY = re.compile(
    rf"""(?:target|destination|proxy|origin)["']?\s{{0,9}}[:=,(]{_BEFORE}["'`]https?://{_LOCAL}:(\d{{2,5}})\b"""
)
_SHORT_PROXY = re.compile(rf"""["']/[\w./-]*["']\s{{0,9}}:\s{{0,9}}["']https?://{_LOCAL}:(\d{{2,5}})\b""")
_NAMED_TARGET = re.compile(
    rf"""\b(?:const|let|var)\s{{1,9}}\w{{0,30}}(?:target|backend|proxy|server|url)\w{{0,30}}\s{{0,9}}={_BEFORE}["'`]https?://"""
    rf"""{_LOCAL}:(\d{{2,5}})\b""",
    re.IGNORECASE,
)
_BUILT_IN = re.compile(
    rf"""\b[A-Z][A-Z0-9_]{{2,60}}\s{{0,9}}:\s{{0,9}}["'`]https?://{_LOCAL}:(\d{{2,5}})\b"""
)
"""Matches the `env` of a next.config, or `define`: both override the environment."""
_CALL = re.compile(
    r"(?:baseURL|API_(?:BASE(?:_URL)?|URL)|fetch\(|axios(?:\.\w{1,20})?\(|new WebSocket\(|\bio\(|createClient\(|"
    rf"\b\w{{0,40}}(?:url|Url|URL)(?:_\w{{1,40}})?\s{{0,9}}[:=]){_BEFORE}(?:https?|wss?)://{_LOCAL}:(\d{{2,5}})\b"
)
_REQUEST = re.compile(
    r"\.(?:get|post|put|patch|delete|request)(?:<[^<>()\n]{0,80}>)?\(\s{0,40}[\"'`](?:https?|wss?)://"
    rf"{_LOCAL}:(\d{{2,5}})\b"
)
"""Matches a request by a client of any name: `this.http.get<Book[]>("http://localhost:8080/books")`."""
_CALL_WITHOUT_PORT = re.compile(
    r"(?:baseURL|API_(?:BASE(?:_URL)?|URL)|fetch\(|axios(?:\.\w{1,20})?\(|new WebSocket\(|\bio\(|"
    rf"\b\w{{0,40}}(?:url|Url|URL)(?:_\w{{1,40}})?\s{{0,9}}[:=]){_BEFORE}(?:https?|wss?)://{_LOCAL}(?P<path>/)"
    rf"|[=:(]\s{{0,9}}[\"'`]//{_LOCAL}(?P<rest>[/\"'`])"
)
"""Matches a call on the default port of HTTP, where a reverse proxy answers."""
_CALL_OF_THE_PAGE = re.compile(rf"{_OF_THE_PAGE}(\d{{2,5}})\b")
_NUMBER = re.compile(
    r"\b(?:const|let|var)\s{1,9}(\w{1,60})\s{0,9}=\s{0,9}[\"']?(\d{2,5})[\"']?\s{0,9}(?=[;\r\n])"
)
_NAMED_NUMBER = re.compile(r":\$\{(\w{1,60})\}([^\s\"'`,;]{0,200}[\"'`])")
"""Matches a named constant as a port, with the rest of the string."""
_WINDOW = re.compile(rf"""loadURL\(\s*["'`]http://{_LOCAL}:(\d{{2,5}})\b""")
"""Matches the URL that an Electron application shows."""
_FROM_ELSEWHERE = re.compile(
    r"process\.env|import\.meta\.env|loadEnv|\benv\.|\benv\(|\?\?|\|\||getenv|environ\b|config\(|default\(|prefault\(|DEFAULT_"
)
_MODE = re.compile(r"process\.env\.NODE_ENV|import\.meta\.env\.(?:DEV|PROD|MODE)\b")
"""Says how the code runs, not where a server is."""
_CHOICE = re.compile(r"(?P<condition>[^?:]{1,200})\?(?![.?])(?P<first>[^:]{0,160}):(?P<second>[^:]{0,40})\Z")
"""Matches `condition ? first : second` up to the beginning of an address in `second`."""
_NAME_READ = re.compile(r"(?:process|import\.meta)\.env\.(\w{1,80})")
_CLIENT_FILES = (".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx", ".mts", ".vue", ".svelte")
_NOT_CLIENTS = re.compile(
    r"(?:^|[/._-])(?:tests?|specs?|stories|mocks?|e2e|playwright|cypress|docs?|scripts?|tools?|sdk|examples?|fixtures?)(?:[/._-]|$)"
)
_TABLES = ("proxy.conf.json", "proxy.config.json", "tauri.conf.json", "Trunk.toml")
"""Configuration files that name the target of a proxy, or the URL that a window shows."""
_EXAMPLE_PACKAGE = re.compile(r"/(?:java|kotlin)/com/example/")
"""Default package of Spring's generator: its programs are no examples."""
_DJANGO_VITE = re.compile(r"[\"']django_vite[\"']")
_DJANGO_VITE_PORT = re.compile(r"dev_server_port[\"']?\s{0,9}[:=]\s{0,9}(\d{2,5})\b", re.IGNORECASE)
_VITE_PORT = 5173
"""Default port from which django-vite loads scripts in development."""
MOST_TEXT = 1_000_000
"""In characters, for all files that name an address: to parse this much takes a second."""
_PORT_OF_HTTP = 80
_LONGEST_LINE = 500
"""In characters. Longer lines are generated."""
NO_CONTAINERS = Containers()


def constants(
    bounds: Bounds, folders: Iterable[Path], named: Containers = NO_CONTAINERS
) -> Iterator[Constant]:
    """Yield the constants in the files of these folders, each once. No unreadable file raises an error.

    Constants that name a container are included.
    """
    known: set[tuple[str, int, int]] = set()
    left = [MOST_TEXT]
    for folder in folders:
        for each in (
            *_of_package(folder, bounds, named),
            *of_migrations(folder, bounds),
            *_of_files(folder, bounds, left, named),
        ):
            place = (each.evidence.file, each.evidence.line, each.port)
            if place not in known and LOWEST_PORT <= each.port <= HIGHEST_PORT:
                known.add(place)
                yield each


def _of_package(folder: Path, bounds: Bounds, named: Containers) -> Iterator[Constant]:
    """Yield the targets of `proxy` in package.json: create-react-app sends requests for unknown paths there."""
    package = read_package(folder, bounds)
    proxy: Any = package.get("proxy") if package else None  # its contents are unchecked
    rules = proxy.values() if isinstance(proxy, dict) else (proxy,)
    for target in (each.get("target") if isinstance(each, dict) else each for each in rules):
        if isinstance(target, str) and (found := _ADDRESS.match(named.as_local(target)[0])):
            path = folder / "package.json"
            text = decoded(content_of(path))
            evidence = seen("strict_port", path, bounds, text, max(text.find(target), 0))
            constant = Constant(
                port=int(found[1]), direction=Direction.CALLS, folder=folder, evidence=evidence
            )
            yield of_container(constant, named.as_local(text)[1], text)


def _of_files(folder: Path, bounds: Bounds, left: list[int], named: Containers) -> Iterator[Constant]:
    """Yield the constants in source files until no characters are `left` to read."""
    endings = (*_CLIENT_FILES, *SUFFIXES, ".py", *_TABLES)
    for entry in entries_below(folder, endings):
        path = Path(entry.path)
        inside = _EXAMPLE_PACKAGE.sub("/", path.relative_to(folder).as_posix())
        if _NOT_CLIENTS.search(inside) or (entry.is_symlink() and not bounds.holds(path)):
            continue
        content = content_of(path)
        if _MENTION.search(content) is None and not named.are_named(content):
            continue
        written = decoded(content)
        text, lines = named.as_local(written)
        left[0] -= len(text)
        if left[0] < 0:
            return
        for port, position, direction in _in_code(path, text):
            evidence = seen("strict_port", path, bounds, text, position)
            constant = Constant(port=port, direction=direction, folder=folder, evidence=evidence)
            yield of_container(constant, lines, written)


def _in_code(path: Path, text: str) -> Iterator[tuple[int, int, Direction]]:
    """Yield port, position and direction of each constant in a file; its name decides how it is read."""
    if path.suffix == ".py":
        origins, calls = origins_in_python(text), _scripts_of_vite(text)
    else:
        origins = origins_in(_without_comments(text)) if not CONFIGURATION.fullmatch(path.name) else iter(())
        calls = _addresses(text, _patterns_for(path.name)) if path.suffix not in SUFFIXES else iter(())
    yield from ((port, position, Direction.ACCEPTS) for port, position in origins)
    yield from calls
    if path.suffix in _CLIENT_FILES and not CONFIGURATION.fullmatch(path.name):
        yield from _without_port(text)


def _patterns_for(name: str) -> tuple[re.Pattern[str], ...]:
    if name == "Trunk.toml":
        return (
            re.compile(
                rf'^[ \t]*backend[ \t]*=[ \t]*"(?:https?|wss?)://{_LOCAL}:(\d{{2,5}})\b', re.MULTILINE
            ),
        )
    if name == "tauri.conf.json":
        return (re.compile(rf'"dev(?:Url|Path)"\s*:\s*"http://{_LOCAL}:(\d{{2,5}})\b'),)
    if CONFIGURATION.fullmatch(name):
        return (_PROXY, _SHORT_PROXY, _NAMED_TARGET, _BUILT_IN)
    return (_CALL, _REQUEST, _WINDOW, _CALL_OF_THE_PAGE)


def _addresses(text: str, patterns: Iterable[re.Pattern[str]]) -> Iterator[tuple[int, int, Direction]]:
    """Yield port and position of each address that the code of a client calls."""
    code = _with_numbers(_without_comments(text))
    for found in (match for pattern in patterns for match in pattern.finditer(code)):
        # Look at the statement up to the address: an address after `??` may be a default.
        beginning = code.rfind("\n", 0, found.start()) + 1
        said = _chosen(_MODE.sub("MODE", code[max(beginning, found.start() - _LONGEST_LINE) : found.end()]))
        before = code[max(beginning - _LONGEST_LINE, 0) : beginning].rstrip().endswith(("||", "??"))
        if not before and not _FROM_ELSEWHERE.search(said):
            yield int(found[1]), found.start(1), Direction.CALLS


def _without_port(text: str) -> Iterator[tuple[int, int, Direction]]:
    """Yield the default port of HTTP for each call in the code of a client without a port."""
    code = _without_comments(text)
    for found in _CALL_WITHOUT_PORT.finditer(code):
        beginning = code.rfind("\n", 0, found.start()) + 1
        said = _MODE.sub("MODE", code[max(beginning, found.start() - _LONGEST_LINE) : found.end()])
        if not _FROM_ELSEWHERE.search(said):
            yield _PORT_OF_HTTP, found.end() - 1, Direction.CALLS


def _chosen(said: str) -> str:
    """Return the text before an address without a choice between the address and an unrelated variable.

    `A === "remote" ? B : "http://…"` uses the address whatever B is; `B ? B : "http://…"` does not.
    """
    address = _ADDRESS.search(said)
    found = _CHOICE.search(said[: address.start()] if address else said)
    if found is None:
        return said
    asked, taken = (set(_NAME_READ.findall(found[each])) for each in ("condition", "first"))
    is_default = bool(asked & taken) or (bool(asked) and not taken)
    return said if is_default else said[found.end() :]


def _with_numbers(code: str) -> str:
    """Return code with named constants in addresses replaced by their numbers; all positions stay the same."""
    numbers = {found[1]: found[2] for found in _NUMBER.finditer(code)}

    def told(found: re.Match[str]) -> str:
        number = numbers.get(found[1])
        return f":{number}{found[2]}".ljust(len(found[0])) if number else found[0]

    return _NAMED_NUMBER.sub(told, code) if numbers else code


def _without_comments(text: str) -> str:
    """Return a text with comment lines and generated lines replaced by blanks."""
    lines = text.splitlines(keepends=True)
    return "".join(
        re.sub(r"[^\r\n]", " ", line)
        if len(line) > _LONGEST_LINE or line.lstrip().startswith(("//", "*", "/*", "#", "<!--"))
        else line
        for line in lines
    )


def _scripts_of_vite(text: str) -> Iterator[tuple[int, int, Direction]]:
    """Yield the port from which Django's pages load the scripts of Vite, unless the environment sets it."""
    used = _DJANGO_VITE.search(text)
    if used is None:
        return
    if stated := _DJANGO_VITE_PORT.search(text):
        yield int(stated[1]), stated.start(), Direction.CALLS
    elif "dev_server_port" not in text.lower():
        yield _VITE_PORT, used.start(), Direction.CALLS
