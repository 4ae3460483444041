"""Export a stack for Docker Swarm: the compose file in the older form that `docker stack deploy` reads. Pure.

Swarm builds no images, knows neither dependencies nor profiles, and publishes ports on every node. So images are
named, programs restart until their dependencies answer, and services with data stay on one node.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from devinit.exporters.compose import document_of, volumes_of
from devinit.exporters.exporter import Export, Exporter, File
from devinit.exporters.yaml import Node, rendered
from devinit.model.resolved import Reader, Resolved

PATH = "stack.yaml"
_LEFT_OUT = ("build", "depends_on", "profiles", "restart", "ports")
_LOCAL = "127.0.0.1:"


def render(resolved: Resolved) -> Export:
    """Return the stack file, with notes."""
    document = document_of(resolved)
    services = _mapping(document.pop("services"))
    stack: dict[str, Node] = {"version": "3.8", **document, "services": dict(_services(resolved, services))}
    if volumes := volumes_of(resolved):
        stack["volumes"] = {each: {} for each in volumes}
    built = [name for name, each in services.items() if "build" in _mapping(each)]
    head = (
        "# Deploy it on a manager: docker stack deploy -c stack.yaml NAME\n"
        "# Passwords are not written here: they are variables of the shell that deploys it.\n"
    )
    if "volumes" in stack:
        head += "# Services with volumes stay on the manager; with several, name one: node.hostname == NAME\n"
    images = ", ".join(dict.fromkeys(_image(resolved, each) for each in built))
    open_to_all = ", ".join(name for name in built if "ports" in _mapping(services[name]))
    notes = [f"images are expected where every node can get them: {images}"] if built else []
    notes += [f"answers on every node, to every client that reaches it: {open_to_all}"] if open_to_all else []
    return Export(files=(File(path=PATH, text=head + rendered(stack)),), notes=tuple(notes))


def _services(resolved: Resolved, services: Mapping[str, Node]) -> Iterator[tuple[str, Node]]:
    by_name = {each.name: each for each in resolved.services}
    for name, service in ((name, _mapping(each)) for name, each in services.items()):
        if "profiles" in service:
            continue
        found: dict[str, Node] = {key: value for key, value in service.items() if key not in _LEFT_OUT}
        if "build" in service:
            found = {"image": _image(resolved, name), **found}
        ports = service.get("ports")
        # A published port is open to everyone on every node, so databases stay on the network of the stack.
        if isinstance(ports, list) and "build" in service:
            found["ports"] = [each.removeprefix(_LOCAL) for each in ports if isinstance(each, str)]
        ends = service.get("restart") == "no" or name not in by_name
        deploy: dict[str, Node] = {
            "restart_policy": {"condition": "on-failure" if ends else "any", "delay": "2s"}
        }
        if service.get("volumes"):
            # A volume exists on one node only.
            deploy["placement"] = {"constraints": ["node.role == manager"]}
        yield name, found | {"deploy": deploy}


def _mapping(node: Node) -> Mapping[str, Node]:
    assert isinstance(node, Mapping)  # noqa: S101 - a compose file is made of them
    return node


def _image(resolved: Resolved, service: str) -> str:
    name = service.removesuffix("-before-start")
    return f"{resolved.project}-{name}:latest"


EXPORTER = Exporter(name="swarm", reader=Reader.CONTAINER, path=PATH, render=render)
