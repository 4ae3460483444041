"""Which services an order or a question means, from the names that it gives. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from devinit.errors import UsageError
from devinit.model.service import Project
from devinit.model.unknown import unknown_service

EVERY = "all"
"""The name that means every service."""


def named(names: Iterable[str], project: Project) -> list[str]:
    """Return the services that are meant: all of them when none is named, or "all" is among the names."""
    asked = list(dict.fromkeys(names))
    for name in asked:
        if name != EVERY and name not in project.services:
            raise unknown_service(name, project.services, project.name)
    return list(project.services) if not asked or EVERY in asked else asked


def to_start(names: Iterable[str], project: Project, wanted: Callable[[str], bool]) -> list[str]:
    """Return the services that a start or a restart is meant for: all of them are those that start by themselves.

    One that does not is meant when it is named, or `wanted` already: it runs, or is on its way.
    Raise UsageError for a name that the project does not have.
    """
    asked = frozenset(names)
    for name in sorted(asked - project.services.keys()):
        if wanted(name):
            raise UsageError(
                f"{name} runs, but is not in the configuration any more",
                hint=f"`devinit stop {name}` stops it, `devinit start` as well; or put its table back",
            )
    return [
        name
        for name in named(asked, project)
        if project.services[name].autostart or name in asked or wanted(name)
    ]


def one_named(name: str, project: Project) -> str:
    """Return the one service that is meant."""
    if name == EVERY:
        known = ", ".join(project.services) or "none"
        raise UsageError("one service has to be named, not all of them", hint=f"services: {known}")
    [chosen] = named([name], project)
    return chosen
