"""The record of a container: `shim` writes it while it runs, and other modules read it."""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import Struct

from devinit.kinds.provider import Place
from devinit.system.files import LARGEST_SETTINGS, read_text

FOLDER = "containers"


class Record(Struct, frozen=True, kw_only=True):
    """A container as the engine described it last."""

    token: str = ""
    """A secret that is also a label of the container: it proves that the container was created for this record.
    Empty: there is no container.
    """
    id: str = ""
    pid: int = 0
    """The pid of its first process, if the engine runs on this machine; 0 when it has ended."""
    ended: int = 0
    """Unix time of an unrequested end; 0 if it was requested, or has not come."""
    published: tuple[int, ...] = ()
    """The ports of this machine at which the container is reached."""
    away: bool = False
    """Whether its engine does not answer."""


class Chosen(Struct, frozen=True, kw_only=True):
    """The results of `prepare` for the next container."""

    socket: str
    image: str
    """The id of the image."""
    name: str
    """The name of the image, as configured or as built."""
    port: int | None = None
    """The port on which its program listens in the container."""
    needs_init: bool = True
    """Whether the engine must put its own first process before the program."""
    network: str = ""
    """The name of the checkout's network in the engine."""
    gateway: str = ""
    """The address of this machine in the network; empty if it has none."""
    subnet: str = ""
    relays: dict[int, int] = msgspec.field(default_factory=dict)
    """Port of this machine → port of the gateway at which containers of the checkout reach it."""


def folder_of(place: Place) -> Path:
    """Return the folder with the records of a checkout's containers."""
    return place.data.parent / FOLDER


def path_of(service: str, place: Place) -> Path:
    """Return the path of a service's record."""
    return folder_of(place) / f"{service}.json"


def chosen_path(service: str, place: Place) -> Path:
    """Return the path of the results of `prepare`."""
    return folder_of(place) / f"{service}.chosen.json"


def record_of(service: str, place: Place) -> Record:
    """Return the record of a service's container; an empty record if there is none."""
    try:
        return msgspec.json.decode(
            read_text(path_of(service, place), most=LARGEST_SETTINGS) or "{}", type=Record
        )
    except (msgspec.DecodeError, RecursionError):
        return Record()


def chosen_of(service: str, place: Place) -> Chosen | None:
    """Return the results of `prepare`; None if there are none."""
    text = read_text(chosen_path(service, place), most=LARGEST_SETTINGS)
    try:
        return None if text is None else msgspec.json.decode(text, type=Chosen)
    except (msgspec.DecodeError, RecursionError):
        return None
