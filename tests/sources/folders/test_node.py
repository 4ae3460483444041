from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from devinit.config.detected import detect
from devinit.model.service import Service

Write = Callable[..., Path]
Package = Callable[..., Service]

VITE = "--host 127.0.0.1 --port ${PORT} --strictPort"


@pytest.fixture
def package(root: Path, write: Write) -> Package:
    """Return what is detected from the keys of frontend/package.json."""

    def detecting(dev: str = "vite", **keys: Any) -> Service:
        write("frontend/package.json", json.dumps({"scripts": {"dev": dev}, **keys}))
        return detect(root).services["frontend"]

    return detecting


class TestAFrontend:
    def test_runs_in_its_folder_on_port_3000(self, package: Package, root: Path) -> None:
        service = package()

        assert service.port is not None
        assert (service.directory, service.port.preferred) == (root / "frontend", 3000)

    def test_waits_for_the_backend(self, package: Package, write: Write) -> None:
        write("backend/main.py", "app = FastAPI()\n")

        assert package().depends_on == ("backend",)

    def test_waits_for_nothing_when_there_is_no_backend(self, package: Package) -> None:
        assert package().depends_on == ()


class TestAScript:
    @pytest.mark.parametrize(
        "script", ["vite", "vite dev --open", "tsc -b && vite", "cross-env DEBUG=1 vite", "vite 2>&1"]
    )
    def test_that_runs_vite_is_told_port_and_address(self, package: Package, script: str) -> None:
        assert package(script).command == f"npm run dev -- {VITE}"

    def test_that_runs_next_is_told_the_port(self, package: Package) -> None:
        service = package("next dev --turbo")

        assert service.command == "npm run dev -- --port ${PORT}"
        assert service.warm == "/"

    @pytest.mark.parametrize(
        "script",
        ["react-scripts start", "node server.js", "vite build && node server.js", "vite build --watch"],
    )
    def test_of_another_kind_reads_its_port_from_the_environment(self, package: Package, script: str) -> None:
        assert package(script).command == "npm run dev"

    @pytest.mark.parametrize("script", ["concurrently vite 'tsc -w'", "tsc -w & vite", "turbo dev"])
    def test_that_starts_several_programs_is_left_as_it_is_and_noted(
        self, package: Package, root: Path, script: str
    ) -> None:
        assert package(script).command == "npm run dev"
        assert f"frontend/: its script starts several programs ({script})" in detect(root).notes[0]

    def test_may_be_named_start(self, root: Path, write: Write) -> None:
        write("frontend/package.json", '{"scripts": {"start": "react-scripts start"}}')

        assert detect(root).services["frontend"].command == "npm run start"

    @pytest.mark.parametrize("text", ["", "[]", '{"scripts": []}', '{"scripts": {"build": "vite build"}}'])
    def test_that_is_missing_is_noted(self, root: Path, write: Write, text: str) -> None:
        write("frontend/package.json", text)

        project = detect(root)

        assert project.services == {}
        assert project.notes == ("frontend/: no package.json with a dev or start script was found",)


class TestAPackageManager:
    def test_is_npm_unless_something_says_otherwise(self, package: Package) -> None:
        assert package().command == f"npm run dev -- {VITE}"

    @pytest.mark.parametrize("manager", ["pnpm", "yarn", "bun"])
    def test_that_package_json_names_gets_flags_without_dashes(self, package: Package, manager: str) -> None:
        assert package(packageManager=f"{manager}@9.1.0").command == f"{manager} run dev {VITE}"

    @pytest.mark.parametrize(
        ("lock_file", "manager"),
        [("pnpm-lock.yaml", "pnpm"), ("yarn.lock", "yarn"), ("bun.lock", "bun"), ("bun.lockb", "bun")],
    )
    @pytest.mark.parametrize("folder", ["frontend/", ""])
    def test_is_the_one_that_wrote_the_lock_file(
        self, package: Package, write: Write, lock_file: str, manager: str, folder: str
    ) -> None:
        write(f"{folder}{lock_file}")

        assert package().command == f"{manager} run dev {VITE}"

    def test_is_named_rather_than_guessed(self, package: Package, write: Write) -> None:
        write("frontend/yarn.lock")

        assert package(packageManager="pnpm@9").command == f"pnpm run dev {VITE}"

    def test_of_the_folder_goes_before_that_of_the_root(self, package: Package, write: Write) -> None:
        write("package.json", '{"packageManager": "yarn@4"}')
        write("frontend/package-lock.json")

        assert package().command == f"npm run dev -- {VITE}"


class TestMissingPackages:
    def test_are_noted_with_the_command_that_installs_them(self, package: Package, root: Path) -> None:
        package(packageManager="pnpm@9")

        assert detect(root).notes == (
            "frontend/: node_modules is missing; `cd frontend && pnpm install` makes it",
        )

    @pytest.mark.parametrize("place", ["frontend/node_modules", "node_modules", "frontend/.pnp.cjs"])
    def test_are_not_noted_when_they_are_there(
        self, package: Package, root: Path, write: Write, place: str
    ) -> None:
        write(f"{place}/x")
        package()

        assert detect(root).notes == ()


class TestABackendInNode:
    def test_runs_its_script_on_port_8000(self, root: Path, write: Write) -> None:
        write(
            "backend/package.json", '{"scripts": {"dev": "tsx watch server.ts"}, "dependencies": {"pg": "8"}}'
        )

        service = detect(root).services["backend"]

        assert service.port is not None
        assert (service.command, service.port.preferred) == ("npm run dev", 8000)
        assert service.depends_on == ("postgres",)

    def test_is_passed_over_for_a_python_application(self, root: Path, write: Write) -> None:
        write("backend/package.json", '{"scripts": {"dev": "tailwind --watch"}}')
        write("backend/main.py", "app = FastAPI()\n")

        command = detect(root).services["backend"].command

        assert command is not None
        assert command.startswith("uvicorn ")
