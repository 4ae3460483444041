"""Render values and services as lines of sh, for all formats that contain such lines. Pure."""

from __future__ import annotations

import shlex

from devinit.model.names import ENVIRONMENT_FILE
from devinit.model.resolved import Command, Resolved, ResolvedService, Role, Value

_SPECIAL = str.maketrans({each: f"\\{each}" for each in '\\"$`'})
IN_PLACE = frozenset({"HOST", "PORT"})
"""Variables that differ by service: no file for several services may have them."""


def quoted(value: Value) -> str:
    """Return a value as one word of sh."""
    if not value.variables:
        return shlex.quote(value.written(str))
    return f'"{value.written(lambda name: f"${{{name}}}", lambda text: text.translate(_SPECIAL))}"'


def in_line(command: Command) -> str:
    """Return a command line in which the shell expands variables."""
    return command.line.written(lambda name: f"${{{name}}}")


def own_values(service: ResolvedService, resolved: Resolved) -> dict[str, Value]:
    """Return the variables of a service that are missing in the runtime environment or differ from it."""
    found = {
        name: value
        for name, value in service.environment.items()
        if resolved.environment.get(name) != value and value.variables != (name,)
    }
    return {name: found[name] for name in ("PORT", "HOST") if name in found} | found


def path_from(folder: str, path: str) -> str:
    """Return a path of the project relative to one of its folders."""
    if folder == "." or path.startswith("/"):
        return path
    if path.startswith(f"{folder}/"):
        return path.removeprefix(f"{folder}/")
    levels = 0 if folder.startswith("/") else folder.count("/") + 1
    return "../" * levels + path


def started(service: ResolvedService) -> str:
    """Return the line that starts a service in its folder: its one-shots, then its command, which replaces sh."""
    assert service.command is not None  # noqa: S101 - the caller passes services with a command
    before = [f"{in_line(each)} && " for each in service.before_start]
    if service.command.needs_shell:
        return "".join((*before, in_line(service.command)))
    return "".join((*before, "exec ", " ".join(map(quoted, service.command.words))))


def tools_path(service: ResolvedService) -> str:
    """Return an assignment to PATH, for the service's folder, with its own tools first; "" without tools."""
    if not service.tools:
        return ""
    places = (path_from(service.folder, each).translate(_SPECIAL) for each in service.tools)
    return f'PATH="{"".join(f"$PWD/{each}:" for each in places)}$PATH"'


def assignments(values: dict[str, Value]) -> list[str]:
    """Return variables as shell assignments."""
    return [f"{name}={quoted(value)}" for name, value in values.items()]


def line_of(service: ResolvedService, resolved: Resolved) -> str:
    """Return one line of sh that runs a service from the project's folder, with its own variables."""
    inside = "" if service.folder == "." else f"cd {shlex.quote(service.folder)} && "
    values = [*assignments(own_values(service, resolved)), *filter(None, [tools_path(service)])]
    line = started(service)
    if not values:
        return f"{inside}{line}"
    # Assignments stand before the program, where other readers look for the port. `exec` uses the assigned PATH.
    given = f"{' '.join(values)} " if line.startswith("exec ") else f"export {' '.join(values)} && "
    return f"{inside}{given}{line}"


def runnable(resolved: Resolved) -> tuple[ResolvedService, ...]:
    """Return the services that run a command of the project on this machine."""
    return tuple(each for each in resolved.services if each.command is not None)


def left_out(resolved: Resolved) -> list[str]:
    """Return a note for each service that an export of commands cannot contain."""
    lines = []
    for each in resolved.services:
        if each.role is Role.ELSEWHERE:
            lines.append(f"{each.name} runs elsewhere")
        elif each.command is None:
            lines.append(f"{each.name} is run by devinit: `devinit start {each.name}` brings it up")
    return lines


def not_in_runtime(resolved: Resolved) -> list[str]:
    """Return a note on variables that services refer to and that the runtime environment lacks."""
    services = runnable(resolved)
    values = [value for each in services for value in own_values(each, resolved).values()]
    values += [
        command.line
        for each in services
        for command in (each.command, *each.before_start)
        if command is not None
    ]
    named = {name for value in values for name in value.variables} - resolved.environment.keys()
    if not named:
        return []
    are, it = ("is", "it") if len(named) == 1 else ("are", "them")
    names = ", ".join(sorted(named))
    return [f"{names} {are} not in {ENVIRONMENT_FILE}: the shell, or a further -e FILE, has to give {it}"]


NEEDS_RUNTIME = f"{ENVIRONMENT_FILE} has the addresses and the passwords; `devinit start` writes it"
"""Says where the values are that an export leaves out."""
