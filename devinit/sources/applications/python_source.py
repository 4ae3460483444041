"""Analyse one Python source file by its syntax tree: the applications that it creates and runs. Pure.

Nothing is imported.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from msgspec import Struct, field

from devinit.python_code import parsed

FRAMEWORKS = {
    "FastAPI": ("fastapi",),
    "Starlette": ("starlette",),
    "Litestar": ("litestar",),
    "Quart": ("quart",),
    "Sanic": ("sanic",),
    "Flask": ("flask",),
    "APIFlask": ("apiflask",),
}
"""Class of an application → packages that it is imported from."""
HEALTH_PATHS = ("/health", "/healthz", "/api/health", "/api/v1/health", "/up", "/ping")
"""The likeliest first."""
_ROUTES = frozenset({"get", "route", "api_route", "head"})
_SERVERS = frozenset({"uvicorn", "hypercorn", "granian"})
_BROKEN = re.compile(
    r"^([A-Za-z_]\w{0,80})(?:[ \t]{0,20}:[ \t]{0,20}[\w.]{1,80})?[ \t]{0,20}=[ \t]{0,20}(?:\w{1,80}\.)?"
    rf"({'|'.join(FRAMEWORKS)})\(",
    re.MULTILINE,
)
_BROKEN_ROUTE = re.compile(
    r"^@([A-Za-z_]\w{0,80})\.(?:get|route|api_route)\(\s{0,40}[\"']"
    rf"({'|'.join(map(re.escape, HEALTH_PATHS))})[\"']",
    re.MULTILINE,
)
_LARGEST = 300_000


class Made(Struct, frozen=True):
    """An application, or a function that creates one, under its name in a module."""

    name: str
    framework: str
    line: int
    is_factory: bool = False
    rank: int = 0
    """0 for the application, 1 for another name of it; -1 for a wrapper, or for an import that may add routes."""
    of: str = ""
    """The file that creates it, if this one imports and runs it."""


class Worker(Struct, frozen=True):
    """A worker, with the name that its command needs."""

    tool: str
    name: str
    line: int
    words: tuple[str, ...] = ()


class Reading(Struct):
    """The contents of a file that matter to detection."""

    made: list[Made] = field(default_factory=list)
    targets: list[str] = field(default_factory=list)
    """Import strings that a server is started with: `app.main:app`."""
    port: tuple[int, int] | None = None
    """The port in a call that starts a server, and its line."""
    health: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Name of an application → path of its health route, and the line."""
    workers: list[Worker] = field(default_factory=list)
    run: dict[str, int] = field(default_factory=dict)
    """Imported name that a call serves → line of the call."""
    has_beat: bool = False
    """Whether Celery has scheduled work."""
    relative_level: int = 0
    """Levels of the highest relative import."""
    mounted: set[str] = field(default_factory=set)
    """Applications that are mounted in another one."""
    docs_path: str | None = "/docs"
    """Path of FastAPI's documentation; None when this file hides it or computes its path."""
    pending: list[tuple[str, ast.expr, int]] = field(default_factory=list)
    """Names whose value depends on other files."""
    functions: list[ast.FunctionDef] = field(default_factory=list)
    classes: list[ast.ClassDef] = field(default_factory=list)
    imports: dict[str, str] = field(default_factory=dict)
    """Local name → dotted name that it was imported as: `fastapi.FastAPI`."""


def reading_of(text: str) -> Reading:
    """Return the contents of a source text; if Python cannot parse it, the applications that its lines name."""
    tree = parsed(text) if len(text) <= _LARGEST else None
    if tree is None:
        return _broken(text)
    reading = Reading()
    _read_imports(tree, reading)
    for statement in _top_level(tree.body):
        _read_statement(statement, reading)
    _read_everywhere(tree, reading)
    return reading


