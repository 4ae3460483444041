"""PostgreSQL in a container: the official image."""

from __future__ import annotations

from shlex import quote

from devinit.kinds.container import Container
from devinit.kinds.postgres.kind import PostgresSettings
from devinit.model.service import Service

IMAGE, DATA = "postgres:16", "/var/lib/postgresql/data"


def container_of(service: Service) -> Container:
    """Return the container for a service, with its role and its databases."""
    settings = service.settings_as(PostgresSettings)
    assert settings is not None  # noqa: S101 - a server that devinit runs has settings
    login = {
        "PGHOST": service.name,
        "PGUSER": settings.user,
        "PGPASSWORD": settings.secret,
        "PGDATABASE": settings.database,
    }
    return Container(
        image=IMAGE,
        port=5432,
        data=DATA,
        environment={
            "POSTGRES_USER": settings.user,
            "POSTGRES_PASSWORD": settings.secret,
            "POSTGRES_DB": settings.database,
            # A volume may contain a folder lost+found, and initdb requires an empty folder.
            "PGDATA": f"{DATA}/pgdata",
        },
        # Over TCP, because the server that only prepares the data listens on a Unix socket.
        health=f"pg_isready -h 127.0.0.1 -U {quote(settings.user)} -d {quote(settings.database)}",
        provision=tuple(_created(name) for name in settings.databases),
        provision_environment=login if settings.databases else {},
    )


def _created(database: str) -> str:
    name = quote(database)
    return f"psql -d {name} -c 'select 1' >/dev/null 2>&1 || createdb {name}"
