"""How each kind of service is run. A new kind is a module beside these and a line in the registry."""

from __future__ import annotations

from devinit.providers.postgres import PostgresProvider
from devinit.providers.process import ProcessProvider
from devinit.providers.provider import Place, Provider, Say
from devinit.providers.redis import RedisProvider

PROVIDERS: dict[str, Provider] = {
    "process": ProcessProvider(),
    "postgres": PostgresProvider(),
    "redis": RedisProvider(),
}

__all__ = ["PROVIDERS", "Place", "Provider", "Say"]
