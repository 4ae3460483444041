"""Python source text as a tree: it is parsed, never imported or run."""

from __future__ import annotations

import ast
import warnings


def parsed(text: str) -> ast.Module | None:
    """Return the tree of a module; None for what is no Python, or too deeply nested for its parser."""
    with warnings.catch_warnings():
        # An invalid escape in the code of a repository is none of our business.
        warnings.simplefilter("ignore")
        try:
            return ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
