"""What a comparison of versions depends on, as one digest: while that stays, nothing has to be compared again.

Loads nothing that an up-to-date checkout does not need, and runs nothing.
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
"""Files that ask for versions: the keys of `reading.READERS`."""
PACKAGES = {"next": "next", "astro": "astro", "ng": "@angular/cli", "wrangler": "wrangler"}
"""Program of a framework → its package, whose `engines` count as well."""
KEPT = "versions-that-fit.json"
MOST_KEPT = 100
_FORMAT = b"1"
"""Changes with what is compared, so that an earlier devinit's answers do not count."""
_CHOOSING = ("PYENV_", "RBENV_", "NODENV_", "GOENV_", "ASDF_", "MISE_", "VOLTA_")
"""Variables by which the stand-in of a version manager chooses."""


def found_on(path: str, program: str) -> str | None:
    """Return where a program lies on a PATH; None when it is not there. `shutil` would take 2 ms to import."""
    for folder in path.split(os.pathsep):
        candidate = os.path.join(folder, program)
        if folder and os.access(candidate, os.X_OK) and os.path.isfile(candidate):
            return candidate
    return None


def fingerprint(
    commands: Iterable[str], folders: Iterable[Path], programs: Iterable[str], environment: Mapping[str, str]
) -> str:
    """Return the digest of what is asked for in these folders, and of the programs that are there.

    `folders`: the service's own, and those above. `programs`: paths of what its commands run.
    """
    around = list(folders)
    digest = blake2b(_FORMAT, digest_size=16)
    for command in commands:
        digest.update(command.encode(errors="surrogateescape") + b"\0")
    names = (*ASKING, *(f"node_modules/{package}/package.json" for package in PACKAGES.values()))
    for folder in around:
        for name in names:
            digest.update(f"{identity_of(f'{folder}/{name}')}\0".encode(errors="surrogateescape"))
    for program in programs:
        digest.update(f"{key_of(program, around[0], environment)}\0".encode(errors="surrogateescape"))
    return digest.hexdigest()


def key_of(program: str, folder: Path, environment: Mapping[str, str]) -> str:
    """Return what an answer about a program holds for: the file, and for a stand-in what it chooses by."""
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
    """Whether a program only runs another one, which it chooses by folder: that of a version manager."""
    if os.path.basename(os.path.dirname(program)) == "shims" or "volta" in real:
        return True
    try:
        with open(open_regular(real), "rb", buffering=0) as file:
            return file.read(2) == b"#!"
    except OSError:
        return False


def identity_of(path: str) -> str:
    """Return what changes with a file: empty where there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return ""
    return f"{found.st_mtime_ns} {found.st_size} {found.st_ino}"


def is_known_to_fit(private: Path, digest: str) -> bool:
    """Whether everything fitted when this digest was compared last. `private`: the checkout's state folder."""
    return digest in _known(private)


def remember_that_it_fits(private: Path, digest: str) -> None:
    """Let the comparison of this digest not be made again."""
    if not private.is_dir():
        return
    known = [*_known(private), digest][-MOST_KEPT:]
    try:
        write_atomically(private / KEPT, msgspec.json.encode(known))
    except StateFileError:
        return  # it only saves time


def _known(private: Path) -> list[str]:
    try:
        return msgspec.json.decode(read_bytes(private / KEPT) or b"[]", type=list[str])
    except (StateFileError, msgspec.DecodeError, RecursionError):
        return []
