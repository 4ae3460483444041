"""Package managers that the machine lacks: replacements for their commands, and commands that install them."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
from msgspec import Struct

from devinit.kinds.command import command_spec, first_words
from devinit.kinds.provider import Install, Place
from devinit.model.service import Service
from devinit.toolchains.fingerprint import found_on
from devinit.toolchains.folders import up_to_root
from devinit.toolchains.node.managers import INSTALLED, MANAGERS, bring
from devinit.toolchains.python.environments import has_environment
from devinit.toolchains.standing_in import by_npm, in_environment

RUNNERS = {
    "uv": "https://docs.astral.sh/uv/getting-started/installation/",
    "poetry": "https://python-poetry.org/docs/#installation",
    "pdm": "https://pdm-project.org/latest/#installation",
    "pipenv": "https://pipenv.pypa.io/en/latest/installation.html",
}
"""Programs that run others in a virtual environment, with their installation pages."""
_OF_NODE = frozenset(("npm", "npx", "node"))
_TOOLS = MANAGERS | RUNNERS.keys() | _OF_NODE
_NODE = "https://nodejs.org/en/download"


class _Package(Struct, frozen=True):
    scripts: dict[str, str] = msgspec.field(default_factory=dict)


class StandIn(Struct, frozen=True):
    """A replacement for a command."""

    command: str
    note: str


def path_of(service: Service, place: Place) -> str:
    """Return the PATH in which a service's programs are searched, as far as it comes from the caller."""
    return command_spec("true", service, place, place.environment).environment.get("PATH", os.defpath)


def stand_in_for(service: Service, place: Place, path: str) -> StandIn | None:
    """Return the replacement for a service's command, if a PATH lacks its package manager."""
    command = service.command or ""
    name = _lacking(command, path)
    if name in MANAGERS and found_on(path, "npm") is not None and not _is_plug_and_play(service, place):
        instead = by_npm(command, _scripts_in(service.directory))
    elif name in RUNNERS and any(map(has_environment, up_to_root(service.directory, place.root))):
        instead = in_environment(command)
    else:
        return None
    return (
        None if instead is None else StandIn(instead, f"{name} was not found: `{instead}` runs in its place")
    )


def missing_tool(service: Service, place: Place, path: str) -> Install | None:
    """Return how to install the package manager of a service's command; None if there is a replacement."""
    name = _lacking(service.command or "", path)
    if name is None or stand_in_for(service, place, path) is not None:
        return None
    missing = f"{name} was not found"
    if name in _OF_NODE or (name in MANAGERS and found_on(path, "npm") is None):
        words = f"install Node ({_NODE})"
        return Install(folder=service.directory, command="", missing=missing, is_by_hand=True, words=words)
    if name in MANAGERS:
        have = {each for each in ("corepack",) if found_on(path, each) is not None}
        command = bring(name, have)
        return Install(folder=service.directory, command=command, missing=missing, is_by_hand=True)
    command = f"pipx install {name}" if found_on(path, "pipx") is not None else ""
    words = "" if command else f"install {name} ({RUNNERS[name]})"
    return Install(folder=service.directory, command=command, missing=missing, is_by_hand=True, words=words)


def _lacking(command: str, path: str) -> str | None:
    """Return the package manager at the beginning of a simple command, if a PATH lacks it."""
    name = command.lstrip().partition(" ")[0]
    if name not in _TOOLS or not first_words(command):
        return None
    return name if found_on(path, name) is None else None


def _is_plug_and_play(service: Service, place: Place) -> bool:
    """Whether the packages are in a file that only Yarn reads."""
    return any((folder / INSTALLED[1]).exists() for folder in up_to_root(service.directory, place.root))


def _scripts_in(folder: Path) -> dict[str, str]:
    from devinit.toolchains.reading import text_of  # only where a package manager is missing

    try:
        return msgspec.json.decode(text_of(folder / "package.json"), type=_Package).scripts
    except (msgspec.DecodeError, RecursionError):
        return {}
