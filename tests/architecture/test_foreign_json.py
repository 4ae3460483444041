"""Specifies that no JSON which other programs write can end a task of ours by its depth."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import devinit

PACKAGE = Path(devinit.__file__).parent
FROM_OUR_CLIENTS = {"supervisor/server/handlers.py", "control/wire.py", "gateway/serving.py"}
"""Messages on the socket, which only the user can open."""
DECODERS = ("json.decode", "json.loads", "json.load")


def test_json_that_is_nested_too_deeply_is_expected_wherever_json_is_read() -> None:
    places = [
        f"{path.relative_to(PACKAGE)}:{line}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if str(path.relative_to(PACKAGE)) not in FROM_OUR_CLIENTS
        for line in unguarded(ast.parse(path.read_text()), is_guarded=False)
    ]

    assert places == []


def unguarded(node: ast.AST, *, is_guarded: bool) -> Iterator[int]:
    """Yield the lines that decode JSON outside of a `try` which catches RecursionError."""
    if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(DECODERS) and not is_guarded:
        yield node.lineno
    for field, value in ast.iter_fields(node):
        catches = isinstance(node, ast.Try) and field == "body" and any(map(catches_depth, node.handlers))
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from unguarded(child, is_guarded=is_guarded or catches)


def catches_depth(handler: ast.ExceptHandler) -> bool:
    """Return whether an `except` names RecursionError."""
    return handler.type is not None and "RecursionError" in ast.unparse(handler.type)
