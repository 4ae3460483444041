"""The services that the names in an order or a question mean. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from devinit.errors import UsageError
from devinit.model.service import Project
from devinit.model.unknown import unknown_service

EVERY = "all"
"""The name that stands for every service."""


def named(names: Iterable[str], project: Project) -> list[str]:
    """Return the services with these names; all of them without names, or if "all" is among them."""
    asked = list(dict.fromkeys(names))
    for name in asked:
        if name != EVERY and name not in project.services:
            raise unknown_service(name, project.services, project.name)
    return list(project.services) if not asked or EVERY in asked else asked


def to_start(names: Iterable[str], project: Project, wanted: Callable[[str], bool]) -> list[str]:
    """Return the services for a start or restart. Without names, these are all that start automatically.

    Any other service is included if it is named, or if it is `wanted` already, since it runs or is starting. Raise
    UsageError for a name that the project does not have.
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
    """Return the one service with this name. Raise UsageError for "all"."""
    if name == EVERY:
        known = ", ".join(project.services) or "none"
        raise UsageError("one service has to be named, not all of them", hint=f"services: {known}")
    [chosen] = named([name], project)
    return chosen
