"""Names of a repository as words of a command."""

from __future__ import annotations

import shlex


def word(text: str) -> str:
    """Return a text as one word, for a shell and for the templates of devinit alike."""
    return shlex.quote(text).replace("${", "$${")
