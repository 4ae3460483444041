"""Describe the targets and scripts that seem to start a project, each in a sentence."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from devinit.sources.commands import programs
from devinit.sources.commands.command import Command, understood
from devinit.sources.commands.left_out import harm
from devinit.sources.commands.process import problem_of
from devinit.sources.commands.targets import STARTING, Target, in_makefile, in_script, in_taskfile
from devinit.sources.files import read
from devinit.sources.source import Found
from devinit.system.bounds import Bounds

MOST_HINTS = 8
_IN_A_FOLDER = re.compile(r"\$[({]\w{1,40}[)}]/bin/")
"""Matches the path to a program in a virtual environment whose folder is a variable of make."""
_PYTHON = re.compile(r"\$[({](?:PYTHON3?|PY)[)}]")
_MAKE_PORT = re.compile(r"\$[({]PORT[)}]")
_ARGUMENTS = re.compile(r"\{\{\s{0,9}\w{1,40}\s{0,9}\}\}[ \t]{0,9}\Z")
"""Matches arguments that a recipe of just passes on."""


def found_in(bounds: Bounds, files: tuple[str, ...], scripts: tuple[str, ...]) -> Found:
    """Return hints for the commands that seem to start a server."""
    hints: dict[str, None] = {}
    for file in (*files, *scripts):
        path = bounds.root / file
        if not path.is_file() or not bounds.holds(path):
            continue
        for target in _targets(file, read(path, bounds), is_script=file in scripts):
            if (target.name in STARTING or file in scripts) and (hint := _hint(file, target)):
                hints.setdefault(hint)
    return Found(origin="Makefile and the like", hints=tuple(hints)[:MOST_HINTS])


def _targets(file: str, text: str, *, is_script: bool) -> Iterator[Target]:
    if is_script:
        return in_script(text, file)
    return in_taskfile(text) if file.startswith("Taskfile") else in_makefile(text)


def _hint(file: str, target: Target) -> str:
    """Return the hint for a command; "" when it does not look like a server."""
    plain = _plain(target.command)
    command = understood(plain)
    if problem_of(plain) or not _starts_a_server(command):
        return ""
    place = f"{file}, line {target.line}"
    if why := harm(plain):
        return f"{place}: `{target.command}` is not started: {why}"
    where = f"`directory = {_toml(command.folder)}`, " if command.folder else ""
    return (
        f"{place} starts `{target.command}`; {where}`command = {_toml(command.text)}`"
        f"{f', `port = {command.port}`' if command.port else ''} of a [services.NAME] in devinit.toml does so, too"
    )


def _plain(command: str) -> str:
    """Return a command without the syntax of make and just, as far as its meaning is known."""
    text = _PYTHON.sub("python", _IN_A_FOLDER.sub("", command))
    return _ARGUMENTS.sub("", _MAKE_PORT.sub("${PORT}", text)).strip()


def _starts_a_server(command: Command) -> bool:
    program = next(iter(command.program), "")
    if command.serves or command.takes_port or program in programs.CONTAINERS | programs.MANAGERS:
        return True
    return command.runs is not None and any(each in STARTING for each in command.runs.scripts)


def _toml(text: str) -> str:
    """Return a text as a TOML string."""
    return f"'{text}'" if '"' in text and "'" not in text else json.dumps(text, ensure_ascii=False)
