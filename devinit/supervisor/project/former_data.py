"""Data that was created under a former name of a service, which no service has any more.

A service of another profile keeps its name, and so its data: a test suite that empties its own database must not
get the development data.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from msgspec.structs import replace

from devinit.errors import DevinitError
from devinit.kinds import kind_of
from devinit.kinds.providers import PROVIDERS, Place
from devinit.model.service import Project, Service


def with_former_data(project: Project, place: Place) -> Project:
    """Return a project in which servers without data get data of their kind that belongs to no service."""
    servers = [
        each for each in project.services.values() if kind_of(each).keeps_data and each.external_url is None
    ]
    empty = [each for each in servers if not _has_data(each.provider, each.name, place, unread=True)]
    if not empty:
        return project
    try:
        names = sorted(path.name for path in place.data.iterdir() if path.name not in project.services)
    except OSError:
        return project  # no service was ever started, or the start reports why it cannot
    left = {
        kind: [name for name in names if _has_data(kind, name, place, unread=False)]
        for kind in {each.provider for each in empty}
    }
    return replace(
        project, services={**project.services, **decided(servers, empty, left, project.other_names)}
    )


def _has_data(kind: str, name: str, place: Place, *, unread: bool) -> bool:
    """Return whether there is data; `unread` is the result for an unreadable folder, so that nothing is moved."""
    try:
        return PROVIDERS[kind].has_data(name, place)
    except DevinitError:
        return unread


def decided(
    servers: Sequence[Service],
    empty: Sequence[Service],
    left: Mapping[str, Sequence[str]],
    other_names: Collection[str] = (),
) -> dict[str, Service]:
    """Return the services without data, each with the data that is or may be its own. Pure.

    It is its own if it cannot belong to another: the project has one server of the kind, and one data folder is
    left. Otherwise the server may be a new one, not a renamed one. `other_names`: the services of other profiles.
    """
    found = {}
    for each in empty:
        names = tuple(left[each.provider])
        is_only_one = sum(other.provider == each.provider for other in servers) == 1
        if is_only_one and len(names) == 1 and names[0] not in other_names:
            found[each.name] = replace(each, data_of=names[0])
        else:
            found[each.name] = replace(each, data_left=names)
    return found
