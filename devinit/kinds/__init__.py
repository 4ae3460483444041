"""The kinds of services, one folder each: a description (`kind.py`), and the code that runs it (`provider.py`).

The rest of devinit knows them only by the table `KINDS`. The providers are in `kinds.providers`, which only the
supervisor loads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from devinit.kinds.docker.kind import DOCKER
from devinit.kinds.kind import Context, Keys, Kind
from devinit.kinds.mysql.kind import MYSQL
from devinit.kinds.postgres.kind import POSTGRES
from devinit.kinds.process.kind import PROCESS
from devinit.kinds.redis.kind import REDIS

if TYPE_CHECKING:
    from pathlib import Path

    from devinit.model.service import Service, Settings

BUILT_IN = (PROCESS, POSTGRES, MYSQL, REDIS, DOCKER)
USUAL = PROCESS
"""The kind of a service that states none."""


class Kinds(dict[str, Kind]):
    """The kinds by name: the built-in ones, and requested ones of plug-ins."""

    def __missing__(self, name: str) -> Kind:
        # A service runs, and the supervisor has not read its configuration yet, or cannot read it.
        from devinit.kinds.plugged import kind_of_plug_in

        self[name] = kind = kind_of_plug_in(name)
        return kind


KINDS = Kinds((kind.name, kind) for kind in BUILT_IN)

__all__ = [
    "BUILT_IN",
    "KINDS",
    "USUAL",
    "Context",
    "Keys",
    "Kind",
    "in_a_container",
    "is_native",
    "kind_implied_by",
    "kind_of",
    "not_run",
    "usual_settings",
]


def kind_of(service: Service) -> Kind:
    """Return the kind of a service. Raise ConfigError if its plug-in is missing or broken."""
    return KINDS[service.provider]


def kind_implied_by(name: str, *, has_command: bool) -> str:
    """Return the kind of a service that states none: the server of devinit with the same name, if there is one."""
    kind = None if has_command else next((each for each in BUILT_IN if each.name == name), None)
    return USUAL.name if kind is None or kind.runs_a_command else kind.name


def in_a_container(title: str) -> str:
    """Return a table for devinit.toml that runs a server with this common name from its image; else ""."""
    from devinit.kinds.docker.servers import BY_TITLE, table_of  # few projects need such a server

    name = BY_TITLE.get(title)
    return f", or let a container run it: {table_of(name)}" if name else ""


def is_native(title: str) -> bool:
    """Return whether devinit runs a server that people call so without a container."""
    return any(flavour.title == title for each in BUILT_IN for flavour in each.flavours)


def not_run(title: str) -> str:
    """Say of a server that a project needs that nothing runs it, and what does: natively, or in a container."""
    kind = next((each for each in BUILT_IN for flavour in each.flavours if flavour.title == title), None)
    way = f"start it yourself{in_a_container(title)}"
    if kind is None:
        return f"which devinit does not provide: {way}"
    asked = f'`[services.{kind.name}]` with provider = "{kind.name}" lets devinit run it'
    return f"which devinit does not start unasked: {asked}, or {way}"


def usual_settings(kind: Kind, project: str, *, is_named: bool) -> Settings | None:
    """Return the settings of a service without any keys; `is_named`: as in `Context`."""
    silent = _Silent()
    context = Context(project=project, is_named=is_named, where=silent, folder=silent.folder)
    return kind.own().settings(context)


class _Silent:
    """A place for problems that cannot occur, because no key is stated."""

    def at(self, *_key: str | int) -> _Silent:
        return self

    def add(self, text: str, hint: str | None = None) -> None:
        raise AssertionError(text, hint)

    def folder(self, _key: str, text: str) -> Path:
        raise AssertionError(text)
