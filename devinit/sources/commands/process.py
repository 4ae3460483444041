"""A command of a list, and valid names for its service. Pure."""

from __future__ import annotations

import re
import shlex

from msgspec import Struct

from devinit.model.evidence import Evidence
from devinit.sources.commands.programs import LONGEST_COMMAND

LONGEST_NAME = 40
"""In characters, for the name of a service."""
_UNNAMED = "process"
"""Name of a service when no character of its process's name is valid."""


class Process(Struct, frozen=True, kw_only=True):
    """One command of a list."""

    name: str
    """Its name in the list: `Web_1`."""
    service: str
    """Name of the service: `web_1`."""
    command: str
    file: str
    """File of the command, relative to the project's folder."""
    line: int
    """Counted from 1."""
    index: int
    """Number of processes before it in the list."""
    folder: str = ""
    """Folder in which it runs, relative to the project's folder; empty for that folder."""
    says: str = ""
    """The text of the line, if it is more than name and command."""
    further: tuple[Evidence, ...] = ()
    """Further lines that led to the command."""

    @property
    def place(self) -> str:
        """File and line for messages: `Procfile.dev, line 2`."""
        return f"{self.file}, line {self.line}" if self.line else self.file


def problem_of(command: str) -> str:
    """Return why a command cannot be run; "" when it can."""
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
    """Return a valid name for a service, whose variables clash with no other service, and add it to `taken`."""
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
