"""Specifies that repositories of many shapes come up as they are, with real tools from the registries.

Each is started with nothing but `devinit start --setup`: first with its usual ports free, then with all of them
taken. Its pages answer, its backends let them in, and nothing is left behind.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.chromium import Page, chromium
from tests.conftest import Machine
from tests.end_to_end.conftest import is_free, listen
from tests.end_to_end.guestbook import ANSWER_SECONDS, Guestbook
from tests.projects.trees import FOLDER, lay_out, read_archive

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

CloneOf = Callable[[str], Guestbook]

MOVING = (
    "fastapi-vite",
    "flask-celery-redis",
    "django-sqlite-qcluster",
    "uv-workspace",
    "process-compose-python",
    "concurrently-uv-arq",
    "turbo-next-hono",
    "django-production-procfile",
    "django-split-settings",
    "compose-entrypoint",
    "pm2-three-apps",
    "astro-with-blog",
    "react-router",
    "express-knex",
    "devcontainer-flask",
    "fastapi-src-package",
    "fastapi-application",
)
"""Repositories whose services may have any port."""
FIXED = (
    "fastapi-vite-constants",
    "spa-served-by-backend",
    "next-root-api-index",
    "django-vite",
    "go-single",
)
"""Repositories with a port that the code names as a constant."""


@pytest.fixture
def clone(tmp_path: Path) -> Iterator[CloneOf]:
    """Return what lays out a repository on a machine that never saw devinit."""
    if shutil.which("npm") is None:
        pytest.skip("there is no npm on PATH (scripts/test brings one along)")
    with ExitStack() as stack:

        def make(name: str) -> Guestbook:
            root = tmp_path / name
            lay_out(read_archive(FOLDER / f"{name}.txtar"), root)
            # Not below pytest's directory: the path of a unix socket has at most 107 bytes.
            runtime = Path(tempfile.mkdtemp(prefix="dv-", dir="/tmp"))
            stack.callback(shutil.rmtree, runtime, ignore_errors=True)
            (runtime / "state").mkdir(mode=0o700)
            project = Guestbook(root, Machine(runtime / "state", runtime))
            stack.callback(project.finish)
            return project

        yield make


@pytest.mark.parametrize("name", MOVING)
def test_a_repository_comes_up_also_where_its_ports_are_taken(clone: CloneOf, name: str) -> None:
    project = clone(name)

    started = project.devinit("start", "--detach", "--setup")
    assert "node_modules is missing" not in started.talk
    assert "no virtual environment" not in started.talk
    usual = project.ports()
    runs_well(project)
    project.stop()
    assert project.processes() == []
    with ExitStack() as strangers:
        for port in usual.values():
            if port is not None and is_free(port):
                strangers.enter_context(listen(port))
        project.devinit("start", "--detach", "--on-conflict", "move")
        moved = project.ports()
        runs_well(project)
        project.stop()

    assert all(moved[name] != port for name, port in usual.items() if port is not None)
    assert project.processes() == []


@pytest.mark.parametrize("name", FIXED)
def test_a_repository_with_a_constant_in_its_code_comes_up_there_or_names_the_line(
    clone: CloneOf, name: str
) -> None:
    project = clone(name)
    [(port, file), *_] = fixed_ports(project)
    assert is_free(port)

    with listen(port):
        refused = project.devinit("start", "--detach", "--on-conflict", "move", code=None)
    project.devinit("start", "--detach", "--setup")

    assert refused.code != 0
    assert file in refused.talk
    runs_well(project)
    project.stop()
    assert project.processes() == []


async def test_a_page_on_another_port_is_updated_without_being_loaded_again(
    clone: CloneOf, tmp_path: Path
) -> None:
    project = clone("fastapi-vite")
    page_source = project.root / "frontend" / "src"
    (page_source / "words.js").write_text('export const words = "one";\n')
    (page_source / "main.js").write_text(
        'import { words } from "./words.js";\n\n'
        "document.title = words;\n"
        "fetch(`${import.meta.env.VITE_API_URL}/health`)\n"
        "  .then((answer) => answer.json())\n"
        "  .then((health) => (document.body.dataset.health = health.status));\n"
        'import.meta.hot.accept("./words.js", (next) => (document.title = next.words));\n'
    )
    with listen(5173), listen(8000):
        await asyncio.to_thread(project.devinit, "start", "--detach", "--setup", "--on-conflict", "move")
    url = await asyncio.to_thread(project.url, "frontend")
    assert not url.endswith(":5173")

    async with chromium(tmp_path / "profile") as page:
        await page.tell("Page.navigate", url=url)
        await page.becomes("document.title === 'one' && document.body.dataset.health === 'ok'")
        await page.evaluate("window.loadedOnce = true")
        (page_source / "words.js").write_text('export const words = "two";\n')
        await page.becomes("document.title === 'two'")
        assert await page.evaluate("window.loadedOnce")


async def test_a_page_of_next_on_another_port_is_updated_without_being_loaded_again(
    clone: CloneOf, tmp_path: Path
) -> None:
    project = clone("next-root-api-index")
    source = project.root / "app" / "page.tsx"
    text = '"use client";\n\nexport default function Page() {\n  return <h1 id="words">one</h1>;\n}\n'
    source.write_text(text)
    with listen(3000):
        await asyncio.to_thread(project.devinit, "start", "--detach", "--setup", "--on-conflict", "move")
    url = await asyncio.to_thread(project.url, "next")
    assert not url.endswith(":3000")

    async with chromium(tmp_path / "profile") as page:
        await page.tell("Page.navigate", url=url)
        await becomes_text(page, "one")
        # The connection for updates must be there before the file changes.
        await page.becomes("performance.getEntriesByType('resource').length > 0")
        await page.evaluate("window.loadedOnce = true")
        source.write_text(text.replace("one", "two"))
        await becomes_text(page, "two")
        assert await page.evaluate("window.loadedOnce")


async def becomes_text(page: Page, words: str) -> None:
    await page.becomes(f"document.getElementById('words')?.textContent === '{words}'")


def fixed_ports(project: Guestbook) -> list[tuple[int, str]]:
    """Return the ports that are fixed, each with the file that fixes it."""
    services = json.loads(project.devinit("init", "--explain", "--json").out)["services"]
    return [
        (service["port"], line["file"])
        for service in services.values()
        for line in service["evidence"]
        if line["about"] == "strict_port"
    ]


def runs_well(project: Guestbook) -> None:
    """Assert that everything is up, that each page answers, and that backends let pages in where they say so."""
    services = project.services()
    assert {each["phase"] for each in services.values()} <= {"ready", "exited"}
    origins = [each["url"] for each in services.values() if each["has_pages"] and each["url"]]
    assert origins or not any(each["port"] for each in services.values())
    for url in origins:
        assert answer(url) < 500


def answer(url: str) -> int:
    try:
        with urlopen(Request(url), timeout=ANSWER_SECONDS) as response:  # noqa: S310 - a server of the test
            return int(response.status)
    except HTTPError as error:
        return error.code
