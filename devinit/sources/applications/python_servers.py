"""Recognise servers that are Python scripts: aiohttp, Tornado, Bottle, waitress, NiceGUI, the standard library.

Such a script listens by itself, so its own code decides whether and how its port can move.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Mapping

from msgspec import Struct

from devinit.model.port import HIGHEST_PORT, LOWEST_PORT
from devinit.model.service import Readiness
from devinit.python_code import parsed
from devinit.sources.applications.imports import place_of
from devinit.sources.applications.python import line_of
from devinit.sources.applications.python_source import Reading, full_name, reading_of
from devinit.sources.applications.tree import Tree, depth, relative
from devinit.sources.applications.unit import PAGE, Finding, Role, Unit, at
from devinit.sources.shell import word

_WORTH_PARSING = re.compile(
    r"\b(?:run_app|tornado|bottle|waitress|nicegui|cherrypy|HTTPServer|make_server|TCPServer)\b"
)
_MAIN_NAMES = ("server", "app", "main", "__main__", "api", "web", "index", "run")
"""Names of the main file, the likeliest first."""
_LARGEST = 300_000
_MOST_STEPS = 8
"""Limit of names that lead from a port to its value."""


class _Framework(Struct, frozen=True):
    """A call that serves until the program ends."""

    kind: str
    usual: int | None = None
    """Its port when the call names none; None when a port is required."""
    argument: int | None = None
    """Position of the port among the arguments, when it may stand there without its name."""
    in_address: bool = False
    """Whether the first argument is the pair (host, port)."""
    is_page: bool = False


_CALLS = {
    "aiohttp.web.run_app": _Framework("aiohttp", 8080),
    "waitress.serve": _Framework("waitress", 8080),
    "bottle.run": _Framework("Bottle", 8080),
    "nicegui.ui.run": _Framework("NiceGUI", 8080, is_page=True),
    "wsgiref.simple_server.make_server": _Framework("wsgiref", argument=1),
    "http.server.HTTPServer": _Framework("http.server", in_address=True),
    "http.server.ThreadingHTTPServer": _Framework("http.server", in_address=True),
    "socketserver.TCPServer": _Framework("http.server", in_address=True),
    "socketserver.ThreadingTCPServer": _Framework("http.server", in_address=True),
}
"""Full name of a call → what it serves with."""
_METHODS = {
    "listen": ("tornado", _Framework("Tornado", argument=0)),
    "run": ("bottle", _Framework("Bottle", 8080)),
}
"""Method of an object → the package that the file must import, and what the method serves with."""
_MINOR = frozenset({"http.server", "wsgiref"})
"""Kinds that also serve test pages and metrics: they count only in a project without another Python server."""


class PortSource(Struct, frozen=True):
    """The port of a script, and what can change it."""

    number: int | None = None
    variable: str = ""
    option: str = ""
    """Command-line option; empty without one."""

    @property
    def is_constant(self) -> bool:
        """Whether nothing from outside changes it."""
        return not self.variable and not self.option


class Script(Struct, frozen=True):
    """A script that serves."""

    file: str
    framework: _Framework
    line: int
    port: PortSource
    port_line: int
    is_program: bool
    """Whether it is guarded by `__name__ == "__main__"`."""
    reading: Reading


def found_in(tree: Tree, taken: Collection[str]) -> Finding:
    """Return one server for each folder that has no other Python server; `taken` are the folders with one."""
    folders: dict[str, list[Script]] = {}
    for file in tree.sources("", ".py"):
        text = tree.text(file)
        if not _WORTH_PARSING.search(text):
            continue
        script = script_in(file, text)
        if script is None or (script.framework.kind in _MINOR and (taken or _name_rank(file) is None)):
            continue
        folder = place_of(tree, file, script.reading).folder
        if not any(folder == each or folder.startswith(f"{each}/") for each in taken):
            folders.setdefault(folder, []).append(script)
    units: list[Unit] = []
    notes: list[str] = []
    for folder, scripts in folders.items():
        script = min(scripts, key=_likelihood)
        if _name_rank(script.file) is None and not script.is_program:
            continue
        units.append(_unit(tree, folder, script))
        others = [each.file for each in scripts if each is not script]
        if others:
            notes.append(
                f"{at(folder)}{script.file} is started; a server is in {' and '.join(others[:2])}, too"
            )
    return Finding(tuple(units), tuple(notes))


def script_in(file: str, text: str) -> Script | None:
    """Return the server that a source text runs; None without one, or when the text cannot be parsed."""
    tree = parsed(text) if len(text) <= _LARGEST else None
    if tree is None:
        return None
    reading = reading_of(text)
    values = dict(_assigned(tree))
    for node in ast.walk(tree):
        framework = _framework_of(node, reading) if isinstance(node, ast.Call) else None
        if framework is None or not isinstance(node, ast.Call):
            continue
        given = _port_argument(node, framework)
        port = (
            port_source(given, values, _options(tree)) if given is not None else PortSource(framework.usual)
        )
        if port.number is None:
            port = PortSource(framework.usual, port.variable, port.option)
        if port.number is None and port.is_constant:
            continue
        line = given.lineno if given is not None else node.lineno
        return Script(file, framework, node.lineno, port, line, _has_guard(tree), reading)
    return None


def _framework_of(call: ast.Call, reading: Reading) -> _Framework | None:
    full = full_name(call.func, reading)
    if framework := _CALLS.get(full):
        return framework
    if isinstance(call.func, ast.Attribute) and call.func.attr in _METHODS:
        package, framework = _METHODS[call.func.attr]
        if any(each.partition(".")[0] == package for each in reading.imports.values()):
            return framework
    return None


def _port_argument(call: ast.Call, framework: _Framework) -> ast.expr | None:
    """Return the expression of the port in a call; None when the call names none."""
    if framework.in_address:
        first = call.args[0] if call.args else None
        return first.elts[1] if isinstance(first, ast.Tuple) and len(first.elts) == 2 else None  # noqa: PLR2004
    named = next((each.value for each in call.keywords if each.arg == "port"), None)
    if named is None and framework.argument is not None and len(call.args) > framework.argument:
        return call.args[framework.argument]
    return named


def port_source(
    value: ast.expr, values: Mapping[str, ast.expr], options: Mapping[str, tuple[str, ast.expr | None]]
) -> PortSource:
    """Return where the value of a port comes from; empty when the expression does not show it."""
    variable = option = ""
    number: int | None = None
    waiting = [value]
    for _ in range(_MOST_STEPS):
        if not waiting:
            break
        match waiting.pop(0):
            case ast.Constant(value=int() | str() as stated) if number is None and str(stated).isdecimal():
                number = int(stated)
            case ast.Name(id=name) if name in values:
                waiting.append(values[name])
            case ast.Attribute(value=ast.Name(), attr=name) if name in options:
                option, default = options[name]
                waiting += [default] if default is not None else []
            case ast.Call(func=ast.Name(id="int" | "str"), args=[inner, *_]):
                waiting.append(inner)
            case ast.Call(
                func=ast.Attribute(attr="get" | "getenv") | ast.Name(id="getenv" | "env" | "config"),
                args=[ast.Constant(value=str(name)), *rest],
                keywords=keywords,
            ):
                variable = variable or name
                waiting += [*rest[:1], *(each.value for each in keywords if each.arg == "default")]
            case ast.Subscript(value=ast.Attribute(attr="environ"), slice=ast.Constant(value=str(name))):
                variable = variable or name
            case ast.BoolOp(op=ast.Or(), values=either):
                waiting += either
            case ast.IfExp(body=body, orelse=otherwise):
                waiting += [body, otherwise]
    is_valid = number is not None and LOWEST_PORT <= number <= HIGHEST_PORT
    return PortSource(number if is_valid else None, variable, option)


def _assigned(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """Yield the names of a file with the expression that each is assigned."""
    for node in ast.walk(tree):
        match node:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ):
                yield name, value


def _options(tree: ast.Module) -> dict[str, tuple[str, ast.expr | None]]:
    """Return the options of argparse and of Tornado: attribute → option, and the expression of its default."""
    found: dict[str, tuple[str, ast.expr | None]] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr="add_argument"), args=names):
                texts = [each.value for each in names if isinstance(each, ast.Constant)]
                options = [each for each in texts if isinstance(each, str) and each.startswith("-")]
                option = next((each for each in options if each.startswith("--")), "")
            case ast.Call(
                func=ast.Attribute(attr="define") | ast.Name(id="define"),
                args=[ast.Constant(value=str(name)), *_],
            ):
                option = f"--{name}"
            case _:
                continue
        if option and isinstance(node, ast.Call):
            default = next((each.value for each in node.keywords if each.arg == "default"), None)
            found[option.lstrip("-").replace("-", "_")] = option, default
    return found


def _has_guard(tree: ast.Module) -> bool:
    return any(
        isinstance(each, ast.If)
        and isinstance(each.test, ast.Compare)
        and isinstance(each.test.left, ast.Name)
        and each.test.left.id == "__name__"
        for each in tree.body
    )


def _name_rank(file: str) -> int | None:
    """Return the rank of a usual name; None for any other name."""
    name = file.rpartition("/")[2].removesuffix(".py").lower()
    return _MAIN_NAMES.index(name) if name in _MAIN_NAMES else None


def _likelihood(script: Script) -> tuple[bool, bool, int, int, str]:
    """Return a sort key that puts the likeliest script first."""
    rank = _name_rank(script.file)
    unnamed = rank is None
    return script.framework.kind in _MINOR, unnamed, rank or 0, depth(script.file), script.file


def _unit(tree: Tree, folder: str, script: Script) -> Unit:
    port, framework = script.port, script.framework
    inside = str(relative(script.file, folder))
    command = f"python {word(inside)}"
    if script.reading.relative_level or inside.endswith("/__main__.py"):
        module = inside.removesuffix(".py").removesuffix("/__main__").replace("/", ".")
        command = f"python -m {word(module)}"
    if port.option:
        # One word: Tornado takes no value in the next one.
        command += f" {port.option}=${{PORT}}"
    number = port.number or (8000 if not port.is_constant else None)
    return Unit(
        folder=folder,
        role=Role.FRONTEND if framework.is_page else Role.BACKEND,
        kind=framework.kind,
        language="python",
        command=command,
        port=number,
        strict=port.is_constant,
        port_env=(port.variable,) if port.variable not in ("", "PORT") and not port.option else (),
        ready=PAGE if framework.is_page else Readiness(),
        evidence=(
            line_of(tree, "command", script.file, script.line),
            line_of(tree, "port", script.file, script.port_line),
        ),
    )
