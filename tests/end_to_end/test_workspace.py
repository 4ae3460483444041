"""A workspace of npm with one script for everything: installed and started for real, with nothing written down."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.cli.conftest import Shop
from tests.end_to_end.conftest import free_ports, listen

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

PACKAGES = {
    "concurrently": "^9.0.0",
    "cross-env": "^7.0.0",
    "vite": "^5.4.0",
    "typescript": "^5.5.0",
}
SERVER = """\
import { createServer } from "node:http"
import { greeting } from "@shop/shared"
const port = Number(process.env.API_PORT ?? %d)
createServer((_, answer) => answer.end(`${greeting} ${process.env.WHO}`)).listen(port, "127.0.0.1")
"""
TYPESCRIPT = {
    "compilerOptions": {"outDir": "dist", "rootDir": "src", "module": "esnext", "target": "es2022"},
    "include": ["src"],
}


class Workspace(Shop):
    """A folder with an application in two packages, and a third one that both import once it is built."""

    def __init__(self, root: Path, api: int, web: int) -> None:
        super().__init__(root)
        self.package(
            "",
            name="shop",
            private=True,
            workspaces=["apps/*", "packages/*"],
            scripts={
                "dev": "cross-env WHO=Ada concurrently -k -n shared,api,web 'npm run dev -w @shop/shared' "
                f"npm:dev:api 'npm run dev -w web -- --port {web}'",
                "dev:api": "node --watch apps/api/server.mjs",
            },
            devDependencies=PACKAGES,
        )
        uses = {"@shop/shared": "*"}
        self.package("apps/web", name="web", private=True, scripts={"dev": "vite"}, dependencies=uses)
        self.write(
            "apps/web/index.html", '<title>the page</title><script type="module" src="/main.js"></script>'
        )
        self.write(
            "apps/web/main.js", 'import { greeting } from "@shop/shared"\ndocument.body.append(greeting)\n'
        )
        self.package("apps/api", name="api", private=True, dependencies=uses)
        self.write("apps/api/server.mjs", SERVER % api)
        self.package(
            "packages/shared",
            name="@shop/shared",
            type="module",
            exports="./dist/index.js",
            scripts={"dev": "tsc -w --preserveWatchOutput"},
        )
        self.write("packages/shared/src/index.ts", 'export const greeting: string = "hello"\n')
        self.write("packages/shared/tsconfig.json", json.dumps(TYPESCRIPT))

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def package(self, folder: str, **described: object) -> None:
        self.write(f"{folder}/package.json" if folder else "package.json", json.dumps(described, indent=2))


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What npm has installed for such a workspace, once."""
    if shutil.which("npm") is None:
        pytest.skip("there is no npm on PATH (scripts/test brings one along)")
    workspace = Workspace(tmp_path_factory.mktemp("installed") / "shop", 1, 2)
    subprocess.run(
        ["npm", "install", "--no-audit", "--no-fund", "--silent"],
        cwd=workspace.root,
        stdin=subprocess.DEVNULL,
        check=True,
        timeout=240,
    )
    return workspace.root / "node_modules"


@pytest.fixture
def workspace(tmp_path: Path, installed: Path) -> Iterator[Workspace]:
    ports = [*free_ports().values()]
    made = Workspace(tmp_path / "shop", ports[0], ports[1])
    # Its own packages are links in there, relative ones.
    shutil.copytree(installed, made.root / "node_modules", symlinks=True)
    yield made
    made.finish()


def page(url: str) -> str:
    with urlopen(url, timeout=60) as answer:  # noqa: S310  a service of the test
        text: str = answer.read().decode()
    return text


class TestAWorkspaceWithOneScript:
    def test_is_started_program_by_program_after_what_they_import(self, workspace: Workspace) -> None:
        done = workspace("start", "-d")

        assert done.returncode == 0, done.stderr
        services = workspace.status()
        assert {name: each["phase"] for name, each in services.items()} == dict.fromkeys(
            ("shared", "api", "web"), "ready"
        )
        assert page(services["api"]["url"]) == "hello Ada"
        assert "<title>the page</title>" in page(services["web"]["url"])
        assert "packages/shared/dist/index.js" in page(f"{services['web']['url']}/main.js")

    def test_moves_what_meets_a_taken_port(self, workspace: Workspace) -> None:
        shown = json.loads(workspace("init", "--explain", "--json").stdout)["services"]
        wanted = {name: shown[name]["port"] for name in ("api", "web")}
        strangers = [listen(port) for port in wanted.values()]

        done = workspace("start", "-d")

        assert done.returncode == 0, done.stderr
        services = workspace.status()
        assert all(services[name]["port"] != port for name, port in wanted.items())
        assert page(services["api"]["url"]) == "hello Ada"
        assert "<title>the page</title>" in page(services["web"]["url"])
        for each in strangers:
            each.close()

    def test_goes_on_without_one_of_them(self, workspace: Workspace) -> None:
        workspace("start", "-d")
        before = workspace.status()

        assert workspace("restart", "api").returncode == 0

        after = workspace.status()
        assert after["web"]["pid"] == before["web"]["pid"]
        assert after["api"]["pid"] != before["api"]["pid"]
        assert page(after["api"]["url"]) == "hello Ada"
