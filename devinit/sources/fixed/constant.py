"""An address that the code of a repository has as a constant. Pure."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from devinit.model.evidence import Evidence


class Direction(StrEnum):
    """What the code does with an address."""

    CALLS = "calls"
    """It is a client of what answers there."""
    ACCEPTS = "accepts"
    """It lets pages of this origin in."""
    STORES = "stores"
    """It is a client of a database there."""


class Constant(Struct, frozen=True, kw_only=True):
    """An address that the code has as a constant."""

    port: int
    direction: Direction
    folder: Path
    """The folder of the program in whose code it stands."""
    evidence: Evidence
