"""What the output of a program that failed says about the cause: pure, from lines to a few words.

The words are the program's own, found in a table of what real programs print (tests/supervisor/outputs).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from devinit.model.port import HIGHEST_PORT, LOWEST_UNPRIVILEGED_PORT

LONGEST_CAUSE = 200

# Patterns as text: `re` compiles them when the first program fails, not while the supervisor boots (1 ms).

IN_USE = (
    r"(?i)address already in use|EADDRINUSE|AddrInUse|\bport\b[^\n]{0,10} (is|was) (already )?in use"
    r"|is port \d+ in use|already running on port|only one usage of each"
)
"""What programs print when they could not bind: libc's words, Node's, Deno's, Django's and Spring's, Bun's,
create-react-app's, Windows'."""
# Behind a colon (":8080", "127.0.0.1:3000"), a comma ("('127.0.0.1', 8000)") or the word: a year is no port.
_PORT = r"(?i)(?::|, |\bport:? )(\d{4,5})\b"


CAUSES = (
    # An exception's last line, of Python and of Node. "Error: " alone says nothing and is left out.
    r"^(?:Uncaught )?Error(?: \[\w+\])?: (?P<said>.+)",
    r"^(?:Uncaught )?(?P<said>[\w.]*(?:Error|Exception)(?: \[\w+\])?: .+)",
    r"^panic: (?P<said>.+)",
    # uvicorn, alembic, PostgreSQL, Redis
    r"^ERROR:\s+(?P<said>Error loading ASGI app.+)",
    r"^FAILED: (?P<said>.+)",
    r"\b(?:FATAL|PANIC):\s+(?P<said>.+)",
    r"^postgres: (?P<said>could not .+)",
    r"# (?P<said>(?:Fatal error|Failed|Can't) .+)",
    # Shells, Python and package managers, about what is not there
    r"^(?:/\S+/)?(?:ba|da|z|k)?sh: (?:line )?\d+: (?P<said>.+: (?:command )?not found)$",
    r"^(?:\S*/)?python[\d.]*: (?P<said>(?:No module named|can't open file) .+)",
    r"^npm (?:error|ERR!) (?P<said>Missing script: .+)",
    r"^npm (?:error|ERR!) (?:enoent )?(?P<said>Could not read package\.json.*)",
    r"^\s*ERR_PNPM_\w+\s+(?P<said>.+)",
    r'^error (?P<said>Command ".+" not found\.)',
)
"""One line each; the last line of the output that matches one of them is taken."""

SYNTAX = r"^(?:SyntaxError|IndentationError|TabError): "
PLACE = r'^\s*File "(?:.*/)?(?P<file>[^"/]+)", line (?P<line>\d+)'

TRACEBACK_LINES = 8
"""Before the last line of a traceback stands a place in the code, its text, and what marks a part of that."""
PYTHON_EXCEPTION = r"^[\w.]*(?:Error|Exception|Configured|NotFound|Exit)(?::|$)"
"""ImproperlyConfigured is Django's; the rest ends as exceptions usually do."""
NODE_CRASH = r"^Node\.js v\d"
WAITS_FOR_A_CHANGE = r"(?i)waiting for (?:file )?changes|^Failed running '"
"""nodemon's words and those of `node --watch`."""


def cause_of(lines: Sequence[str]) -> str | None:
    """Return what made a program fail, in its own words, as far as its last lines tell."""
    taken = ports_in_use("\n".join(lines))
    if taken is not None:
        return f"port {taken[0]} is in use" if len(taken) == 1 else "an address is in use"
    for number in range(len(lines) - 1, -1, -1):
        for cause in CAUSES:
            if found := re.search(cause, lines[number]):
                said = found["said"].strip()
                return (said + place_of(lines[:number], said))[:LONGEST_CAUSE]
    return None


def ports_in_use(output: str) -> list[int] | None:
    """Return the ports that a service says are in use, as far as it names them; None when it says nothing."""
    found = re.search(IN_USE, output)
    if found is None:
        return None
    end = output.find("\n", found.end())
    line = output[output.rfind("\n", 0, found.start()) + 1 : end if end >= 0 else None]
    ports = dict.fromkeys(int(number) for number in re.findall(_PORT, line))
    return [port for port in ports if LOWEST_UNPRIVILEGED_PORT <= port <= HIGHEST_PORT]


def stuck_by(lines: Sequence[str]) -> str | None:
    """Return what a program crashed of, if its output ends with that: its reloader waits for a change.

    Only what is certain: the end of a traceback, Node's last words, or a reloader that says so. A message
    about an error may be followed by a good start.
    """
    said = [line for line in lines if line.strip()]
    if not said:
        return None
    last = said[-1]
    traceback = re.match(PYTHON_EXCEPTION, last) and any(
        re.match(PLACE, line) for line in said[-TRACEBACK_LINES:]
    )
    if traceback or re.match(NODE_CRASH, last) or re.search(WAITS_FOR_A_CHANGE, last):
        return cause_of(said) or last.strip()[:LONGEST_CAUSE]
    return None


def place_of(before: Sequence[str], said: str) -> str:
    """Return where a syntax error is, which its own words do not tell."""
    if not re.match(SYNTAX, said):
        return ""
    places = (re.match(PLACE, line) for line in reversed(before))
    found = next((place for place in places if place), None)
    return f" ({found['file']}, line {found['line']})" if found else ""
