"""Specifies how projects of Nx are found, as far as the trees of tests/projects do not show it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from devinit.config.detected import detect

ROOT = {
    "package.json": json.dumps({"name": "shop", "private": True, "devDependencies": {"nx": "^21"}}),
    "package-lock.json": "{}",
    "nx.json": "{}",
}
LISTENS = "createServer(answer).listen(Number(process.env.PORT ?? 3900));\n"


def laid_out(root: Path, files: Mapping[str, str]) -> Path:
    for name, text in {**ROOT, **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def project(name: str, **targets: object) -> str:
    return json.dumps({"name": name, "projectType": "application", "targets": targets})


class TestAProjectOfNx:
    def test_may_be_described_in_its_package(self, tmp_path: Path) -> None:
        targets = {"serve": {"executor": "@nx/js:node", "options": {"buildTarget": "@shop/api:build"}}}
        described = json.dumps({"name": "@shop/api", "private": True, "nx": {"targets": targets}})

        root = laid_out(tmp_path, {"apps/api/package.json": described, "apps/api/src/main.ts": LISTENS})
        services = detect(root).services

        assert services["api"].command == "npx --no-install nx run @shop/api:serve"
        assert services["api"].port is not None
        assert services["api"].port.preferred == 3900

    def test_with_a_script_of_its_own_is_started_by_that(self, tmp_path: Path) -> None:
        described = json.dumps({"name": "web", "scripts": {"dev": "vite"}, "devDependencies": {"vite": "7"}})
        files = {
            "apps/web/package.json": described,
            "apps/web/project.json": project("web", serve={"executor": "@nx/vite:dev-server"}),
            "apps/web/index.html": "<div></div>",
        }

        services = detect(laid_out(tmp_path, files)).services

        assert [each.command for each in services.values()] == [
            "npm run dev -- --host 127.0.0.1 --port ${PORT} --strictPort"
        ]

    def test_in_which_nothing_listens_has_no_port(self, tmp_path: Path) -> None:
        files = {
            "apps/mailer/project.json": project("mailer", serve={"executor": "@nx/js:node"}),
            "apps/mailer/src/main.ts": "setInterval(send, 1000);\n",
        }

        services = detect(laid_out(tmp_path, files)).services

        assert services["mailer"].port is None

    def test_of_commands_is_one_where_something_listens(self, tmp_path: Path) -> None:
        run = {"executor": "nx:run-commands", "options": {"command": "tsx watch apps/api/src/main.ts"}}
        files = {
            "apps/api/project.json": project("api", serve=run),
            "apps/api/src/main.ts": LISTENS,
            "apps/checks/project.json": project("checks", serve=run),
        }

        assert list(detect(laid_out(tmp_path, files)).services) == ["api"]

    @pytest.mark.parametrize(
        "text",
        [
            "[]",
            "3",
            '{"projects": {"a": 3, "b": {"root": 7}}}',
            '{"projects": {"a": {"root": "../../etc"}}}',
            "{",
        ],
    )
    @pytest.mark.parametrize("name", ["nx.json", "angular.json", "workspace.json", "apps/a/project.json"])
    def test_that_is_described_otherwise_stops_nothing(self, tmp_path: Path, name: str, text: str) -> None:
        assert detect(laid_out(tmp_path, {name: text, "apps/a/vite.config.ts": ""})).services == {}


class TestAScriptThatStartsProjectsOfNx:
    @pytest.mark.parametrize(
        "script", ["nx run-many -t serve", 'concurrently "nx serve api" "nx serve admin"', "nx serve api"]
    )
    def test_says_nothing_that_their_targets_do_not(self, tmp_path: Path, script: str) -> None:
        files = {
            "package.json": json.dumps({"private": True, "scripts": {"dev": script}}),
            "apps/api/project.json": project("api", serve={"executor": "@nx/js:node"}),
            "apps/api/src/main.ts": LISTENS,
            "apps/admin/project.json": project("admin", serve={"executor": "@nx/vite:dev-server"}),
        }

        found = detect(laid_out(tmp_path, files))

        assert list(found.services) == ["api", "admin"]
        assert not any("package.json" in note for note in found.notes)
