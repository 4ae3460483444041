"""The interface of a source: one way in which a repository describes itself.

A source is a module with the names of `Source`. Its import loads nothing but `os`, because every source is asked
whether it has anything to read; `read` imports the rest.
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
    """Priority of a source when several describe the same service; the greater one wins."""

    PRODUCTION = 1
    """A list of deployed processes; other sources know better how to run them for development."""
    CONTAINERS = 2
    """Services as they run in containers: reliable for their number and variables, less for development commands.
    """
    APPLICATIONS = 3
    """Applications recognised by their code."""
    PROCESSES = 4
    """A list of all processes that development needs."""


class Found(Struct, frozen=True, kw_only=True):
    """The services that a source found, with the evidence for them."""

    origin: str = ""
    """Where they were read from, in words: `Procfile.dev`."""
    weight: Weight = Weight.APPLICATIONS
    services: dict[str, Service] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    """Variables for every service."""
    evidence: dict[str, tuple[Evidence, ...]] = field(default_factory=dict)
    """Keyed by service."""
    scope: frozenset[str] = frozenset()
    """Absolute folders in which the list names every process; empty for the whole project."""
    speaks_of: frozenset[str] = frozenset()
    """Languages of which the list names every program; empty for all languages."""
    unfinished: dict[str, str] = field(default_factory=dict)
    """Services without a known command → the note if no other source knows the command either, or ""."""
    clients: frozenset[str] = frozenset()
    """Services that may use every database of the project, because the source states no order."""
    languages: dict[str, str] = field(default_factory=dict)
    """Service → the language of its program, such as `python`; unknown languages are missing."""
    containers: frozenset[str] = frozenset()
    """Names of all services in the network of containers, including those that do not run here."""
    notes: tuple[str, ...] = ()
    """Messages for the developer: what was left out, and why."""
    hints: tuple[str, ...] = ()
    """Suggestions that are shown when no source found an application."""


class Source(Protocol):
    """One way in which a repository describes itself."""

    APPLICATIONS: tuple[str, ...]
    """Places where it looks, in words, one item each."""
    DATABASES: tuple[str, ...]
    """The same for databases."""

    def claims(self, folder: str | os.PathLike[str]) -> bool:
        """Return whether there is anything to read, judging by the names in a folder."""

    def read(self, bounds: Bounds) -> Found:
        """Return the services of the project at the root of the bounds. No unreadable file raises an error."""
