"""What a detector returns, and where detectors look."""

from __future__ import annotations

from msgspec import Struct

from devinit.model.evidence import Evidence
from devinit.model.service import Service

FOLDERS = ("", "backend", "frontend")
FILES = ("package.json", "pyproject.toml", "Pipfile", "requirements*.txt", "requirements/*.txt")
"""What declares dependencies."""


class Finding(Struct, frozen=True):
    """A service that was found, if one was, and what the developer should know about it."""

    service: Service | None = None
    notes: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
