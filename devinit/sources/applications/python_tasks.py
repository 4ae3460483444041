"""Find workers in the tasks of a pyproject.toml: those of taskipy, Poe the Poet and PDM."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from devinit.model.evidence import Evidence
from devinit.sources.applications.dependencies import toml
from devinit.sources.applications.tree import Tree, joined
from devinit.sources.commands import programs
from devinit.sources.commands.languages import language_of
from devinit.sources.commands.programs import program_of, words_of
from devinit.sources.files import table

_TABLES = (("taskipy", "tasks"), ("poe", "tasks"), ("pdm", "scripts"))
_KEYS = ("cmd", "shell")
_OPAQUE = re.compile(r"[|;&<>`$\n]")
"""Matches syntax that needs a shell."""


def workers_of(tree: Tree, folder: str) -> Iterator[tuple[str, Evidence]]:
    """Yield the command of each task that runs a worker, with its line."""
    file = joined(folder, "pyproject.toml")
    text = tree.text(file)
    tools = table(toml(text), "tool")
    for tool, name in _TABLES:
        for task in table(table(tools, tool), name).values():
            command = _command(task)
            program = program_of(words_of(command))
            is_worker = bool(program) and language_of(program[0]) == "python" and program[0] != "alembic"
            if is_worker and not _OPAQUE.search(command) and programs.only_works("", program):
                yield command, tree.seen("command", file, max(text.find(command), 0))


def _command(task: Any) -> str:
    """Return the command of a task (Any: its contents are unchecked); "" for several commands."""
    described = next((task[key] for key in _KEYS if key in task), "") if isinstance(task, dict) else task
    return described if isinstance(described, str) else ""
