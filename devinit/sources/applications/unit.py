"""The result of a detector: a program that has to run, with the lines that show it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct

from devinit.model.evidence import Evidence
from devinit.model.service import Readiness

NAMED_AS_BACKEND = frozenset({"backend", "server", "api"})
NAMED_AS_FRONTEND = frozenset({"frontend", "client", "web"})
"""Names of folders that mark a program where its code does not."""
MOST_NAMED = 8
"""Limit of the items that one note lists."""
BUILD_SECONDS = 600.0
"""Time for a program to be compiled before its first answer."""
PAGE_SECONDS = 120.0
"""Time for a development server to compile its first page."""
PAGE = Readiness(http="/", status=tuple(range(200, 500)), timeout_seconds=PAGE_SECONDS)
"""A page is ready when it answers: a 404 or a login counts, too, but a 500 does not."""


class Role(StrEnum):
    """The purpose of a program."""

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
    """Its working directory, relative to the project's folder; empty for that folder."""
    role: Role
    kind: str
    """Its framework or program, in words: `FastAPI`."""
    language: str = ""
    """Language of the packages that it needs: `python`, `node`; empty for any other."""
    command: str
    port: int | None = None
    """Its default port."""
    strict: bool = False
    """Whether its port cannot change."""
    port_env: tuple[str, ...] = ()
    before_start: tuple[str, ...] = ()
    ready: Readiness = Readiness()
    env: dict[str, str] = {}
    warm: str | None = None
    docs_path: str | None = None
    name: str = ""
    """Its name in the repository; empty when its role or its folder names it."""
    suffix: str = ""
    """Ending of a worker's name: `worker`, `beat`."""
    autostart: bool = True
    """Whether it starts by default."""
    is_documentation: bool = False
    """Whether it serves a site of texts; it is then left out beside any other program."""
    uses_databases: bool = True
    """Whether it may use the databases of the project."""
    evidence: tuple[Evidence, ...] = ()


class Finding(Struct, frozen=True):
    """The programs that a detector has found, and notes for the developer."""

    units: tuple[Unit, ...] = ()
    notes: tuple[str, ...] = ()


def declares_dependencies(folder: str, name: str) -> bool:
    """Return whether a file declares dependencies of a program in Python or Node."""
    is_list = name.startswith("requirement") or folder.rpartition("/")[2] == "requirements"
    return name in ("package.json", "pyproject.toml", "Pipfile") or (is_list and name.endswith(".txt"))


def listed(names: Sequence[str]) -> str:
    """Return names as notes list them: the first ones, and the number of the rest."""
    more = len(names) - MOST_NAMED
    return ", ".join(names) if more <= 1 else f"{', '.join(names[:MOST_NAMED])} and {more} more"


def at(folder: str, alone: str = "") -> str:
    """Return the beginning of a note about a folder: `apps/web/: `; `alone` for the project's own folder."""
    return f"{folder}/: " if folder else alone
