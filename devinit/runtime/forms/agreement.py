"""The runtime environment for files and commands, in the forms on which all services of a project agree. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from devinit.model.names import variable_prefix
from devinit.model.service import Project
from devinit.runtime.dotenv import is_writable
from devinit.runtime.forms.statement import Decision


def agreed(
    runtime: Mapping[str, str], project: Project, decided: Iterable[Mapping[str, Decision]]
) -> dict[str, str]:
    """Return the runtime environment for files and commands, in the form on which all services agree.

    `decided`: the decisions of each service. A name that every service keeps is left out. The address of a service
    keeps the form that `devinit.discover` and other programs look up: host, port, and a URL with its scheme.
    """
    of_name: dict[str, list[Decision]] = {}
    for decisions in decided:
        for name, decision in decisions.items():
            of_name.setdefault(name, []).append(decision)
    prefixes = [variable_prefix(name) for name in project.services]
    places = {f"{prefix}_{part}" for prefix in prefixes for part in ("HOST", "PORT")}
    urls = {f"{prefix}_URL" for prefix in prefixes}
    found = dict(runtime)
    for name, decisions_of_name in of_name.items():
        values = {each.value if each.is_given else None for each in decisions_of_name}
        if len(values) > 1 or name in places:
            continue
        value = values.pop()
        if name in urls and _scheme(value or "") != _scheme(found.get(name, "")):
            continue
        if value is None:
            found.pop(name, None)
        elif is_writable(name, value):
            found[name] = value
    return found


def _scheme(url: str) -> str:
    return url.partition("://")[0]
