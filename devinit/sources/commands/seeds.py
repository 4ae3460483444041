"""Find one-shots that fill a database with its first rows, which must not run twice on the same data. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from devinit.model.evidence import Evidence
from devinit.model.service import Condition, RestartMode, Service

_SEEDS = re.compile(
    r"(?<![a-z])(?:seed(?:s|er|ers|ing|db)?|loaddata|load[-_]fixtures|fixtures:load|init(?:ial)?[-_]data)(?![a-z])",
    re.IGNORECASE,
)
_MIGRATES = re.compile(
    r"migrat|upgrade[ \t]{1,9}heads?\b|db:(?:prepare|setup|reset|push)|db[ \t]{1,9}push", re.IGNORECASE
)
"""Matches work that must run at each start, whatever else the command does."""


def with_seeds_once(
    services: Mapping[str, Service], evidence: Mapping[str, tuple[Evidence, ...]]
) -> tuple[dict[str, Service], dict[str, tuple[Evidence, ...]]]:
    """Return the services with their seeds set to run once, and the evidence with the line of each seed."""
    awaited = {
        name
        for each in services.values()
        for name, condition in each.conditions.items()
        if condition is Condition.COMPLETED
    }
    seeds = [name for name, each in services.items() if name in awaited and is_seed(each)]
    kept = {name: msgspec.structs.replace(services[name], once=True) for name in seeds}
    said = {
        name: (*evidence.get(name, ()), msgspec.structs.replace(line, about="once"))
        for name in seeds
        if (line := _line_of(evidence.get(name, ()))) is not None
    }
    return {**services, **kept}, {**evidence, **said}


def is_seed(service: Service) -> bool:
    """Return whether a one-shot fills a database and does nothing that each start needs."""
    text = f"{service.name} {service.command or ''}"
    is_one_shot = service.port is None and not service.ready.is_stated
    if not is_one_shot or service.command is None or service.restart.mode is RestartMode.ALWAYS:
        return False
    return _SEEDS.search(text) is not None and _MIGRATES.search(text) is None and not service.before_start


def _line_of(lines: tuple[Evidence, ...]) -> Evidence | None:
    return next((each for each in lines if each.about == "command"), next(iter(lines), None))
