"""The list that `devinit run` prints: tasks in devinit.toml, and commands that files of the repository suggest."""

from __future__ import annotations

import os
import sys

from devinit.cli.output import Paint, columns_of, print_json, talk
from devinit.config.load import load
from devinit.masking import masked
from devinit.resolving.known_secrets import mask_of_project
from devinit.sources.suggested.reading import suggested
from devinit.system import terminal
from devinit.text import cut, one_line, pad, width

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from devinit.model.service import Project
    from devinit.model.task import Task
    from devinit.sources.suggested.reading import Suggestion

LONGEST_NAME = 30
"""Columns of the column of names; a longer name runs over it."""
LONGEST = 200
"""Columns of a line without a terminal."""
NO_TASKS = "no tasks: [tasks.NAME] with a `command` in devinit.toml is one; `devinit run -- COMMAND` runs any"


def print_tasks(root: Path, *, as_json: bool) -> int:
    """Print the tasks of a project and the commands that its files suggest, without running anything."""
    project = load(root, profile=os.environ.get("DEVINIT_PROFILE") or None)
    suggestions = suggested(root, dict.fromkeys(each.directory for each in project.services.values()))
    mask = mask_of_project(project)
    if as_json:
        print_json(mask.in_data(as_object(project, suggestions)))
        return 0
    if not project.tasks and not suggestions:
        talk(NO_TASKS)
        return 0
    lines = lines_of(project, suggestions, Paint(sys.stdout), columns_of(sys.stdout) or LONGEST, mask)
    terminal.write(sys.stdout, lines)
    return 0


def lines_of(
    project: Project,
    suggestions: list[Suggestion],
    paint: Paint,
    columns: int,
    mask: Callable[[str], str] = masked,
) -> list[str]:
    """Return the list as text, with lines of at most `columns` columns. Pure."""
    names = [each.name for each in suggestions]
    twice = {name for name in names if names.count(name) > 1 or name in project.tasks}
    tasks = [(each.name, about(each)) for each in project.tasks.values()]
    others = [(each.full_name if each.name in twice else each.name, seen_in(each)) for each in suggestions]
    longest = max((width(name) for name, _ in (*tasks, *others) if width(name) <= LONGEST_NAME), default=0)
    head = ["", paint.dim("found in the repository:")] if tasks and others else []
    if others and not tasks:
        head = [paint.dim("found in the repository:")]
    rows = [
        cut(f"{pad(one_line(name), longest)}  {mask(one_line(text))}", columns)
        for name, text in (*tasks, *others)
    ]
    return [*rows[: len(tasks)], *head, *rows[len(tasks) :]]


def about(task: Task) -> str:
    """Return the description of a task; without one, its commands or its dependencies."""
    return task.description or "; ".join(task.commands) or ", ".join(task.depends_on)


def seen_in(suggestion: Suggestion) -> str:
    """Return the description of a suggestion, with its file and line."""
    text = suggestion.description or suggestion.says or suggestion.words[0]
    return f"{text} ({suggestion.file}{f', line {suggestion.line}' if suggestion.line else ''})"


def as_object(project: Project, suggestions: list[Suggestion]) -> dict[str, object]:
    """Return the list as a JSON object. Pure."""
    return {
        "tasks": [
            {
                "name": each.name,
                "description": each.description,
                "label": each.label,
                "confirm": each.confirm,
                "key": each.key,
                "commands": list(each.commands),
                "service": each.service,
                "directory": None if each.service else str(each.directory),
                "depends_on": list(each.depends_on),
            }
            for each in project.tasks.values()
        ],
        "suggestions": [
            {
                "name": each.name,
                "full_name": each.full_name,
                "description": each.description,
                "command": list(each.words),
                "directory": str(each.directory),
                "file": each.file,
                "line": each.line or None,
                "says": each.says,
            }
            for each in suggestions
        ],
    }
