"""Replace a command whose package manager is missing by an equivalent one. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

_SCRIPT = re.compile(r"(?:pnpm|yarn|bun)\s++(?:run\s++)?([\w:.-]++)(?:\s++(.+))?", re.DOTALL)
_NEEDED = re.compile(r"(?:^|[\s&|;(])(?:pnpm|pnpx|yarn|bun|bunx)(?:\s|$)")
"""Matches a script that calls such a package manager itself."""
_RUN = re.compile(r"(?:uv|poetry|pipenv|pdm)\s++run\s++([A-Za-z][\w-]*+)(?:\s++(.+))?", re.DOTALL)
_SEVERAL = re.compile(r"[|;&\n`]|\$\(")


def by_npm(command: str, scripts: Mapping[str, str]) -> str | None:
    """Return the command by which npm runs the same script; None when only the package manager itself can run it.

    npm passes on only arguments after `--`.
    """
    found = _SCRIPT.fullmatch(command.strip())
    if found is None or _SEVERAL.search(command):
        return None
    name, rest = found[1], found[2] or ""
    around = [scripts.get(each) for each in (name, f"pre{name}", f"post{name}")]
    if around[0] is None or any(_NEEDED.search(each) for each in around if each is not None):
        return None
    handed_on = "" if not rest else f" {rest}" if rest.startswith("-- ") else f" -- {rest}"
    return f"npm run {name}{handed_on}"


def in_environment(command: str) -> str | None:
    """Return the command that a runner runs in the virtual environment; None for any other command."""
    found = _RUN.fullmatch(command.strip())
    if found is None or _SEVERAL.search(command):
        return None
    return f"{found[1]} {found[2]}" if found[2] else found[1]
