"""Resolved projects."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from devinit.model.resolved import Reader, Resolved, ResolvedService, Value
from devinit.resolving.at_rest import at_rest
from devinit.resolving.resolve import NOTHING_RUNS, Present, resolve

Resolve = Callable[..., Resolved]

SHOP = """\
[project]
name = "shop"
detect = false

[services.postgres]
provider = "postgres"
port = 5432
database = "shop"
user = "shop"
password = "hunter2hunter2"

[services.backend]
directory = "backend"
command = "uvicorn main:app --host 127.0.0.1 --port ${PORT}"
port = 8000
depends_on = ["postgres"]
extra_ports = { debugger = 5678 }
ready = { http = "/health" }
before_start = ["alembic upgrade head"]

[services.frontend]
directory = "frontend"
command = "vite --port ${PORT} --host 127.0.0.1"
port = 3000
depends_on = ["backend"]

[tasks.seed]
command = "python seed.py"
description = "Fill the database"
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The folder of a project with a database, a backend in Python and a frontend in JavaScript."""
    folder = tmp_path / "shop"
    for name, file in (("backend", "requirements.txt"), ("frontend", "package.json")):
        (folder / name).mkdir(parents=True)
        (folder / name / file).write_text("{}\n" if file.endswith("json") else "uvicorn\n")
    return folder


@pytest.fixture
def resolved(root: Path) -> Resolve:
    """Resolve a project with a configuration: for this machine, unless another reader is named."""

    def made(text: str = SHOP, reader: Reader = Reader.MACHINE, present: Present = NOTHING_RUNS) -> Resolved:
        (root / "devinit.toml").write_text(text)
        return resolve(at_rest(root, as_written=reader is Reader.CONTAINER), reader, present)

    return made


def service(resolved: Resolved, name: str) -> ResolvedService:
    """Return a service by its name."""
    return next(each for each in resolved.services if each.name == name)


def shown(value: Value) -> str:
    """Return a value with its references in angle brackets."""
    return value.written(lambda variable: f"<{variable}>")
