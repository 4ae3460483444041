"""From which port on a list of processes is numbered, and which file says so.

foreman gives the first process the PORT of `.env`, else 5000, and each further one 100 more. `bin/dev` of Rails
exports another one before it calls foreman.
"""

from __future__ import annotations

import re

from devinit.model.evidence import Evidence
from devinit.model.port import HIGHEST_PORT
from devinit.sources.files import read, seen
from devinit.sources.procfile.commands import is_port
from devinit.system.bounds import Bounds

FIRST = 5000
STEP = 100
_NAMED = r"[\"']?(\d{2,5})\b"
_SETTINGS = {
    ".overmind.env": re.compile(rf"^[ \t]*(?:OVERMIND_)?PORT={_NAMED}", re.MULTILINE),
    ".foreman": re.compile(rf"^port:[ \t]*{_NAMED}", re.MULTILINE),
    ".env": re.compile(rf"^[ \t]*(?:export[ \t]+)?PORT[ \t]*=[ \t]*{_NAMED}", re.MULTILINE),
    "bin/dev": re.compile(rf"(?<![A-Za-z0-9_])PORT(?::?[-=]|=){_NAMED}"),
}
"""File → how it names the first port. `bin/dev` exports `${PORT:-3000}`."""


def first_port(bounds: Bounds) -> tuple[int, Evidence | None]:
    """Return the port of the first process, and the line that says so; 5000 when no file does."""
    for name, pattern in _SETTINGS.items():
        path = bounds.root / name
        text = read(path, bounds)
        found = pattern.search(text)
        if found is not None and is_port(found[1]):
            return int(found[1]), seen("port", path, bounds, text, found.start(1))
    return FIRST, None


def numbered(first: int, index: int) -> int:
    """Return the port of a process by how many come before it."""
    port = first + STEP * index
    return port if port <= HIGHEST_PORT else first
