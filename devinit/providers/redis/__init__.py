"""A Redis or Valkey server for each checkout, from what the machine has or the embedded wheel."""

from __future__ import annotations

from devinit.providers.redis.provider import RedisProvider

__all__ = ["RedisProvider"]
