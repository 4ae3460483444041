"""The request with which an engine creates the container of a service. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from devinit.kinds.docker.kind import DockerKeys, is_name, words_of
from devinit.system.digest import blake2b

Body: TypeAlias = dict[str, Any]
"""The request as JSON, in the engine's own form."""
LOOPBACK = "127.0.0.1"
PROJECT, SERVICE, ROOT = "dev.devinit.project", "dev.devinit.service", "dev.devinit.root"
HOST = "host.docker.internal"
"""The name of this machine in containers, as in Docker Desktop."""
LOG_SIZE, LOG_FILES = "10m", "2"
"""Size limits for the engine's copy of the output. It is copied at once, so this is enough for a pause."""
INITS = re.compile(r"(?:^|/)(?:init|tini(?:-static)?|dumb-init|s6-svscan|catatonit|docker-init)$")
"""Init programs of images, which must be process 1 (s6)."""


def name_of(mark: str) -> str:
    """Return the name of a service's container, from the mark of its processes: `shop-1f0c9a/web@5d41`."""
    return "devinit-" + re.sub(r"[^a-zA-Z0-9_.-]", "-", mark)


def network_name(mark: str) -> str:
    """Return the name of a checkout's network in the engine."""
    project, _, rest = mark.partition("/")
    return name_of(f"{project}-{rest.partition('@')[2]}")


def volume_name(mark: str, volume: str) -> str:
    """Return the name of a checkout's volume in the engine."""
    project, _, rest = mark.partition("/")
    return name_of(f"{project}-{rest.partition('@')[2]}-{volume}")


def labels_of(mark: str, root: str) -> dict[str, str]:
    """Return the labels of a checkout's container. They prove nothing, since anyone can write them."""
    project, _, rest = mark.partition("/")
    return {PROJECT: f"{project}@{rest.partition('@')[2]}", SERVICE: rest.partition("@")[0], ROOT: root}


def body_of(
    keys: DockerKeys,
    *,
    image: str,
    command: Sequence[str],
    environment: Mapping[str, str],
    ports: Mapping[int, int],
    mounts: Sequence[Body],
    labels: Mapping[str, str],
    needs_init: bool,
    network: Body,
) -> Body:
    """Return the request for the container. `ports`: port in the container → port on this machine's loopback.

    `network`: as returned by `network_body`.

    Nothing in it gives a container rights on this machine: no privileges, devices or namespaces.
    """
    host: Body = {
        "PortBindings": {
            f"{inside}/tcp": [{"HostIp": LOOPBACK, "HostPort": str(outside)}]
            for inside, outside in ports.items()
        },
        "PublishAllPorts": False,
        "Mounts": list(mounts),
        "Init": needs_init,
        "LogConfig": {"Type": "json-file", "Config": {"max-size": LOG_SIZE, "max-file": LOG_FILES}},
    }
    host["NetworkMode"] = network["name"]
    host["ExtraHosts"] = network["hosts"]
    if keys.tmpfs:
        host["Tmpfs"] = dict.fromkeys(keys.tmpfs, "")
    if keys.shm_size is not None:
        host["ShmSize"] = keys.shm_size
    body: Body = {
        "Image": image,
        "Env": [f"{name}={value}" for name, value in environment.items()],
        # Without it, Docker 20.10 publishes no port, and reports no error.
        "ExposedPorts": {f"{inside}/tcp": {} for inside in ports},
        "Labels": dict(labels),
        "HostConfig": host,
        "NetworkingConfig": {"EndpointsConfig": {network["name"]: {"Aliases": network["aliases"]}}},
    }
    if command:
        body["Cmd"] = list(command)
    if keys.entrypoint is not None:
        body["Entrypoint"] = keys.entrypoint.split()
    if keys.user is not None:
        body["User"] = keys.user
    return body


def network_body(name: str, gateway: str, service: str) -> Body:
    """Return the place of a container in the network of its checkout, where others know it by its service's name.

    If this machine has no address there, the engine knows the one that reaches it.
    """
    return {"name": name, "aliases": [service], "hosts": [f"{HOST}:{gateway or 'host-gateway'}"]}


def mounts_of(keys: DockerKeys, mark: str, names: Mapping[str, str], folder: Mapping[str, str]) -> list[Body]:
    """Return the mounts: volumes of the checkout, files of the project.

    `names`: volume → its name in the engine; `folder`: source → its real path.
    """
    mounts = []
    for text in words_of(keys.volumes):
        source, target, *mode = text.split(":")
        is_volume = is_name(source)
        mounts.append(
            {
                "Type": "volume" if is_volume else "bind",
                "Source": names.get(source, volume_name(mark, source)) if is_volume else folder[source],
                "Target": target,
                "ReadOnly": mode == ["ro"],
            }
        )
    return mounts


def spec_of(body: Body, image: str) -> str:
    """Return a digest of everything with which a container is created; if it differs, a new one is created."""
    text = repr((image, sorted((name, repr(value)) for name, value in body.items())))
    return blake2b(text.encode(), digest_size=16).hexdigest()
