"""Specifies `devinit.toolchains.python.installers`: what a Python project is installed with, by its files."""

from __future__ import annotations

import pytest

from devinit.toolchains.python.installers import installer_of

PROJECT = "[project]\nname = 'shop'\nversion = '1'\ndependencies = []\n"
OF_AN_APPLICATION = (
    "python3 -m venv .venv && .venv/bin/pip install uv "
    "&& .venv/bin/uv pip install --python .venv -r pyproject.toml"
)
OF_A_PACKAGE = "python3 -m venv .venv && .venv/bin/pip install -e ."


def command_for(pyproject: str, *beside: str) -> str | None:
    """Return the command for a folder with this pyproject.toml, and other names beside it."""
    names = {"pyproject.toml", *beside}
    found = installer_of(["api"], lambda _, name: name in names, lambda *_: pyproject)
    return None if found is None else found[1].command


class TestAPyproject:
    @pytest.mark.parametrize(
        "more",
        [
            "[build-system]\nrequires = ['hatchling']\n",
            "[project.scripts]\nshop = 'shop:main'\n",
            "[project.gui-scripts]\nshop = 'shop:main'\n",
            "[tool.setuptools]\npackages = ['shop']\n",
            "[tool.setuptools.packages.find]\n",
            "[tool.poetry]\n",
        ],
    )
    def test_of_a_package_is_built(self, more: str) -> None:
        assert command_for(PROJECT + more) == OF_A_PACKAGE

    @pytest.mark.parametrize("name", ["setup.py", "setup.cfg", "src"])
    def test_of_a_package_may_show_it_by_what_is_beside_it(self, name: str) -> None:
        assert command_for(PROJECT, name) == OF_A_PACKAGE

    def test_of_an_application_has_its_dependencies_installed_alone(self) -> None:
        assert command_for(PROJECT + "[tool.ruff]\n[tool.setuptools_scm]\n") == OF_AN_APPLICATION

    def test_of_tools_alone_has_nothing_to_install(self) -> None:
        assert command_for("[tool.ruff]\n") is None


class TestAnEnvironment:
    @pytest.mark.parametrize(
        ("has_pip", "command"),
        [
            (
                True,
                (
                    "env/bin/python -m pip install uv "
                    "&& env/bin/python -m uv pip install --python env/bin/python -r pyproject.toml"
                ),
            ),
            (False, "uv pip install --python env/bin/python -r pyproject.toml"),
        ],
    )
    def test_gets_the_dependencies_of_an_application(self, has_pip: bool, command: str) -> None:
        found = installer_of(["api"], lambda _, name: name == "pyproject.toml", lambda *_: PROJECT)

        assert found is not None
        assert found[1].into("env", has_pip=has_pip) == command
