"""Specifies which command helps where a tool has another version than is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from devinit.toolchains.asked import Asked, Form, Stated
from devinit.toolchains.curing import cure_of, cure_of_environment, wanted_version
from devinit.toolchains.python.installers import DECLARED, LOCKED, Installer
from devinit.toolchains.versions import Version


def asked(tool: str, wanted: str, form: Form, file: str = "package.json") -> Asked:
    return Asked(Path(file), Stated(tool, wanted, form, 1))


ENGINES = asked("node", ">=20.9", Form.NPM)
NVMRC = asked("node", "v22.3.0", Form.NODE_PIN, ".nvmrc")
REQUIRES = asked("python", ">=3.12,<3.14", Form.SPECIFIERS, "pyproject.toml")


def on_path(names: set[str]) -> dict[str, str]:
    return {name: name for name in names}


class TestTheVersion:
    @pytest.mark.parametrize(
        ("tool", "all_asked", "version"),
        [
            ("node", [ENGINES], (20,)),
            ("node", [ENGINES, NVMRC], (22,)),
            ("node", [asked("node", "^21 || ^23", Form.NPM)], (21,)),
            ("node", [asked("node", ">=18 <23", Form.NPM)], (18,)),
            ("node", [asked("node", "<3", Form.NPM)], None),
            ("python", [REQUIRES], (3, 12)),
            ("python", [REQUIRES, asked("python", "3.13.2", Form.PYTHON_PIN)], (3, 13)),
            ("go", [asked("go", "1.23.1", Form.AT_LEAST)], (1, 23, 1)),
            ("ruby", [asked("ruby", "~> 3.2", Form.GEM)], (3, 2)),
            ("pnpm", [asked("pnpm", "9.15.0", Form.MAJOR)], (9, 15, 0)),
        ],
    )
    def test_is_the_lowest_that_everything_allows(
        self, tool: str, all_asked: list[Asked], version: Version | None
    ) -> None:
        assert wanted_version(tool, all_asked) == version


class TestATool:
    @pytest.mark.parametrize(
        ("have", "command"),
        [
            ({"nvm", "fnm"}, "nvm install 20"),
            ({"fnm"}, "fnm use --install-if-missing 20"),
            ({"volta"}, "volta install node@20"),
            ({"mise"}, "mise use node@20"),
            ({"asdf"}, "asdf install nodejs latest:20"),
            (set(), "install Node 20 (https://nodejs.org/en/download)"),
        ],
    )
    def test_comes_from_the_version_manager_that_is_there(self, have: set[str], command: str) -> None:
        assert cure_of("node", [ENGINES], on_path(have)).command == command

    def test_is_left_to_the_file_of_the_version_manager(self) -> None:
        assert cure_of("node", [ENGINES, NVMRC], on_path({"nvm"})).command == "nvm install"
        assert (
            cure_of("node", [asked("node", "22", Form.NODE_PIN, "mise.toml")], on_path({"mise"})).command
            == "mise install"
        )
        assert (
            cure_of("node", [asked("node", "22", Form.NODE_PIN, ".tool-versions")], on_path({"nvm"})).command
            == "nvm install 22"
        )

    def test_may_be_a_package_manager(self) -> None:
        pinned = [asked("pnpm", "9.15.0", Form.MAJOR)]

        assert cure_of("pnpm", pinned, on_path({"npm"})).command == "npm install --global pnpm@9.15.0"
        assert cure_of("pnpm", pinned, on_path({"npm", "corepack"})).command == (
            "corepack enable && corepack install --global pnpm@9.15.0"
        )


class TestAnEnvironment:
    @pytest.mark.parametrize(
        ("file", "have", "command"),
        [
            ("uv.lock", {"uv"}, "uv sync"),
            (
                "uv.lock",
                {"python3.12"},
                (
                    "python3.12 -m venv --clear .venv && .venv/bin/pip install uv "
                    "&& .venv/bin/uv sync --inexact"
                ),
            ),
            ("poetry.lock", {"poetry", "python3.13"}, "poetry env use python3.13 && poetry install"),
            ("pdm.lock", {"pdm", "python3.12"}, "pdm use python3.12 && pdm install"),
            (
                "requirements.txt",
                {"python3.11", "python3.12", "python3.13"},
                "python3.12 -m venv --clear .venv && .venv/bin/pip install -r requirements.txt",
            ),
            (
                "requirements.txt",
                {"uv"},
                (
                    'uv python install 3.12 && "$(uv python find 3.12)" -m venv --clear .venv && .venv/bin/pip install '
                    "-r requirements.txt"
                ),
            ),
            (
                "pyproject.toml",
                {"pyenv"},
                (
                    "pyenv install --skip-existing 3.12 && PYENV_VERSION=3.12 python3 -m venv --clear .venv "
                    "&& .venv/bin/pip install -e ."
                ),
            ),
            ("pyproject.toml", {"python3.14"}, "install Python 3.12 (https://www.python.org/downloads/)"),
        ],
    )
    def test_is_made_anew_with_a_python_that_fits(self, file: str, have: set[str], command: str) -> None:
        installer = Installer(file, (LOCKED | DECLARED)[file])

        assert cure_of_environment(".venv", installer, [REQUIRES], on_path(have)).command == command

    def test_has_its_own_name_for_uv_too(self) -> None:
        installer = Installer("uv.lock", LOCKED["uv.lock"])

        made = cure_of_environment("env", installer, [REQUIRES], on_path({"python3.12"}))

        assert made.command == (
            "python3.12 -m venv --clear env && env/bin/pip install uv "
            "&& UV_PROJECT_ENVIRONMENT=env env/bin/uv sync --inexact"
        )

    def test_of_an_odd_name_runs_nothing_of_that_name(self) -> None:
        installer = Installer("requirements.txt", DECLARED["requirements.txt"])

        cure = cure_of_environment("a; rm -r x", installer, [REQUIRES], on_path({"python3.12"}))

        assert cure.command.startswith(
            "python3.12 -m venv --clear 'a; rm -r x' && 'a; rm -r x'/bin/pip install"
        )
