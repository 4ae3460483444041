"""What a source is: one way in which a repository describes itself.

A source is a module with the names of `Source`. It loads nothing but `os` at first, because every source is asked
whether it has anything to read; `read` loads what reads.
"""

from __future__ import annotations

import os
from enum import IntEnum
from typing import Protocol

from msgspec import Struct, field

from devinit.model.evidence import Evidence
from devinit.model.service import Service
from devinit.system.bounds import Bounds


class Weight(IntEnum):
    """How much a source is believed, where several speak of the same service; the greater one wins."""

    PRODUCTION = 1
    """A list of processes that are deployed: others say better how they are developed."""
    CONTAINERS = 2
    """Services as they run in containers: which there are and what they are given, less how they are developed."""
    APPLICATIONS = 3
    """Applications that were recognised by their code."""
    PROCESSES = 4
    """A list of all processes that are needed for development."""


class Found(Struct, frozen=True, kw_only=True):
    """What a source says."""

    origin: str = ""
    """What it was read from, in words: `Procfile.dev`."""
    weight: Weight = Weight.APPLICATIONS
    services: dict[str, Service] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    """Variables for every service."""
    evidence: dict[str, tuple[Evidence, ...]] = field(default_factory=dict)
    """Keyed by service."""
    scope: frozenset[str] = frozenset()
    """The folders, absolute, of which a list names every process; empty when that is all of the project."""
    speaks_of: frozenset[str] = frozenset()
    """The languages whose programs a list names, each of them; empty when those are all."""
    unfinished: dict[str, str] = field(default_factory=dict)
    """Services whose command it does not know → what is said when no other source knows it either, or ""."""
    clients: frozenset[str] = frozenset()
    """Services that may use every database of the project: the source knows no order."""
    languages: dict[str, str] = field(default_factory=dict)
    """Service → the language of its program, `python`; missing where nothing shows it."""
    containers: frozenset[str] = frozenset()
    """How services are called in a network of containers, whether or not they run here."""
    notes: tuple[str, ...] = ()
    """What the developer should know: what was left out, and why."""
    hints: tuple[str, ...] = ()
    """What may help where no application was found at all."""


class Source(Protocol):
    """One way in which a repository describes itself."""

    APPLICATIONS: tuple[str, ...]
    """What is looked for, in words, one place each."""
    DATABASES: tuple[str, ...]
    """The same of databases."""

    def claims(self, folder: str | os.PathLike[str]) -> bool:
        """Tell by the names in a folder whether there is anything to read."""

    def read(self, bounds: Bounds) -> Found:
        """Return what a project says, whose folder is that of the bounds. No file stops it."""
