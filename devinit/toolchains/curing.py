"""The command that brings the version of a tool that is asked for. Pure.

`have` are the programs of the machine: name → the word that runs it, its name or its path.
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
"""A function of the shell and no program: known by its folder."""
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
"""Tool → program of a version manager → its command, and the files from which it takes the version by itself."""
PYTHON_OF = {
    "uv": ("uv python install {version} && ", '"$(uv python find {version})"'),
    "pyenv": ("pyenv install --skip-existing {version} && ", "PYENV_VERSION={version} python3"),
    "mise": ("", "mise exec python@{version} -- python3"),
}
"""Version manager → what brings a Python, and the words that run it; neither shell nor project is changed."""
FROM_FILES = {"mise.toml": "mise", ".mise.toml": "mise", ".tool-versions": "asdf"}
"""A file of a version manager → the one that installs all that it names, by `install`."""
PAGES = {
    "node": "https://nodejs.org/en/download",
    "python": "https://www.python.org/downloads/",
    "ruby": "https://www.ruby-lang.org/en/downloads/",
    "go": "https://go.dev/dl/",
}
TITLES = {"node": "Node", "python": "Python", "ruby": "Ruby", "go": "Go"}
PYTHONS = tuple(f"python3.{minor}" for minor in range(8, 21))
"""Programs of Python by version, the oldest first: for that one, most packages have been built."""
LOOKED_FOR = (
    "uv", "pyenv", "fnm", "volta", "mise", "asdf", "n", "rbenv", "corepack", "npm", "npx", "poetry", "pdm", "pipx",
    *PYTHONS,
)  # fmt: skip
"""What a cure depends on, apart from nvm."""
_MINORS = range(8, 21)
_MAJORS = (*range(14, 60, 2), *range(15, 60, 2))
"""Even ones first: those of Node are supported for long."""


class Cure(Struct, frozen=True):
    """What helps."""

    command: str
    is_automatic: bool = False
    """Whether `start --setup` can run it: it changes what the project installs, and nothing of the shell."""
    is_words: bool = False
    """Whether it is a sentence, and no command."""


def cure_of(tool: str, asked: Sequence[Asked], have: Mapping[str, str]) -> Cure:
    """Return how to get a version of a tool that meets all that is asked for."""
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
    """Return how a virtual environment is made again with a Python that is asked for. `environment`: its name."""
    if installer.program == "uv" and "uv" in have:
        # It makes the environment again when its Python does not fit, and downloads one if it must.
        return Cure(installer.command, is_automatic=True)
    found = python_for(asked, have)
    if found is None:
        return cure_of("python", asked, have)
    first, python = found
    return Cure(f"{first}{_anew(environment, python, installer)}", is_automatic=True)


def python_for(asked: Sequence[Asked], have: Mapping[str, str]) -> tuple[str, str] | None:
    """Return what is run first, and the words that then run a Python which all allow; None without a way."""
    if (there := fitting_python(asked, have)) is not None:
        return "", there
    version = wanted_version("python", asked)
    for manager, (first, python) in PYTHON_OF.items() if version is not None else ():
        if manager in have and version is not None:
            return first.format(version=shown(version)), python.format(version=shown(version))
    return None


def fitting_python(asked: Sequence[Asked], have: Mapping[str, str]) -> str | None:
    """Return the word that runs the oldest `python3.X` of the machine that all allow; None when there is none."""
    fitting = (have[name] for name in PYTHONS if name in have and _are_met(asked, _minor_of(name)))
    return next(fitting, None)


def wanted_version(tool: str, asked: Sequence[Asked]) -> Version | None:
    """Return the version to install: the lowest that all allow, in as few numbers as a version manager needs."""
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
    """Return the command that makes an environment again, and installs into it."""
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
    """Return a command that makes `.venv` by `python3`, for another Python and the name of an environment."""
    if environment != ".venv":  # where uv would make a second one
        command = command.replace(
            ".venv/bin/uv sync", f"UV_PROJECT_ENVIRONMENT={quote(environment)} .venv/bin/uv sync"
        )
    return command.replace("python3 -m venv", f"{python} -m venv --clear").replace(
        ".venv", quote(environment)
    )
