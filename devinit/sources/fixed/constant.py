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
"""Files that name whom a server of pages hands requests on to."""
_PACKAGE = "package.json"
"""create-react-app names that here, as `proxy`."""


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
    kind: str = ""
    """Of a server that is stored in: its provider, "postgres" or "redis"; empty where it is another one."""
    login: Login = Login()
    """For a database server: the login that the code uses."""
    host: str = ""
    """The container by whose name the code calls it, as a compose file has it; empty for this machine."""

    @property
    def is_proxy(self) -> bool:
        """Whether a server of pages hands requests on to this address."""
        name = self.evidence.file.rpartition("/")[2]
        return self.direction is Direction.CALLS and (
            name == _PACKAGE or CONFIGURATION.fullmatch(name) is not None
        )
