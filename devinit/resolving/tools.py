"""The folders with the tools of a service, including those that exist only after installation."""

from __future__ import annotations

from pathlib import Path

from devinit.kinds import kind_of
from devinit.model.service import Service
from devinit.toolchains.folders import up_to_root
from devinit.toolchains.python.environments import environments
from devinit.toolchains.python.language import VENV_FOLDERS

PACKAGES_OF_NODE = "package.json"
PACKAGES_OF_PYTHON = ("pyproject.toml", "requirements.txt", "setup.py", "Pipfile")


def tools_of(service: Service, root: Path) -> list[Path]:
    """Return the folders that come first in a service's PATH: those of its own folder before those of parents.

    Installed packages do not matter, so that an export is the same in a fresh clone: a folder with Node packages
    has its tools in `node_modules/.bin`, one with Python packages in `.venv/bin`, unless an environment of another
    name exists.
    """
    if not kind_of(service).runs_a_command:
        return []
    folders = [each for each in up_to_root(service.directory, root) if each.is_relative_to(root)]
    return [tools for folder in folders for tools in _tools_in(folder)]


def _tools_in(folder: Path) -> list[Path]:
    found = [each / "bin" for each in environments(folder)]
    if not found and any((folder / name).is_file() for name in PACKAGES_OF_PYTHON):
        found = [folder / VENV_FOLDERS[0] / "bin"]
    if (folder / PACKAGES_OF_NODE).is_file():
        found.append(folder / "node_modules" / ".bin")
    return found
