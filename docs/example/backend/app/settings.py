"""Every setting of the backend comes from the environment, which devinit fills in before it starts."""

from __future__ import annotations

import os
from dataclasses import dataclass

from sqlalchemy import URL, make_url


@dataclass(frozen=True, slots=True)
class Settings:
    database_url: URL
    redis_url: str
    cors_origins: list[str]


def load() -> Settings:
    return Settings(
        database_url=database_url(),
        redis_url=required("REDIS_URL"),
        cors_origins=[origin.strip() for origin in required("CORS_ORIGINS").split(",")],
    )


def database_url() -> URL:
    """Return DATABASE_URL for SQLAlchemy, which wants to hear the driver's name as well."""
    return make_url(required("DATABASE_URL")).set(drivername="postgresql+asyncpg")


def required(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        message = f"{name} is not set. `devinit start` sets it; for one command: devinit run -- COMMAND"
        raise SystemExit(message)
    return value
