"""Parse the commands of a Makefile, a justfile, a Taskfile or a shell script. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

STARTING = frozenset(
    {
        "dev",
        "develop",
        "run",
        "start",
        "serve",
        "server",
        "runserver",
        "up",
        "web",
        "api",
        "backend",
        "frontend",
    }
)
"""Names of targets and scripts that start a project or a part of it."""
_TARGET = re.compile(r"@?([A-Za-z_][\w.-]{0,60})(?![\w.-]|[ \t]{0,60}[?+:!]?=)[^:\n]{0,300}:(?!=)")
"""Matches a target of a Makefile, or a recipe of a justfile with its parameters."""
_QUIET = " \t@-+"
"""Characters that may precede a command of a target."""
_TASK = re.compile(r"([A-Za-z_][\w.:-]{0,60}):")


class Target(Struct, frozen=True):
    """One command of a target."""

    name: str
    """Name of the target: `dev`."""
    command: str
    line: int
    """Counted from 1."""


def in_makefile(text: str) -> Iterator[Target]:
    """Yield the commands of a Makefile or a justfile."""
    name, joined, begin = "", "", 0
    for number, words in enumerate(text.splitlines(), start=1):
        is_indented = words[:1] in ("\t", " ")
        if joined or (name and is_indented and words.strip() and not words.strip().startswith("#")):
            begin = begin if joined else number
            joined += words.strip().removesuffix("\\").rstrip()
            if words.endswith("\\"):
                joined += " "
                continue
            yield Target(name, joined.lstrip(_QUIET).strip(), begin)
            joined = ""
        elif not is_indented and words.strip() and not words.startswith("#"):
            found = _TARGET.match(words)
            name = found[1] if found else ""


def in_taskfile(text: str) -> Iterator[Target]:
    """Yield the commands of a Taskfile.yml that have a line of their own."""
    name, depth, is_tasks, is_commands = "", 0, False, False
    for number, words in enumerate(text.splitlines(), start=1):
        plain = words.strip()
        indent = len(words) - len(words.lstrip(" "))
        if not plain or plain.startswith("#"):
            continue
        if indent == 0:
            is_tasks, depth = plain.startswith("tasks:"), 0
        elif is_tasks and (found := _TASK.fullmatch(plain)) and indent <= (depth or indent):
            name, depth, is_commands = found[1], indent, False
        elif is_tasks and indent > depth and (is_commands or plain.startswith(("cmd:", "cmds:"))):
            is_commands = plain.startswith(("cmd", "-"))
            command = plain.removeprefix("cmds:").lstrip().removeprefix("- ").lstrip()
            command = command.removeprefix("cmd:").strip().strip("\"'")
            if is_commands and command and not command.endswith(":"):
                yield Target(name, command, number)


def in_script(text: str, name: str) -> Iterator[Target]:
    """Yield the commands of a shell script, one per line."""
    for number, words in enumerate(text.splitlines(), start=1):
        plain = words.strip()
        if plain and not plain.startswith("#"):
            yield Target(name, plain.removeprefix("exec "), number)
