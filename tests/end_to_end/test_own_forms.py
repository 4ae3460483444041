"""A repository with forms of its own, and no devinit.toml: FastAPI with pydantic-settings and asyncpg, and Vite."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import Request, urlopen

import pytest

from tests.conftest import Machine
from tests.end_to_end.conftest import listen
from tests.end_to_end.guestbook import Guestbook
from tests.network import on_the_network

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

FILES = {
    "backend/requirements.txt": "fastapi\nuvicorn\npydantic-settings\nsqlalchemy[asyncio]\nasyncpg\n",
    "backend/app/__init__.py": "",
    "backend/app/config.py": """\
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    database_url: str = "postgresql+asyncpg://app:app@localhost:5432/app"
    cors_origins: list[str] = ["http://localhost:5173"]


settings = Settings()
""",
    "backend/app/main.py": """\
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from app.config import settings

app = FastAPI()
app.add_middleware(CORSMiddleware, allow_origins=settings.cors_origins)
engine = create_async_engine(settings.database_url)


@app.get("/health")
async def health() -> dict[str, object]:
    async with engine.connect() as connection:
        port = await connection.scalar(text("SELECT inet_server_port()"))
    return {"port": port, "query": dict(engine.url.query), "origins": settings.cors_origins}
""",
    "frontend/package.json": '{"private": true, "scripts": {"dev": "vite"}, "devDependencies": {"vite": "^5"}}\n',
    "frontend/index.html": '<script type="module" src="/src/api.js"></script>\n',
    "frontend/src/api.js": 'export default import.meta.env.VITE_API_URL ?? "http://localhost:8000/api/v1";\n',
}
USUAL_PORTS = (5432, 8000, 3000, 5173)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guestbook]:
    """A checkout with what it needs installed, while other programs have its usual ports."""
    if shutil.which("npm") is None:
        pytest.skip("there is no npm on PATH (scripts/test brings one along)")
    root = tmp_path_factory.mktemp("forms") / "shop"
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    subprocess.run([sys.executable, "-m", "venv", str(root / "backend/.venv")], check=True)
    pip = str(root / "backend/.venv/bin/pip")
    for folder, command in (
        ("backend", (pip, "install", "--quiet", "-r", "requirements.txt")),
        ("frontend", ("npm", "install", "--no-audit", "--no-fund", "--silent")),
    ):
        subprocess.run(on_the_network(*command), cwd=root / folder, check=True)
    # Not below pytest's directory: the path of a unix socket has at most 107 bytes.
    runtime = Path(tempfile.mkdtemp(prefix="dv-", dir="/tmp"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, runtime, ignore_errors=True)
        (runtime / "state").mkdir(mode=0o700)
        for port in USUAL_PORTS:
            with suppress(OSError):
                stack.enter_context(listen(port))
        checkout = Guestbook(root, Machine(runtime / "state", runtime))
        stack.callback(checkout.finish)
        yield checkout


def started(shop: Guestbook) -> dict[str, str]:
    """Start the checkout, and return its runtime environment."""
    outcome = shop.start("--json")
    rows = {row["service"]: row for row in outcome.events[-1]["services"]}
    assert {name: row["phase"] for name, row in rows.items()} == dict.fromkeys(
        ("postgres", "backend", "frontend"), "ready"
    )
    assert all(rows[name]["port"] not in USUAL_PORTS for name in rows)
    return shop.runtime_environment


def asked(url: str, origin: str = "") -> tuple[str, str | None]:
    """Return what a server answers, and the origin that it allows."""
    request = Request(url, headers={"Origin": origin} if origin else {})  # noqa: S310 - a server of ours
    with urlopen(request) as answer:  # noqa: S310 - as above
        return answer.read().decode(), answer.headers["access-control-allow-origin"]


def test_nothing_written_gives_each_name_in_the_form_that_the_code_reads(shop: Guestbook) -> None:
    values = started(shop)
    try:
        health, allowed = asked(f"{values['BACKEND_URL']}/health", origin=values["FRONTEND_URL"])
        page, _ = asked(f"{values['FRONTEND_URL']}/src/api.js")
    finally:
        shop.stop()

    said = json.loads(health)
    assert said["port"] == int(values["POSTGRES_PORT"])
    assert values["FRONTEND_URL"] in said["origins"]
    # The page has left it to another program.
    assert "http://localhost:5173" not in said["origins"]
    assert allowed == values["FRONTEND_URL"]
    assert values["DATABASE_URL"].startswith("postgresql+asyncpg://")
    assert f'"VITE_API_URL": "{values["BACKEND_URL"]}/api/v1"' in page


def test_an_env_file_keeps_all_but_the_address(shop: Guestbook) -> None:
    (shop.root / "backend/.env").write_text(
        "DATABASE_URL=postgresql+asyncpg://app:app@db:5432/app?command_timeout=7\n"
        'CORS_ORIGINS=["https://shop.example"]\n'
    )
    values = started(shop)
    try:
        health, _ = asked(f"{values['BACKEND_URL']}/health")
    finally:
        shop.stop()

    said = json.loads(health)
    assert said["port"] == int(values["POSTGRES_PORT"])
    assert said["query"] == {"command_timeout": "7"}
    assert said["origins"][:2] == ["https://shop.example", values["FRONTEND_URL"]]
