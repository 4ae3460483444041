"""Comparison of a service's tools with the requirements of its repository. Loaded only after a change.

Most versions are read from files. If no file contains the version, a program outside of
the checkout is asked, once.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator
from pathlib import Path
from shlex import quote

from msgspec import Struct

from devinit.kinds.process.runs import INTERPRETERS, Runs
from devinit.kinds.provider import Place
from devinit.model.service import Service
from devinit.system.bounds import Bounds, bounds_within
from devinit.toolchains.asked import Asked, Form
from devinit.toolchains.comparing import (
    Mismatch,
    installer_that_refuses,
    is_too_old,
    unmet,
)
from devinit.toolchains.curing import (
    LOOKED_FOR,
    NVM,
    PYTHONS,
    Cure,
    cure_of,
    cure_of_environment,
    fitting_python,
    python_for,
)
from devinit.toolchains.fingerprint import PACKAGES, found_on
from devinit.toolchains.folders import up_to_root
from devinit.toolchains.node.asking import of_package
from devinit.toolchains.node.managers import MANAGERS
from devinit.toolchains.node.there import package_of, script_of
from devinit.toolchains.python.environments import MARK
from devinit.toolchains.python.installers import ALONE, Installer, installer_of
from devinit.toolchains.reading import asked_in, text_of
from devinit.toolchains.there import KEPT, There, Versions

_PYTHON = re.compile(r"(?:python|pip)[\d.]{0,6}")
_NODE = frozenset(("node", "npx", "pnpx", "yarnpkg", "corepack", *(MANAGERS - {"bun"})))
"""Programs that run in Node. Bun runs in itself."""
_PYTHONS_IN = (
    ".pyenv/versions/*/bin",
    ".local/share/uv/python/*/bin",
    ".local/share/mise/installs/python/*/bin",
    ".asdf/installs/python/*/bin",
)
"""Folders into which version managers install Python, below the home directory."""
_BETWEEN = re.compile(r"[\s/&;|]")
_RUBY = frozenset(("ruby", "bundle", "bundler", "rails", "rake", "puma"))
_BUNDLER = frozenset(("bundle", "bundler", "rails"))


class _Used(Struct, frozen=True):
    """A tool that a command of a service uses."""

    tool: str
    path: Path
    words: tuple[str, ...]


def compared(
    service: Service, place: Place, runs: Runs, environment: dict[str, str], *, asks: bool
) -> list[Mismatch]:
    """Return the tools that do not meet the requirements, one mismatch for each tool. Blocking.

    `asks`: run a program for its version if no file contains it and no earlier result is stored.
    """
    bounds = bounds_within(place.root, service.directory)
    folders = up_to_root(service.directory, place.root)
    asked = [*asked_in(folders, bounds), *_asked_by_framework(service, folders, runs, bounds)]
    versions = Versions(bounds, place.data.parent / KEPT, environment, only_looks=place.only_looks)
    found: dict[str, Mismatch] = {}
    for used in _used_in(runs, {each.stated.tool for each in asked}):
        there = versions.of(used.tool, used.path, service.directory, asks=asks)
        if used.tool not in found and (missed := unmet(there, asked)):
            found[used.tool] = _mismatch(service, place, there, used, missed, asked)
    return list(found.values())


def python_install(service: Service, place: Place, installer: Installer) -> tuple[Cure, str]:
    """Return how a Python project is installed on this machine, and what else is missing, in words.

    If the installer is missing, Python installs it; if `python3` does not meet the requirements, another installed
    Python creates the environment.
    """
    have = programs_of(place)
    lacks = ""
    command = installer.command
    if installer.program in ALONE and installer.program not in have:
        command, lacks = installer.without_its_program(), f"; {installer.program} was not found either"
    path = place.environment.get("PATH", os.defpath)
    python = found_on(path, "python3")
    if not command.startswith("python3 ") or python is None:
        return Cure(command, is_automatic=True), lacks
    folders = up_to_root(service.directory, place.root)
    bounds = bounds_within(place.root, service.directory)
    every = [each for each in asked_in(folders, bounds) if each.stated.tool == "python"]
    asked = [each for each in every if each.stated.form is Form.SPECIFIERS]
    versions = Versions(bounds, place.data.parent / KEPT, place.environment, only_looks=place.only_looks)
    there = versions.of("python", Path(python), service.directory) if every else None
    missed = unmet(there, asked) if there is not None else ()
    if there is None or not missed:
        # A pin alone is only a preference; any installed Python that fits it creates the environment.
        pinned = fitting_python(every, have) if there is not None and unmet(there, every) else None
        made = command.replace("python3", pinned, 1) if pinned is not None else command
        return Cure(made, is_automatic=True), lacks
    lacks += f", and python3 does not meet {missed[0].stated.wanted}"
    found = python_for(asked, have)
    if found is None:
        return cure_of("python", asked, have), lacks
    first, other = found
    return Cure(f"{first}{command.replace('python3', other, 1)}", is_automatic=True), lacks


def _mismatch(  # noqa: PLR0917 - what was found, and where
    service: Service,
    place: Place,
    there: There,
    used: _Used,
    missed: tuple[Asked, ...],
    asked: list[Asked],
) -> Mismatch:
    have = programs_of(place)
    about = [each for each in asked if each.stated.tool == there.tool]
    refused_by, folder, cure = "", service.directory, None
    if there.tool == "python" and (there.path.parent.parent / MARK).exists():
        made = installer_of(up_to_root(service.directory, place.root), _has, _text)
        if made is not None:
            folder, installer = made
            cure = cure_of_environment(there.path.parent.parent.name, installer, about, have)
            refused_by = installer_that_refuses(missed, installer.file, installer.refuser)
    elif there.tool == "node":
        refused_by = _refusing_framework(there, missed)
    elif there.tool == "ruby" and any(each.file.name == "Gemfile" for each in missed):
        refused_by = "Bundler" if Path(used.words[0]).name in _BUNDLER else ""
    return Mismatch(
        there=there,
        asked=missed,
        refused_by=refused_by,
        cure=cure or cure_of(there.tool, about, have),
        folder=folder,
    )


def _used_in(runs: Runs, tools: set[str]) -> Iterator[_Used]:
    """Yield the required tools that commands use."""
    for words, program in runs.commands:
        for tool in sorted(_tools_of(words, program) & tools):
            path = runs.interpreters.get(tool) if tool in INTERPRETERS else program
            if path is not None:
                yield _Used(tool, Path(path), words)


def _tools_of(words: tuple[str, ...], program: str | None) -> set[str]:
    """Return the tools that a simple command uses, going by its words and its program."""
    name = Path(words[0]).name
    tools = {name} if name in MANAGERS else set()
    if name in _NODE or (program is not None and "/node_modules/.bin/" in program):
        tools.add("node")
    if _PYTHON.fullmatch(name) or (program is not None and (Path(program).parent.parent / MARK).is_file()):
        tools.add("python")
    if name in _RUBY or words[0] in {"bin/rails", "bin/rake"}:
        tools.add("ruby")
    if name in {"go", "air"}:
        tools.add("go")
    return tools


def _asked_by_framework(service: Service, folders: list[Path], runs: Runs, bounds: Bounds) -> Iterator[Asked]:
    """Yield the requirements in a framework's own package.json, if the service runs that framework."""
    said = {word for words, _ in runs.commands for word in _BETWEEN.split(_line_of(service, words))}
    for program, package in PACKAGES.items():
        if program not in said:
            continue
        for folder in folders:
            path = folder / "node_modules" / package / "package.json"
            text = text_of(path) if bounds.holds(path) else ""
            for stated in of_package(text) if text else ():
                if stated.tool == "node":
                    yield Asked(path, stated)
            if text:
                break


