"""What a detector returns: a program that has to run, with the lines that show it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct

from devinit.model.evidence import Evidence
from devinit.model.service import Readiness

NAMED_AS_BACKEND = frozenset({"backend", "server", "api"})
NAMED_AS_FRONTEND = frozenset({"frontend", "client", "web"})
"""Folders whose name says that a program is in them, where its code does not."""
MOST_NAMED = 8
"""Of many things in one note."""
BUILD_SECONDS = 600.0
"""How long a program may take to be compiled before its first answer."""
PAGE_SECONDS = 120.0
"""How long a development server may take to compile its first page."""
PAGE = Readiness(http="/", status=tuple(range(200, 500)), timeout_seconds=PAGE_SECONDS)
"""A server of pages is ready when its first page answers: with a 404 or a login, too, but not with a 500."""


class Role(StrEnum):
    """What a program is for."""

    BACKEND = "backend"
    FRONTEND = "frontend"
    """It serves pages for browsers."""
    ASSETS = "assets"
    """It serves scripts and styles for the pages of a backend in the same folder."""
    WORKER = "worker"
    """It answers no requests."""


class Unit(Struct, frozen=True, kw_only=True):
    """A program of the project."""

    folder: str
    """Where it runs, relative to the project's folder; empty for that one."""
    role: Role
    kind: str
    """What it is, in words: `FastAPI`."""
    language: str = ""
    """Whose packages it needs: `python`, `node`; empty for any other."""
    command: str
    port: int | None = None
    """Where it listens when nothing else is said."""
    strict: bool = False
    """Whether it takes no other port."""
    port_env: tuple[str, ...] = ()
    before_start: tuple[str, ...] = ()
    ready: Readiness = Readiness()
    env: dict[str, str] = {}
    warm: str | None = None
    docs_path: str | None = None
    name: str = ""
    """What the repository calls it; empty where its role or its folder names it."""
    suffix: str = ""
    """What a worker's name ends with: `worker`, `beat`."""
    autostart: bool = True
    """Whether it is started without being asked for."""
    uses_databases: bool = True
    """Whether it may use the databases of the project."""
    evidence: tuple[Evidence, ...] = ()


class Finding(Struct, frozen=True):
    """The programs that a detector has found, and what the developer should know."""

    units: tuple[Unit, ...] = ()
    notes: tuple[str, ...] = ()


def declares_dependencies(folder: str, name: str) -> bool:
    """Return whether a file declares what a program of Python or Node depends on."""
    is_list = name.startswith("requirement") or folder.rpartition("/")[2] == "requirements"
    return name in ("package.json", "pyproject.toml", "Pipfile") or (is_list and name.endswith(".txt"))


def listed(names: Sequence[str]) -> str:
    """Return names as notes list them: the first ones, and how many there are beside those."""
    more = len(names) - MOST_NAMED
    return ", ".join(names) if more <= 1 else f"{', '.join(names[:MOST_NAMED])} and {more} more"


def at(folder: str, alone: str = "") -> str:
    """Return how a note about a folder begins: `apps/web/: `; about the project's own, with `alone`."""
    return f"{folder}/: " if folder else alone
