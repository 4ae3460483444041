"""Addresses of databases and brokers on this machine that a repository has as constants.

The default of a value that comes from the environment is no constant, since devinit gives that value. Therefore
settings classes of pydantic are left out, statements that read the environment, defaults of parameters, and names
that are assigned twice.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from devinit.model.port import HIGHEST_PORT, LOWEST_PORT
from devinit.python_code import parsed
from devinit.sources.files import content_of, decoded, entries_below, read, seen
from devinit.sources.fixed.constant import Constant, Direction
from devinit.system.bounds import Bounds

_LOCAL = r"(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\])"
_KINDS = {
    "postgres": "postgres",
    "postgresql": "postgres",
    "redis": "redis",
    "rediss": "redis",
    "valkey": "redis",
}
"""Scheme of a URL → the provider of its servers."""
_URL = re.compile(
    rf"\b(?P<scheme>postgres|postgresql|rediss?|valkey)(?:\+\w{{1,30}})?://(?:[^\s@/\"'`]{{0,200}}@)?{_LOCAL}"
    r"(?::(?P<port>\d{2,5}))?(?=[/?\s\"'`#]|$)"
)
_USUAL_PORTS = {"postgres": 5432, "redis": 6379}
_MENTION = re.compile(rb"(?:localhost|127\.0\.0\.1|0\.0\.0\.0|::1)")
_ALEMBIC_URL = re.compile(
    rf"^[ \t]*sqlalchemy\.url[ \t]*=[ \t]*(?P<scheme>[a-z]+)(?:\+\w+)?://(?:[^\s@]*@)?{_LOCAL}:(?P<port>\d{{2,5}})\b",
    re.MULTILINE,
)
_ALEMBIC_FOLDER = re.compile(r"^[ \t]*script_location[ \t]*=[ \t]*(\S+)", re.MULTILINE)
_FINDS_DATABASE = re.compile(r"set_main_option|environ|getenv|settings|config\.attributes", re.IGNORECASE)
_FROM_ELSEWHERE = re.compile(
    r"process\.env|import\.meta\.env|Deno\.env|Bun\.env|\benv\.|\benv\(|\benv\[|\?\?|\|\||default\(|DEFAULT|\$\{|%\("
)
_HOST_AND_PORT = re.compile(
    rf"""\bhost["']?\s{{0,9}}:\s{{0,9}}["']{_LOCAL}["']\s{{0,9}},\s{{0,99}}["']?port["']?\s{{0,9}}:\s{{0,9}}["']?(\d{{4,5}})\b"""
)
_DEFAULT_FOLLOWS = ("||", "??", "default(", "env(")
"""How the line before ends where a line of a script is only a default."""
_SCRIPTS = (".js", ".mjs", ".cjs", ".ts", ".mts", ".cts")
_CONFIGURATION = frozenset(
    {
        f"{name}.{suffix}"
        for name in ("config", "settings", "ormconfig")
        for suffix in ("json", "yaml", "yml", "toml", "ini", "cfg")
    }
)
"""Files that a program reads by itself, without a rule for names of the environment."""
_NOT_THE_PROGRAM = re.compile(
    r"(?:^|[/._-])(?:tests?|conftest|specs?|stories|mocks?|e2e|playwright|cypress|docs?|scripts?|tools?|sdk|examples?|"
    r"samples?|fixtures?|seeds?|local|prod|production|staging|ci)(?:[/._-]|$)"
)
_COMMENT = re.compile(r"\s{0,200}(?://|\*|/\*|#|;|<!--)")
_READS_ENVIRONMENT = frozenset(
    {
        "getenv",
        "environ",
        "env",
        "config",
        "get",
        "Field",
        "environb",
        "decouple",
        "from_prefixed_env",
        "from_envvar",
    }
)
_SETTINGS = ("BaseSettings", "Settings")
MOST_TEXT = 500_000
"""Characters of files that name an address: to parse them takes half a second."""
_LONGEST_LINE = 500


def stores(bounds: Bounds, folder: Path) -> Iterator[Constant]:
    """Yield the servers that files of a folder name as constants, each once. No file raises."""
    known: set[tuple[str, int, int]] = set()
    for each in (*of_migrations(folder, bounds), *_of_files(folder, bounds)):
        place = (each.evidence.file, each.evidence.line, each.port)
        if place not in known and LOWEST_PORT <= each.port <= HIGHEST_PORT:
            known.add(place)
            yield each


def of_migrations(folder: Path, bounds: Bounds) -> Iterator[Constant]:
    """Yield the database that alembic.ini names, unless the code beside it finds another one."""
    path = folder / "alembic.ini"
    text = read(path, bounds)
    found = _ALEMBIC_URL.search(text)
    if found is None:
        return
    place = _ALEMBIC_FOLDER.search(text)
    location = (place[1] if place else "alembic").replace("%(here)s/", "")
    if not _FINDS_DATABASE.search(read(folder / location / "env.py", bounds)):
        yield Constant(
            port=int(found["port"]),
            direction=Direction.STORES,
            folder=folder,
            evidence=seen("strict_port", path, bounds, text, found.start("port")),
            kind=_KINDS.get(found["scheme"], ""),
        )


def _of_files(folder: Path, bounds: Bounds) -> Iterator[Constant]:
    left = MOST_TEXT
    for entry in entries_below(folder, (".py", *_SCRIPTS, *_CONFIGURATION)):
        path = Path(entry.path)
        inside = path.relative_to(folder).as_posix()
        is_configuration = entry.name in _CONFIGURATION
        if not (is_configuration or entry.name.endswith((".py", *_SCRIPTS))):
            continue  # `my-config.json` ends like one
        if _NOT_THE_PROGRAM.search(inside) or (entry.is_symlink() and not bounds.holds(path)):
            continue
        content = content_of(path)
        if _MENTION.search(content) is None:
            continue
        text = decoded(content)
        left -= len(text)
        if left < 0:
            return
        found = _in_python(text) if path.suffix == ".py" else _in_text(text, is_script=not is_configuration)
        for kind, port, position in found:
            evidence = seen("strict_port", path, bounds, text, position)
            yield Constant(port=port, direction=Direction.STORES, folder=folder, evidence=evidence, kind=kind)


def _in_text(text: str, *, is_script: bool) -> Iterator[tuple[str, int, int]]:
    """Yield kind, port and position of each address in a script, or in a file of configuration."""
    position = 0
    for line in text.splitlines(keepends=True):
        if len(line) <= _LONGEST_LINE and not _COMMENT.match(line) and not _FROM_ELSEWHERE.search(line):
            for found in _URL.finditer(line):
                before = text[max(position - _LONGEST_LINE, 0) : position].rstrip()
                if not (is_script and before.endswith(_DEFAULT_FOLLOWS)):
                    kind = _KINDS[found["scheme"]]
                    yield kind, int(found["port"] or _USUAL_PORTS[kind]), position + found.start()
        position += len(line)
    for found in _HOST_AND_PORT.finditer(text):
        port = int(found[1])
        kind = next((name for name, usual in _USUAL_PORTS.items() if usual == port), "")
        beginning = text.rfind("\n", 0, found.start()) + 1
        said = text[max(beginning, found.start() - _LONGEST_LINE) : found.end()]
        if kind and not _COMMENT.match(said) and not _FROM_ELSEWHERE.search(said):
            yield kind, port, found.start(1)


def _in_python(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield kind, port and position of each address that a module has as a constant."""
    module = parsed(text)
    if module is None:
        return
    lines = [0, *(at + 1 for at, character in enumerate(text) if character == "\n")]
    overridable = _overridable(module)
    for node in ast.walk(module):
        if id(node) in overridable:
            continue
        for kind, port, number in _addresses_in(node):
            yield kind, port, lines[number - 1]


