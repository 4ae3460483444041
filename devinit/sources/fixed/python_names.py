"""Names in Python expressions, such as `environ` in `os.environ["A"]`. Pure."""

from __future__ import annotations

import ast
from collections.abc import Collection


def name_of(node: ast.AST | None) -> str:
    """Return the last name of an expression, `environ` for `os.environ["A"]`; "" when it has none."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(value=value):
            return name_of(value)
    return ""


def is_one_of(names: Collection[str], node: ast.AST) -> bool:
    """Return whether an expression is one of these names, or a call of one."""
    name = name_of(node.func) if isinstance(node, ast.Call) else name_of(node)
    return name in names and isinstance(node, (ast.Call, ast.Attribute, ast.Name))
