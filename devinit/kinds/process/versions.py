"""Which tools the commands of a service run, and whether they have the versions that the repository asks for.

Told before anything of the service starts. Most versions are read from files. Where no file tells, a program outside
of the checkout is asked, once.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from devinit.kinds.command import arguments_of_parts, command_spec
from devinit.kinds.provider import Install, Place
from devinit.model.service import Service
from devinit.system.bounds import bounds_within
from devinit.toolchains.asked import Asked
from devinit.toolchains.comparing import (
    FRAMEWORKS,
    Mismatch,
    framework_that_refuses,
    installer_that_refuses,
    unmet,
)
from devinit.toolchains.curing import LOOKED_FOR, NVM, PYTHONS, cure_of, cure_of_environment
from devinit.toolchains.folders import up_to_root
from devinit.toolchains.node.managers import MANAGERS
from devinit.toolchains.node.there import package_of, script_of
from devinit.toolchains.python.environments import MARK
from devinit.toolchains.python.installers import installer_of
from devinit.toolchains.reading import asked_in, text_of
from devinit.toolchains.there import KEPT, There, Versions

_PYTHON = re.compile(r"(?:python|pip)[\d.]{0,6}")
_NODE = frozenset(("node", "npx", "pnpx", "yarnpkg", "corepack", *(MANAGERS - {"bun"})))
"""Programs that run in Node. Bun runs in itself."""
_RUBY = frozenset(("ruby", "bundle", "bundler", "rails", "rake", "puma"))
_BUNDLER = frozenset(("bundle", "bundler", "rails"))
_INTERPRETERS = {"node": "node", "ruby": "ruby", "go": "go"}


class _Used(Struct, frozen=True):
    """A tool that a command of a service uses."""

    tool: str
    path: Path
    words: tuple[str, ...]


def mismatches_of(service: Service, place: Place, *, asks: bool = True) -> list[Mismatch]:
    """Return the tools of a service that are not what its repository asks for, one for each tool. Blocking.

    `asks`: run a program for its version when no file tells and none has told before.
    """
    if service.command is None or service.external_url is not None:
        return []
    folders = up_to_root(service.directory, place.root)
    asked = asked_in(folders, bounds_within(place.root, service.directory))
    if not asked:
        return []
    environment = command_spec("true", service, place, place.environment).environment
    versions = Versions(place.root, place.data.parent / KEPT, environment)
    found: dict[str, Mismatch] = {}
    for used in _used_by(service, environment.get("PATH", os.defpath), {each.stated.tool for each in asked}):
        there = versions.of(used.tool, used.path, service.directory, asks=asks)
        if used.tool not in found and (missed := unmet(there, asked)):
            found[used.tool] = _mismatch(service, place, there, used, missed, asked)
    return list(found.values())


def refusal_of(service: Service, place: Place) -> Install | None:
    """Return what helps a service whose own tools refuse the version that is there; None where none refuses it.

    Nothing is run: what could not be read from files was asked before the start.
    """
    for each in mismatches_of(service, place, asks=False):
        if each.refused_by:
            return Install(
                folder=each.folder,
                command=each.cure.command,
                missing=each.problem(place.root),
                is_by_hand=not each.cure.is_automatic,
                words=each.advice(place.root),
            )
    return None


def _mismatch(  # noqa: PLR0917 - what was found, and where
    service: Service,
    place: Place,
    there: There,
    used: _Used,
    missed: tuple[Asked, ...],
    asked: list[Asked],
) -> Mismatch:
    have = _programs_of(place)
    about = [each for each in asked if each.stated.tool == there.tool]
    refused_by, folder, cure = "", service.directory, None
    if there.tool == "python" and (there.path.parent.parent / MARK).exists():
        made = installer_of(up_to_root(service.directory, place.root), _has, _text)
        if made is not None:
            folder, installer = made
            cure = cure_of_environment(there.path.parent.parent.name, installer, about, have)
            refused_by = installer_that_refuses(missed, installer.file, installer.refuser)
    elif there.tool == "node":
        refused_by = _refusing_framework(service, place, there, used.words)
    elif there.tool == "ruby" and any(each.file.name == "Gemfile" for each in missed):
        refused_by = "Bundler" if Path(used.words[0]).name in _BUNDLER else ""
    return Mismatch(
        there=there,
        asked=missed,
        refused_by=refused_by,
        cure=cure or cure_of(there.tool, about, have),
        folder=folder,
    )


def _used_by(service: Service, path: str, tools: set[str]) -> Iterator[_Used]:
    """Yield the tools that the commands of a service use, of those that something is asked about."""
    import shutil  # 2 ms that the supervisor's start does not pay

    for command in (service.command or "", *service.before_start):
        for words in arguments_of_parts(command):
            program = shutil.which(words[0], path=path) if "/" not in words[0] else _in(service, words[0])
            for tool in _tools_of(words, program) & tools:
                name = _INTERPRETERS.get(tool)
                interpreter = shutil.which(name, path=path) if name else program
                if interpreter is not None:
                    yield _Used(tool, Path(interpreter), words)


def _in(service: Service, word: str) -> str | None:
    path = os.path.normpath(service.directory / word)
    return path if os.path.isfile(path) else None  # noqa: PTH113 - as which has it


def _tools_of(words: tuple[str, ...], program: str | None) -> set[str]:
    """Return the tools that a simple command uses, by its words and the program that they start."""
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


def _refusing_framework(service: Service, place: Place, there: There, words: tuple[str, ...]) -> str:
    """Return the framework that a command runs, and that refuses this Node; empty where none does."""
    line = " ".join(words)
    if words[0] in MANAGERS:
        line = script_of(text_of(service.directory / "package.json"), words)
    for program, package in FRAMEWORKS.items():
        if there.version is None or not re.search(rf"(?:^|[\s/&;]){program}(?:\s|$)", line):
            continue
        for folder in up_to_root(service.directory, place.root):
            found = package_of(text_of(folder / "node_modules" / package / "package.json"))
            if found is not None:
                return framework_that_refuses(there.version, package, *found)
    return ""


def _programs_of(place: Place) -> set[str]:
    """Return what the machine has of the programs that a cure may use."""
    import shutil  # as above

    path = place.environment.get("PATH", os.defpath)
    found = {name: shutil.which(name, path=path) for name in LOOKED_FOR}
    # The stand-ins of a version manager are there for every version that is installed for any folder.
    have = {
        name
        for name, where in found.items()
        if where is not None and not (name in PYTHONS and Path(where).parent.name == "shims")
    }
    home = Path(place.environment.get("HOME", "/"))
    folder = Path(place.environment.get("NVM_DIR") or home / ".nvm")
    return have | ({NVM} if (folder / "nvm.sh").is_file() else set())


def _has(folder: Path, name: str) -> bool:
    return (folder / name).exists()


def _text(folder: Path, name: str) -> str:
    return text_of(folder / name)
