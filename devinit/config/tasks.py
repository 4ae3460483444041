"""The tasks of the file: each table is checked and completed, and so are the references between tasks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from devinit.config.problems import Place, choose
from devinit.config.references import cycles
from devinit.config.services import commands, folder, texts
from devinit.config.tables import TASK_NAME, TaskTable
from devinit.model.service import Service
from devinit.model.task import Task

LONGEST_NAME = 40


def task(name: str, table: TaskTable, root: Path, place: Place) -> Task:
    """Return the task that a table describes; report mistakes at the place."""
    if not re.fullmatch(TASK_NAME, name) or len(name) > LONGEST_NAME:
        place.add(
            "not a name for a task",
            f"letters, digits, - _ . and :, a letter first, at most {LONGEST_NAME}",
        )
    if table.command is None and not table.depends_on:
        place.at("command").add("missing", "say what it runs, or which tasks in `depends_on`")
    if table.key is not None and not (len(table.key) == 1 and table.key.isascii() and table.key.isalnum()):
        place.at("key").add("not a key for a task", "one letter or digit")
    if table.service is not None and table.directory is not None:
        place.at("directory").add("means nothing beside `service`", "it runs in the folder of that service")
    return Task(
        name=name,
        commands=commands(table.command, place.at("command")),
        directory=folder(table.directory, root, place.at("directory")),
        service=table.service,
        depends_on=tuple(dict.fromkeys(texts(table.depends_on))),
        description=table.description,
        label=table.label,
        confirm=table.confirm if isinstance(table.confirm, str) else "" if table.confirm else None,
        key=table.key,
    )


def check_tasks(tasks: Mapping[str, Task], services: Mapping[str, Service], place: Place) -> None:
    """Report services and tasks that do not exist, and tasks that wait for each other."""
    for each in tasks.values():
        if each.service is not None and each.service not in services:
            place.at(each.name, "service").add(
                f'there is no service "{each.service}"', choose(each.service, services, what="services")
            )
        for name in each.depends_on:
            if name not in tasks and name not in services:
                place.at(each.name, "depends_on").add(
                    f'there is no service and no task "{name}"',
                    choose(name, [*services, *tasks], what="services and tasks"),
                )
    for key, names in _by_key(tasks).items():
        if len(names) > 1:
            place.at(names[1], "key").add(f'"{key}" is the key of {names[0]} as well', "choose another one")
    for cycle in cycles({name: _tasks_before(each, tasks) for name, each in tasks.items()}):
        place.at(cycle[0], "depends_on").add(
            f"tasks wait for each other: {' → '.join([*cycle, cycle[0]])}", "remove one of the arrows"
        )


def _by_key(tasks: Mapping[str, Task]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for each in tasks.values():
        if each.key is not None:
            found.setdefault(each.key, []).append(each.name)
    return found


def in_order(name: str, tasks: Mapping[str, Task]) -> list[Task]:
    """Return a task after all tasks that it depends on, each once. Pure."""
    order: dict[str, None] = {}
    pending = [name]
    while pending:
        before = [each for each in _tasks_before(tasks[pending[-1]], tasks) if each not in order]
        if before:
            pending.extend(reversed(before))
        else:
            order[pending.pop()] = None
    return [tasks[each] for each in order]


def services_needed(order: Iterable[Task], tasks: Mapping[str, Task]) -> list[str]:
    """Return the services that must be ready before these tasks. Pure."""
    return list(dict.fromkeys(name for each in order for name in each.depends_on if name not in tasks))


def _tasks_before(each: Task, tasks: Mapping[str, Task]) -> tuple[str, ...]:
    return tuple(name for name in each.depends_on if name in tasks)
