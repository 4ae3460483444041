"""The files that tell applications the addresses of services."""

from __future__ import annotations

import os.path
from collections.abc import Mapping

from devinit.config.problems import Place, choose
from devinit.model.defaults import DISCOVERY
from devinit.model.names import CONFIGURATION_FILE, ENVIRONMENT_FILE, OWN_FOLDER, PORTS_FILE
from devinit.model.service import Service

_OUR_FILES = (CONFIGURATION_FILE, PORTS_FILE, ENVIRONMENT_FILE)
_OUR_FOLDERS = (OWN_FOLDER, ".git")
"""Folders in which devinit writes no files for applications."""


def usual_discovery_files(services: Mapping[str, Service]) -> dict[str, str]:
    """Return the discovery files that are written by default."""
    return {
        name: file for name, file in DISCOVERY.items() if name in services and services[name].port is not None
    }


def discovery_files(
    configured: dict[str, str | bool], services: Mapping[str, Service], place: Place
) -> dict[str, str]:
    """Return the discovery files by service: configured ones take precedence over the default."""
    files = usual_discovery_files(services)
    extras = {request.service for each in services.values() for request in each.extra_ports}
    for name, file in configured.items():
        files.pop(name, None)
        if name not in services and name not in extras:
            place.at(name).add(f'there is no service "{name}"', choose(name, services, what="services"))
        elif file is True:
            place.at(name).add("expected a file or false, got true", f'for example "{DISCOVERY["backend"]}"')
        elif isinstance(file, str):
            _check_file(
                file, name, place.at(name), has_port=name in extras or services[name].port is not None
            )
            if file in files.values():
                place.at(name).add(f"{file} is another service's discovery file")
            files[name] = file
    return files


def _check_file(file: str, name: str, place: Place, *, has_port: bool) -> None:
    normal = os.path.normpath(file)
    if normal == "." or file.endswith("/"):
        place.add("not the name of a file")
    elif os.path.isabs(normal) or normal.split("/")[0] == "..":  # noqa: PTH117 - as it is written
        place.add(f"{file} lies outside of the project", "a path relative to the project's folder")
    elif normal in _OUR_FILES or normal.split("/")[0] in _OUR_FOLDERS:
        place.add(f"{file} is written for another purpose", f'for example ".{name}-port.json"')
    elif not has_port:
        place.add(f"{name} has no port to tell")
