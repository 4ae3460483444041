"""Find the command that installs the required version of a tool. Pure.

`have` maps each program of the machine to the word that runs it: its name or its path.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from shlex import quote

from msgspec import Struct

from devinit.toolchains.asked import Asked
from devinit.toolchains.python.installers import Installer
from devinit.toolchains.ranges.pins import pinned_version
from devinit.toolchains.versions import Version, shown

NVM = "nvm"
"""A shell function and no program, so it is recognised by its folder."""
VERSION_MANAGERS: dict[str, dict[str, tuple[str, str]]] = {
    "node": {
        NVM: ("nvm install {version}", ".nvmrc"),
        "fnm": ("fnm use --install-if-missing {version}", ".nvmrc .node-version"),
        "volta": ("volta install node@{version}", ""),
        "mise": ("mise use node@{version}", ""),
        "asdf": ("asdf install nodejs latest:{version}", ""),
        "n": ("n {version}", ""),
    },
    "python": {
        "uv": ("uv python install {version}", ".python-version"),
        "pyenv": ("pyenv install {version}", ".python-version"),
        "mise": ("mise use python@{version}", ""),
        "asdf": ("asdf install python latest:{version}", ""),
    },
    "ruby": {
        "rbenv": ("rbenv install {version}", ".ruby-version"),
        "mise": ("mise use ruby@{version}", ""),
        "asdf": ("asdf install ruby latest:{version}", ""),
    },
    "go": {"mise": ("mise use go@{version}", ""), "asdf": ("asdf install golang latest:{version}", "")},
}
"""Tool → version manager → its command, and the files from which it reads the version itself."""
PYTHON_OF = {
    "uv": ("uv python install {version} && ", '"$(uv python find {version})"'),
    "pyenv": ("pyenv install --skip-existing {version} && ", "PYENV_VERSION={version} python3"),
    "mise": ("", "mise exec python@{version} -- python3"),
}
"""Version manager → command that installs a Python, and words that run it; shell and project do not change."""
FROM_FILES = {"mise.toml": "mise", ".mise.toml": "mise", ".tool-versions": "asdf"}
"""File of a version manager → the manager whose `install` installs everything in it."""
PAGES = {
    "node": "https://nodejs.org/en/download",
    "python": "https://www.python.org/downloads/",
    "ruby": "https://www.ruby-lang.org/en/downloads/",
    "go": "https://go.dev/dl/",
}
TITLES = {"node": "Node", "python": "Python", "ruby": "Ruby", "go": "Go"}
PYTHONS = tuple(f"python3.{minor}" for minor in range(8, 21))
"""Python programs by version, oldest first: most packages have builds for the oldest."""
LOOKED_FOR = (
    "uv", "pyenv", "fnm", "volta", "mise", "asdf", "n", "rbenv", "corepack", "npm", "npx", "poetry", "pdm", "pipx",
    *PYTHONS,
)  # fmt: skip
"""Programs that a cure may use, apart from nvm."""
_MINORS = range(8, 21)
_MAJORS = (*range(14, 60, 2), *range(15, 60, 2))
"""Even ones first: those have long-term support."""


class Cure(Struct, frozen=True):
    """A remedy for a wrong version."""

    command: str
    is_automatic: bool = False
    """Whether `start --setup` can run it: it only changes installed packages, and nothing in the shell."""
    is_words: bool = False
    """Whether it is a sentence instead of a command."""


def cure_of(tool: str, asked: Sequence[Asked], have: Mapping[str, str]) -> Cure:
    """Return the cure that brings a version of a tool which meets all requirements."""
    files = {each.file.name for each in asked}
    by_file = next(
        (manager for name, manager in FROM_FILES.items() if name in files and manager in have), None
    )
    if by_file is not None:
        return Cure(f"{by_file} install")
    version = wanted_version(tool, asked)
    if version is None:
        return Cure(f"install another {TITLES.get(tool, tool)}", is_words=True)
    for manager, (command, takes) in VERSION_MANAGERS.get(tool, {}).items():
        if manager in have:
            by_itself = files.intersection(takes.split())
            return Cure(command.format(version="" if by_itself else shown(version)).rstrip(" @:"))
    if tool in PAGES:
        return Cure(f"install {TITLES[tool]} {shown(version)} ({PAGES[tool]})", is_words=True)
    if "corepack" in have and tool in {"pnpm", "yarn"}:
        return Cure(f"corepack enable && corepack install --global {tool}@{shown(version)}")
    return Cure(f"npm install --global {tool}@{shown(version)}")


def cure_of_environment(
    environment: str, installer: Installer, asked: Sequence[Asked], have: Mapping[str, str]
) -> Cure:
    """Return the cure that recreates an environment with a fitting Python; `environment` is its name."""
    if installer.program == "uv" and "uv" in have:
        # uv recreates the environment when its Python does not fit, and downloads a Python if necessary.
        return Cure(installer.command, is_automatic=True)
    found = python_for(asked, have)
    if found is None:
        return cure_of("python", asked, have)
    first, python = found
    return Cure(f"{first}{_anew(environment, python, installer)}", is_automatic=True)


def python_for(asked: Sequence[Asked], have: Mapping[str, str]) -> tuple[str, str] | None:
    """Return a command to run first, and the words that then run a fitting Python; None when there is no way."""
    if (there := fitting_python(asked, have)) is not None:
        return "", there
    version = wanted_version("python", asked)
    for manager, (first, python) in PYTHON_OF.items() if version is not None else ():
        if manager in have and version is not None:
            return first.format(version=shown(version)), python.format(version=shown(version))
    return None


def fitting_python(asked: Sequence[Asked], have: Mapping[str, str]) -> str | None:
    """Return the word that runs the oldest installed `python3.X` that meets all requirements; None without one."""
    fitting = (have[name] for name in PYTHONS if name in have and _are_met(asked, _minor_of(name)))
    return next(fitting, None)


def wanted_version(tool: str, asked: Sequence[Asked]) -> Version | None:
    """Return the lowest version that meets all requirements, with only the numbers that version managers need."""
    of_tool = [each for each in asked if each.stated.tool == tool]
    if tool == "python":
        return next((each for each in ((3, minor) for minor in _MINORS) if _are_met(of_tool, each)), None)
    if tool == "node":
        return next((each for each in ((major,) for major in _MAJORS) if _are_met(of_tool, each)), None)
    pinned = (pinned_version(each.stated.wanted.lstrip("<>=~^ ")) for each in of_tool)
    return next((each for each in pinned if each is not None), None)


def _are_met(asked: Sequence[Asked], version: Version) -> bool:
    return all(each.allows(version) is not False for each in asked)


def _minor_of(program: str) -> Version:
    return (3, int(program.partition(".")[2]))


def _anew(environment: str, python: str, installer: Installer) -> str:
    """Return the command that recreates an environment and installs the packages."""
    match installer.program:
        case "poetry":
            return f"poetry env use {python} && {installer.command}"
        case "pdm":
            return f"pdm use {python} && {installer.command}"
        case "pipenv":
            return f"pipenv --python {python} && {installer.command}"
        case "uv":
            return _with_venv(environment, python, installer.without_its_program())
        case _:
            return _with_venv(environment, python, installer.command)


def _with_venv(environment: str, python: str, command: str) -> str:
    """Return a command for `python3` and `.venv` with another Python and another environment name."""
    if environment != ".venv":  # otherwise uv would create a second one
        command = command.replace(
            ".venv/bin/uv sync", f"UV_PROJECT_ENVIRONMENT={quote(environment)} .venv/bin/uv sync"
        )
    return command.replace("python3 -m venv", f"{python} -m venv --clear").replace(
        ".venv", quote(environment)
    )
