"""Export a development container that runs devinit and forwards the preferred ports of all services."""

from __future__ import annotations

import json
from typing import Any

from devinit.exporters.exporter import Export, Exporter, File
from devinit.model.resolved import Reader, Resolved, ResolvedPort, ResolvedService, Role

PATH = ".devcontainer/devcontainer.json"
IMAGE = "mcr.microsoft.com/devcontainers/base:debian-12"
_FEATURES = {
    "python": "ghcr.io/devcontainers/features/python:1",
    "node": "ghcr.io/devcontainers/features/node:1",
    "go": "ghcr.io/devcontainers/features/go:1",
    "ruby": "ghcr.io/devcontainers/features/ruby:1",
}


def render(resolved: Resolved) -> Export:
    """Return devcontainer.json, which may have comments. devinit itself needs Python."""
    languages = dict.fromkeys(["python", *(each.language for each in resolved.services)])
    features: dict[str, Any] = {_FEATURES[each]: {} for each in languages if each in _FEATURES}
    ports = [
        (each, port)
        for each in resolved.services
        if each.role is not Role.ELSEWHERE
        for port in (*((each.port,) if each.port is not None else ()), *each.extra_ports)
    ]
    container: dict[str, Any] = {
        "name": resolved.project,
        "image": IMAGE,
        "features": features,
        "forwardPorts": [port.preferred for _, port in ports],
        "portsAttributes": {str(port.preferred): _attributes(each, port) for each, port in ports},
        "postCreateCommand": "pipx install 'devinit[embedded]'",
        "postStartCommand": "devinit start -d --setup",
    }
    text = json.dumps(container, indent=2, ensure_ascii=False) + "\n"
    return Export(files=(File(path=PATH, text=text, comment=("// ", "")),))


def _attributes(service: ResolvedService, port: ResolvedPort) -> dict[str, str]:
    opens = service.role is Role.FRONTEND and port is service.port
    return {"label": port.name, "onAutoForward": "openBrowser" if opens else "silent"}


EXPORTER = Exporter(name="devcontainer", reader=Reader.CONTAINER, path=PATH, render=render)
