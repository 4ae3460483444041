"""Specifies that text reaches a terminal through one door only, which knows what must not pass."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import devinit

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(devinit.__file__).parent
DOOR = PACKAGE / "system" / "terminal.py"
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != DOOR)
DASHBOARD = sorted((PACKAGE / "dashboard").rglob("*.py"))
PRINTING = {
    "print",
    "pprint",
    "input",
    "print_exc",
    "print_exception",
    "print_stack",
    "print_tb",
    "excepthook",
}
"""Functions that write to the standard streams themselves."""
WRITING = {"write", "writelines", "buffer"}
STREAMS = {"stdin", "stdout", "stderr", "__stdout__", "__stderr__", "stream", "_stream"}
"""Names of what stands for a terminal in this package."""
STANDARD_DESCRIPTORS = {1, 2}
SHOWING = {"Label", "Static", "Button", "Option"}
"""Widgets of Textual's that are given a text, which they take for markup, escape sequences included."""
MADE_SAFE = {"content", "words", "join"}
"""What makes it safe for them: `painting`, and the joining of such texts."""


def name_of(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def last_name(node: ast.AST) -> str:
    """Return the last part of a dotted name: `stdout` of `sys.stdout`."""
    match node:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""


def calls_in(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def is_second_way(call: ast.Call) -> bool:
    """Whether a call writes to a standard stream."""
    if last_name(call.func) in PRINTING:
        return True
    match call:
        case ast.Call(func=ast.Attribute(value=target, attr=name)) if name in WRITING:
            first = call.args[0] if call.args else None
            to_descriptor = isinstance(first, ast.Constant) and first.value in STANDARD_DESCRIPTORS
            return last_name(target) in STREAMS or to_descriptor
    return False


def second_ways(source: str) -> list[str]:
    """Return what a module writes to a standard stream without the door."""
    tree = ast.parse(source)
    calls = [ast.unparse(call) for call in calls_in(tree) if is_second_way(call)]
    # `write = sys.stdout.write` for later.
    kept = [
        ast.unparse(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in WRITING and last_name(node.value) in STREAMS
    ]
    return calls + kept


def unsafe_texts(source: str) -> list[str]:
    """Return what is given to a widget without being made safe before."""
    found = []
    for call in calls_in(ast.parse(source)):
        shows = last_name(call.func) in SHOWING
        updates = last_name(call.func) == "update" and "query_one" in ast.unparse(call.func)
        if (shows or updates) and call.args and not is_safe(call.args[0]):
            found.append(ast.unparse(call))
    return found


def is_safe(text: ast.expr) -> bool:
    """Whether a text is our own, or was made safe."""
    return isinstance(text, ast.Constant) or (
        isinstance(text, ast.Call) and last_name(text.func) in MADE_SAFE
    )


class TestTheDoor:
    def test_is_the_only_one(self) -> None:
        assert {name_of(path): ways for path in MODULES if (ways := second_ways(path.read_text()))} == {}

    @pytest.mark.parametrize(
        "source",
        [
            "print('x')",
            "sys.stdout.write('x')",
            "sys.__stdout__.writelines(lines)",
            "self._stream.write(text)",
            "stderr.buffer.write(b'x')",
            "os.write(2, b'x')",
            "say = sys.stderr.write",
            "traceback.print_exc()",
        ],
    )
    def test_would_be_missed_by_nothing_that_writes(self, source: str) -> None:
        assert second_ways(source)


class TestTheDashboard:
    def test_gives_widgets_no_text_that_was_not_made_safe(self) -> None:
        assert {name_of(path): found for path in DASHBOARD if (found := unsafe_texts(path.read_text()))} == {}

    @pytest.mark.parametrize(
        "source", ["Label(self._question, markup=False)", "self.query_one('#a', Static).update(text)"]
    )
    def test_would_be_missed_by_no_widget(self, source: str) -> None:
        assert unsafe_texts(source)
