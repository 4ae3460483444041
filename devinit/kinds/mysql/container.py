"""MySQL in a container: the official image of MariaDB, which speaks the same protocol."""

from __future__ import annotations

from devinit.kinds.container import Container
from devinit.kinds.mysql.kind import MysqlSettings
from devinit.kinds.mysql.statements import identifier_of
from devinit.model.service import Service

IMAGE = "mariadb:11"


def container_of(service: Service) -> Container:
    """Return the container of a service, with its role and its databases."""
    settings = service.settings_as(MysqlSettings)
    assert settings is not None  # noqa: S101 - a server that devinit runs has settings
    lines = tuple(
        f"create database if not exists {name}; grant all on {name}.* to '{settings.user}'@'%'"
        for name in map(identifier_of, settings.databases)
    )
    return Container(
        image=IMAGE,
        port=3306,
        data="/var/lib/mysql",
        environment={
            "MARIADB_ROOT_PASSWORD": settings.secret,
            "MARIADB_USER": settings.user,
            "MARIADB_PASSWORD": settings.secret,
            "MARIADB_DATABASE": settings.database,
        },
        health="healthcheck.sh --connect --innodb_initialized",
        provision=tuple(f'mariadb -h "$MYSQL_HOST" -u root -e "{_in_shell(line)}"' for line in lines),
        provision_environment={"MYSQL_HOST": service.name, "MYSQL_PWD": settings.secret} if lines else {},
    )


def _in_shell(line: str) -> str:
    return line.replace("\\", "\\\\").replace("`", "\\`").replace('"', '\\"').replace("$", "\\$")
