"""Specifies what keeps the house easy to walk through: no circles, no room too large."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

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


@pytest.mark.parametrize("name", MODULES)
def test_no_module_is_longer_than_one_reads(name: str) -> None:
    assert len(MODULES[name].read_text().splitlines()) <= MOST_LINES
