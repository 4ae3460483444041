"""The record of a container: `shim` writes it while it runs, and everything else reads it."""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import Struct

from devinit.kinds.provider import Place
from devinit.system.files import LARGEST_SETTINGS, read_text

FOLDER = "containers"


class Record(Struct, frozen=True, kw_only=True):
    """One container, as the engine described it last."""

    token: str = ""
    """A secret that the container has as a label: it was created for this record. Empty: there is none."""
    id: str = ""
    pid: int = 0
    """Of its first process, where the engine runs on this machine; 0 when it has ended."""
    ended: int = 0
    """Unix time at which it ended unasked; 0 when it was asked to, or has not."""
    published: tuple[int, ...] = ()
    """The ports at which it is reached on this machine."""
    away: bool = False
    """Whether its engine does not answer."""


class Chosen(Struct, frozen=True, kw_only=True):
    """What `prepare` has found out for the container that is created next."""

    socket: str
    image: str
    """Its id."""
    name: str
    """As the service says it, or as what was built is called."""
    port: int | None = None
    """On which its program listens in the container."""
    needs_init: bool = True
    """Whether the engine is to put a first process of its own before the program."""
    network: str = ""
    """Of the checkout, in the engine."""
    gateway: str = ""
    """The address of this machine in it; empty where it has none."""
    subnet: str = ""
    relays: dict[int, int] = msgspec.field(default_factory=dict)
    """At which port of the gateway each port of this machine is reached, by containers of the checkout."""


def folder_of(place: Place) -> Path:
    """Return where the records of a checkout's containers lie."""
    return place.data.parent / FOLDER


def path_of(service: str, place: Place) -> Path:
    """Return where the record of a service lies."""
    return folder_of(place) / f"{service}.json"


def chosen_path(service: str, place: Place) -> Path:
    """Return where is written what `prepare` has found out."""
    return folder_of(place) / f"{service}.chosen.json"


def record_of(service: str, place: Place) -> Record:
    """Return what is on record of the container of a service; an empty record when there is none."""
    try:
        return msgspec.json.decode(
            read_text(path_of(service, place), most=LARGEST_SETTINGS) or "{}", type=Record
        )
    except (msgspec.DecodeError, RecursionError):
        return Record()


def chosen_of(service: str, place: Place) -> Chosen | None:
    """Return what `prepare` has found out; None when it has not."""
    text = read_text(chosen_path(service, place), most=LARGEST_SETTINGS)
    try:
        return None if text is None else msgspec.json.decode(text, type=Chosen)
    except (msgspec.DecodeError, RecursionError):
        return None
