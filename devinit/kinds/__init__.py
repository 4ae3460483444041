"""The kinds of services, one folder each: what a kind is (`kind.py`), and how it is run (`provider.py`).

The table `KINDS` is all that the rest of devinit knows of them. How they are run is in `kinds.providers`, which
only the supervisor loads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from devinit.kinds.docker.kind import DOCKER
from devinit.kinds.kind import Context, Keys, Kind
from devinit.kinds.postgres.kind import POSTGRES
from devinit.kinds.process.kind import PROCESS
from devinit.kinds.redis.kind import REDIS

if TYPE_CHECKING:
    from pathlib import Path

    from devinit.model.service import Service, Settings

BUILT_IN = (PROCESS, POSTGRES, REDIS, DOCKER)
USUAL = PROCESS
"""The kind of a service that names none."""


class Kinds(dict[str, Kind]):
    """The kinds by name: the built-in ones, and those of plug-ins that were asked for."""

    def __missing__(self, name: str) -> Kind:
        # A service that runs, and a supervisor that has not read its configuration yet, or cannot.
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
    "kind_implied_by",
    "kind_of",
    "usual_settings",
]


def kind_of(service: Service) -> Kind:
    """Return what kind of service it is. Raise ConfigError for that of a plug-in that is gone or broken."""
    return KINDS[service.provider]


def kind_implied_by(name: str, *, has_command: bool) -> str:
    """Return the kind of a service that names none: a server that devinit runs when it is called like one."""
    kind = None if has_command else next((each for each in BUILT_IN if each.name == name), None)
    return USUAL.name if kind is None or kind.runs_a_command else kind.name


def in_a_container(title: str) -> str:
    """Return what a devinit.toml says to run a server that people call so from its image; empty for others."""
    from devinit.kinds.docker.servers import BY_TITLE, table_of  # few projects need such a server

    name = BY_TITLE.get(title)
    return f", or let a container run it: {table_of(name)}" if name else ""


def usual_settings(kind: Kind, project: str, *, is_named: bool) -> Settings | None:
    """Return the settings of a service of which nothing is said; `is_named`: as in `Context`."""
    silent = _Silent()
    context = Context(project=project, is_named=is_named, where=silent, folder=silent.folder)
    return kind.own().settings(context)


class _Silent:
    """A place for problems where there are none: no key is stated."""

    def at(self, *_key: str | int) -> _Silent:
        return self

    def add(self, text: str, hint: str | None = None) -> None:
        raise AssertionError(text, hint)

    def folder(self, _key: str, text: str) -> Path:
        raise AssertionError(text)
