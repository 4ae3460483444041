"""What a kind of service is, as a value: the rest of devinit asks for a trait, never for a name. Pure."""

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
"""A key that all kinds have whose programs are searched for."""


class Where(Protocol):
    """A table of devinit.toml, in which a kind reports what is wrong with its keys."""

    def at(self, *key: str | int) -> Where:
        """Return a place further down."""
        ...

    def add(self, text: str, hint: str | None = None) -> None:
        """Report what is wrong with this place."""
        ...


class Context(Struct, frozen=True, kw_only=True):
    """What the settings of a service depend on beside its own keys."""

    project: str
    """The project's name."""
    is_named: bool
    """Whether devinit.toml gives the project a name; else its folder's name stands for it."""
    is_elsewhere: bool = False
    """Whether the service has a `url`: devinit runs no server for it."""
    where: Where
    folder: Callable[[str, str], Path]
    """Returns the folder that a key (the first argument) names, and reports one that does not exist."""


class Keys(Struct, Settings, frozen=True, kw_only=True):
    """The keys of a service in devinit.toml that a kind declares: each optional, with its type and a description.

    A kind whose keys can be used as they are has them as its settings; any other overrides both methods.
    """

    comments: ClassVar[Mapping[str, str]] = {}
    """What `devinit init` writes beside a key where it is met first."""

    def settings(self, _context: Context) -> Settings | None:
        """Return what the service is configured with, and report what is wrong; None without settings."""
        return self if self.__struct_fields__ else None

    @classmethod
    def stating(cls, settings: Settings, _project: str, root: Path) -> Self:
        """Return the keys that say what the settings are in a project of this name; what is usual is left out.

        `root` is the project's folder, to which paths are relative.
        """
        return msgspec.convert(values_of(settings, cls.__struct_fields__, root), cls)


def _none_misleads(_service: Service) -> frozenset[str]:
    return frozenset()


class ClientNames(Struct, frozen=True, kw_only=True):
    """The variables by which a server's own client programs find it: `PGHOST` for psql."""

    names: frozenset[str]
    """All of them. A service gets those of the server that it depends on, and no others."""
    of: Callable[[Service, Mapping[str, str]], dict[str, str]]
    """Returns their values for a service, from its own variables without their prefix: HOST, PORT, USER …"""
    misleading: Callable[[Service], frozenset[str]] = _none_misleads
    """Returns variables of a shell with which the programs reach another server than a service, or refuse it."""


class Flavour(Struct, frozen=True, kw_only=True):
    """A server program that can run a kind of service: Redis and Valkey run the same one."""

    name: str
    """As it is remembered beside the data."""
    title: str
    """What people call it."""
    banner: str
    """A regular expression for what `--version` prints before the version."""


class Kind(Struct, frozen=True, kw_only=True):
    """One kind of service."""

    name: str
    """The value of `provider` in devinit.toml."""
    runner: str
    """Where the class is that runs it, as `package.module:Class`: loaded for a service of this kind only."""
    container: str | None = None
    """The function that returns its `kinds.container.Container` for a service, as `package.module:function`; None:
    no published image does what it does."""
    keys: frozenset[str] = frozenset()
    """The keys that this kind shares with some of the others: those in `config.schema` that not every kind has."""
    own: type[Keys] = Keys
    """The keys that it declares itself."""
    settings: type[Settings] | None = None
    """The type of `Service.settings`; None: the keys themselves, or nothing."""
    flavours: tuple[Flavour, ...] = ()
    """The server programs that are searched for."""
    programs: tuple[str, ...] = ()
    """What the processes of its servers are called (the kernel keeps 15 characters), whichever user runs them."""
    default_port: int | None = None
    """The preferred port where none is configured; None: then it has no port."""
    url_schemes: tuple[str, ...] = ()
    """How the `url` of a server that runs elsewhere begins, the usual scheme first; empty: it has no such key."""
    common_prefix: str | None = None
    """What the common names of the first service of this kind begin with: `POSTGRES` of `POSTGRES_HOST`."""
    client_names: ClientNames | None = None
    """How its own client programs find it; None: they look for no variables."""
    runs_a_command: bool = False
    """It runs a program of the developer's: one that crashes under its reloader, and reacts to saved files."""
    has_pages: bool = False
    """It speaks HTTP: browsers load it, its port must be one that they open, and its URL may have a path."""
    takes_environment: bool = False
    """It is given the project's environment, and restarted when an address in that has changed."""
    keeps_data: bool = False
    """It keeps data in the state directory, and must not begin again when that is gone."""
    has_databases: bool = False
    """Applications find the first one of a project as DATABASE_URL; its settings are `DatabaseSettings`."""
    proves_itself: bool = False
    """It is asked in a protocol of its own whether it is ready: `ready` and `health` cannot say how."""
    in_container: bool = False
    """Its program runs in a container: the process that is started stands for it, and its engine has the port."""
    refuses_root: bool = False
    """Its program does not run as root, so that root cannot give it a privileged port either."""

    @property
    def known_keys(self) -> frozenset[str]:
        """All keys that this kind has and not every kind does."""
        url = {"url"} if self.url_schemes else set()
        return self.keys.union(self.own.__struct_fields__, url)


def values_of(settings: Settings, keys: tuple[str, ...], root: Path) -> dict[str, object]:
    """Return the settings that have the names of keys, as devinit.toml has them."""
    values = {key: getattr(settings, key, None) for key in keys}
    return {key: _written(value, root) for key, value in values.items() if value not in (None, ())}


def _written(value: object, root: Path) -> object:
    if isinstance(value, Path):
        return str(value.relative_to(root)) if value.is_relative_to(root) else str(value)
    return list(value) if isinstance(value, tuple) else value


def checked_password(text: str | None, where: Where) -> str | None:
    """Return the password that a service is configured with; None when it names none."""
    if text == "":
        where.add("is empty", f'choose one, or "{RANDOM_PASSWORD}" for a random one')
    elif text is not None and set(text) & LINE_ENDS:
        where.add("has several lines", "a password is one line")
    return text
