"""Find databases on this machine whose addresses are constants in a repository.

The default of a value from the environment does not count, because devinit sets that value. Settings classes of
pydantic, statements that read the environment, defaults of parameters, and names that are assigned twice are
therefore skipped.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from devinit.model.port import HIGHEST_PORT, LOWEST_PORT
from devinit.python_code import parsed
from devinit.sources.addresses import Login
from devinit.sources.files import content_of, decoded, entries_below, read, seen
from devinit.sources.fixed.constant import Constant, Direction
from devinit.sources.fixed.containers import Containers, of_container
from devinit.sources.fixed.python_names import is_one_of, name_of
from devinit.sources.fixed.store_texts import (
    COMPILED,
    KINDS,
    LOCAL,
    LONGEST_LINE,
    URL,
    USUAL_PORTS,
    Address,
    in_text,
    in_url,
)
from devinit.system.bounds import Bounds

_MENTION = re.compile(rb"(?:localhost|127\.0\.0\.1|0\.0\.0\.0|::1)")
_ALEMBIC_URL = re.compile(
    rf"^[ \t]*sqlalchemy\.url[ \t]*=[ \t]*(?P<scheme>[a-z]+)(?:\+\w+)?://(?:[^\s@]*@)?{LOCAL}:(?P<port>\d{{2,5}})\b",
    re.MULTILINE,
)
_ALEMBIC_FOLDER = re.compile(r"^[ \t]*script_location[ \t]*=[ \t]*(\S+)", re.MULTILINE)
_FINDS_DATABASE = re.compile(r"set_main_option|environ|getenv|settings|config\.attributes", re.IGNORECASE)
_SCRIPTS = (".js", ".mjs", ".cjs", ".ts", ".mts", ".cts")
_CONFIGURATION = frozenset(
    {
        f"{name}.{suffix}"
        for name in ("config", "settings", "ormconfig")
        for suffix in ("json", "yaml", "yml", "toml", "ini", "cfg")
    }
) | {"appsettings.json", "appsettings.Development.json"}
"""Files that a program reads directly, without rules for environment variables."""
_NOT_THE_PROGRAM = re.compile(
    r"(?:^|[/._-])(?:tests?|conftest|specs?|stories|mocks?|e2e|playwright|cypress|docs?|scripts?|tools?|sdk|examples?|"
    r"samples?|fixtures?|seeds?|local|prod|production|staging|ci)(?:[/._-]|$)"
)
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
_DRIVER = re.compile(r"(?:psycopg2?(?:\.\w+)?|asyncpg|aiopg)\.(?:connect|create_pool|ConnectionPool)")
_OF_ELIXIR = frozenset({"dev.exs", "config.exs"})
"""Files of an Elixir project that configure development."""
NO_CONTAINERS = Containers()
MOST_TEXT = 500_000
"""In characters, for all files that name an address: to parse this much takes half a second."""


def stores(bounds: Bounds, folder: Path, named: Containers = NO_CONTAINERS) -> Iterator[Constant]:
    """Yield the servers that files of a folder name as constants, each once. No unreadable file raises an error.

    Constants that name one of the given containers are included.
    """
    known: set[tuple[str, int, int]] = set()
    for each in (*of_migrations(folder, bounds), *_of_files(folder, bounds, named)):
        place = (each.evidence.file, each.evidence.line, each.port)
        if place not in known and LOWEST_PORT <= each.port <= HIGHEST_PORT:
            known.add(place)
            yield each


def of_migrations(folder: Path, bounds: Bounds) -> Iterator[Constant]:
    """Yield the database in alembic.ini, unless the env.py beside it finds the address elsewhere."""
    path = folder / "alembic.ini"
    text = read(path, bounds)
    found = _ALEMBIC_URL.search(text)
    if found is None:
        return
    place = _ALEMBIC_FOLDER.search(text)
    location = (place[1] if place else "alembic").replace("%(here)s/", "")
    if not _FINDS_DATABASE.search(read(folder / location / "env.py", bounds)):
        address = URL.search(text, found.start("scheme"), found.end() + LONGEST_LINE)
        yield Constant(
            port=int(found["port"]),
            direction=Direction.STORES,
            folder=folder,
            evidence=seen("strict_port", path, bounds, text, found.start("port")),
            kind=KINDS.get(found["scheme"], ""),
            login=in_url(address, 0).login if address else Login(),
        )


def _of_files(folder: Path, bounds: Bounds, named: Containers) -> Iterator[Constant]:
    left = MOST_TEXT
    for entry in entries_below(folder, (".py", *_SCRIPTS, *COMPILED, *_CONFIGURATION)):
        path = Path(entry.path)
        inside = path.relative_to(folder).as_posix()
        is_configuration = entry.name in _CONFIGURATION
        if not (is_configuration or entry.name.endswith((".py", *_SCRIPTS, *COMPILED))):
            continue  # `my-config.json` has the same ending
        if path.suffix == ".exs" and entry.name not in _OF_ELIXIR:
            continue
        if _NOT_THE_PROGRAM.search(inside) or (entry.is_symlink() and not bounds.holds(path)):
            continue
        content = content_of(path)
        if _MENTION.search(content) is None and not named.are_named(content):
            continue
        written = decoded(content)
        text, lines = named.as_local(written)
        left -= len(text)
        if left < 0:
            return
        if path.suffix == ".py":
            found = _in_python(text)
        else:
            found = in_text(text, suffix=path.suffix, is_script=not is_configuration)
        for kind, port, position, login in found:
            constant = Constant(
                port=port,
                direction=Direction.STORES,
                folder=folder,
                evidence=seen("strict_port", path, bounds, text, position),
                kind=kind,
                login=login,
            )
            yield of_container(constant, lines, written)


def _in_python(text: str) -> Iterator[Address]:
    """Yield each address that is a constant in a module."""
    module = parsed(text)
    if module is None:
        return
    lines = [0, *(at + 1 for at, character in enumerate(text) if character == "\n")]
    overridable = _overridable(module)
    for node in ast.walk(module):
        if id(node) not in overridable:
            yield from _addresses_in(node, lines)


def _addresses_in(node: ast.AST, lines: list[int]) -> Iterator[Address]:
    """Yield the address in a node, whole or in parts. `lines` has the position of each line."""
    match node:
        case ast.Constant(value=str() as value, lineno=number) if len(value) <= LONGEST_LINE:
            if found := URL.fullmatch(value.strip()) or _whole(value.strip()):
                yield in_url(found, lines[number - 1])
        case ast.Dict(keys=keys, values=values):
            said = {
                str(key.value).upper(): value
                for key, value in zip(keys, values, strict=True)
                if isinstance(key, ast.Constant)
            }
            yield from _parts(said, lines)
        case ast.Call(func=func, keywords=keywords):
            said = {each.arg.upper(): each.value for each in keywords if each.arg is not None}
            yield from _parts(said, lines, is_postgres=_DRIVER.fullmatch(ast.unparse(func)) is not None)


def _whole(value: str) -> re.Match[str] | None:
    found = URL.match(value)
    return found if found is not None and not re.search(r"\s", value) else None


def _parts(said: dict[str, ast.expr], lines: list[int], *, is_postgres: bool = False) -> Iterator[Address]:
    """Yield the server of a host and a port in named values, as in Django's `DATABASES` or `Redis(host=…)`.

    PostgreSQL is also recognised without a port, by its engine or its driver.
    """
    text = {name: _text(value) for name, value in said.items()}
    if not re.fullmatch(LOCAL, text.get("HOST", "")):
        return
    port = text.get("PORT", "")
    kind = next((name for name, usual in USUAL_PORTS.items() if str(usual) == port), "")
    if is_postgres or "postg" in text.get("ENGINE", ""):
        kind, port = "postgres", port or ("" if "PORT" in said and not port else str(USUAL_PORTS["postgres"]))
    if kind and port.isdecimal():
        names = (text.get(name, "") for name in ("NAME", "DATABASE", "DBNAME", "DB"))
        user = text.get("USER", "") or text.get("USERNAME", "")
        login = Login(user, text.get("PASSWORD", ""), next(filter(None, names), ""))
        at = said["PORT"].lineno if "PORT" in said else said["HOST"].lineno
        yield Address(kind, int(port), lines[at - 1], login if kind == "postgres" else Login())


def _text(value: ast.expr) -> str:
    """Return a text, or a number as a text; "" for a computed value."""
    return str(value.value) if isinstance(value, ast.Constant) and isinstance(value.value, str | int) else ""


def _overridable(module: ast.Module) -> set[int]:
    """Return the nodes whose value may change: by the environment, a caller or a later assignment."""
    assigned: dict[str, list[ast.stmt]] = {}
    found: set[int] = set()
    for node in ast.walk(module):
        match node:
            case ast.ClassDef(bases=bases) if any(name_of(base).endswith(_SETTINGS) for base in bases):
                found |= _ids(node)
            case ast.arguments():
                found |= _ids(node)
            case ast.Assign() | ast.AnnAssign() | ast.AugAssign() | ast.Expr() | ast.Return():
                targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
                names = [name_of(target) for target in targets if target is not None]
                for name in filter(None, names):
                    assigned.setdefault(name, []).append(node)
                is_default = any("DEFAULT" in name.upper() for name in names)
                if is_default or any(is_one_of(_READS_ENVIRONMENT, inner) for inner in ast.walk(node)):
                    found |= _ids(node)
            case ast.If(test=test) if any(is_one_of(_READS_ENVIRONMENT, inner) for inner in ast.walk(test)):
                found |= _ids(node)
    for several in assigned.values():
        if len(several) > 1:
            found = found.union(*map(_ids, several))
    return found


def _ids(node: ast.AST) -> set[int]:
    return {id(inner) for inner in ast.walk(node)}
