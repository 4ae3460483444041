"""A repository that describes itself in a compose file alone, started for real with PostgreSQL and Redis."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from tests.cli.conftest import Listen, Shop, listen, port
from tests.end_to_end.guestbook import HERE

__all__ = ["listen", "port"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

COMPOSE = """\
x-database: &database
  DATABASE_URL: postgresql://app:${DB_PASSWORD:-s3cret}@db:5432/shop?application_name=kept

services:
  db:
    image: postgres:16-alpine
    environment:
      POSTGRES_USER: app
      POSTGRES_PASSWORD: ${DB_PASSWORD:-s3cret}
      POSTGRES_DB: shop
    ports: ["%(db)d:5432"]
    healthcheck: {test: ["CMD-SHELL", "pg_isready -U app"]}

  redis:
    image: redis:7
    ports: ["%(redis)d:6379"]

  migrate:
    build: ./api
    command: python migrate.py
    restart: "no"
    environment: *database
    depends_on: {db: {condition: service_healthy}}

  api:
    build: ./api
    ports: ["%(api)d:8000"]
    environment:
      <<: *database
      CACHE_HOST: redis
      CACHE_PORT: 6379
      CACHE_DB: 3
      SELF: http://localhost:%(api)d/v1
    depends_on:
      migrate: {condition: service_completed_successfully}
      redis: {condition: service_started}
    healthcheck: {test: curl -f http://localhost:8000/health || exit 1}
"""
DOCKERFILE = """\
FROM python:3.12-slim
WORKDIR /app
COPY requirements.txt .
RUN pip install -r requirements.txt
COPY . .
EXPOSE 8000
CMD ["uvicorn", "service:application", "--host", "0.0.0.0", "--port", "8000"]
"""
MIGRATE = """\
import asyncio, os, asyncpg


async def main() -> None:
    connection = await asyncpg.connect(os.environ["DATABASE_URL"])
    await connection.execute("CREATE TABLE IF NOT EXISTS note (text text)")
    await connection.execute("INSERT INTO note VALUES ('from the one-shot')")
    await connection.close()


asyncio.run(main())
"""
SERVICE = """\
import os

import asyncpg
import redis.asyncio
from fastapi import FastAPI

application = FastAPI()


@application.get("/health")
async def health():
    return {}


@application.get("/notes")
async def notes():
    connection = await asyncpg.connect(os.environ["DATABASE_URL"])
    rows = await connection.fetch("SELECT text FROM note")
    user = await connection.fetchval("SELECT current_user")
    name = await connection.fetchval("SHOW application_name")
    await connection.close()
    number = int(os.environ["CACHE_DB"])
    cache = redis.asyncio.Redis(host=os.environ["CACHE_HOST"], port=int(os.environ["CACHE_PORT"]), db=number)
    visits = await cache.incr("visits")
    await cache.aclose()
    return {
        "notes": [row["text"] for row in rows],
        "user": user,
        "application_name": name,
        "visits": visits,
        "self": os.environ["SELF"],
    }
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the virtual environment that the example's backend has."""
    folder = tmp_path_factory.mktemp("installed")
    for name in ("requirements.txt", "setup.sh"):
        shutil.copy(HERE / "docs" / "example" / "backend" / name, folder)
    said = subprocess.run(
        ["sh", "setup.sh"], cwd=folder, capture_output=True, text=True, timeout=280, check=False
    )
    if said.returncode != 0:
        pytest.skip(f"nothing can be installed here: {said.stderr[-300:]}")
    return folder


@pytest.fixture
def composed(tmp_path: Path, environment: Path, port: int) -> Iterator[Shop]:
    """A clone with a compose file, and its packages installed."""
    made = Shop(tmp_path / "compose only")
    (made.root / "compose.yaml").write_text(COMPOSE % {"db": port, "redis": port + 3, "api": port + 6})
    api = made.root / "api"
    api.mkdir()
    for name, text in {"Dockerfile": DOCKERFILE, "migrate.py": MIGRATE, "service.py": SERVICE}.items():
        (api / name).write_text(text)
    shutil.copy(environment / "requirements.txt", api)
    # As `python -m venv` would have made it there: its scripts name their own Python.
    (api / ".venv").symlink_to(environment / ".venv")
    yield made
    made.finish()


def answer(number: int) -> dict[str, Any]:
    with urlopen(f"http://127.0.0.1:{number}/notes", timeout=30) as page:
        said: dict[str, Any] = json.loads(page.read())
    return said


def test_runs_with_every_address_right(composed: Shop, port: int) -> None:
    done = composed("start", "-d")

    assert done.returncode == 0, done.stderr
    assert {name: (each["phase"], each["port"]) for name, each in composed.status().items()} == {
        "postgres": ("ready", port),
        "redis": ("ready", port + 3),
        "migrate": ("exited", None),
        "backend": ("ready", port + 6),
    }
    assert answer(port + 6) == {
        "notes": ["from the one-shot"],
        "user": "app",
        "application_name": "kept",
        "visits": 1,
        "self": f"http://localhost:{port + 6}/v1",
    }


def test_runs_with_every_address_right_when_all_ports_are_taken(
    composed: Shop, port: int, listen: Listen
) -> None:
    for number in (port, port + 3, port + 6):
        listen(number)

    done = composed("start", "-d")

    assert done.returncode == 0, done.stderr
    ports = {name: each["port"] for name, each in composed.status().items()}
    assert set(ports.values()).isdisjoint({port, port + 3, port + 6})
    said = answer(ports["backend"])
    assert (said["notes"], said["visits"]) == (["from the one-shot"], 1)
    assert said["self"] == f"http://localhost:{ports['backend']}/v1"
