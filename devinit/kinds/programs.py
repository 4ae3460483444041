"""The server program for a service's data: found in a fixed order, identified by running it, remembered.

Majors and flavours cannot read each other's data, so the first choice stays valid while there is data.
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
"""The text after the banner of a server program."""
VERSION_TIMEOUT_SECONDS = 20.0
REMEMBERED = "program.json"


class Origin(StrEnum):
    """The origin of a program; the members are in search order."""

    EXPLICIT = "explicit"
    """The developer stated its place."""
    SYSTEM = "system"
    EMBEDDED = "embedded"
    """A wheel that contains the program."""


class Candidate(Struct, frozen=True):
    """A possible place of a server program."""

    origin: Origin
    path: Path


class Program(Struct, frozen=True, kw_only=True):
    """A server program that was run once to identify it."""

    origin: Origin
    file: str
    """The path of the program; a text, because it is written to a file."""
    flavour: str
    """The name of its `Flavour`: postgres, redis or valkey."""
    version: str
    major: int
    size: int
    modified: int
    """In nanoseconds; together with the size it shows whether the file is still the one that was run."""

    @property
    def path(self) -> Path:
        """The path of the program."""
        return Path(self.file)

    @property
    def folder(self) -> Path:
        """The folder of its companions (initdb, psql)."""
        return Path(self.file).parent

    @property
    def title(self) -> str:
        """Its display name: "PostgreSQL 18.6"."""
        titles = {flavour.name: flavour.title for flavour in flavours()}
        return f"{titles.get(self.flavour, self.flavour)} {self.version}"


def flavours() -> Iterator[Flavour]:
    """Yield the server programs of all kinds."""
    for kind in KINDS.values():
        yield from kind.flavours


class Remembered(Struct, frozen=True, kw_only=True):
    """The choice for one service, stored next to its data."""

    program: Program
    explicit: str | None = None
    """The developer's setting at that time; if it changes, the choice is made again."""


def recall(home: Path) -> Remembered | None:
    """Return the choice for the data in this folder, or None."""
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
    """Store the choice next to the data."""
    make_private(home)
    text = msgspec.json.format(msgspec.json.encode(choice), indent=2)
    write_atomically(home / REMEMBERED, text, mode=0o600)


def make_private(folder: Path) -> None:
    """Create a folder for data that only its owner may enter, and its parents in the same way."""
    try:
        # With `parents=True`, mkdir would create the parents with the mode that the umask allows.
        for above in reversed(folder.parents):
            if not above.exists():
                above.mkdir(exist_ok=True, mode=0o700)
        folder.mkdir(exist_ok=True, mode=0o700)
    except OSError as error:
        raise unusable(folder, error) from error


def unusable(path: Path, error: OSError) -> ProviderError:
    """Return the error for data to which the file system denies access."""
    from devinit.system.permissions import REFUSED, cure_of  # for an error only

    hint = f"check who owns it: ls -ld {quote(str(path.parent))} {quote(str(path))}"
    if error.errno in REFUSED:
        hint = cure_of(str(path), error, otherwise=hint)
    return ProviderError(f"{path} cannot be used: {error.strerror}", hint=cure_of_limit(error) or hint)


def moved_away(*folders: Path) -> str:
    """Return the command with which the user moves data aside."""
    return " && ".join(f"mv {quote(str(folder))} {quote(f'{folder}.old')}" for folder in folders)


def on_path(name: str, place: Place) -> Path | None:
    """Return a program on the caller's PATH."""
    import shutil  # 2 ms that the supervisor's start does not pay

    found = shutil.which(name, path=place.environment.get("PATH"))
    return None if found is None else Path(found)


def unchanged(program: Program) -> bool:
    """Return whether the file is still the one that was run; this takes a hundredth of running it again."""
    try:
        status = program.path.stat()
    except OSError:
        return False
    return (status.st_size, status.st_mtime_ns) == (program.size, program.modified)


def proven(candidate: Candidate) -> Program | None:
    """Run the candidate and return the program that it is; None if it does not run or is something else.

    Raise ProviderError if a limit of the system prevents any program from running.
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
            # The program is unknown: a message that there is none would be wrong.
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
    """Return the first accepted program, and all programs that were identified before."""
    seen: list[Program] = []
    for program in filter(None, map(proven, _distinct(candidates))):
        seen.append(program)
        if accepted(program):
            return program, seen
    return None, seen


def package_folder(name: str) -> Path | None:
    """Return the folder of an installed package without importing it.

    The Python helpers of these packages stay unused: as root they add a system user and make every parent folder
    of the data accessible to all users.
    """
    from importlib.util import find_spec  # only for the first choice

    spec = find_spec(name)
    locations = None if spec is None else spec.submodule_search_locations
    return Path(locations[0]) if locations else None


def already_running(folder: Path, title: str, pid: int, signal: str) -> ProviderError:
    """Return the error for data that a foreign server has open."""
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
