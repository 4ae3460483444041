"""Which server program runs a service's data: found in a fixed order, proven by running it, then remembered.

Majors and flavours cannot read each other's data, so the first choice holds for as long as there is data.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from shlex import quote

import msgspec
from msgspec import Struct

from devinit.errors import ProviderError, StateFileError
from devinit.kinds import KINDS
from devinit.kinds.kind import Flavour
from devinit.kinds.provider import Place
from devinit.system.files import read_text, write_atomically
from devinit.system.limits import MORE_PROCESSES, NO_ROOM_TO_RUN, cure_of_limit

VERSION = r"\s*(?P<version>(?P<major>\d+)[\w.]*)"
"""What follows the banner of a server program."""
VERSION_TIMEOUT_SECONDS = 20.0
REMEMBERED = "program.json"


class Origin(StrEnum):
    """Where a program comes from, in the order in which they are looked at."""

    EXPLICIT = "explicit"
    """The developer said where it is."""
    SYSTEM = "system"
    EMBEDDED = "embedded"
    """A wheel that brings it along."""


class Candidate(Struct, frozen=True):
    """A place where a server program may be."""

    origin: Origin
    path: Path


class Program(Struct, frozen=True, kw_only=True):
    """A server program that was run once to see what it is."""

    origin: Origin
    file: str
    """The program itself; text, because it is written to a file."""
    flavour: str
    """The name of its `Flavour`: postgres, redis or valkey."""
    version: str
    major: int
    size: int
    modified: int
    """Nanoseconds; with the size it tells whether the file is still the one that was run."""

    @property
    def path(self) -> Path:
        """The program itself."""
        return Path(self.file)

    @property
    def folder(self) -> Path:
        """Where its companions (initdb, psql) stand."""
        return Path(self.file).parent

    @property
    def title(self) -> str:
        """Its name for a person: "PostgreSQL 18.6"."""
        titles = {flavour.name: flavour.title for flavour in flavours()}
        return f"{titles.get(self.flavour, self.flavour)} {self.version}"


def flavours() -> Iterator[Flavour]:
    """Yield the server programs of all kinds."""
    for kind in KINDS.values():
        yield from kind.flavours


class Remembered(Struct, frozen=True, kw_only=True):
    """The choice for one service, as it is kept beside its data."""

    program: Program
    explicit: str | None = None
    """The developer's setting at that time: when it changes, the choice is made again."""


def recall(home: Path) -> Remembered | None:
    """Return the choice that was made for the data in this folder, if one was made."""
    file = home / REMEMBERED
    text = read_text(file)
    if text is None:
        return None
    try:
        return msgspec.json.decode(text, type=Remembered)
    except (msgspec.DecodeError, RecursionError) as error:
        raise StateFileError(
            f"{file} cannot be read: {error}", hint="delete it: the choice is then made again, the data stays"
        ) from error


def remember(home: Path, choice: Remembered) -> None:
    """Keep the choice beside the data."""
    make_private(home)
    text = msgspec.json.format(msgspec.json.encode(choice), indent=2)
    write_atomically(home / REMEMBERED, text, mode=0o600)


def make_private(folder: Path) -> None:
    """Create a folder for data that only its owner may enter, and the folders above it alike."""
    try:
        # With `parents=True`, mkdir would give those above the mode that the umask allows.
        for above in reversed(folder.parents):
            if not above.exists():
                above.mkdir(exist_ok=True, mode=0o700)
        folder.mkdir(exist_ok=True, mode=0o700)
    except OSError as error:
        raise unusable(folder, error) from error


def unusable(path: Path, error: OSError) -> ProviderError:
    """Return the error for data that the file system refuses."""
    from devinit.system.permissions import REFUSED, cure_of  # for an error only

    hint = f"check who owns it: ls -ld {quote(str(path.parent))} {quote(str(path))}"
    if error.errno in REFUSED:
        hint = cure_of(str(path), error, otherwise=hint)
    return ProviderError(f"{path} cannot be used: {error.strerror}", hint=cure_of_limit(error) or hint)


def moved_away(*folders: Path) -> str:
    """Return the command with which a person puts data aside."""
    return " && ".join(f"mv {quote(str(folder))} {quote(f'{folder}.old')}" for folder in folders)


def on_path(name: str, place: Place) -> Path | None:
    """Return a program of the caller's PATH."""
    import shutil  # 2 ms that the supervisor's start does not pay

    found = shutil.which(name, path=place.environment.get("PATH"))
    return None if found is None else Path(found)


def unchanged(program: Program) -> bool:
    """Say whether the file is still the one that was run, which takes a hundredth of running it again."""
    try:
        status = program.path.stat()
    except OSError:
        return False
    return (status.st_size, status.st_mtime_ns) == (program.size, program.modified)


def proven(candidate: Candidate) -> Program | None:
    """Run the candidate and return what it says it is; None when it does not run or is something else.

    Raise ProviderError where a limit of the system keeps any program from being run.
    """
    path = candidate.path
    try:
        status = path.stat()
        said = subprocess.run(
            [path, "--version"],
            capture_output=True,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            timeout=VERSION_TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None
    except OSError as error:
        if error.errno in NO_ROOM_TO_RUN:
            # Nothing is known of the program: to say that there is none would be wrong.
            raise ProviderError(
                f"{path} cannot be run: {error.strerror}", hint=cure_of_limit(error) or MORE_PROCESSES
            ) from error
        return None
    recognised = ((each.name, re.match(each.banner + VERSION, said.stdout)) for each in flavours())
    flavour, matched = next((each for each in recognised if each[1] is not None), ("", None))
    if said.returncode != 0 or matched is None:
        return None
    return Program(
        origin=candidate.origin,
        file=str(path),
        flavour=flavour,
        version=matched["version"],
        major=int(matched["major"]),
        size=status.st_size,
        modified=status.st_mtime_ns,
    )


def first_accepted(
    candidates: Iterable[Candidate], accepted: Callable[[Program], bool]
) -> tuple[Program | None, list[Program]]:
    """Return the first program that is accepted, and all that were proven on the way."""
    seen: list[Program] = []
    for program in filter(None, map(proven, _distinct(candidates))):
        seen.append(program)
        if accepted(program):
            return program, seen
    return None, seen


def package_folder(name: str) -> Path | None:
    """Return the folder of an installed package without importing it.

    Their Python helpers stay unused: as root they add a system user and open every parent folder of the
    data to every user.
    """
    from importlib.util import find_spec  # only for the first choice

    spec = find_spec(name)
    locations = None if spec is None else spec.submodule_search_locations
    return Path(locations[0]) if locations else None


def already_running(folder: Path, title: str, pid: int, signal: str) -> ProviderError:
    """Return the error for data that a server has open which is not ours."""
    return ProviderError(
        f"another {title} (pid {pid}) is already running on {folder}",
        hint=f"end it first: kill -{signal} {pid}",
    )


def _distinct(candidates: Iterable[Candidate]) -> Iterator[Candidate]:
    seen: set[Path] = set()
    for candidate in candidates:
        if not candidate.path.is_file():
            continue
        real = candidate.path.resolve()
        if real not in seen:
            seen.add(real)
            yield candidate
