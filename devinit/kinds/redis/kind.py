"""The description of Redis, or Valkey, as a kind of service."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct
from msgspec.structs import replace

from devinit.kinds.kind import Binaries, Context, Flavour, Keys, Kind, checked_password
from devinit.model.service import Settings


class RedisSettings(Struct, Settings, frozen=True, kw_only=True):
    """The settings of a Redis that belongs to the checkout."""

    password: str | None = None
    """None requires no password. The provider's `settled` replaces "random"."""
    binaries: Path | None = None
    """The folder of its program, if the developer states it."""

    @property
    def lets_everyone_in(self) -> bool:
        """Whether no password was requested."""
        return self.password is None

    def with_login_of(self, running: Settings) -> RedisSettings:
        """Return these settings with the password of a running server."""
        return replace(self, password=running.password) if isinstance(running, RedisSettings) else self


class RedisKeys(Keys, frozen=True, kw_only=True):
    """The keys that Redis declares."""

    password: Annotated[
        str | None,
        Meta(
            description='its password; "random" is one that is made for this checkout, "${NAME}" that of a '
            "variable in `.env` or the shell. Default: none.",
        ),
    ] = None
    binaries: Binaries = None

    def settings(self, context: Context) -> RedisSettings | None:
        """Return the settings of the server."""
        if context.is_elsewhere:
            return None
        return RedisSettings(
            password=checked_password(self.password, context.where.at("password")),
            binaries=context.folder("binaries", self.binaries) if self.binaries else None,
        )


REDIS = Kind(
    name="redis",
    runner="devinit.kinds.redis.provider:RedisProvider",
    container="devinit.kinds.redis.container:container_of",
    own=RedisKeys,
    settings=RedisSettings,
    flavours=(
        Flavour(name="redis", title="Redis", banner="Redis server v="),
        Flavour(name="valkey", title="Valkey", banner="Valkey server v="),
    ),
    programs=("redis-server", "valkey-server", "keydb-server", "dragonfly"),
    default_port=6379,
    url_schemes=("redis", "rediss"),
    common_prefix="REDIS",
    keeps_data=True,
    proves_itself=True,
)
