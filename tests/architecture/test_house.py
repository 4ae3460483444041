"""Specifies what keeps the house easy to walk through: no circles, no room too large."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import devinit

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(devinit.__file__).parent
MODULES = {
    ".".join(("devinit", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}
MOST_LINES = 400
ROOT = "devinit"
"""It has the version, and what applications are given: the latter is loaded when it is asked for."""


def imports_of(name: str) -> set[str]:
    """Return the modules of ours that a module imports, also inside functions; not those for types alone."""
    return set(_imports_in(ast.parse(MODULES[name].read_text()))) - {name}


def _imports_in(node: ast.AST) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.If(test=ast.Name(id="TYPE_CHECKING"), orelse=others):
                for other in others:
                    yield from _imports_in(other)
                continue
            case ast.ImportFrom(module=str(module), names=names):
                for each in names:
                    full = f"{module}.{each.name}"
                    found = full if full in MODULES else module
                    if found in MODULES:
                        yield found
            case ast.Import(names=names):
                yield from (each.name for each in names if each.name in MODULES)
        yield from _imports_in(child)


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Return the modules that are left when all are taken away, again and again, that import none of the rest."""
    left = dict(graph)
    while gone := [name for name, others in left.items() if not others & left.keys()]:
        for name in gone:
            del left[name]
    return [[name, *sorted(others & left.keys())] for name, others in sorted(left.items())]


def test_no_module_imports_itself_in_a_circle() -> None:
    graph = {name: imports_of(name) for name in MODULES if name != ROOT}

    assert len(graph["devinit.supervisor.supervisor"]) > 5
    assert circles(graph) == []


def test_a_circle_is_found() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": set()}) == [["a", "b"], ["b", "c"], ["c", "b"]]


def test_no_module_is_longer_than_one_reads() -> None:
    lines = {name: len(path.read_text().splitlines()) for name, path in MODULES.items()}

    assert {name: count for name, count in lines.items() if count > MOST_LINES} == {}


MOST_FIELDS, MOST_METHODS = 12, 20
LARGE = {
    "config.schema.ServiceTable": "the keys of a service that are checked or converted",
    "dashboard.app.Dashboard": "joins the line, the logs and the screens; Textual asks an app for everything",
    "dashboard.screens.log_screen.LogScreen": "a method for each key",
    "dashboard.screens.main.MainScreen": "a method for each key",
    "dashboard.screens.ports.PortsPage": "a method for each key",
    "dashboard.state.View": "what the wire says of a service",
    "dashboard.widgets.log_pane.LogPane": "a widget: what it is given, its keys, and how it paints a row",
    "kinds.docker.kind.DockerKeys": "a key for each of what a container is created with",
    "kinds.kind.Kind": "a declaration: one field for each question that the rest of devinit asks a kind",
    "logs.tail.Tail": "one log as a stream, over its files: read from the end, from a time, and as it grows",
    "gateway.caddy.keeper.Keeper": "one process, its sockets, and what it was told last",
    "gateway.serving.Gateway": "it joins the parts of a program",
    "model.event.SummaryRow": "a row of the summary on the wire: a field for each fact that clients show",
    "model.port.Conflict": "a question on the wire: all that a client shows before a person decides",
    "model.resolved.ResolvedService": "all that any exporter may need of a service",
    "model.service.Service": "the keys of a service in devinit.toml",
    "model.status.ServiceStatus": "a service in `status --json`: a field for each fact that clients show",
    "model.status.WhyReport": "the whole of `why --json`: a field for each fact",
    "ports.granting.search.Search": "what a search was asked with, and what it found; `grants` alone makes one",
    "runtime.forms.known.Known": "what an address or a name may be compared with, of one server",
    "sources.applications.python_source.Reading": "one pass over a file answers all questions about it",
    "sources.applications.unit.Unit": "what detectors say of a program, before it is a service",
    "sources.compose.definition.Definition": "the keys of a service in a compose file",
    "sources.source.Found": "all that a source may say; one source says little of it",
    "supervisor.lifecycle.state.LifecycleState": "all that the next decision about a service depends on",
    "supervisor.logs.keeper.LogKeeper": "a method for each of what a log is kept, turned and timed for",
    "supervisor.project.project_ports.ProjectPorts": "a question for each that is asked about a grant",
    "supervisor.project.project_state.ProjectState": "what runners ask about the project; its subjects have modules of their own",
    "supervisor.readiness.subject.Subject": "what proving asks about a service: values and functions, so that tests need no runner",
    "supervisor.server.handlers.Handlers": "a method for each of the wire",
    "supervisor.service.run.Run": "what is known of one run: a field for each fact that is recorded or reported",
    "supervisor.service.runner.Runner": "a method for each action of the lifecycle",
    "supervisor.stack.stack.Stack": "a question for each that is asked about all services",
}
"""Classes that have more, and why. One more here needs a better reason than that it grew."""


def fields_of(node: ast.ClassDef) -> set[str]:
    """Return what a class declares, and what its methods assign to `self`."""
    found = {
        each.target.id
        for each in node.body
        if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)
    }
    for each in ast.walk(node):
        match each:
            case ast.Attribute(value=ast.Name(id="self"), attr=name, ctx=ast.Store()):
                found.add(name)
    return found


def large_classes() -> set[str]:
    found = set()
    for name, path in MODULES.items():
        classes = {
            each.name: each
            for each in ast.walk(ast.parse(path.read_text()))
            if isinstance(each, ast.ClassDef)
        }
        for node in classes.values():
            methods = [each for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]
            # A base of the same module does not make a class smaller.
            above = [
                classes[each.id] for each in node.bases if isinstance(each, ast.Name) and each.id in classes
            ]
            fields = set().union(*map(fields_of, (node, *above)))
            if len(methods) > MOST_METHODS or len(fields) > MOST_FIELDS:
                found.add(f"{name.removeprefix('devinit.')}.{node.name}")
    return found


def test_no_class_grows_large_without_a_reason() -> None:
    assert large_classes() == LARGE.keys()
