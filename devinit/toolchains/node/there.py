"""Read the version of Node or of a package manager from the files around its program; nothing is run."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
from msgspec import Struct

from devinit.errors import StateFileError
from devinit.system.files import LARGEST_SETTINGS, read_bytes
from devinit.toolchains.versions import Version, version_of

_HEADER = "include/node/node_version.h"
"""Part of Node's archives (nvm, fnm, mise) and of the packages of NodeSource."""
_DEFINED = re.compile(rb"^#define NODE_(MAJOR|MINOR|PATCH)_VERSION (\d{1,4})\b", re.MULTILINE)
_PARTS = (b"MAJOR", b"MINOR", b"PATCH")
_FOLDERS = 3
"""Levels above a manager's program that may hold its package.json: `pnpm/bin/pnpm.cjs`."""


class _Package(Struct, frozen=True):
    name: str = ""
    version: str = ""


class _Scripted(Struct, frozen=True):
    scripts: dict[str, str] = msgspec.field(default_factory=dict)


def version_by_files(real: Path) -> Version | None:
    """Return the version of Node at a path without symbolic links; None when no file states it."""
    prefix = real.parent.parent
    numbers = dict(_DEFINED.findall(_content(prefix / _HEADER)))
    if not numbers.keys() >= set(_PARTS):
        return None
    return tuple(int(numbers[part]) for part in _PARTS)


def manager_by_files(name: str, real: Path) -> Version | None:
    """Return the version of a package manager from its own package.json; None for the shim of corepack."""
    package = package_around(real, _FOLDERS)
    return version_of(package[1]) if package is not None and package[0] == name else None


def package_around(real: Path, folders: int) -> tuple[str, str] | None:
    """Return name and version of the package around a file; None without one within `folders` levels."""
    folder = real.parent
    for _ in range(folders):
        if content := _content(folder / "package.json"):
            try:
                package = msgspec.json.decode(content, type=_Package)
            except (msgspec.DecodeError, RecursionError):
                return None
            if package.name:
                return package.name, package.version
        folder = folder.parent
    return None


def package_of(text: str) -> tuple[str, str] | None:
    """Return name and version in the text of a package.json; None when it is malformed."""
    try:
        package = msgspec.json.decode(text, type=_Package)
    except (msgspec.DecodeError, RecursionError):
        return None
    return package.name, package.version


def script_of(text: str, words: tuple[str, ...]) -> str:
    """Return the script that a package manager runs, as in `npm run dev` or `pnpm dev`; "" without one."""
    try:
        scripts = msgspec.json.decode(text, type=_Scripted).scripts
    except (msgspec.DecodeError, RecursionError):
        return ""
    return next((scripts[word] for word in words[1:] if word in scripts), "")


def _content(path: Path) -> bytes:
    try:
        return read_bytes(path, most=LARGEST_SETTINGS) or b""
    except StateFileError:
        return b""
