"""Redis in a container: the official image."""

from __future__ import annotations

from devinit.kinds.container import Container
from devinit.kinds.redis.kind import RedisSettings
from devinit.model.service import Service

IMAGE = "redis:7"


def container_of(service: Service) -> Container:
    """Return the container for a service, with its password if it has one."""
    settings = service.settings_as(RedisSettings)
    password = settings.password if settings is not None else None
    return Container(
        image=IMAGE,
        port=6379,
        data="/data",
        # redis-cli reads the password from this variable.
        environment={} if password is None else {"REDISCLI_AUTH": password},
        command=("redis-server", *(() if password is None else ("--requirepass", password))),
        health="redis-cli ping | grep -q PONG",
    )
