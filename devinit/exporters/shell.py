"""Values and services as lines of sh, for all formats whose files hold such lines. Pure."""

from __future__ import annotations

import shlex

from devinit.model.names import ENVIRONMENT_FILE
from devinit.model.resolved import Command, Resolved, ResolvedService, Role, Value

_SPECIAL = str.maketrans({each: f"\\{each}" for each in '\\"$`'})
IN_PLACE = frozenset({"HOST", "PORT"})
"""Variables of one service: no file that several services read may have them."""


def quoted(value: Value) -> str:
    """Return a value as one word of sh."""
    if not value.variables:
        return shlex.quote(value.written(str))
    return f'"{value.written(lambda name: f"${{{name}}}", lambda text: text.translate(_SPECIAL))}"'


def in_line(command: Command) -> str:
    """Return a command line, in which the shell replaces variables."""
    return command.line.written(lambda name: f"${{{name}}}")


def own_values(service: ResolvedService, resolved: Resolved) -> dict[str, Value]:
    """Return what a service is given beside the runtime environment, or other than it says."""
    found = {
        name: value
        for name, value in service.environment.items()
        if resolved.environment.get(name) != value and value.variables != (name,)
    }
    return {name: found[name] for name in ("PORT", "HOST") if name in found} | found


def path_from(folder: str, path: str) -> str:
    """Return a path of the project as it is written in one of its folders."""
    if folder == "." or path.startswith("/"):
        return path
    if path.startswith(f"{folder}/"):
        return path.removeprefix(f"{folder}/")
    levels = 0 if folder.startswith("/") else folder.count("/") + 1
    return "../" * levels + path


def started(service: ResolvedService) -> str:
    """Return what starts a service in its folder: its one-shots, then its program in the place of the shell."""
    assert service.command is not None  # noqa: S101 - of services that run one
    before = [f"{in_line(each)} && " for each in service.before_start]
    if service.command.needs_shell:
        return "".join((*before, in_line(service.command)))
    return "".join((*before, "exec ", " ".join(map(quoted, service.command.words))))


def tools_path(service: ResolvedService) -> str:
    """Return an assignment of PATH, for its folder, with the service's own tools first; "" where it has none."""
    if not service.tools:
        return ""
    places = (path_from(service.folder, each).translate(_SPECIAL) for each in service.tools)
    return f'PATH="{"".join(f"$PWD/{each}:" for each in places)}$PATH"'


def assignments(values: dict[str, Value]) -> list[str]:
    """Return variables as a shell assigns them."""
    return [f"{name}={quoted(value)}" for name, value in values.items()]


def line_of(service: ResolvedService, resolved: Resolved) -> str:
    """Return one line of sh that runs a service from the project's folder, with what is its own."""
    inside = "" if service.folder == "." else f"cd {shlex.quote(service.folder)} && "
    values = [*assignments(own_values(service, resolved)), *filter(None, [tools_path(service)])]
    line = started(service)
    if not values:
        return f"{inside}{line}"
    # In front of the program, where other readers of the line look for its port. `exec` finds it in this PATH.
    given = f"{' '.join(values)} " if line.startswith("exec ") else f"export {' '.join(values)} && "
    return f"{inside}{given}{line}"


def runnable(resolved: Resolved) -> tuple[ResolvedService, ...]:
    """Return the services that are a command of the project, on this machine."""
    return tuple(each for each in resolved.services if each.command is not None)


def left_out(resolved: Resolved) -> list[str]:
    """Return a line for each service that an export of commands cannot have."""
    lines = []
    for each in resolved.services:
        if each.role is Role.ELSEWHERE:
            lines.append(f"{each.name} runs elsewhere")
        elif each.command is None:
            lines.append(f"{each.name} is run by devinit: `devinit start {each.name}` brings it up")
    return lines


def not_in_runtime(resolved: Resolved) -> list[str]:
    """Return a line about the variables that services refer to, and that the runtime environment does not have."""
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
"""Where the values are that an export leaves out."""
