"""A project's container in the form of another tool: the same image, as configured here. Pure."""

from __future__ import annotations

from devinit.kinds.command import arguments
from devinit.kinds.container import Container
from devinit.kinds.docker.kind import DockerKeys, is_name, words_of
from devinit.kinds.docker.serving import completed, environment_of
from devinit.model.service import Service


def container_of(service: Service) -> Container | None:
    """Return the container of a service; None for a built image, which no other machine has."""
    service = completed(service)
    keys = service.settings_as(DockerKeys)
    if keys is None or keys.image is None:
        return None
    volumes = list(words_of(keys.volumes))
    data = next((each for each in volumes if is_name(each.partition(":")[0])), "")
    port = service.port.preferred if service.port is not None else 0
    return Container(
        image=keys.image,
        port=keys.container_port or port,
        data=data.split(":")[1] if data else "",
        mounts=tuple(each for each in volumes if each != data),
        environment=environment_of(service),
        entrypoint=tuple(keys.entrypoint.split()) if keys.entrypoint is not None else (),
        command=arguments(service.command) if service.command else (),
        health=service.ready.exec or "",
    )
