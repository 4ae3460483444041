"""The digest of everything that a version comparison depends on: while it stays the same, no comparison is needed.

It loads only what an up-to-date checkout needs, and runs no program.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from devinit.errors import StateFileError
from devinit.system.digest import blake2b
from devinit.system.files import read_bytes, write_atomically
from devinit.system.regular import open_regular

ASKING = (
    ".python-version", "pyproject.toml", ".nvmrc", ".node-version", "package.json", ".ruby-version", "Gemfile",
    "go.mod", ".tool-versions", "mise.toml", ".mise.toml",
)  # fmt: skip
"""Files that may require versions: the keys of `reading.READERS`."""
PACKAGES = {"next": "next", "astro": "astro", "ng": "@angular/cli", "wrangler": "wrangler"}
"""Program of a framework → its package, whose `engines` are requirements, too."""
_MANAGED = frozenset((".tool-versions", "mise.toml", ".mise.toml"))
_ABOUT = {
    "node": _MANAGED | {"package.json", ".nvmrc", ".node-version"},
    "ruby": _MANAGED | {"Gemfile", ".ruby-version"},
    "go": _MANAGED | {"go.mod"},
}
"""Interpreter → files that may require a version of it."""
KEPT = "versions-that-fit.json"
MOST_KEPT = 100
_FORMAT = b"1"
"""Changes with the rules of the comparison, so that results of earlier devinit versions do not count."""
_CHOOSING = ("PYENV_", "RBENV_", "NODENV_", "GOENV_", "ASDF_", "MISE_", "VOLTA_")
"""Prefixes of variables by which the shim of a version manager chooses a version."""


def found_on(path: str, program: str) -> str | None:
    """Return the path of a program on a PATH; None when it is missing. Importing `shutil` would take 2 ms."""
    for folder in path.split(os.pathsep):
        candidate = os.path.join(folder, program)
        if folder and os.access(candidate, os.X_OK) and os.path.isfile(candidate):
            return candidate
    return None


def asking_files(folders: Iterable[Path]) -> list[str]:
    """Return the files in these folders that may require versions, with one system call per folder."""
    found = []
    for folder in folders:
        try:
            names = set(os.listdir(folder))
        except OSError:
            continue
        found += [f"{folder}/{name}" for name in ASKING if name in names]
        if "node_modules" in names:
            found += [f"{folder}/node_modules/{package}/package.json" for package in PACKAGES.values()]
    return found


def interpreters_for(files: Iterable[str]) -> set[str]:
    """Return the interpreters that such files may concern. Python comes with the programs that it runs."""
    names = {os.path.basename(file) for file in files}
    return {name for name, about in _ABOUT.items() if names & about}


def fingerprint(
    commands: Iterable[str],
    files: Iterable[str],
    programs: Iterable[str],
    folder: Path,
    environment: Mapping[str, str],
) -> str:
    """Return the digest of these files and of the installed programs.

    `programs` has the paths of the programs that the commands run; `folder` is where they run.
    """
    digest = blake2b(_FORMAT, digest_size=16)
    for command in commands:
        digest.update(command.encode(errors="surrogateescape") + b"\0")
    for file in files:
        digest.update(f"{file} {identity_of(file)}\0".encode(errors="surrogateescape"))
    for program in programs:
        digest.update(f"{key_of(program, folder, environment)}\0".encode(errors="surrogateescape"))
    return digest.hexdigest()


def key_of(program: str, folder: Path, environment: Mapping[str, str]) -> str:
    """Return the key for an answer about a program: its file, and for a shim also the state that it chooses by."""
    real = os.path.realpath(program)
    environment_of = os.path.join(os.path.dirname(os.path.dirname(program)), "pyvenv.cfg")
    of_program = f"{program} {identity_of(real)} {identity_of(environment_of)}"
    if not is_stand_in(program, real):
        return of_program
    chosen = blake2b(digest_size=8)
    for name in sorted(environment):
        if name.startswith(_CHOOSING):
            chosen.update(f"{name}={environment[name]}\0".encode(errors="surrogateescape"))
    home, manager = environment.get("HOME", ""), os.path.dirname(os.path.dirname(program))
    everywhere = (f"{manager}/version", f"{home}/.tool-versions", f"{home}/.config/mise/config.toml")
    around = (f"{above}/{name}" for above in (folder, *folder.parents) for name in ASKING)
    for file in (*everywhere, *around):
        chosen.update(f"{identity_of(file)} ".encode())
    return f"{of_program} {chosen.hexdigest()}"


def is_stand_in(program: str, real: str) -> bool:
    """Return whether a program is the shim of a version manager, which chooses a program by the folder."""
    if os.path.basename(os.path.dirname(program)) == "shims" or "volta" in real:
        return True
    try:
        with open(open_regular(real), "rb", buffering=0) as file:
            return file.read(2) == b"#!"
    except OSError:
        return False


def is_callers_choice(program: str, environment: Mapping[str, str]) -> bool:
    """Return whether only the caller's PATH decides what a program runs, and nothing in a repository.

    `.tool-versions` may name a folder of the repository, and `.volta/hooks.json` a command.
    """
    folder = os.path.dirname(program)
    is_on_path = os.path.isabs(folder) and folder in environment.get("PATH", os.defpath).split(os.pathsep)
    return is_on_path and not is_stand_in(program, os.path.realpath(program))


def identity_of(path: str) -> str:
    """Return a text that changes with the file; "" when the file is missing."""
    try:
        found = os.stat(path)
    except OSError:
        return ""
    return f"{found.st_mtime_ns} {found.st_size} {found.st_ino}"


def is_known_to_fit(private: Path, digest: str) -> bool:
    """Return whether the last comparison with this digest found no mismatch. `private` is the state folder."""
    return digest in _known(private)


def remember_that_it_fits(private: Path, digest: str) -> None:
    """Record that the comparison with this digest found no mismatch."""
    if not private.is_dir():
        return
    known = [*_known(private), digest][-MOST_KEPT:]
    try:
        write_atomically(private / KEPT, msgspec.json.encode(known))
    except StateFileError:
        return  # the record only saves time


def _known(private: Path) -> list[str]:
    try:
        return msgspec.json.decode(read_bytes(private / KEPT) or b"[]", type=list[str])
    except (StateFileError, msgspec.DecodeError, RecursionError):
        return []
