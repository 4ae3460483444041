"""A PostgreSQL server for each checkout, from whatever PostgreSQL the machine has or the embedded wheel."""

from __future__ import annotations

from devinit.providers.postgres.provider import PostgresProvider

__all__ = ["PostgresProvider"]
