"""Specifies `devinit.kinds.process.versions`: what is said of tools that are not what a repository asks for."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from devinit.errors import ServiceError
from devinit.kinds.process import comparison
from devinit.kinds.process.provider import ProcessProvider
from devinit.kinds.process.versions import mismatches_of
from devinit.kinds.provider import Place
from devinit.kinds.surroundings import tool_warnings
from devinit.model.service import Service

PROVIDER = ProcessProvider()


def program(path: Path, text: str = "\x7fELF") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def node(tmp_path: Path, version: str) -> None:
    """Put a Node of a version on the PATH of `place`."""
    real = program(tmp_path / f"installed/v{version}/bin/node")
    for name in ("node", "npm"):
        (tmp_path / "bin" / name).unlink(missing_ok=True)
        (tmp_path / "bin" / name).symlink_to(real)


def environment(folder: Path, version: str, name: str = ".venv") -> None:
    """Make what looks like a virtual environment with a Python of a version."""
    program(folder / name / "bin/python")
    program(folder / name / "bin/uvicorn")
    (folder / name / "pyvenv.cfg").write_text(f"version = {version}\n")


def service(directory: Path, command: str, **more: object) -> Service:
    return Service(name="web", command=command, directory=directory, **more)  # type: ignore[arg-type]  # few are given


@pytest.fixture
def place(tmp_path: Path) -> Place:
    for name in ("shop/web", "shop/api", "state/data", "bin"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "shop/.git").mkdir()
    return Place(
        project="shop",
        root=tmp_path / "shop",
        data=tmp_path / "state/data",
        environment={"PATH": str(tmp_path / "bin"), "HOME": str(tmp_path)},
    )


def lines(service: Service, place: Place) -> list[str]:
    return [
        f"{each.problem(place.root)}; {each.advice(place.root)}" for each in mismatches_of(service, place)
    ]


class TestANode:
    @pytest.fixture
    def web(self, place: Place) -> Path:
        (place.root / "web/package.json").write_text(
            '{"engines": {"node": ">=20"},\n "scripts": {"dev": "next dev"}}'
        )
        (place.root / "web/node_modules").mkdir()
        return place.root / "web"

    def test_that_is_too_old_is_named_with_what_asks_for_it(
        self, tmp_path: Path, web: Path, place: Place
    ) -> None:
        node(tmp_path, "18.19.1")
        (place.root / ".nvmrc").write_text("v20.11.0\n")

        assert lines(service(web, "npm run dev"), place) == [
            (
                f"Node 18.19.1 ({tmp_path}/bin/node) does not meet >=20 (web/package.json:1), v20.11.0 (.nvmrc:1); "
                "install Node 20 (https://nodejs.org/en/download)"
            )
        ]

    def test_is_brought_by_the_version_manager_that_is_there(
        self, tmp_path: Path, web: Path, place: Place
    ) -> None:
        node(tmp_path, "18.19.1")
        program(tmp_path / ".nvm/nvm.sh")

        [line] = lines(service(web, "npm run dev"), place)

        assert line.endswith("; run `nvm install 20`, and start again from that shell")

    def test_only_warns(self, tmp_path: Path, web: Path, place: Place) -> None:
        node(tmp_path, "18.19.1")

        assert PROVIDER.lacking(service(web, "npm run dev"), place) is None
        assert len(tool_warnings([service(web, "npm run dev")] * 2, place)) == 1

    @pytest.mark.parametrize(
        ("version", "engines", "is_refused"),
        [("18.19.1", ">=20.9.0", True), ("20.8.0", ">=20.9.0", False), ("20.9.0", ">=20.9.0", False)],
    )
    def test_that_the_framework_refuses_is_not_started_on(  # noqa: PLR0917 - three values of the table
        self, tmp_path: Path, web: Path, place: Place, version: str, engines: str, is_refused: bool
    ) -> None:
        node(tmp_path, version)
        package = web / "node_modules/next/package.json"
        package.parent.mkdir()
        package.write_text(json.dumps({"name": "next", "version": "16.4.6", "engines": {"node": engines}}))

        lacking = PROVIDER.lacking(service(web, "npm run dev -- --port 3000"), place)

        assert (lacking is not None) is is_refused
        if lacking is not None:
            assert lacking.missing.endswith(", and next 16.4.6 refuses it")
            assert "--setup" not in lacking.advice
            assert PROVIDER.install(service(web, "npm run dev"), place) is None
            with pytest.raises(ServiceError, match=r"next 16\.4\.6 refuses it"):
                PROVIDER.prepare(service(web, "npm run dev"), place, print)
            assert tool_warnings([service(web, "npm run dev")], place) == []

    @pytest.mark.parametrize("command", ["./serve", "bun run dev", "python -m http.server"])
    def test_is_no_matter_for_a_command_that_does_not_use_it(
        self, tmp_path: Path, web: Path, place: Place, command: str
    ) -> None:
        node(tmp_path, "18.19.1")
        program(web / "serve")

        assert lines(service(web, command), place) == []

    @pytest.mark.parametrize(
        "command",
        [
            "npm run dev",
            "PORT=1 npm run dev",
            "true && exec npm run dev",
            "node server.js",
            "next dev",
            "env A=b npm start",
        ],
    )
    def test_is_seen_in_every_command_that_uses_it(
        self, tmp_path: Path, web: Path, place: Place, command: str
    ) -> None:
        node(tmp_path, "18.19.1")
        program(web / "node_modules/.bin/next")

        assert len(lines(service(web, command), place)) == 1


class TestAPython:
    @pytest.fixture
    def api(self, place: Place) -> Path:
        (place.root / "api/pyproject.toml").write_text(
            '[project]\nname = "api"\nrequires-python = ">=3.12"\n'
        )
        return place.root / "api"

    def test_of_an_environment_that_uv_refuses_is_not_started_on(
        self, tmp_path: Path, api: Path, place: Place
    ) -> None:
        environment(api, "3.11.7")
        (api / "uv.lock").touch()
        program(tmp_path / "bin/uv")
        run = service(api, "uvicorn main:app")

        lacking = PROVIDER.lacking(run, place)

        assert lacking is not None
        assert lacking.missing == (
            "Python 3.11.7 (api/.venv/bin/uvicorn) does not meet >=3.12 (api/pyproject.toml:3), and uv refuses it"
        )
        assert (lacking.folder, lacking.command) == (api, "uv sync")
        assert "--setup" in lacking.advice
        assert PROVIDER.install(run, place) == lacking

    def test_fits_once_what_helps_has_run(self, tmp_path: Path, api: Path, place: Place) -> None:
        environment(api, "3.11.7")
        program(
            tmp_path / "bin/python3.12",
            "#!/bin/sh\necho version = 3.12.4 >.venv/pyvenv.cfg\nprintf '#!/bin/sh\\n' >.venv/bin/pip\n"
            "/bin/chmod +x .venv/bin/pip\n/bin/cp .venv/bin/pip .venv/bin/uv\n",
        )
        run = service(api, "uvicorn main:app")
        [mismatch] = mismatches_of(run, place)

        [command] = re.findall("`(.+)`", mismatch.advice(place.root))
        subprocess.run(["/bin/sh", "-c", command], cwd=api, env=place.environment, check=True)

        assert mismatches_of(run, place) == []
        assert PROVIDER.lacking(run, place) is None

    def test_that_pip_refuses_is_replaced_by_one_that_fits(
        self, tmp_path: Path, api: Path, place: Place
    ) -> None:
        environment(api, "3.11.7", "venv")
        for name in ("python3.11", "python3.12", "python3.13"):
            program(tmp_path / "bin" / name)

        lacking = PROVIDER.lacking(service(api, "uvicorn main:app"), place)

        assert lacking is not None
        assert lacking.command == (
            "python3.12 -m venv --clear venv && venv/bin/pip install uv "
            "&& venv/bin/uv pip install --python venv -r pyproject.toml"
        )

    def test_is_installed_first_where_none_fits(self, tmp_path: Path, api: Path, place: Place) -> None:
        environment(api, "3.11.7")
        program(tmp_path / "pyenv/shims/python3.12")
        run = service(api, "uvicorn main:app", env={"PATH": f"{tmp_path}/bin:{tmp_path}/pyenv/shims"})

        lacking = PROVIDER.lacking(run, place)

        assert lacking is not None
        assert lacking.advice == "install Python 3.12 (https://www.python.org/downloads/)"

    def test_may_be_one_that_a_version_manager_has_installed(
        self, tmp_path: Path, api: Path, place: Place
    ) -> None:
        """Its stand-in on the PATH runs only what the folder chooses."""
        environment(api, "3.11.7")
        program(tmp_path / ".pyenv/versions/3.12.1/bin/python3.12")

        lacking = PROVIDER.lacking(service(api, "uvicorn main:app"), place)

        assert lacking is not None
        assert lacking.command == (
            f"{tmp_path}/.pyenv/versions/3.12.1/bin/python3.12 -m venv --clear .venv && .venv/bin/pip install uv "
            "&& .venv/bin/uv pip install --python .venv -r pyproject.toml"
        )

    def test_only_warns_where_requirements_are_installed(self, api: Path, place: Place) -> None:
        environment(api, "3.11.7")
        (api / "requirements.txt").touch()
        run = service(api, "uvicorn main:app")

        assert PROVIDER.lacking(run, place) is None
        assert len(tool_warnings([run], place)) == 1

    def test_only_warns_where_a_version_file_asks(self, api: Path, place: Place) -> None:
        environment(api, "3.12.1")
        (api / ".python-version").write_text("3.13\n")
        run = service(api, "uvicorn main:app")

        assert PROVIDER.lacking(run, place) is None
        assert [each.split("; ")[0] for each in lines(run, place)] == [
            "Python 3.12.1 (api/.venv/bin/uvicorn) does not meet 3.13 (api/.python-version:1)"
        ]

    def test_that_a_version_file_asks_for_makes_the_environment(
        self, tmp_path: Path, api: Path, place: Place
    ) -> None:
        (api / "pyproject.toml").unlink()
        (api / "requirements.txt").write_text("uvicorn\n")
        (api / ".python-version").write_text("3.13\n")
        program(tmp_path / "bin/python3", "#!/bin/sh\necho Python 3.12.1\n")
        program(tmp_path / "bin/python3.13")

        install = PROVIDER.install(service(api, "uvicorn main:app"), place)

        assert install is not None
        assert install.command == "python3.13 -m venv .venv && .venv/bin/pip install -r requirements.txt"

    def test_is_left_to_uv_where_uv_runs_the_command(self, tmp_path: Path, api: Path, place: Place) -> None:
        environment(api, "3.11.7")
        program(tmp_path / "bin/uv")

        assert lines(service(api, "uv run uvicorn main:app"), place) == []


class TestAnUpToDateCheckout:
    @pytest.fixture
    def services(self, tmp_path: Path, place: Place) -> list[Service]:
        node(tmp_path, "22.3.0")
        program(tmp_path / "bin/ruby", "#!/bin/sh\necho ruby 3.3.1\n")
        (place.root / "web/package.json").write_text('{"engines": {"node": ">=20"}}')
        (place.root / "web/.ruby-version").write_text("3.3")
        (place.root / "api/pyproject.toml").write_text(
            '[project]\nname = "api"\nrequires-python = ">=3.12"\n'
        )
        environment(place.root / "api", "3.12.1")
        return [
            service(place.root / "web", "npm run dev"),
            service(place.root / "web", "ruby server.rb"),
            service(place.root / "api", "uvicorn main:app"),
        ]

    @pytest.fixture
    def spawned(self, monkeypatch: pytest.MonkeyPatch) -> list[Sequence[object]]:
        """Every process that is started from here on."""
        found: list[Sequence[object]] = []
        spawn = subprocess.Popen.__init__

        def counted(self: object, arguments: Sequence[object], *args: object, **more: object) -> None:
            found.append(arguments)
            spawn(self, arguments, *args, **more)  # type: ignore[call-overload]  # as it is called

        monkeypatch.setattr(subprocess.Popen, "__init__", counted)
        for name in ("fork", "posix_spawn", "system"):
            monkeypatch.setattr(os, name, lambda *arguments, **_: found.append(arguments))
        return found

    def test_is_compared_once_and_then_runs_and_compares_nothing(
        self,
        services: list[Service],
        place: Place,
        spawned: list[Sequence[object]],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        assert tool_warnings(services, place) == []
        assert [list(map(str, each))[1:] for each in spawned] == [
            ["--version"]
        ]  # of ruby alone: no file tells
        spawned.clear()
        monkeypatch.setattr(comparison, "compared", None)

        for _ in range(2):
            assert tool_warnings(services, place) == []
            for each in services:
                PROVIDER.lacking(each, place)

        assert spawned == []

    @pytest.mark.parametrize("change", ["node", "nvmrc", "environment", "pyproject"])
    def test_is_compared_again_when_something_has_changed(
        self, tmp_path: Path, services: list[Service], place: Place, change: str
    ) -> None:
        tool_warnings(services, place)

        match change:
            case "node":
                node(tmp_path, "18.1.0")
            case "nvmrc":
                (place.root / ".nvmrc").write_text("24")
            case "environment":
                environment(place.root / "api", "3.11.11")
            case "pyproject":
                (place.root / "api/pyproject.toml").write_text('[project]\nrequires-python = ">=3.13"\n')

        found = [each for each in services if mismatches_of(each, place)]
        assert len(found) == 1
