"""`devinit run NAME`: run a task of devinit.toml, a command, or a task that files of the repository suggest."""

from __future__ import annotations

import os

from devinit.cli.arguments import Arguments, module_of, read
from devinit.cli.executing import HANDED_ON, OF_THE_TERMINAL, become, is_there, run_to_end, where
from devinit.cli.output import talk
from devinit.cli.project import root_of
from devinit.cli.setting import carry_out, environment_of, hint_about, mention, setting_of
from devinit.config.names_stated import tasks_stated
from devinit.errors import UsageError
from devinit.sources.suggested import are_possible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path
    from typing import NoReturn

    from devinit.control.wire import Json
    from devinit.model.service import Project
    from devinit.model.status import CommandSetting
    from devinit.model.task import Task
    from devinit.sources.suggested.reading import Suggestion

INTERRUPTED = [128 + number for number in (*OF_THE_TERMINAL, *HANDED_ON)]
"""Exit codes of a command that was interrupted."""
SATISFIED = ("ready", "exited")
"""Phases of a service in which a task does not wait for it."""


def run_named(arguments: Arguments) -> int:
    """Run the task, command or suggestion of the repository with this name; return its exit code.

    A suggestion is run only if no command has its name, and only by its full name.
    """
    root, name = root_of(arguments), (arguments.command or [""])[0]
    if name in tasks_stated(root):
        from devinit.config.load import load  # a command that is no task does not need it

        project = load(root, profile=os.environ.get("DEVINIT_PROFILE") or None)
        if name in project.tasks:
            return run_task(project, name, arguments)
    setting = setting_of(root, test=arguments.test, where={})
    if "/" in name and ":" not in name:
        return carry_out(arguments, setting)
    is_command = is_there(name, environment_of(setting, root)["PATH"])
    if is_command and not are_possible((str(root), *setting.get("folders", {}).values()), name):
        return carry_out(arguments, setting)
    from devinit.sources.suggested.reading import meant_by, suggested  # as above

    suggestions = suggested(root, folders_of(setting))
    found = meant_by(name, suggestions)
    if is_command:
        if found:
            talk(f"{name} is a command on PATH, which is run; {others(found)}")
        return carry_out(arguments, setting)
    if len(found) > 1:
        raise UsageError(f"several files have {name}", hint=others(found))
    if found:
        return run_suggestion(found[0], setting, arguments)
    known = [*tasks_stated(root), *(each.name for each in suggestions)]
    hint = hint_about(arguments.command or [], setting) or meant(name, known)
    return carry_out(arguments, setting, hint)


def behind_name(arguments: Arguments) -> list[str]:
    """Return the arguments after the name, without the leading `--` that npm would require there."""
    further = (arguments.command or [])[1:]
    return further[1:] if further[:1] == ["--"] else further


def folders_of(setting: CommandSetting) -> list[Path]:
    """Return the folders in which the project's services run."""
    from pathlib import Path  # as above

    return [Path(folder) for folder in dict.fromkeys(setting.get("folders", {}).values())]


def others(found: Iterable[Suggestion]) -> str:
    """Return the commands that run each suggestion of a name."""
    return ", ".join(f"`devinit run {each.full_name}` runs {each.says or each.words[0]}" for each in found)


def meant(name: str, known: Iterable[str]) -> str | None:
    """Return a hint with the most similar task name; None if no name is similar."""
    from devinit.text import nearest  # only needed for a mistake

    near = nearest(name, list(known))
    return f"did you mean {near}? {where(name)}" if near else None


def run_suggestion(found: Suggestion, setting: CommandSetting, arguments: Arguments) -> NoReturn:
    """Replace this process by a suggestion in its folder, as the service there if there is exactly one."""
    root = root_of(arguments)
    there = [name for name, folder in setting.get("folders", {}).items() if folder == str(found.directory)]
    place: Json = {"service": there[0]} if len(there) == 1 else {"directory": str(found.directory)}
    words = found.with_arguments(behind_name(arguments))
    in_it = setting_of(root, test=arguments.test, where=place, again=True)
    mention(in_it, test=arguments.test)
    line = f", line {found.line}" if found.line else ""
    talk(f"{found.file}{line}: {' '.join(words)}{f' ({found.says})' if found.says else ''}")
    become(words, environment_of(in_it, root), in_it.get("directory"))


def run_task(project: Project, name: str, arguments: Arguments) -> int:
    """Run a task after its dependencies; its last command replaces this process."""
    from devinit.config.tasks import in_order, services_needed  # only a task needs them

    further = behind_name(arguments)
    setting_of(project.root, test=arguments.test, where={})  # the notes about the supervisor, once
    order = in_order(name, project.tasks)
    if further and not project.tasks[name].commands:
        raise UsageError(
            f"{name} takes no arguments: it only runs {', '.join(project.tasks[name].depends_on)}"
        )
    # A task without commands is not in the order: its dependencies are.
    silent = [each for each in order if not each.commands]
    last = next((each for each in reversed(order) if each.commands), None)
    if code := bring_up_for(services_needed(silent, project.tasks), name, project, arguments):
        return code
    for task in (each for each in order if each.commands):
        if code := bring_up_for(services_needed([task], project.tasks), task.name, project, arguments):
            return code
        if code := run_commands(task, project, arguments, further if task is last else None):
            return code
    return 0


def run_commands(task: Task, project: Project, arguments: Arguments, further: Sequence[str] | None) -> int:
    """Run the commands of a task; return the exit code of the first that fails.

    `further`: arguments for the last command, which replaces this process; None if other tasks follow.
    """
    from devinit.kinds.command import with_arguments  # as above
    from devinit.runtime.templates import expand_command

    place: Json = {"service": task.service} if task.service else {"directory": str(task.directory)}
    setting = setting_of(project.root, test=arguments.test, where=place, again=True)
    if arguments.test or not says_its_needs(task, project):
        mention(setting, test=arguments.test)
    environment, key = environment_of(setting, project.root), f"tasks.{task.name}.command"
    for number, line in enumerate(task.commands, start=1):
        is_last = further is not None and number == len(task.commands)
        added = further if is_last and further is not None else ()
        words = with_arguments(expand_command(line, environment, key=key), added, key=key)
        talk(f"{task.name}: {line}")
        if is_last:
            become(words, environment, setting.get("directory"))
        if code := run_to_end(words, environment, setting.get("directory")):
            if code in INTERRUPTED:
                talk(f"{task.name} was interrupted, and goes no further")
            return code
    return 0


def says_its_needs(task: Task, project: Project) -> bool:
    """Return whether a task states which services it needs."""
    from devinit.config.tasks import in_order, services_needed  # as above

    return bool(services_needed(in_order(task.name, project.tasks), project.tasks))


def bring_up_for(names: Sequence[str], task: str, project: Project, arguments: Arguments) -> int:
    """Start the services that a task needs and that are not ready; return the exit code, 0 when all are ready."""
    if not names:
        return 0
    phases = setting_of(project.root, test=False, where={}, again=True)["phases"]
    missing = [name for name in names if name in phases and phases[name] not in SATISFIED]
    # A service that was added to devinit.toml since the last start has no phase yet.
    missing += [name for name in names if name not in phases and project.services[name].external_url is None]
    if not missing:
        return 0
    from devinit.cli.bring_up import bring_up  # only where something has to be started
    from devinit.cli.watch_beside import watch_beside

    started = read(module_of("start"), "start", missing, arguments.directory)
    code = bring_up("start", str(project.root), started, watch_beside)
    if code:
        talk(f"{task} is not run")
    return code
