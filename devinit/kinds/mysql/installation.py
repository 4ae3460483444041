"""Choose the MariaDB or MySQL for a service's data, and create the data folder."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from devinit.errors import ProviderError
from devinit.kinds import in_a_container
from devinit.kinds.mysql.kind import MYSQL, MysqlSettings
from devinit.kinds.programs import (
    Candidate,
    Origin,
    Program,
    Remembered,
    first_accepted,
    moved_away,
    on_path,
    recall,
    remember,
    unchanged,
    unusable,
)
from devinit.kinds.provider import Place, Say
from devinit.model.service import Service
from devinit.system.processes import user_name

SERVERS = ("mariadbd", "mysqld")
EXPLICIT_VARIABLE = "DEVINIT_MYSQL_BIN"
FLAVOURS = frozenset(flavour.name for flavour in MYSQL.flavours)
MAKERS = ("mariadb-install-db", "mysql_install_db")
"""Programs that create the data of MariaDB; MySQL's server does that itself."""
SYSTEM = ("/usr/sbin", "/usr/local/sbin", "/usr/libexec")
"""Folders of servers that may be missing from a user's PATH."""
SECONDS = 120.0
SMALL = "--innodb-log-file-size=10M"
"""28 MB of new data instead of 114 MB."""


def data_name(program: Program) -> str:
    """Return the folder name for a program's data: neither program reads the data of the other."""
    return f"{program.flavour}{program.major}"


def choose(service: Service, place: Place, home: Path, existing: frozenset[str], say: Say) -> Program:
    """Return the program for the data in `home`: the remembered one, or else the first suitable one."""
    explicit = _explicit(service, place)
    before = recall(home)
    if before is not None and before.explicit == explicit and _may_run(before.program, existing):
        if unchanged(before.program):
            return before.program
        same, _ = first_accepted(
            [Candidate(before.program.origin, before.program.path)], lambda p: _may_run(p, existing)
        )
        if same is not None:
            remember(home, Remembered(program=same, explicit=explicit))
            return same
    candidates = _in(Path(explicit).expanduser()) if explicit else _candidates(place)
    chosen, _ = first_accepted(candidates, lambda p: _may_run(p, existing))
    if chosen is None:
        raise _none(service, home, existing, explicit)
    say(f"using {chosen.title} from {chosen.folder}")
    remember(home, Remembered(program=chosen, explicit=explicit))
    return chosen


def make(folder: Path, program: Program, place: Place) -> None:
    """Create new data, in a temporary folder until it is complete. Raise ProviderError."""
    new = folder.with_name(f"{folder.name}.new")
    try:
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        log = _made(new, program, place)
        if not (new / "mysql").is_dir():
            raise ProviderError(f"{program.title} did not make its data in {new}:\n{log[-2000:].strip()}")
        new.rename(folder)
    except OSError as error:
        raise unusable(folder, error) from error


def as_user() -> tuple[str, ...]:
    """Return the option that a server needs to run as root."""
    return ("--user=root",) if os.geteuid() == 0 else ()


def _made(new: Path, program: Program, place: Place) -> str:
    # A relative path: the maker is a shell script that splits paths at spaces.
    common = ("--no-defaults", "--datadir=.", *as_user())
    if program.flavour == "mysql":
        words = [program.file, *common, "--initialize-insecure"]
    else:
        words = [
            _maker(program, place),
            *common,
            f"--basedir={program.folder.parent}",
            # Otherwise any program of this machine could connect as root without a password.
            "--auth-root-authentication-method=socket",
            f"--auth-root-socket-user={user_name(os.geteuid())}",
            "--skip-test-db",
            "--skip-name-resolve",
            SMALL,
        ]
    try:
        done = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**place.environment, "LC_ALL": "C"},
            cwd=new,
            text=True,
            errors="replace",
            timeout=SECONDS,
            check=False,
            # Ctrl-C at the terminal must not interrupt it halfway.
            start_new_session=True,
        )
    except subprocess.TimeoutExpired as error:
        raise ProviderError(f"{words[0]} did not end within {SECONDS:g} s") from error
    if done.returncode != 0:
        raise ProviderError(f"{words[0]} ended with {done.returncode}:\n{done.stdout[-2000:].strip()}")
    return done.stdout


def _maker(program: Program, place: Place) -> str:
    above = program.folder.parent
    places = (program.folder, above / "bin", above / "scripts")
    found = next((each / name for each in places for name in MAKERS if (each / name).is_file()), None)
    found = found or next((each for name in MAKERS if (each := on_path(name, place)) is not None), None)
    if found is None:
        raise ProviderError(
            f"{program.title} in {program.folder} has no {MAKERS[0]}, which makes its data",
            hint="install the package mariadb-server-core or mariadb-server",
        )
    return str(found)


def _explicit(service: Service, place: Place) -> str | None:
    settings = service.settings_as(MysqlSettings)
    if settings is not None and settings.binaries is not None:
        return str(settings.binaries)
    return place.environment.get(EXPLICIT_VARIABLE) or None


def _in(folder: Path) -> Iterator[Candidate]:
    for path in (folder, *(folder / part / name for part in ("", "bin", "sbin") for name in SERVERS)):
        yield Candidate(Origin.EXPLICIT, path)


def _candidates(place: Place) -> Iterator[Candidate]:
    for name in SERVERS:
        if (found := on_path(name, place)) is not None:
            yield Candidate(Origin.SYSTEM, found)
    for folder in SYSTEM:
        for name in SERVERS:
            yield Candidate(Origin.SYSTEM, Path(folder) / name)


def _may_run(program: Program, existing: frozenset[str]) -> bool:
    return program.flavour in FLAVOURS and (not existing or data_name(program) in existing)


def _none(service: Service, home: Path, existing: frozenset[str], explicit: str | None) -> ProviderError:
    if existing:
        return ProviderError(
            f"the data of {service.name} in {home} was made by {' or '.join(sorted(existing))}, which is not here",
            hint=f"install it or name its folder in {EXPLICIT_VARIABLE}; "
            f"or begin with empty data: {moved_away(*(home / name for name in existing))}",
        )
    if explicit is not None:
        return ProviderError(
            f"{service.name}: {explicit} holds no {' and no '.join(SERVERS)}",
            hint=f"name the folder of the program in services.{service.name}.binaries or {EXPLICIT_VARIABLE}",
        )
    return ProviderError(
        f"{service.name}: no MariaDB and no MySQL was found on this machine",
        hint=f"install mariadb-server{in_a_container('MariaDB')}",
    )
