"""One command of a list, and the names that services may have. Pure."""

from __future__ import annotations

import re
import shlex

from msgspec import Struct

from devinit.model.evidence import Evidence
from devinit.sources.commands.programs import LONGEST_COMMAND

LONGEST_NAME = 40
"""Of a service."""
_UNNAMED = "process"
"""What a service is called when nothing of the name of its process can stay."""


class Process(Struct, frozen=True, kw_only=True):
    """One command of a list."""

    name: str
    """As the list calls it: `Web_1`."""
    service: str
    """The name of the service: `web_1`."""
    command: str
    file: str
    """Where the command stands, relative to the project's folder."""
    line: int
    """Counted from 1."""
    index: int
    """How many processes come before it in the list."""
    folder: str = ""
    """Where the command runs, relative to the project's folder; empty for that."""
    says: str = ""
    """The line, where it is not name and command."""
    further: tuple[Evidence, ...] = ()
    """Further lines that led to the command."""

    @property
    def place(self) -> str:
        """The file and the line, for a person: `Procfile.dev, line 2`."""
        return f"{self.file}, line {self.line}" if self.line else self.file


def problem_of(command: str) -> str:
    """Say why a command cannot be run; nothing when it can."""
    if not command.strip():
        return "its command is empty"
    if len(command) > LONGEST_COMMAND:
        return f"its command has more than {LONGEST_COMMAND:,} characters"
    if not command.replace("\t", "").isprintable():
        return "its command has control characters"
    try:
        shlex.split(command)
    except ValueError as error:
        return f"its command cannot be parsed: {str(error).lower()}"
    return ""


def service_name(name: str, taken: set[str]) -> str:
    """Return a name that a service may have, whose variables are no other service's, and take it."""
    known = re.sub(r"[^a-z0-9_-]+", "-", name.lower())
    plain = re.sub(r"^[^a-z]+", "", known)[:LONGEST_NAME] or _UNNAMED
    wanted = f"{_UNNAMED}-all" if plain == "all" else plain
    service, number = wanted, 1
    while _variable(service) in taken:
        number += 1
        service = f"{wanted[: LONGEST_NAME - 1 - len(str(number))]}-{number}"
    taken.add(_variable(service))
    return service


def _variable(service: str) -> str:
    return service.replace("-", "_")
