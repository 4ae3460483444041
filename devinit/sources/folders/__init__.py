"""Applications that are recognised by their code in backend/ and frontend/, and the databases that they use."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from devinit.sources.source import Found
    from devinit.system.bounds import Bounds

APPLICATIONS: tuple[str, ...] = (
    "backend/: FastAPI, Starlette, Flask or Django, or a package.json with a dev or start script",
    "frontend/: a package.json with a dev or start script",
)
DATABASES: tuple[str, ...] = (
    "PostgreSQL and Redis: in requirements*.txt, pyproject.toml, Pipfile, package.json, .env*, alembic.ini",
)
_NAMES = frozenset(
    {
        "backend",
        "frontend",
        "package.json",
        "pyproject.toml",
        "Pipfile",
        "requirements",
        "alembic.ini",
        "prisma",
    }
)
_BEGINNINGS = ("requirements", ".env", "manage.py")


def claims(folder: str | os.PathLike[str]) -> bool:
    """Tell whether a folder has an application's folder, or a file that may name a database."""
    try:
        return any(name in _NAMES or name.startswith(_BEGINNINGS) for name in os.listdir(folder))  # noqa: PTH208 - loads os alone
    except OSError:
        return False


def read(bounds: Bounds) -> Found:
    """Return the applications and databases of a project, by reading only."""
    from devinit.sources.folders.applications import found_in  # only where there is something to read

    return found_in(bounds)
