"""Choose the command that installs the packages of a Python project by its lock files and manifests. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from shlex import quote
from typing import TypeVar

from msgspec import Struct

F = TypeVar("F")
"""A folder, in the caller's representation."""
PYPROJECT = "pyproject.toml"
_VENV = "python3 -m venv .venv && .venv/bin/pip install"
LOCKED = {
    "uv.lock": "uv sync",
    "poetry.lock": "poetry install",
    "pdm.lock": "pdm install",
    "Pipfile.lock": "pipenv install --dev",
}
"""Lock file of a project or workspace → its install command; the first existing file counts."""
DECLARED = {
    "Pipfile": "pipenv install --dev",
    "requirements.txt": f"{_VENV} -r requirements.txt",
    "requirement.txt": f"{_VENV} -r requirement.txt",
    "requirements/base.txt": f"{_VENV} -r requirements/base.txt",
    PYPROJECT: f"{_VENV} -e .",
}
"""File that declares dependencies → command that installs them into an environment; the first one counts."""
_DEPENDENCIES = "-r pyproject.toml"
"""Only the dependencies in a pyproject.toml, without the project itself: uv supports this, pip does not."""
_OF_AN_APPLICATION = f"{_VENV} uv && .venv/bin/uv pip install --python .venv {_DEPENDENCIES}"
_INSTALLABLE = re.compile(r"^\[(?:project|tool\.poetry)\]", re.MULTILINE)
"""Without one of these tables, a pyproject.toml only configures tools, and there is nothing to install."""
_BUILT = re.compile(
    r"^\[(?:build-system|tool\.poetry|tool\.setuptools|project\.(?:gui-)?scripts)\b", re.MULTILINE
)
"""With one of these tables, a project is a package to build, or has programs of its own."""
_BUILDS = ("setup.py", "setup.cfg", "src")
"""Beside a pyproject.toml, these also mark a package."""
_UV_WORKSPACE = "[tool.uv.workspace]"


ALONE = {
    "uv": (f"{_VENV} uv", ".venv/bin/{command} --inexact"),
    "poetry": (f"{_VENV} poetry", ".venv/bin/{command}"),
    "pdm": (f"{_VENV} pdm", ".venv/bin/{command}"),
    "pipenv": (f"{_VENV} pipenv", "PIPENV_VENV_IN_PROJECT=1 .venv/bin/{command}"),
}
"""Installer that the machine lacks → command that installs it into the environment, and the command to run it.

Without `--inexact`, uv would remove itself.
"""


class Installer(Struct, frozen=True):
    """The command that installs the packages of a project."""

    file: str
    """The file that it is based on: `uv.lock`."""
    command: str
    """Runs in the folder of that file."""

    @property
    def program(self) -> str:
        """The program that it runs: `uv`."""
        return self.command.partition(" ")[0]

    def without_its_program(self) -> str:
        """Return an equivalent command that only needs Python."""
        if self.program not in ALONE:
            return self.command
        first, then = ALONE[self.program]
        return f"{first} && {then.format(command=self.command)}"

    def into(self, environment: str, *, has_pip: bool) -> str:
        """Return the command that installs into an existing environment, by uv or by the environment's own pip."""
        if not self.program.startswith("python"):
            return self.command
        words = self.command.rpartition("pip install ")[2]
        python = quote(f"{environment}/bin/python")
        if self.command == _OF_AN_APPLICATION:
            words = _DEPENDENCIES
            if has_pip:
                return f"{python} -m pip install uv && {python} -m uv pip install --python {python} {words}"
        # `uv venv` creates environments without pip.
        return f"{python} -m pip install {words}" if has_pip else f"uv pip install --python {python} {words}"

    @property
    def refuser(self) -> str:
        """The program that would refuse a Python version: `uv`, `pip`."""
        return "pip" if self.program.startswith("python") else self.program


def installer_of(
    folders: Iterable[F], has: Callable[[F, str], bool], text: Callable[[F, str], str]
) -> tuple[F, Installer] | None:
    """Return the installer of a program and its folder. `folders` has the program's folder, then its parents.

    Lock files have priority over manifests: a workspace is installed at its root, whatever its members declare.
    `text` returns "" for a file that cannot be read.
    """
    around = list(folders)
    for installers in (LOCKED, DECLARED):
        for folder in around:
            for file, command in installers.items():
                if has(folder, file) and (file != PYPROJECT or is_installable(text(folder, file))):
                    if file == PYPROJECT and not _is_built(folder, has, text):
                        return folder, Installer(file, _OF_AN_APPLICATION)
                    return folder, Installer(file, _of_workspace(file, command, folder, text))
    return None


def is_declared(name: str, text: str) -> bool:
    """Return whether a file seems to declare a program or module, judging by its text."""
    return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text, re.IGNORECASE) is not None


def is_installable(pyproject: str) -> bool:
    """Return whether a pyproject.toml describes a project, and does not only configure tools."""
    return _INSTALLABLE.search(pyproject) is not None


def _is_built(folder: F, has: Callable[[F, str], bool], text: Callable[[F, str], str]) -> bool:
    """Return whether a project is a package, and not an application that runs from its folder.

    setuptools refuses to build an application with several top-level code folders (`app/`, `migrations/`).
    """
    return _BUILT.search(text(folder, PYPROJECT)) is not None or any(has(folder, each) for each in _BUILDS)


def _of_workspace(file: str, command: str, folder: F, text: Callable[[F, str], str]) -> str:
    """Return the command extended to all members of a uv workspace."""
    if file != "uv.lock" or _UV_WORKSPACE not in text(folder, PYPROJECT):
        return command
    return f"{command} --all-packages"
