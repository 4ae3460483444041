"""Decide which processes are not started, and why."""

from __future__ import annotations

import os.path
import re

from devinit.sources.commands import programs
from devinit.sources.commands.command import Command, understood
from devinit.sources.commands.process import Process
from devinit.sources.commands.scripts import scripts_reached, words_of_script
from devinit.sources.source import Weight
from devinit.system.bounds import Bounds

_PRODUCTION = re.compile(r"(?<![A-Za-z0-9_])[A-Z_]*ENV=[\"']?production\b")


def why_not(process: Process, command: Command, weight: Weight, bounds: Bounds) -> str:
    """Return why a process is not started; "" when it is started."""
    if process.name.lower() == "release":
        return (
            "not started: it is a step of a deployment; `before_start` of a service in devinit.toml runs a "
            "command before each start"
        )
    if reason := harm(process.command):
        return f"left out: {reason}"
    if process.name.lower() in programs.CONSOLES or _is_console(command.program):
        return "left out: a person works in it, and a service has no terminal"
    if weight is Weight.PRODUCTION and (_PRODUCTION.search(process.command) or _was_built(command.program)):
        return "left out: it runs what was built for production"
    folder = bounds.root / command.folder
    # Path.is_dir() raises for a path that is too long.
    if not (os.path.isdir(folder) and bounds.holds(folder)):  # noqa: PTH112
        return f"left out: {command.folder} is no folder of the repository"
    place = f"{command.folder}/package.json" if command.folder else "package.json"
    words = words_of_script(command, folder, bounds)
    script = understood(words).program if words else ()
    for program in (command.program, script):
        if name := programs.PHONES.get(next(iter(program), "")):
            return f"left out: {name} is not started by itself: it is no web server"
    if (
        weight is Weight.PRODUCTION
        and words
        and (_PRODUCTION.search(words) or _was_built(understood(words).program))
    ):
        return f"left out: it runs what was built for production (`{command.script}` in {place})"
    for name, words in scripts_reached(process.command, folder, bounds).items():
        if reason := harm(words):
            return f"left out: {reason} (`{name}` in {place})"
    return ""


def harm(command: str) -> str:
    """Return what harm a command would do beside devinit; "" when it is an ordinary process."""
    if programs.ENDS_OTHERS.search(command):
        return "it ends processes by their name or port, and they may be another project's"
    if any(word.rpartition("/")[2] in programs.CONTAINERS for word in programs.words_of(command)):
        return "it starts containers"
    program = next(iter(understood(command).program), "")
    return f"{program} starts processes itself" if program in programs.MANAGERS else ""


def _was_built(program: tuple[str, ...]) -> bool:
    """Return whether a program runs or serves the result of a build."""
    if not program:
        return False
    return (
        program[:2] in programs.BUILT_BY
        or program[0] in programs.SERVES_BUILT
        or program[0].removeprefix("./").partition("/")[0] in programs.OUTPUT
    )


def _is_console(program: tuple[str, ...]) -> bool:
    """Return whether a program is an interactive console."""
    if not program:
        return False
    if program[0] in programs.SHELLS:
        return "-c" not in program and all(word.startswith("-") for word in program[1:])
    return program[:2] in (("rails", "console"), ("rails", "c"), ("manage.py", "shell"))
