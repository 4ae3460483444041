"""Data that outlives a container: the volumes of a checkout, and the files of its project.

A volume is named after its checkout, which may be moved. So its name is recorded, beside the data of the other
services, and stays the same.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from pathlib import Path

import msgspec
from msgspec import Struct

from devinit.errors import ProviderError, ServiceError
from devinit.kinds.docker.body import PROJECT, labels_of, volume_name
from devinit.kinds.docker.engine import Engine, Refused, quoted
from devinit.kinds.docker.images import NOT_FOUND
from devinit.kinds.docker.kind import DockerKeys, is_name, words_of
from devinit.kinds.docker.record import FOLDER, folder_of
from devinit.kinds.provider import Place
from devinit.model.service import Service
from devinit.system.files import LARGEST_SETTINGS, read_text, write_atomically
from devinit.system.paths import run_mark

RECORD = "volumes.json"
_guard = threading.Lock()


class Volume(Struct, frozen=True, kw_only=True):
    """A volume of a checkout, as it was created."""

    name: str
    """Its name in the engine."""
    owner: str
    """Its label, which names the folder that the checkout had then."""


def volumes_of(keys: DockerKeys) -> list[str]:
    """Return the names of a container's volumes."""
    return [source for text in words_of(keys.volumes) if is_name(source := text.partition(":")[0])]


def names_of(place: Place) -> dict[str, str]:
    """Return the names in the engine of a checkout's volumes."""
    return {volume: each.name for volume, each in on_record(folder_of(place)).items()}


def on_record(folder: Path) -> dict[str, Volume]:
    """Return the volumes of the checkout whose records are in a folder."""
    text = read_text(folder / RECORD, most=LARGEST_SETTINGS)
    try:
        return {} if text is None else msgspec.json.decode(text, type=dict[str, Volume])
    except (msgspec.DecodeError, RecursionError):
        return {}


def have_volumes(engine: Engine, service: Service, place: Place, volumes: Iterable[str]) -> None:
    """Create the missing volumes of a checkout. Raise ProviderError for those of another checkout."""
    mark, folder = run_mark(place.root, service.name), folder_of(place)
    with _guard:
        known = on_record(folder)
        missing = [each for each in volumes if each not in known]
        if missing:
            owner = labels_of(mark, str(place.root))[PROJECT]
            others = names_of_others(folder)
            known |= {
                each: Volume(name=free_name(volume_name(mark, each), others), owner=owner) for each in missing
            }
            write_atomically(folder / RECORD, msgspec.json.encode(known), mode=0o600, durable=False)
    for each in volumes:
        have_volume(engine, service, place, known[each])


def have_volume(engine: Engine, service: Service, place: Place, volume: Volume) -> None:
    """Create a volume if it is missing. Raise ProviderError for one that is not the checkout's."""
    labels = {**labels_of(run_mark(place.root, service.name), str(place.root)), PROJECT: volume.owner}
    try:
        found = engine.ask("GET", f"/volumes/{quoted(volume.name)}")
    except Refused as error:
        if error.status != NOT_FOUND:
            raise
        engine.ask("POST", "/volumes/create", {"Name": volume.name, "Labels": labels})
        return
    if (owner := (found.get("Labels") or {}).get(PROJECT)) != volume.owner:
        whose = f"belongs to {owner}" if owner else "was not made by devinit"
        raise ProviderError(
            f"{service.name}: the volume {volume.name} {whose}",
            hint=f"name another one in `volumes`; `docker volume inspect {volume.name}` shows what it is",
        )


def names_of_others(folder: Path) -> set[str]:
    """Return the recorded volume names of other checkouts; one that was moved keeps those of its old folder."""
    checkouts = folder.parent.parent
    beside = (each for each in checkouts.glob(f"*/{FOLDER}") if each != folder)
    return {volume.name for each in beside for volume in on_record(each).values()}


def free_name(name: str, taken: set[str]) -> str:
    """Return a name that no volume of another checkout has. Pure."""
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}-{number}"
    return free


def not_kept(keys: DockerKeys, declared: Iterable[str]) -> list[str]:
    """Return the folders that an image declares as volumes and that no key keeps. Pure.

    A volume at a parent folder does not keep them, because the engine mounts another one in it.
    """
    said = {text.split(":")[1] for text in words_of(keys.volumes)} | set(words_of(keys.tmpfs))
    return [path for path in declared if path.rstrip("/") not in {each.rstrip("/") for each in said}]


def real_paths(service: Service, keys: DockerKeys, place: Place) -> dict[str, str]:
    """Return the real paths of the project files that a container has. Raise ServiceError for other files."""
    root, found = os.path.realpath(place.root), {}
    for text in words_of(keys.volumes):
        source = text.partition(":")[0]
        if is_name(source):
            continue
        path = _inside(service, source, root)
        if not Path(path).exists():
            raise ServiceError(
                f"{service.name}: {source} does not exist", hint="create it, or correct `volumes`"
            )
        found[source] = path
    return found


def refuse_files_outside(service: Service, place: Place) -> None:
    """Raise ServiceError when `env_file` names a file outside of the project for a container."""
    root = os.path.realpath(place.root)
    for file in service.env_file:
        _inside(service, os.path.relpath(file, place.root), root)


def _inside(service: Service, source: str, root: str) -> str:
    """Return the real path of a project file. Raise ServiceError if it is outside of the project."""
    path = os.path.realpath(Path(root, source))
    if path != root and not path.startswith(f"{root}{os.sep}"):
        raise ServiceError(
            f"{service.name}: {source} leads out of the project, to {path}",
            hint="a container gets files of its project alone",
        )
    return path
