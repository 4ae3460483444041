"""The description of a kind of service: the rest of devinit asks for its traits, not for its name. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Protocol, Self, TypeAlias

import msgspec
from msgspec import Meta, Struct

from devinit.model.service import RANDOM_PASSWORD, Service, Settings

LINE_ENDS = frozenset("\r\n")
Binaries: TypeAlias = Annotated[
    str | None, Meta(description="folder of the server's programs, instead of a search.")
]
"""The key of all kinds that search for programs."""


class Where(Protocol):
    """A table of devinit.toml, in which a kind reports problems with its keys."""

    def at(self, *key: str | int) -> Where:
        """Return a place below this one."""
        ...

    def add(self, text: str, hint: str | None = None) -> None:
        """Report a problem at this place."""
        ...


class Context(Struct, frozen=True, kw_only=True):
    """The inputs for a service's settings, besides its own keys."""

    project: str
    """The project's name."""
    is_named: bool
    """Whether devinit.toml gives the project a name; otherwise it is that of its folder."""
    is_elsewhere: bool = False
    """Whether the service has a `url`: devinit runs no server for it."""
    where: Where
    folder: Callable[[str, str], Path]
    """Returns the folder for a key (the first argument), and reports one that does not exist."""


class Keys(Struct, Settings, frozen=True, kw_only=True):
    """The keys of a service in devinit.toml that a kind declares: each optional, with its type and a description.

    If the keys need no conversion, they serve as the settings; otherwise the kind overrides both methods.
    """

    comments: ClassVar[Mapping[str, str]] = {}
    """The comments that `devinit init` writes next to keys, each at the first use of its key."""

    def settings(self, _context: Context) -> Settings | None:
        """Return the settings of the service, and report problems; None without settings."""
        return self if self.__struct_fields__ else None

    @classmethod
    def stating(cls, settings: Settings, _project: str, root: Path) -> Self:
        """Return the keys for these settings in a project of this name, without defaults.

        `root` is the project's folder, to which paths are relative.
        """
        return msgspec.convert(values_of(settings, cls.__struct_fields__, root), cls)


def _none_misleads(_service: Service) -> frozenset[str]:
    return frozenset()


class ClientNames(Struct, frozen=True, kw_only=True):
    """The variables by which a server's own client programs find it: `PGHOST` for psql."""

    names: frozenset[str]
    """All of them. A service gets those of the server on which it depends, and no others."""
    of: Callable[[Service, Mapping[str, str]], dict[str, str]]
    """Returns their values for a service, from its own variables without their prefix: HOST, PORT, USER …"""
    misleading: Callable[[Service], frozenset[str]] = _none_misleads
    """Returns variables of a shell that lead the programs to another server than a
    service's, or make them refuse it."""


class Flavour(Struct, frozen=True, kw_only=True):
    """A server program that can run a kind of service: both Redis and Valkey run the same kind."""

    name: str
    """The name that is stored next to the data."""
    title: str
    """The common name."""
    banner: str
    """A regular expression for the output of `--version` before the version."""


class Kind(Struct, frozen=True, kw_only=True):
    """One kind of service."""

    name: str
    """The value of `provider` in devinit.toml."""
    runner: str
    """The class that runs it, as `package.module:Class`; it is loaded only for a service of this kind."""
    container: str | None = None
    """The function that returns its `kinds.container.Container` for a service, as `package.module:function`;
    None: no published image can replace it."""
    keys: frozenset[str] = frozenset()
    """The keys that it shares with some other kinds: those in `config.schema` that not every kind has."""
    own: type[Keys] = Keys
    """The keys that it declares itself."""
    settings: type[Settings] | None = None
    """The type of `Service.settings`; None: the keys themselves, or no settings."""
    flavours: tuple[Flavour, ...] = ()
    """The server programs to search for."""
    programs: tuple[str, ...] = ()
    """The names of its server processes (the kernel keeps 15 characters), for any user."""
    default_port: int | None = None
    """The preferred port if none is configured; None: no port by default."""
    url_schemes: tuple[str, ...] = ()
    """The schemes in the `url` of an external server, the most common one first; empty:
    the kind has no such key."""
    common_prefix: str | None = None
    """The prefix of the common names of the first service of this kind: `POSTGRES` in `POSTGRES_HOST`."""
    client_names: ClientNames | None = None
    """The variables of its own client programs; None: they read none."""
    runs_a_command: bool = False
    """Whether it runs a program of the developer's, which may crash under its reloader
    and reacts to saved files."""
    has_pages: bool = False
    """Whether it speaks HTTP: browsers load it, its port must be one that they open,
    and its URL may have a path."""
    takes_environment: bool = False
    """Whether it gets the project's environment, and is restarted when an address in that has changed."""
    keeps_data: bool = False
    """Whether it keeps data in the state directory, and must not begin again when that is gone."""
    has_databases: bool = False
    """Whether applications find the first one of a project as DATABASE_URL; its settings are
    `DatabaseSettings`."""
    proves_itself: bool = False
    """Whether its readiness is checked in its own protocol, so that `ready` and
    `health` cannot choose the check."""
    in_container: bool = False
    """Whether its program runs in a container: the started process represents it, and its engine has the port."""
    refuses_root: bool = False
    """Whether its program does not run as root, so that root cannot give it a privileged port either."""

    @property
    def known_keys(self) -> frozenset[str]:
        """All keys of this kind that not every kind has."""
        url = {"url"} if self.url_schemes else set()
        return self.keys.union(self.own.__struct_fields__, url)


def values_of(settings: Settings, keys: tuple[str, ...], root: Path) -> dict[str, object]:
    """Return the settings with the names of keys, in the notation of devinit.toml."""
    values = {key: getattr(settings, key, None) for key in keys}
    return {key: _written(value, root) for key, value in values.items() if value not in (None, ())}


def _written(value: object, root: Path) -> object:
    if isinstance(value, Path):
        return str(value.relative_to(root)) if value.is_relative_to(root) else str(value)
    return list(value) if isinstance(value, tuple) else value


def checked_password(text: str | None, where: Where) -> str | None:
    """Return the configured password of a service; None if there is none."""
    if text == "":
        where.add("is empty", f'choose one, or "{RANDOM_PASSWORD}" for a random one')
    elif text is not None and set(text) & LINE_ENDS:
        where.add("has several lines", "a password is one line")
    return text
