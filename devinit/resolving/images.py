"""The container image that runs a service, as its kind declares it."""

from __future__ import annotations

from collections.abc import Mapping

from devinit.errors import DevinitError
from devinit.kinds import kind_of
from devinit.kinds.container import Container
from devinit.model.resolved import ContainerImage, Value
from devinit.model.service import Service
from devinit.resolving.placeholders import value_of, variable_of


def container_of(service: Service) -> Container | None:
    """Return the container of a service; None when no published image does the same as its kind.

    Raise DevinitError for a plug-in with an unusable declaration.
    """
    declared = kind_of(service).container
    if declared is None or service.external_url is not None:
        return None
    module, _, name = declared.partition(":")
    found = getattr(__import__(module, fromlist=[name]), name)(service)
    if found is None and kind_of(service).in_container:
        return None
    if not isinstance(found, Container):
        raise DevinitError(
            f"{service.name}: {declared} returns no Container",
            hint=f"update or remove the package that brings {service.provider}",
        )
    return found


def image_of(container: Container, environment: Mapping[str, Value]) -> ContainerImage:
    """Return an image with references in place of secrets. `environment` has the service's own variables."""
    return ContainerImage(
        name=container.image,
        port=container.port,
        data=container.data,
        mounts=container.mounts,
        entrypoint=container.entrypoint,
        environment={
            **{name: variable_of(name, text) for name, text in container.environment.items()},
            **environment,
        },
        command=tuple(map(value_of, container.command)),
        health=container.health,
        provision=tuple(map(value_of, container.provision)),
        provision_environment={
            name: variable_of(name, text) for name, text in container.provision_environment.items()
        },
    )