def _broken(text: str) -> Reading:
    """Return the applications in the lines of a text that cannot be parsed.

    During an edit, the application still counts: its own start reports the syntax error.
    """
    return Reading(
        made=[Made(found[1], found[2], _line(text, found.start())) for found in _BROKEN.finditer(text)],
        health={found[1]: (found[2], _line(text, found.start())) for found in _BROKEN_ROUTE.finditer(text)},
    )


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def _top_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements that run when a module is imported."""
    waiting = list(reversed(body))
    while waiting:
        statement = waiting.pop()
        yield statement
        if isinstance(statement, ast.If):
            body = [] if _is_main(statement) else statement.body
            waiting += reversed([*body, *statement.orelse])
        elif isinstance(statement, ast.Try):
            handlers = [each for handler in statement.handlers for each in handler.body]
            waiting += reversed([*statement.body, *statement.orelse, *handlers])
        elif isinstance(statement, ast.With):
            waiting += reversed(statement.body)


def _is_main(statement: ast.If) -> bool:
    match statement.test:
        case ast.Compare(left=ast.Name(id="__name__"), ops=[ast.Eq()]):
            return True
    return False


def _read_imports(tree: ast.Module, reading: Reading) -> None:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            reading.relative_level = max(reading.relative_level, node.level)
            for name in node.names:
                reading.imports[name.asname or name.name] = (
                    f"{'.' * node.level}{node.module or ''}.{name.name}"
                )
        elif isinstance(node, ast.Import):
            for name in node.names:
                reading.imports[name.asname or name.name.partition(".")[0]] = name.name


def _read_statement(statement: ast.stmt, reading: Reading) -> None:
    match statement:
        case ast.FunctionDef():
            reading.functions.append(statement)
        case ast.ClassDef():
            reading.classes.append(statement)
            if statement.name.endswith("WorkerSettings") and any(map(_names_functions, statement.body)):
                reading.workers.append(Worker("arq", statement.name, statement.lineno))
        case (
            ast.Assign(targets=[ast.Name(id=name)], value=value)
            | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
        ):
            _read_assignment(name, value, statement.lineno, reading)


def _names_functions(statement: ast.stmt) -> bool:
    match statement:
        case (
            ast.Assign(targets=[ast.Name(id="functions" | "cron_jobs")])
            | ast.AnnAssign(target=ast.Name(id="functions" | "cron_jobs"))
        ):
            return True
    return False


def _read_assignment(name: str, value: ast.expr, line: int, reading: Reading) -> None:
    framework = framework_of(value, reading)
    while isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and _is_with(value.func):
        value = value.func.value  # ListQueueBroker(…).with_result_backend(…)
    called = full_name(value.func, reading) if isinstance(value, ast.Call) else ""
    package, last = called.partition(".")[0], called.rpartition(".")[2]
    if framework:
        reading.made.append(Made(name, framework, line))
    elif last == "Celery" and package in ("celery", "Celery"):
        reading.workers.append(Worker("celery", name, line))
    elif last.endswith("Huey") and package in ("huey", last):
        reading.workers.append(Worker("huey", name, line))
    elif last.endswith("Broker") and package.startswith("taskiq"):
        reading.workers.append(Worker("taskiq", name, line))
    else:
        reading.pending.append((name, value, line))


def _is_with(function: ast.Attribute) -> bool:
    return function.attr.startswith("with_") and isinstance(function.value, ast.Call)


def framework_of(value: ast.expr, reading: Reading) -> str:
    """Return the framework of the application that an expression creates; "" for any other expression."""
    if not isinstance(value, ast.Call):
        return ""
    return framework_named(value.func, reading)


def framework_named(value: ast.expr, reading: Reading) -> str:
    """Return the framework whose class an expression names; "" for any other expression."""
    full = full_name(value, reading)
    package, _, _ = full.partition(".")
    last = full.rpartition(".")[2]
    if last not in FRAMEWORKS:
        return ""
    # The same name from another package is another class.
    return last if full == last or package in FRAMEWORKS[last] else ""


def full_name(value: ast.expr, reading: Reading) -> str:
    """Return a dotted name with its first part resolved to its import; "" when it is no name."""
    parts: list[str] = []
    while isinstance(value, ast.Attribute):
        parts.append(value.attr)
        value = value.value
    if not isinstance(value, ast.Name):
        return ""
    return ".".join((reading.imports.get(value.id, value.id), *reversed(parts)))


def _read_everywhere(tree: ast.Module, reading: Reading) -> None:
    for node in ast.walk(tree):
        match node:
            case ast.Call():
                _read_call(node, reading)
            case ast.FunctionDef(decorator_list=decorators) | ast.AsyncFunctionDef(decorator_list=decorators):
                for decorator in decorators:
                    _read_decorator(decorator, reading)
            case ast.Attribute(attr="beat_schedule", ctx=ast.Store()):
                reading.has_beat = True
            case ast.keyword(arg="beat_schedule"):
                reading.has_beat = True
            case ast.Name(id="CELERY_BEAT_SCHEDULE", ctx=ast.Store()):
                reading.has_beat = True
            case ast.keyword(arg="docs_url", value=value):
                path = value.value if isinstance(value, ast.Constant) else None
                reading.docs_path = path if isinstance(path, str) else None
            case ast.keyword(arg="openapi_url", value=ast.Constant(value=None)):
                reading.docs_path = None


def _read_call(node: ast.Call, reading: Reading) -> None:
    full = full_name(node.func, reading)
    package, last = full.partition(".")[0], full.rpartition(".")[2]
    named = (each.value for each in node.keywords if each.arg == "app")
    first = node.args[0] if node.args else next(named, None)
    if last in ("run", "serve", "Config", "Granian") and (
        package in _SERVERS or _is_run_of_an_application(node, reading)
    ):
        if isinstance(first, ast.Constant) and isinstance(first.value, str) and ":" in first.value:
            reading.targets.append(first.value)
        of = node.func.value if isinstance(node.func, ast.Attribute) else None
        served = first if package in _SERVERS else of
        if isinstance(served, ast.Name) and served.id in reading.imports:
            reading.run.setdefault(served.id, node.lineno)
        port = next((each.value for each in node.keywords if each.arg == "port"), None)
        if isinstance(port, ast.Constant) and isinstance(port.value, int) and reading.port is None:
            reading.port = (port.value, port.lineno)
    elif last == "mount":
        reading.mounted |= {each.id for each in node.args if isinstance(each, ast.Name)}
    elif last in ("Route", "route") and isinstance(first, ast.Constant) and first.value in HEALTH_PATHS:
        reading.health.setdefault("Route", (first.value, node.lineno))
    elif last in ("Queue", "get_queue") and package in ("rq", "django_rq"):
        queue = first.value if isinstance(first, ast.Constant) else None
        words = (queue,) if isinstance(queue, str) else ()
        reading.workers.append(Worker(package, "", node.lineno, words))


def _is_run_of_an_application(node: ast.Call, reading: Reading) -> bool:
    """Return whether a call is `app.run(…)` of an application in this file or of an imported one."""
    match node.func:
        case ast.Attribute(value=ast.Name(id=name), attr="run"):
            is_imported = name in ("app", "application") and "." in reading.imports.get(name, "")
            return is_imported or any(each.name == name for each in reading.made)
    return False


def _read_decorator(decorator: ast.expr, reading: Reading) -> None:
    match decorator:
        case ast.Call(
            func=ast.Attribute(value=ast.Name(id=name), attr=method), args=[ast.Constant(value=str(path)), *_]
        ) if method in _ROUTES and path in HEALTH_PATHS:
            known = reading.health.get(name)
            if known is None or HEALTH_PATHS.index(path) < HEALTH_PATHS.index(known[0]):
                reading.health[name] = (path, decorator.lineno)
    target = decorator.func if isinstance(decorator, ast.Call) else decorator
    if full_name(target, reading) == "dramatiq.actor":
        reading.workers.append(Worker("dramatiq", "", decorator.lineno))


def callable_without_arguments(function: ast.FunctionDef) -> bool:
    """Return whether a function can be called without arguments."""
    arguments = function.args
    positional = len(arguments.posonlyargs) + len(arguments.args)
    return positional == len(arguments.defaults) and all(each is not None for each in arguments.kw_defaults)
