"""The process for a command line in the configuration: its arguments, and the tools that it finds."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from devinit.errors import ConfigError
from devinit.kinds.provider import Place
from devinit.model.process import ProcessSpec
from devinit.model.service import Service
from devinit.toolchains.folders import up_to_root
from devinit.toolchains.python.environments import environments

QUOTED = re.compile(r"""'[^']*'|"[^"\\$`]*"|\\.""", re.DOTALL)
"""Text that sh takes literally. A double-quoted string with `$`, a backslash or a backtick is left to sh."""
SHELL_SYNTAX = re.compile(r"""[|&;<>()$`*?\[\n"']|(?:^|\s)[#~{!]|^[A-Za-z_]\w*=|=~""")
"""Syntax that only a shell understands, searched for outside of quotes."""
COMPOUND = re.compile(r"""[|;()`\n]|(?<!>)&|\$\(""")
"""Syntax that makes a command line more than one simple command; the `&` in `2>&1` does not."""
ASSIGNMENTS = re.compile(r"""(?:[A-Za-z_]\w*=(?:'[^']*'|"[^"\\]*"|[^\s'"\\])*\s+)*""")
_BETWEEN = re.compile(r"&&|\|\||[;|&\n()]")
_ASSIGNED = re.compile(r"[A-Za-z_]\w*=")
_BEFORE = frozenset(("exec", "env", "cross-env", "time", "nice", "command"))
"""Words before a program that run it unchanged."""
TAKES_ARGUMENTS = re.compile(r"\$[@*#1-9]|\$\{[@*#1-9]")
"""A placeholder in a shell line for the arguments of its caller."""
SHELL_WORDS = frozenset(
    [
        ".",
        ":",
        "[",
        "alias",
        "bg",
        "break",
        "case",
        "cd",
        "command",
        "continue",
        "do",
        "done",
        "elif",
        "else",
        "esac",
        "eval",
        "exec",
        "exit",
        "export",
        "false",
        "fg",
        "fi",
        "for",
        "function",
        "getopts",
        "hash",
        "if",
        "in",
        "jobs",
        "local",
        "pwd",
        "read",
        "readonly",
        "return",
        "set",
        "shift",
        "source",
        "test",
        "then",
        "time",
        "times",
        "trap",
        "true",
        "type",
        "ulimit",
        "umask",
        "unalias",
        "unset",
        "until",
        "wait",
        "while",
        "{",
        "}",
        "!",
    ]
)
"""Words that sh itself executes: there are no such programs, or running them would have no effect."""


def arguments(command: str, *, key: str = "command") -> tuple[str, ...]:
    """Return the arguments to execute for a command line: its words, or sh with the whole line.

    `key` names the setting in the error for a line that cannot be parsed.
    """
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise ConfigError(
            f"{key}: {command!r} cannot be parsed: {str(error).lower()}", hint="close every quote"
        ) from error
    if not words:
        raise ConfigError(f"{key} is empty", hint="name the program to run")
    if needs_shell(command, words[0]):
        return ("sh", "-c", _executed(command))
    return tuple(words)


def with_arguments(command: str, further: Sequence[str], *, key: str = "command") -> tuple[str, ...]:
    """Return the arguments to execute for a command line with further arguments, which no shell interprets.

    A line for sh gets them as `"$@"` at its end, unless it has its own placeholder for them.
    """
    words = arguments(command, key=key)
    if not further:
        return words
    if not needs_shell(command, shlex.split(command)[0]):
        return (*words, *further)
    shell, option, line = words
    return (shell, option, line if TAKES_ARGUMENTS.search(line) else f'{line} "$@"', shell, *further)


def needs_shell(command: str, first_word: str) -> bool:
    """Return whether only a shell can execute the line."""
    return first_word in SHELL_WORDS or SHELL_SYNTAX.search(QUOTED.sub("x", command.strip())) is not None


@lru_cache(maxsize=1024)  # each service is asked about some ten times during a start
def first_words(command: str) -> tuple[str, ...]:
    """Return the words of a simple command unchanged, including `${PORT}`; empty for any other line."""
    if COMPOUND.search(QUOTED.sub("x", command.strip())):
        return ()
    try:
        return tuple(shlex.split(command))
    except ValueError:
        return ()


