"""A checkout and its state folder can hold a named pipe, a device or a link under any name.

Opened by its name alone, a pipe is waited for without end and a device is read without end. `system.files` and
`system.regular` open regular files only. These tests look for every other way to open a file.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import devinit

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(devinit.__file__).parent
OF_PATHS = {"read_text", "read_bytes", "write_text", "write_bytes", "touch"}
"""Methods of pathlib's. `read_text` and `read_bytes` of `system.files` are called without an object before them."""
COPYING = {"copy", "copy2", "copyfile", "move"}
READERS = {"FileInput", "FileHandler", "ConfigParser", "mmap"}
WAITS_FOR_NOTHING = {"O_NONBLOCK", "O_DIRECTORY", "O_EXCL"}
"""Flags of `os.open` with which no named pipe is waited for."""
OPENING = {"os.open", "open_regular"}
"""What returns a descriptor, which `open` may then wrap."""
OTHERWISE = {
    "dashboard/web/server.py": "pages of this package",
    "kinds/docker/building.py archive": "writes into a stream, and opens nothing by name",
    "kinds/docker/copying.py __init__": "in a folder of ours, by a process that runs without devinit",
    "kinds/docker/copying.py write": "as above",
    "kinds/docker/shim.py _have_network": "as above",
    "system/old_layout.py _move_file": "asks before whether it is a regular file",
    "system/old_data.py _copy": "asks before whether it is a regular file",
    "system/old_data.py _relocate": "named pipes have been refused before",
    "system/old_logs.py _rename": "asks before whether it is a regular file",
    "system/holder/endings.py __init__": "in the folder of the supervisor's own files, and never through a link",
    "system/holder/terminal.py program": "/proc",
    "system/input_readers.py echoes_nothing": "/proc; a terminal, without making it ours",
    "system/procfs.py read": "/proc",
    "system/sockets.py read_tables": "/proc",
    "system/standard_input.py input_of": "/proc; opened for nothing until it is known to be a pipe of ours",
    "system/standard_input.py _open": "a pipe of our own, both ends at once",
    "system/standard_input.py _open_fifo": "a pipe of our own, both ends at once",
}
"""Module, and function, of each other way, with the reason why nothing else can be there."""


def opened_in(source: str) -> Iterator[tuple[str, str]]:
    """Yield each way in which a module opens a file by its name: the function around it, and the expression."""
    tree = ast.parse(source)
    for scope, node in within(tree, tree):
        if (isinstance(node, ast.Attribute) and is_method_of_a_path(node)) or (
            isinstance(node, ast.Call) and is_opening(node, scope)
        ):
            yield getattr(scope, "name", ""), ast.unparse(node)


def within(node: ast.AST, scope: ast.AST) -> Iterator[tuple[ast.AST, ast.AST]]:
    """Yield all nodes below one, each behind the function that it is in, or behind the module."""
    for child in ast.iter_child_nodes(node):
        inside = child if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) else scope
        yield inside, child
        yield from within(child, inside)


def is_method_of_a_path(node: ast.Attribute) -> bool:
    """Whether a method opens what it is called on, also where it is only handed on: `map(Path.read_text, …)`."""
    return node.attr in OF_PATHS


def is_opening(call: ast.Call, scope: ast.AST) -> bool:
    """Whether a call opens a file by its name, and may wait for it."""
    match call.func:
        case ast.Name(id="open"):
            return not (call.args and is_descriptor(call.args[0], scope))
        case ast.Name(id=name):
            return name in READERS
        case ast.Attribute(value=ast.Name(id="os"), attr="open"):
            return not is_without_waiting(call)
        case ast.Attribute(value=ast.Name(id="shutil"), attr=name):
            return name in COPYING
        case ast.Attribute(attr="open", value=of):
            return not opens_something_else(ast.unparse(of))
        case ast.Attribute(attr=name):
            return name in READERS
    return False


def opens_something_else(of: str) -> bool:
    """Whether `open` is no method of a path: of a class (`Process.open`), of the logs, of the browser."""
    return (
        of == "webbrowser" or of.endswith("logs") or (of.isidentifier() and of[0].isupper() and of != "Path")
    )


def is_without_waiting(call: ast.Call) -> bool:
    """Whether the flags of `os.open`, or its path, say that nothing is waited for."""
    path, *flags = map(ast.unparse, call.args)
    return path == "os.devnull" or any(flag in text for text in flags for flag in WAITS_FOR_NOTHING)


def is_descriptor(argument: ast.expr, scope: ast.AST) -> bool:
    """Whether `open` wraps what was opened already: a number, or what the same function has opened."""
    if isinstance(argument, ast.Constant):
        return isinstance(argument.value, int)
    opened = [argument]
    if isinstance(argument, ast.Name):
        opened = [
            node.value
            for node in ast.walk(scope)
            if isinstance(node, ast.Assign)
            and any(isinstance(each, ast.Name) and each.id == argument.id for each in node.targets)
        ]
    return bool(opened) and all(
        isinstance(each, ast.Call) and ast.unparse(each.func) in OPENING for each in opened
    )


def places_of_opening() -> dict[str, list[str]]:
    """Return what the modules of the package open, keyed by module and function."""
    found: dict[str, list[str]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        for function, opening in opened_in(path.read_text()):
            found.setdefault(f"{path.relative_to(PACKAGE)} {function}".strip(), []).append(opening)
    return found


class TestAFile:
    def test_is_opened_by_system_files_and_system_regular_alone(self) -> None:
        assert {place: found for place, found in places_of_opening().items() if place not in OTHERWISE} == {}

    def test_has_no_exception_that_is_not_needed(self) -> None:
        assert set(OTHERWISE) - set(places_of_opening()) == set()


class TestWhatMayWaitForAnotherProcess:
    @pytest.mark.parametrize(
        "source",
        [
            "path.read_text()",
            "(folder / 'PG_VERSION').read_bytes()",
            "map(Path.read_text, paths)",
            "path.write_text('1')",
            "path.open('rb')",
            "Path.open(path)",
            "self._path.open()",
            "open(path)",
            "open(os.path.join(folder, name), 'rb')",
            "io.open(path)",
            "os.open(path, os.O_RDONLY | os.O_CLOEXEC)",
            "os.open(path, FLAGS)",
            "shutil.copyfile(source, target)",
            "logging.FileHandler(path)",
        ],
    )
    def test_is_found(self, source: str) -> None:
        assert list(opened_in(source))

    @pytest.mark.parametrize(
        "source",
        [
            "read_text(path)",
            "open(open_regular(path), 'rb')",
            "descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)\nopen(descriptor, 'w')",
            "os.open(os.devnull, os.O_RDONLY)",
            "Process.open(identity)",
            "self._stage.logs.open(service)",
        ],
    )
    def test_is_not_seen_where_it_is_not(self, source: str) -> None:
        assert list(opened_in(source)) == []
