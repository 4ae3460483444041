"""Find the first port of the processes in a Procfile, and the file that states it.

foreman gives the first process the PORT of `.env`, else 5000, and adds 100 for each further one. The `bin/dev` of
Rails exports another PORT before it calls foreman.
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
"""File → pattern of the first port. `bin/dev` exports `${PORT:-3000}`."""


def numbering(bounds: Bounds, folder: Path) -> Numbering:
    """Return the numbering of a folder's Procfile: from 5000 when no file states another port."""
    for name, pattern in _SETTINGS.items():
        path = folder / name
        text = read(path, bounds)
        found = pattern.search(text)
        if found is not None and is_port(found[1]):
            return Numbering(int(found[1]), STEP, seen("port", path, bounds, text, found.start(1)))
    return Numbering(FIRST, STEP)
