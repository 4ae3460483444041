"""How each kind of service is run. A new kind is a module beside these and a line in the registry."""

from __future__ import annotations

from devinit.kinds.postgres.provider import PostgresProvider
from devinit.kinds.process.provider import ProcessProvider
from devinit.kinds.provider import Place, Provider, Say
from devinit.kinds.redis.provider import RedisProvider

PROVIDERS: dict[str, Provider] = {
    "process": ProcessProvider(),
    "postgres": PostgresProvider(),
    "redis": RedisProvider(),
}

__all__ = ["PROVIDERS", "Place", "Provider", "Say"]
