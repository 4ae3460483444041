"""Applications in any folder, recognised by their code, and the databases that they use."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from devinit.sources.source import Found
    from devinit.system.bounds import Bounds

APPLICATIONS: tuple[str, ...] = (
    "servers in any folder, by their code: FastAPI, Flask, Django, Vite, Next.js, Express and others for Python",
    "  and Node; Go, Rust, Rails, Laravel, Phoenix, Spring Boot, .NET, Deno; sites of Hugo, Jekyll, MkDocs",
)
DATABASES: tuple[str, ...] = (
    "PostgreSQL and Redis: in what applications depend on, in .env*, alembic.ini, Prisma's schema and their code",
)


def claims(folder: str | os.PathLike[str]) -> bool:
    """Return whether a folder has any entries: applications may be in any folder, under any name."""
    try:
        return bool(os.listdir(folder))  # noqa: PTH208 - loads os alone
    except OSError:
        return False


def read(bounds: Bounds) -> Found:
    """Return the applications and databases of a project; files are only read."""
    from devinit.sources.applications.services import found_in  # only where there is something to read

    return found_in(bounds)
