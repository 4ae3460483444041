"""A variable that a service is given. Pure."""

from __future__ import annotations

from msgspec import Struct

from devinit.sources.interpolation import Pieces
from devinit.sources.yaml_nodes import Place


class Variable(Struct, frozen=True):
    """A variable that a service is given."""

    name: str
    pieces: Pieces
    """Its value, taken apart."""
    value: str
    """Its value, with what `.env` says in the place of variables."""
    at: Place
    is_of_a_file: bool = False
    """Whether it comes from an `env_file`."""
