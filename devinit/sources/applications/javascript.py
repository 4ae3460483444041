"""Analyse source files of Node programs: whether they listen, and on which port. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

from devinit.model.port import HIGHEST_PORT, LOWEST_PORT

SUFFIXES = (".ts", ".js", ".mjs", ".cjs", ".mts", ".cts", ".tsx", ".jsx")

_COMMENT = re.compile(r"^[ \t]{0,80}(?://|\*|/\*)[^\n]*", re.MULTILINE)
_LISTENS = re.compile(
    r"\.listen\(|\bBun\.serve\(|\bDeno\.serve\(|(?<![\w.])serve\(|\bcreateServer\(|\.listenAsync\(|startStandaloneServer\("
    r"|\bexport default \{[^}]{0,300}\b(?:fetch|port)\b"
)
_WORKS = re.compile(
    r"\bnew Worker\(\s{0,20}['\"`]|\bnew Queue\(\s{0,20}['\"`][^\n]{0,100}\.process\(|from ['\"]bull(?:mq)?['\"]"
)
_NAME = (
    r"(?:process\.env|Bun\.env|env|import\.meta\.env|config|c)"
    r"(?:\.(?P<name>[A-Z][A-Z0-9_]{0,40})|\[['\"](?P<quoted>[A-Z][A-Z0-9_]{0,40})['\"]\])"
)
_READ = re.compile(
    rf"(?<![\w.]){_NAME}\s{{0,20}}\)?\s{{0,20}}(?:(?:\|\||\?\?)\s{{0,20}}['\"`]?(?P<usual>\d{{2,5}})(?!\d))?"
)
_CHOSEN = re.compile(
    r"(?<![\w.])process\.env(?:\.(?P<name>[A-Z][A-Z0-9_]{0,40})|\[['\"](?P<quoted>[A-Z][A-Z0-9_]{0,40})['\"]\])"
    r"\s{0,20}\?(?![.?])[^:?\n]{1,80}:\s{0,20}['\"`]?(?P<usual>\d{2,5})(?!\d)"
)
"""Matches `process.env.PORT ? Number(process.env.PORT) : 3000`."""
_DENO = re.compile(
    r"\bDeno\.env\.get\(['\"](?P<name>[A-Z][A-Z0-9_]{0,40})['\"]\)\s{0,20}\)?\s{0,20}(?:(?:\|\||\?\?)\s{0,20}['\"`]?(?P<usual>\d{2,5})(?!\d))?"
)
_DECLARED = re.compile(
    r"(?<![\w.])(?P<name>[A-Z][A-Z0-9_]{0,40})\s{0,20}:\s{0,20}(?:z|t|v|str|num|port)\b[^\n,]{0,120}?\bdefault\(\s{0,20}['\"`]?(?P<usual>\d{2,5})(?!\d)"
)
_GIVEN_TO_LISTEN = re.compile(
    r"(?:\.listen|(?<![\w.])serve)\(\s{0,20}(?:\{[^{}]{0,200}?\bport\s{0,20}:\s{0,20})?"
    r"(?:\+|(?:Number(?:\.parseInt)?|parseInt)\()?\s{0,20}process\.env"
    r"(?:\.(?P<name>[A-Z][A-Z0-9_]{0,40})|\[['\"](?P<quoted>[A-Z][A-Z0-9_]{0,40})['\"]\])"
    r"\s{0,20}\)?\s{0,20}(?:(?:\|\||\?\?)\s{0,20}['\"`]?(?P<usual>\d{2,5})(?!\d))?"
)
"""Matches a variable of any name: `app.listen({ port: parseInt(process.env.FASTIFY_PORT ?? "3000") })`."""
_LISTENS_ON = re.compile(r"\.listen\(\s{0,20}(?:\{\s{0,20}port\s{0,20}:\s{0,20})?(?P<port>\d{2,5})(?!\d)")
_SERVES_ON = re.compile(r"(?<![\w.])port\s{0,20}:\s{0,20}(?P<port>\d{2,5})(?!\d)")
_CONSTANT = re.compile(
    r"\b(?:const|let|var)[ \t]{1,10}(?:port|PORT)\b[^=\n]{0,40}=\s{0,20}(?P<port>\d{2,5})"
    r"[ \t]{0,10};?[ \t]{0,20}(?:\n|\Z|//)"
)


class PortUse(NamedTuple):
    """The place in the code from which a program takes its port."""

    position: int
    usual: int | None = None
    variable: str | None = None
    """None for a constant."""


def plain(text: str) -> str:
    """Return source code with comment lines replaced by blanks; all positions stay the same."""
    return _COMMENT.sub(lambda found: " " * len(found[0]), text)


def listens(text: str) -> int | None:
    """Return the position of the code that listens; None when there is none."""
    found = _LISTENS.search(text)
    return found.start() if found else None


def works(text: str) -> bool:
    """Return whether a source text processes a queue."""
    return _WORKS.search(text) is not None


def port_of(text: str) -> PortUse | None:
    """Return the port of the program in a source text; None when the text does not state it."""
    uses = [
        use
        for pattern in (_READ, _CHOSEN, _DENO, _DECLARED, _GIVEN_TO_LISTEN)
        for found in pattern.finditer(text)
        if (use := _use(found, is_own=pattern is _GIVEN_TO_LISTEN))
    ]
    # A port with a default has priority over one without.
    stated = sorted(uses, key=lambda use: (use.usual is None, use.variable != "PORT", use.position))
    if stated:
        return stated[0]
    for pattern in (_LISTENS_ON, _CONSTANT, *((_SERVES_ON,) if _LISTENS.search(text) else ())):
        if (found := pattern.search(text)) and _is_port(found["port"]):
            return PortUse(found.start(), int(found["port"]))
    return None


def _use(found: re.Match[str], *, is_own: bool) -> PortUse | None:
    groups = found.groupdict()
    name = groups.get("name") or groups.get("quoted") or ""
    if not (is_own or is_own_port(name)):
        return None
    usual = groups.get("usual")
    return PortUse(found.start(), int(usual) if usual and _is_port(usual) else None, name)


_OWN = frozenset(
    {
        "PORT",
        "HTTP_PORT",
        "APP_PORT",
        "API_PORT",
        "SERVER_PORT",
        "BACKEND_PORT",
        "NODE_PORT",
        "BACK_PORT",
        "LISTEN_PORT",
        "SERVICE_PORT",
        "WEB_PORT",
    }
)


def is_own_port(name: str) -> bool:
    """Return whether a variable holds the program's own port, and not that of another server."""
    return name in _OWN


def _is_port(digits: str) -> bool:
    return LOWEST_PORT <= int(digits) <= HIGHEST_PORT
