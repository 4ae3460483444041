"""Read a compose file that compose has resolved, and rewrite it with other ports. Pure.

The whole file is rewritten, because compose adds the ports of an override file to those of the original, and
docker-compose 1.29 knows no tag to prevent that.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from msgspec import Struct

from devinit.exporters.yaml import Node, rendered
from devinit.model.port import HIGHEST_PORT

HEAD = """\
# Derived by `devinit compose` from the files of the project, with the ports that are leased: edit those.
# It holds values of .env files, and is written anew by each command.
"""
_SHORT = re.compile(r"(?P<before>(?:.{0,100}:)?)(?P<host>\d{1,5}):(?P<target>\d{1,5})(?P<protocol>/tcp)?")
_ADDRESS = re.compile(
    r"(?P<host>(?:(?:https?|wss?)://(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\])|host\.docker\.internal):)"
    r"(?P<port>\d{1,5})(?!\d)"
)
"""Addresses in values that lead out of the container: to pages in a browser, and to programs of this machine."""


class Published(Struct, frozen=True):
    """A TCP port of this machine that a service of the file publishes by number."""

    service: str
    target: int
    """Its number in the container."""
    host: int


def services_of(model: Mapping[str, Node]) -> dict[str, Mapping[str, Node]]:
    """Return the services of a file."""
    services = model.get("services")
    found = services if isinstance(services, Mapping) else {}
    return {name: each for name, each in found.items() if isinstance(each, Mapping)}


def wanted(model: Mapping[str, Node], profiles: Collection[str], words: Collection[str]) -> list[str]:
    """Return the services that a command creates: the named ones, or else all, with their dependencies."""
    services = services_of(model)
    named = [each for each in words if each in services]
    waiting = named or [name for name, each in services.items() if _is_on(each, profiles)]
    found: dict[str, None] = {}
    while waiting:
        name = waiting.pop(0)
        if name in services and name not in found:
            found[name] = None
            needs = services[name].get("depends_on")
            waiting += [each for each in needs if isinstance(each, str)] if isinstance(needs, _MANY) else []
    return [*found]


def published(model: Mapping[str, Node], services: Collection[str]) -> list[Published]:
    """Return the ports that these services publish by number; ranges and UDP are left out."""
    found: dict[int, Published] = {}
    for name, service in services_of(model).items():
        if name in services:
            for each in _entries(service):
                if (numbers := _numbers(each)) is not None:
                    found.setdefault(numbers[0], Published(name, numbers[1], numbers[0]))
    return [*found.values()]


def port_names(ports: Collection[Published]) -> dict[str, Published]:
    """Return the ports by their names in leases: `compose.db`, and `compose.db.9001` for an extra one."""
    found: dict[str, Published] = {}
    for each in ports:
        usual = f"compose.{each.service}"
        names = (usual, f"{usual}.{each.target}", f"{usual}.{each.target}-{each.host}")
        found[next(name for name in names if name not in found)] = each
    return found


def on_ports(
    model: Mapping[str, Node], moved: Mapping[int, int], neighbours: Mapping[int, int]
) -> tuple[dict[str, Node], dict[str, list[str]]]:
    """Return the file with other ports, and the names of the variables that changed, by service.

    `moved`: new ports of the file itself. `neighbours`: new ports of services that devinit runs beside it.
    """
    followed: dict[str, list[str]] = {}
    services: dict[str, Node] = {}
    addresses = {**neighbours, **moved}
    for name, service in services_of(model).items():
        changed = dict(service)
        if entries := [_moved(each, moved) for each in _entries(service)]:
            changed["ports"] = entries
        names: list[str] = []
        if isinstance(environment := service.get("environment"), Mapping):
            changed["environment"] = _following(environment, addresses, names)
        if isinstance(build := service.get("build"), Mapping) and isinstance(
            arguments := build.get("args"), Mapping
        ):
            changed["build"] = {**build, "args": _following(arguments, addresses, names)}
        if names:
            followed[name] = [*dict.fromkeys(names)]
        services[name] = changed
    return {**model, "services": services}, followed


def text_of(model: Mapping[str, Node]) -> str:
    """Return the text of the file."""
    return HEAD + rendered(model)


def _is_on(service: Mapping[str, Node], profiles: Collection[str]) -> bool:
    stated = service.get("profiles")
    if not isinstance(stated, list) or not stated or "*" in profiles:
        return True
    return any(each in profiles for each in stated)


def _entries(service: Mapping[str, Node]) -> Iterator[Node]:
    entries = service.get("ports")
    yield from entries if isinstance(entries, list) else ()


def _numbers(entry: Node) -> tuple[int, int] | None:
    """Return the port on this machine and the one in the container; None for an entry that stays unchanged."""
    if isinstance(entry, Mapping):
        target, host = entry.get("target"), entry.get("published")
        if entry.get("protocol", "tcp") != "tcp" or not isinstance(target, int):
            return None
        text = str(host) if isinstance(host, int | str) else ""
        return (int(text), target) if text.isascii() and text.isdigit() and _is_port(int(text)) else None
    found = _SHORT.fullmatch(entry) if isinstance(entry, str) else None
    if found is None or not _is_port(int(found["host"])):
        return None
    return int(found["host"]), int(found["target"])


def _is_port(number: int) -> bool:
    return 0 < number <= HIGHEST_PORT


def _moved(entry: Node, moved: Mapping[int, int]) -> Node:
    numbers = _numbers(entry)
    if numbers is None or numbers[0] not in moved:
        return entry
    port = moved[numbers[0]]
    if isinstance(entry, Mapping):
        return {**entry, "published": port if isinstance(entry["published"], int) else str(port)}
    found = _SHORT.fullmatch(str(entry))
    assert found is not None  # noqa: S101 - it has numbers
    return f"{found['before']}{port}:{found['target']}{found['protocol'] or ''}"


def _following(values: Mapping[str, Node], addresses: Mapping[int, int], names: list[str]) -> dict[str, Node]:
    """Replace moved ports in the addresses in values; add the names of changed values to `names`."""

    def moved(found: re.Match[str]) -> str:
        return f"{found['host']}{addresses.get(int(found['port']), found['port'])}"

    after = {
        name: _ADDRESS.sub(moved, value) if isinstance(value, str) else value
        for name, value in values.items()
    }
    names += [name for name, value in after.items() if value != values[name]]
    return after


_MANY = (Mapping, list)
