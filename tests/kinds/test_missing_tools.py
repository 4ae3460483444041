"""Specifies what a start does without the package manager that a command names."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from msgspec.structs import replace

from devinit.errors import ServiceError
from devinit.kinds.process.installing import install_of, names_what_it_lacks
from devinit.kinds.process.provider import ProcessProvider
from devinit.kinds.provider import Place
from devinit.model.service import Service

PROVIDER = ProcessProvider()


def have(place: Place, *names: str) -> None:
    for name in names:
        (Path(place.environment["PATH"]) / name).touch(mode=0o755)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    for name in ("shop/web/node_modules", "shop/api", "bin"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "shop/web/package.json").write_text(
        '{"packageManager": "pnpm@9.15.0", "dependencies": {"vite": "7"},'
        ' "scripts": {"dev": "vite", "all": "pnpm -r dev"}}'
    )
    return Place(
        project="shop",
        root=tmp_path / "shop",
        data=tmp_path / "data",
        environment={"PATH": str(tmp_path / "bin")},
    )


def argv(service: Service, place: Place) -> tuple[str, ...]:
    spec = PROVIDER.process(service, PROVIDER.endpoint(service, 3000), place, place.environment)
    assert spec is not None
    return spec.argv


class TestAPackageManagerOfNode:
    def web(self, place: Place, command: str) -> Service:
        return Service(name="web", command=command, directory=place.root / "web")

    def test_is_used_where_it_is_there(self, place: Place) -> None:
        have(place, "npm", "pnpm")

        assert argv(self.web(place, "pnpm dev"), place) == ("pnpm", "dev")

    def test_is_replaced_by_npm_where_the_script_allows_it(self, place: Place) -> None:
        have(place, "npm")
        service = self.web(place, "pnpm dev --port 3000")

        assert argv(service, place) == ("npm", "run", "dev", "--", "--port", "3000")
        assert PROVIDER.prepare(service, place, print) == (
            "pnpm was not found: `npm run dev -- --port 3000` runs in its place",
        )

    @pytest.mark.parametrize(
        ("tools", "command"),
        [(("npm", "corepack"), "corepack enable pnpm"), (("npm",), "npm install --global pnpm")],
    )
    def test_is_named_with_what_brings_it_where_the_script_needs_it(
        self, place: Place, tools: tuple[str, ...], command: str
    ) -> None:
        have(place, *tools)

        with pytest.raises(ServiceError, match="pnpm was not found") as error:
            PROVIDER.prepare(self.web(place, "pnpm all"), place, print)

        assert error.value.hint == f"run `{command}`, and start again"

    def test_is_there_once_what_brings_it_has_run(self, tmp_path: Path, place: Place) -> None:
        npm = tmp_path / "bin/npm"
        npm.write_text('#!/bin/sh\nfor last; do :; done\n: >"${0%/*}/$last"; /bin/chmod +x "${0%/*}/$last"\n')
        npm.chmod(0o755)
        service = self.web(place, "pnpm all")
        with pytest.raises(ServiceError) as error:
            PROVIDER.prepare(service, place, print)

        [command] = re.findall("`(.+)`", error.value.hint or "")
        subprocess.run(["/bin/sh", "-c", command], env=place.environment, check=True)

        assert PROVIDER.prepare(service, place, print) == ()

    def test_is_named_before_a_process_is_spawned_in_any_case(self, place: Place) -> None:
        have(place, "npm")
        service = replace(self.web(place, "pnpm all"), before_start=("true",))

        PROVIDER.prepare(service, place, print)  # what runs before may bring it
        with pytest.raises(ServiceError, match="pnpm was not found"):
            argv(service, place)

    def test_leaves_a_yarn_with_plug_and_play_alone(self, place: Place) -> None:
        have(place, "npm")
        (place.root / ".pnp.cjs").touch()

        with pytest.raises(ServiceError, match="yarn was not found"):
            argv(self.web(place, "yarn dev"), place)

    def test_is_fetched_by_npm_to_install(self, place: Place) -> None:
        have(place, "npm")
        (place.root / "web/node_modules").rmdir()

        install = PROVIDER.install(self.web(place, "pnpm dev"), place)

        assert install is not None
        assert install.command == "npx --yes pnpm@9.15.0 install"

    @pytest.mark.parametrize("command", ["node app.js", "npx --no-install nodemon app.js"])
    def test_installs_what_a_file_of_the_package_may_need_where_that_is_asked_for(
        self, place: Place, command: str
    ) -> None:
        have(place, "npm", "node", "npx")
        (place.root / "web/node_modules").rmdir()
        service = self.web(place, command)

        install = PROVIDER.install(service, place)

        assert install is not None
        assert install.command == "npx --yes pnpm@9.15.0 install"
        assert install_of(service, place) is None
        assert not names_what_it_lacks(service, place.environment["PATH"])

    @pytest.mark.parametrize("command", ["npm run dev", "pnpm dev", "uvicorn main:app"])
    def test_is_named_by_a_start_itself(self, place: Place, command: str) -> None:
        assert names_what_it_lacks(self.web(place, command), place.environment["PATH"])

    @pytest.mark.parametrize("command", ["npm run dev", "node server.js", "pnpm dev"])
    def test_without_node_is_named_with_where_node_comes_from(self, place: Place, command: str) -> None:
        with pytest.raises(ServiceError, match="was not found") as error:
            argv(self.web(place, command), place)

        assert error.value.hint == "install Node (https://nodejs.org/en/download)"


class TestAnInstallerOfPython:
    def api(self, place: Place, command: str) -> Service:
        return Service(name="api", command=command, directory=place.root / "api")

    def make_environment(self, place: Place) -> None:
        folder = place.root / "api/.venv/bin"
        folder.mkdir(parents=True)
        (folder / "uvicorn").touch(mode=0o755)
        (folder.parent / "pyvenv.cfg").touch()

    @pytest.mark.parametrize("runner", ["uv", "poetry", "pdm", "pipenv"])
    def test_is_no_matter_where_the_environment_has_the_program(self, place: Place, runner: str) -> None:
        self.make_environment(place)
        service = self.api(place, f"{runner} run uvicorn main:app")

        assert argv(service, place) == ("uvicorn", "main:app")
        assert PROVIDER.prepare(service, place, print) == (
            f"{runner} was not found: `uvicorn main:app` runs in its place",
        )

    def test_is_brought_into_the_environment_to_install(self, place: Place) -> None:
        have(place, "python3")
        (place.root / "api/uv.lock").touch()
        (place.root / "api/pyproject.toml").write_text("[project]\nname='x'\n")

        install = PROVIDER.install(self.api(place, "uv run uvicorn main:app"), place)

        assert install is not None
        assert install.command == (
            "python3 -m venv .venv && .venv/bin/pip install uv && .venv/bin/uv sync --inexact"
        )
        assert install.missing.endswith("has no virtual environment; uv was not found either")

    def test_is_named_where_nothing_says_what_to_install(self, place: Place) -> None:
        with pytest.raises(ServiceError, match="poetry was not found") as error:
            PROVIDER.prepare(self.api(place, "poetry run uvicorn main:app"), place, print)

        assert error.value.hint == "install poetry (https://python-poetry.org/docs/#installation)"

    def test_is_installed_by_pipx_where_that_is_there(self, place: Place) -> None:
        have(place, "pipx")

        with pytest.raises(ServiceError) as error:
            PROVIDER.prepare(self.api(place, "poetry run uvicorn main:app"), place, print)

        assert error.value.hint == "run `pipx install poetry`, and start again"


class TestThePythonOfANewEnvironment:
    def test_is_one_that_the_project_asks_for(self, tmp_path: Path, place: Place) -> None:
        old = tmp_path / "versions/3.11.7/bin/python3.11"
        old.parent.mkdir(parents=True)
        old.touch(mode=0o755)
        (tmp_path / "bin/python3").symlink_to(old)
        have(place, "python3.13")
        (place.root / "api/pyproject.toml").write_text(
            "[project]\nname='x'\nrequires-python = '>=3.12'\n[build-system]\n"
        )
        service = Service(name="api", command="uvicorn main:app", directory=place.root / "api")

        install = PROVIDER.install(service, place)

        assert install is not None
        assert install.command == "python3.13 -m venv .venv && .venv/bin/pip install -e ."
        assert install.missing.endswith(", and python3 does not meet >=3.12")