def _line_of(service: Service, words: tuple[str, ...]) -> str:
    """Return the command that a command line runs: the script in a package.json, if it names one."""
    if words[0] in MANAGERS:
        return script_of(text_of(service.directory / "package.json"), words)
    return " ".join(words)


def _refusing_framework(there: There, missed: tuple[Asked, ...]) -> str:
    """Return the framework that refuses this Node version; "" if none certainly does."""
    for each in missed:
        if there.version is not None and "node_modules" in each.file.parts:
            package = package_of(text_of(each.file))
            if package is not None and is_too_old(there.version, each.stated.wanted):
                return " ".join(package)
    return ""


def programs_of(place: Place) -> dict[str, str]:
    """Return the words that run the programs of this machine which a cure may use, by name."""
    path = place.environment.get("PATH", os.defpath)
    home = Path(place.environment.get("HOME", "/"))
    found = {name: found_on(path, name) for name in LOOKED_FOR}
    # The shims of a version manager exist for every version that is installed for any folder.
    have = {
        name: name
        for name, where in found.items()
        if where is not None and not (name in PYTHONS and Path(where).parent.name == "shims")
    }
    roots = (place.environment.get("PYENV_ROOT"), *(Path(each).parent.parent for each in _shims_in(found)))
    own = (f"{root}/versions/*/bin" for root in roots if root)
    for pattern in (*own, *(f"{home}/{each}" for each in _PYTHONS_IN)):
        for python in glob.glob(f"{pattern}/python3.[0-9]*"):  # noqa: PTH207 - a pattern of whole paths
            if (name := os.path.basename(python)) in PYTHONS and os.access(python, os.X_OK):  # noqa: PTH119 - as above
                have.setdefault(name, quote(python))
    folder = Path(place.environment.get("NVM_DIR") or home / ".nvm")
    return have | ({NVM: NVM} if (folder / "nvm.sh").is_file() else {})


def _shims_in(found: dict[str, str | None]) -> set[str]:
    return {where for where in found.values() if where is not None and Path(where).parent.name == "shims"}


def _has(folder: Path, name: str) -> bool:
    return (folder / name).exists()


def _text(folder: Path, name: str) -> str:
    return text_of(folder / name)
