"""From which port on a list of processes is numbered, and which file says so.

foreman gives the first process the PORT of `.env`, else 5000, and each further one 100 more. `bin/dev` of Rails
exports another one before it calls foreman.
"""

from __future__ import annotations

import re
from pathlib import Path

from devinit.sources.commands.command import is_port
from devinit.sources.commands.services import Numbering
from devinit.sources.files import read, seen
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


def numbering(bounds: Bounds, folder: Path) -> Numbering:
    """Return how the processes of a folder's Procfile are numbered: from 5000 on when no file says so."""
    for name, pattern in _SETTINGS.items():
        path = folder / name
        text = read(path, bounds)
        found = pattern.search(text)
        if found is not None and is_port(found[1]):
            return Numbering(int(found[1]), STEP, seen("port", path, bounds, text, found.start(1)))
    return Numbering(FIRST, STEP)
