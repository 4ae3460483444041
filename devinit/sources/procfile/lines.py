"""The lines of a Procfile, as foreman reads them. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from msgspec import Struct

MOST_PROCESSES = 50
LONGEST_COMMAND = 2_000
"""In characters. No Procfile that was written by hand has more, or longer ones."""
LONGEST_NAME = 40
"""Of a service."""
_LINE = re.compile(r"\A([A-Za-z0-9_-]+):[ \t]*(\S.*)")
_UNNAMED = "process"
"""What a service is called when nothing of the name of its process can stay."""


class Process(Struct, frozen=True):
    """One line."""

    name: str
    """As it stands in the file: `Web_1`."""
    service: str
    """The name of the service: `web_1`."""
    command: str
    line: int
    """Counted from 1."""
    index: int
    """How many processes come before it: foreman numbers their ports by that."""


def processes(text: str) -> Iterator[Process | tuple[int, str]]:
    """Yield each process; a line's number and what is wrong with it where there is none."""
    names: set[str] = set()
    taken: set[str] = set()
    for line, words in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
        if not words.strip() or words.lstrip().startswith("#"):
            continue
        found = _LINE.fullmatch(words)
        if found is None:
            yield line, "passed over, because it is no `NAME: COMMAND`"
            continue
        name, command = found[1], found[2].rstrip()
        if len(names) == MOST_PROCESSES:
            yield line, f"left out with all lines after it: there are more than {MOST_PROCESSES} processes"
            return
        if name in names:
            yield line, f"{name} is left out: there is another process of this name above"
            continue
        if problem := _problem_of(command):
            yield line, f"{name} is left out: {problem}"
        else:
            service = _service_name(name, taken)
            taken.add(_variable(service))
            yield Process(name, service, command, line, len(names))
        names.add(name)


def _problem_of(command: str) -> str:
    """Say why a command cannot be run; nothing when it can."""
    if len(command) > LONGEST_COMMAND:
        return f"its command has more than {LONGEST_COMMAND:,} characters"
    if not command.replace("\t", "").isprintable():
        return "its command has control characters"
    try:
        shlex.split(command)
    except ValueError as error:
        return f"its command cannot be parsed: {str(error).lower()}"
    return ""


def _service_name(name: str, taken: set[str]) -> str:
    """Return a name that a service may have, and whose variables are no other service's."""
    plain = re.sub(r"^[^a-z]+", "", name.lower())[:LONGEST_NAME] or _UNNAMED
    wanted = f"{_UNNAMED}-all" if plain == "all" else plain
    service, number = wanted, 1
    while _variable(service) in taken:
        number += 1
        service = f"{wanted[: LONGEST_NAME - 1 - len(str(number))]}-{number}"
    return service


def _variable(service: str) -> str:
    return service.replace("-", "_")
