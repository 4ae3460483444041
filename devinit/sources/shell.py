"""Quote names from a repository for use in a command."""

from __future__ import annotations

import shlex


def word(text: str) -> str:
    """Return a text as one word of a command, quoted for the shell and escaped for the templates of devinit."""
    return shlex.quote(text).replace("${", "$${")