def arguments_of_parts(command: str) -> list[tuple[str, ...]]:
    """Return the words of each simple command of a line, without variables and launchers.

    The line is split without regard to quotes; parts that cannot be parsed are left out.
    """
    parts = []
    for part in _BETWEEN.split(command):
        try:
            words = shlex.split(part)
        except ValueError:
            continue
        while words and (words[0] in _BEFORE or _ASSIGNED.match(words[0])):
            words.pop(0)
        if words:
            parts.append(tuple(words))
    return parts


def command_spec(
    command: str,
    service: Service,
    place: Place,
    environment: dict[str, str],
    *,
    key: str = "command",
    hidden: tuple[str, ...] = (),
) -> ProcessSpec:
    """Return how to run one of a service's command lines: its process, `setup`, `before_start` or a probe.

    `environment` is complete; the project's own tools are put first in its PATH. `key` appears in errors. `hidden`
    are virtual environments in the service's folder that are kept out of its PATH.
    """
    environment = without_environments(environment, [service.directory / name for name in hidden])
    return ProcessSpec(
        argv=arguments(command, key=f"services.{service.name}.{key}"),
        directory=service.directory,
        environment=with_project_tools(environment, service.directory, place, hidden),
    )


def without_environments(environment: dict[str, str], folders: list[Path]) -> dict[str, str]:
    """Return an environment without these virtual environments, even if one is active in the caller's shell."""
    if not folders:
        return environment
    bins = {str(folder / "bin") for folder in folders}
    path = [each for each in environment.get("PATH", os.defpath).split(os.pathsep) if each not in bins]
    result = {**environment, "PATH": os.pathsep.join(path)}
    if result.get("VIRTUAL_ENV") in [str(folder) for folder in folders]:
        del result["VIRTUAL_ENV"]
    return result


def with_project_tools(
    environment: dict[str, str], directory: Path, place: Place, hidden: tuple[str, ...] = ()
) -> dict[str, str]:
    """Return the environment in which a service's own tools are found first, then those of its parent folders."""
    folders = up_to_root(directory, place.root)
    unseen = {directory / name / "bin" for name in hidden}
    found = [each for folder in folders for each in tool_folders(folder) if each not in unseen]
    result = {"PYTHONUNBUFFERED": "1", **environment}
    if place.color and "NO_COLOR" not in environment:
        result = {"FORCE_COLOR": "1", "CLICOLOR_FORCE": "1", **result}
    if found:
        result["PATH"] = os.pathsep.join([*map(str, found), environment.get("PATH", os.defpath)])
    virtual = next((folder.parent for folder in found if folder.name == "bin"), None)
    if virtual is not None:
        result["VIRTUAL_ENV"] = str(virtual)
        # It would point the environment's interpreter to another standard library.
        result.pop("PYTHONHOME", None)
    return result


def tool_folders(folder: Path) -> list[Path]:
    """Return the folders of the tools installed in a folder: virtual environments and Node packages."""
    candidates = (*(each / "bin" for each in environments(folder)), folder / "node_modules" / ".bin")
    return [path for path in candidates if os.path.isdir(path)]  # noqa: PTH112 - asked many times for each service


def _executed(command: str) -> str:
    """Make a simple command replace the shell, so that pid, signals and exit code are those of the service.

    dash 0.5.12 stays alive next to even a single command (measured), and would exit on TERM at once while the
    service still shuts down. A line that is not clearly a single simple command stays unchanged.
    """
    line = command.strip()
    if COMPOUND.search(QUOTED.sub("x", line)):
        return line
    matched = ASSIGNMENTS.match(line)
    start = matched.end() if matched else 0
    rest = line[start:]
    word = rest.split(maxsplit=1)[0] if rest else ""
    if not word or word in SHELL_WORDS or not re.fullmatch(r"[\w./@+-][^=]*", word):
        return line
    return f"{line[:start]}exec {rest}"
