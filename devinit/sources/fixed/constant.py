"""An address that the code of a repository has as a constant. Pure."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from devinit.model.evidence import Evidence
from devinit.sources.addresses import Login

CONFIGURATION = re.compile(
    r"(?:vite|nuxt|vue|rsbuild|webpack|craco|next|svelte|astro)\.config\.\w+|proxy\.conf(?:ig)?\.\w+|setupProxy\.\w+|Trunk\.toml"
)
"""Matches files in which a web server names the address that it proxies to."""
_PACKAGE = "package.json"
"""The file in which create-react-app sets `proxy`."""


class Direction(StrEnum):
    """What the code does with an address."""

    CALLS = "calls"
    """It sends requests to a server at this address."""
    ACCEPTS = "accepts"
    """It accepts requests of pages from this origin."""
    STORES = "stores"
    """It uses a database at this address."""


class Constant(Struct, frozen=True, kw_only=True):
    """An address on this machine that is a constant in the code."""

    port: int
    direction: Direction
    folder: Path
    """Folder of the program whose code has it."""
    evidence: Evidence
    kind: str = ""
    """Provider of a database, "postgres" or "redis"; empty for any other server."""
    login: Login = Login()
    """For a database: the login in the code."""
    host: str = ""
    """Container that the code names, as in a compose file; empty for this machine."""

    @property
    def is_proxy(self) -> bool:
        """Whether a web server proxies requests to this address."""
        name = self.evidence.file.rpartition("/")[2]
        return self.direction is Direction.CALLS and (
            name == _PACKAGE or CONFIGURATION.fullmatch(name) is not None
        )
