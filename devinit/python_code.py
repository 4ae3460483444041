"""A parser of Python source into syntax trees; it never imports or runs the code."""

from __future__ import annotations

import ast
import warnings


def parsed(text: str) -> ast.Module | None:
    """Return the tree of a module; None if the text is not Python, or nested too deeply for the parser."""
    with warnings.catch_warnings():
        # Warnings about invalid escapes in a repository's code are of no use here.
        warnings.simplefilter("ignore")
        try:
            return ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
