"""Parse the lines of a Procfile as foreman does. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from devinit.sources.commands.process import Process, problem_of, service_name

MOST_PROCESSES = 50
"""More than any handwritten Procfile has."""
_LINE = re.compile(r"\A([A-Za-z0-9_-]+):[ \t]*(\S.*)")


def processes(text: str, file: str) -> Iterator[Process | tuple[int, str]]:
    """Yield each process of a text; for an unusable line, its number and the problem."""
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
        if problem := problem_of(command):
            yield line, f"{name} is left out: {problem}"
        else:
            service = service_name(name, taken)
            yield Process(name=name, service=service, command=command, file=file, line=line, index=len(names))
        names.add(name)
