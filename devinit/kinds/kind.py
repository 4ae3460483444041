"""What a kind of service is, as a value: the rest of devinit asks for a trait, never for a name. Pure."""

from __future__ import annotations

from msgspec import Struct


class Kind(Struct, frozen=True, kw_only=True):
    """One kind of service."""

    name: str
    """The value of `provider` in devinit.toml."""
    keys: frozenset[str] = frozenset()
    """The keys of a service in devinit.toml that this kind understands and not every kind does."""
    default_port: int | None = None
    """The preferred port where none is configured; None: then it has no port."""
    url_schemes: tuple[str, ...] = ()
    """How the `url` of a server that runs elsewhere begins, the usual scheme first."""
    common_prefix: str | None = None
    """What the common names of the first service of this kind begin with: `POSTGRES` of `POSTGRES_HOST`."""
    runs_a_command: bool = False
    """It runs a program of the developer's: one that crashes under its reloader, and reacts to saved files."""
    has_pages: bool = False
    """It speaks HTTP: browsers load it, its port must be one that they open, and its URL may have a path."""
    takes_environment: bool = False
    """It is given the project's environment, and restarted when an address in that has changed."""
    keeps_data: bool = False
    """It keeps data in the state directory, and must not begin anew when that is gone."""
    proves_itself: bool = False
    """It is asked in a protocol of its own whether it is ready: `ready` and `health` cannot say how."""
