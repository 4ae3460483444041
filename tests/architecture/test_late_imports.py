"""Specifies where a module may import something inside a function: where it says why, or where every command passes.

A late import keeps a command quick that does without it, and hides from a reader what a module depends on. The
modules that quick commands load are named here, with one reason for all of them.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from tests.architecture.test_house import MODULES

if TYPE_CHECKING:
    from collections.abc import Iterator

LIGHT = {
    "devinit": "an application imports it",
    "devinit.addresses": "an application imports it to ask where a service answers",
    "devinit.cli.main": "every command begins here",
    "devinit.cli.arguments": "every command begins here",
    "devinit.cli.reach": "`status`, `logs` and `why` load it",
    "devinit.cli.bounds": "`status`, `logs` and `why` load it",
    "devinit.cli.status": "a shell prompt may run it",
    "devinit.cli.wait": "scripts run it",
    "devinit.cli.events": "scripts run it",
    "devinit.control.launch": "every command that asks the supervisor loads it",
    "devinit.control.obstacles": "every command that asks the supervisor loads it",
    "devinit.control.spawning": "it begins before the command line is read",
    "devinit.system.paths": "everything loads it",
}
"""Modules in which no late import needs a reason of its own, and what makes them light."""


def blocks_without_reason(source: str) -> Iterator[str]:
    """Yield the first import of each group of late imports that has no comment in it or above it."""
    lines = source.splitlines()
    for function in ast.walk(ast.parse(source)):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for block in groups_in(function):
            first, last = block[0].lineno - 1, block[-1].end_lineno or 0
            said = [*lines[first:last], *(line for line in lines[first - 1 : first] if is_comment(line))]
            if not any("#" in line for line in said):
                yield f"{first + 1}: {ast.unparse(block[0])}"


def groups_in(function: ast.AST) -> Iterator[list[ast.stmt]]:
    """Yield the imports that follow each other in the statements of a function."""
    for node in ast.walk(function):
        for field in ("body", "orelse", "finalbody"):
            group: list[ast.stmt] = []
            statements = getattr(node, field, [])
            for each in [*(statements if isinstance(statements, list) else ()), None]:
                if isinstance(each, ast.Import | ast.ImportFrom):
                    group.append(each)
                elif group:
                    yield group
                    group = []


def is_comment(line: str) -> bool:
    return line.lstrip().startswith("#")


def test_an_import_inside_a_function_says_why() -> None:
    unsaid = {name: list(blocks_without_reason(MODULES[name].read_text())) for name in MODULES.keys() - LIGHT}

    assert {name: blocks for name, blocks in unsaid.items() if blocks} == {}


def test_the_light_modules_are_there_and_need_to_be_named() -> None:
    assert LIGHT.keys() <= MODULES.keys()
    assert [name for name in LIGHT if not list(blocks_without_reason(MODULES[name].read_text()))] == []


def test_a_group_without_a_reason_is_found() -> None:
    source = """
def f():
    import os
    x = 1
    # for an error
    import json
    if x:
        import csv  # few
        import re
"""

    assert list(blocks_without_reason(source)) == ["3: import os"]
