"""Which command installs the packages of a Python project, by the files that lock or declare them. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from shlex import quote
from typing import TypeVar

from msgspec import Struct

F = TypeVar("F")
"""A folder, in whatever way the caller names it."""
PYPROJECT = "pyproject.toml"
_VENV = "python3 -m venv .venv && .venv/bin/pip install"
LOCKED = {
    "uv.lock": "uv sync",
    "poetry.lock": "poetry install",
    "pdm.lock": "pdm install",
    "Pipfile.lock": "pipenv install --dev",
}
"""What locks all that a project or a workspace needs → the command that installs it; the first one counts."""
DECLARED = {
    "Pipfile": "pipenv install --dev",
    "requirements.txt": f"{_VENV} -r requirements.txt",
    "requirement.txt": f"{_VENV} -r requirement.txt",
    "requirements/base.txt": f"{_VENV} -r requirements/base.txt",
    PYPROJECT: f"{_VENV} -e .",
}
"""What declares dependencies → the command that installs them into an environment; the first one counts."""
_DEPENDENCIES = "-r pyproject.toml"
"""What a pyproject.toml declares, without the project itself: uv reads it that way, pip does not."""
_OF_AN_APPLICATION = f"{_VENV} uv && .venv/bin/uv pip install --python .venv {_DEPENDENCIES}"
_INSTALLABLE = re.compile(r"^\[(?:project|tool\.poetry)\]", re.MULTILINE)
"""A pyproject.toml without one of these has the settings of tools, and nothing to install."""
_BUILT = re.compile(
    r"^\[(?:build-system|tool\.poetry|tool\.setuptools|project\.(?:gui-)?scripts)\b", re.MULTILINE
)
"""With one of these a project is a package to be built, or has programs of its own."""
_BUILDS = ("setup.py", "setup.cfg", "src")
"""Beside a pyproject.toml, they say the same."""
_UV_WORKSPACE = "[tool.uv.workspace]"


ALONE = {
    "uv": (f"{_VENV} uv", ".venv/bin/{command} --inexact"),
    "poetry": (f"{_VENV} poetry", ".venv/bin/{command}"),
    "pdm": (f"{_VENV} pdm", ".venv/bin/{command}"),
    "pipenv": (f"{_VENV} pipenv", "PIPENV_VENV_IN_PROJECT=1 .venv/bin/{command}"),
}
"""An installer that the machine does not have → what brings it into the environment, and runs it there. Without
`--inexact`, uv takes itself away."""


class Installer(Struct, frozen=True):
    """What installs the packages of a project."""

    file: str
    """The file that says so: `uv.lock`."""
    command: str
    """To be run in that file's folder."""

    @property
    def program(self) -> str:
        """The program that it runs: `uv`."""
        return self.command.partition(" ")[0]

    def without_its_program(self) -> str:
        """Return a command that does the same on a machine that has Python alone."""
        if self.program not in ALONE:
            return self.command
        first, then = ALONE[self.program]
        return f"{first} && {then.format(command=self.command)}"

    def into(self, environment: str, *, has_pip: bool) -> str:
        """Return the command that installs into an environment which is there: of uv, or with its own pip."""
        if not self.program.startswith("python"):
            return self.command
        words = self.command.rpartition("pip install ")[2]
        python = quote(f"{environment}/bin/python")
        if self.command == _OF_AN_APPLICATION:
            words = _DEPENDENCIES
            if has_pip:
                return f"{python} -m pip install uv && {python} -m uv pip install --python {python} {words}"
        # `uv venv` makes environments without pip.
        return f"{python} -m pip install {words}" if has_pip else f"uv pip install --python {python} {words}"

    @property
    def refuser(self) -> str:
        """What would refuse a Python: `uv`, `pip`."""
        return "pip" if self.program.startswith("python") else self.program


def installer_of(
    folders: Iterable[F], has: Callable[[F, str], bool], text: Callable[[F, str], str]
) -> tuple[F, Installer] | None:
    """Return what installs the packages of a program, and where. `folders`: the program's own, then those above.

    What locks packages counts more than what declares them: a workspace is installed at its root, whatever its
    members declare. `text` returns "" for a file that cannot be read.
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
    """Whether a program or a module of a name is among what a file declares, as far as its words say."""
    return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text, re.IGNORECASE) is not None


def is_installable(pyproject: str) -> bool:
    """Whether the text of a pyproject.toml describes a project, and not only the settings of tools."""
    return _INSTALLABLE.search(pyproject) is not None


def _is_built(folder: F, has: Callable[[F, str], bool], text: Callable[[F, str], str]) -> bool:
    """Whether a project is a package, and not an application that runs from its folder.

    setuptools refuses to build an application with several folders of code (`app/`, `migrations/`).
    """
    return _BUILT.search(text(folder, PYPROJECT)) is not None or any(has(folder, each) for each in _BUILDS)


def _of_workspace(file: str, command: str, folder: F, text: Callable[[F, str], str]) -> str:
    """Return a command that installs the members of a workspace of uv as well."""
    if file != "uv.lock" or _UV_WORKSPACE not in text(folder, PYPROJECT):
        return command
    return f"{command} --all-packages"
