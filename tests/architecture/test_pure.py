"""Specifies that a module which calls itself pure does no I/O, whether or not a contract names it."""

from __future__ import annotations

import ast
import re

from tests.architecture.test_house import MODULES

PURE = re.compile(r"\b[Pp]ure\b")
IMPURE = re.compile(r"(?:devinit\.system|asyncio|socket|subprocess)(?:\.|$)")
COMPUTES = {"devinit.system.digest", "devinit.system.matching"}
"""Of `system`: they only compute. A match is bounded by a timer."""


def calls_itself_pure(source: str) -> bool:
    """Return whether the first paragraph of a module's docstring says that it is pure."""
    return PURE.search((ast.get_docstring(ast.parse(source)) or "").partition("\n\n")[0]) is not None


def io_in(source: str) -> set[str]:
    """Return the modules for I/O that a module imports, except for types."""
    tree = ast.parse(source)
    for_types = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    found: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module=str(module)) if id(node) not in for_types:
                found.add(module)
            case ast.Import(names=names) if id(node) not in for_types:
                found |= {each.name for each in names}
    return {each for each in found if IMPURE.match(each)}


def test_a_module_that_calls_itself_pure_does_no_io() -> None:
    pure = {name: path.read_text() for name, path in MODULES.items() if calls_itself_pure(path.read_text())}

    assert len(pure) > 150
    found = {name: io_in(source) - COMPUTES - pure.keys() for name, source in pure.items()}
    assert {name: io for name, io in found.items() if io} == {}


def test_io_is_found() -> None:
    source = '"""A rule. Pure."""\nimport socket\nif TYPE_CHECKING:\n    import asyncio\n'

    assert calls_itself_pure(source)
    assert io_in(source) == {"socket"}
