"""A service completed with the defaults of its `server` for keys that it does not state. Pure."""

from __future__ import annotations

from msgspec.structs import replace

from devinit.kinds.docker.kind import DockerKeys
from devinit.kinds.docker.servers import SERVERS, Server, filled
from devinit.kinds.password import in_url
from devinit.model.names import variable_prefix
from devinit.model.service import Endpoint, Service


def server_of(service: Service) -> Server | None:
    """Return the row of the server that a service runs; None for an image of its own."""
    keys = service.settings_as(DockerKeys)
    return SERVERS.get(keys.server) if keys is not None and keys.server is not None else None


def has_login(service: Service) -> bool:
    """Return whether a service is a server that requires a password."""
    server = server_of(service)
    return server is not None and any("{password}" in text for text in server.environment.values())


def completed(service: Service) -> Service:
    """Return the service with image, port, volume, command and readiness."""
    keys, server = service.settings_as(DockerKeys), server_of(service)
    if keys is None or server is None:
        return service
    volumes = keys.volumes or ([f"data:{server.data}"] if server.data else None)
    is_own = keys.image is None and keys.build is None
    whole = replace(
        keys,
        image=server.image if is_own else keys.image,
        container_port=keys.container_port or server.port,
        volumes=volumes,
    )
    ready = service.ready
    if server.ready and not ready.is_stated and not keys.image_healthcheck:
        ready = replace(ready, exec=server.ready)
    return replace(service, settings=whole, command=service.command or server.command or None, ready=ready)


def endpoint_of(service: Service, server: Server, host: str, port: int) -> Endpoint:
    """Return the endpoint of the server, with the names by which applications look for it."""
    values = values_of(service, host, port)
    url = filled(server.url, {**values, "password": in_url(values["password"])})
    prefix = variable_prefix(service.name)
    names = {name: filled(text, {**values, "url": url}) for name, text in server.variables.items()}
    own = {f"{prefix}_HOST": host, f"{prefix}_PORT": str(port), f"{prefix}_URL": url}
    if any("{password}" in text for text in (server.url, *server.environment.values())):
        own[f"{prefix}_PASSWORD"] = values["password"]
    return Endpoint(
        service=service.name,
        host=host,
        port=port,
        url=url,
        variables={**names, **own},
        aliases=service.port_env,
    )


def environment_of(service: Service) -> dict[str, str]:
    """Return the environment that configures the image of a server."""
    server = server_of(service)
    values = values_of(service, "", 0)
    return {} if server is None else {name: filled(text, values) for name, text in server.environment.items()}


def values_of(service: Service, host: str, port: int) -> dict[str, str]:
    """Return the values for the braces of a row."""
    keys = service.settings_as(DockerKeys) or DockerKeys()
    return {
        "host": host,
        "port": str(port),
        "password": keys.password or "",
        "database": keys.database or "app",
    }
