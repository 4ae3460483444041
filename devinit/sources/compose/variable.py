"""A variable of a compose service. Pure."""

from __future__ import annotations

from msgspec import Struct

from devinit.sources.interpolation import Pieces
from devinit.sources.yaml_nodes import Place


class Variable(Struct, frozen=True):
    """A variable of a compose service."""

    name: str
    pieces: Pieces
    """Its value, parsed into pieces."""
    value: str
    """Its value, with variables substituted from `.env`."""
    at: Place
    is_of_a_file: bool = False
    """Whether it comes from an `env_file`."""