def _addresses_in(node: ast.AST) -> Iterator[tuple[str, int, int]]:
    """Yield kind, port and line of the address that a node is, or that it has in several parts."""
    match node:
        case ast.Constant(value=str() as value, lineno=number) if len(value) <= _LONGEST_LINE:
            if found := _URL.fullmatch(value.strip()) or _whole(value.strip()):
                kind = _KINDS[found["scheme"]]
                yield kind, int(found["port"] or _USUAL_PORTS[kind]), number
        case ast.Dict(keys=keys, values=values):
            said = {
                str(key.value).upper(): value
                for key, value in zip(keys, values, strict=True)
                if isinstance(key, ast.Constant)
            }
            yield from _parts(said)
        case ast.Call(keywords=keywords):
            yield from _parts({each.arg.upper(): each.value for each in keywords if each.arg is not None})


def _whole(value: str) -> re.Match[str] | None:
    found = _URL.match(value)
    return found if found is not None and not re.search(r"\s", value) else None


def _parts(said: dict[str, ast.expr]) -> Iterator[tuple[str, int, int]]:
    """Yield the server of a host and a port beside each other, as in Django's `DATABASES` or `Redis(host=…)`."""
    host, port = said.get("HOST"), said.get("PORT")
    if not isinstance(host, ast.Constant) or not isinstance(port, ast.Constant):
        return
    if (
        not isinstance(host.value, str)
        or not re.fullmatch(_LOCAL, host.value)
        or not str(port.value).isdecimal()
    ):
        return
    kind = next((name for name, usual in _USUAL_PORTS.items() if str(usual) == str(port.value)), "")
    engine = said.get("ENGINE")
    if isinstance(engine, ast.Constant) and "postg" in str(engine.value):
        kind = "postgres"
    if kind:
        yield kind, int(str(port.value)), port.lineno


def _overridable(module: ast.Module) -> set[int]:
    """Return the nodes whose value something else may say: the environment, a caller, a later assignment."""
    assigned: dict[str, list[ast.stmt]] = {}
    found: set[int] = set()
    for node in ast.walk(module):
        match node:
            case ast.ClassDef(bases=bases) if any(_name_of(base).endswith(_SETTINGS) for base in bases):
                found |= _ids(node)
            case ast.arguments():
                found |= _ids(node)
            case ast.Assign() | ast.AnnAssign() | ast.AugAssign() | ast.Expr() | ast.Return():
                targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
                names = [_name_of(target) for target in targets if target is not None]
                for name in filter(None, names):
                    assigned.setdefault(name, []).append(node)
                is_default = any("DEFAULT" in name.upper() for name in names)
                if is_default or any(_reads_environment(inner) for inner in ast.walk(node)):
                    found |= _ids(node)
            case ast.If(test=test) if any(_reads_environment(inner) for inner in ast.walk(test)):
                found |= _ids(node)
    for several in assigned.values():
        if len(several) > 1:
            found = found.union(*map(_ids, several))
    return found


def _ids(node: ast.AST) -> set[int]:
    return {id(inner) for inner in ast.walk(node)}


def _reads_environment(node: ast.AST) -> bool:
    name = _name_of(node.func) if isinstance(node, ast.Call) else _name_of(node)
    return name in _READS_ENVIRONMENT and isinstance(node, (ast.Call, ast.Attribute, ast.Name))


def _name_of(node: ast.AST | None) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(value=value):
            return _name_of(value)
    return ""
