"""A data directory of PostgreSQL: finding it, creating it as a whole, and cleaning up after a crash."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from devinit.errors import ProviderError, StateFileError
from devinit.kinds.occupants import end_occupants, works_in
from devinit.kinds.postgres.account import Account, other_users, own_account, run, works
from devinit.kinds.programs import Program, already_running, make_private, unusable
from devinit.kinds.provider import Notes, Place, Say
from devinit.system import old_outside, state_folders
from devinit.system.files import LARGEST_SETTINGS, read_bytes
from devinit.system.processes import identity_of
from devinit.system.regular import open_regular

SUPERUSER = "devinit_admin"
"""Not `devinit`: a project with that name has a role with the same name."""
SUPERUSER_FILE = "devinit.pgpass"
"""Inside the cluster, so that neither can be moved or lost without the other."""
UNFINISHED = ".unfinished"
LOCK_FILE = "postmaster.pid"
STATUS_LINE = 7
"""Line of the lock file, counted from 0 (LOCK_FILE_LINE_PM_STATUS in PostgreSQL's
miscadmin.h, since version 10)."""
INITDB_TIMEOUT_SECONDS = 180.0
LONGEST_PID = 7
NAME = re.compile(r"pg(\d+)")
BUILTIN_LOCALE_MAJOR = 17
IO_METHOD_MAJOR = 18
LOCALES = ("C.UTF-8", "C")
"""Tried in order; macOS before 15 has no C.UTF-8."""

# In the cluster's own file and not on the command line, so that ALTER SYSTEM and an editor can change them.
#
# fsync and synchronous_commit keep their defaults. With synchronous_commit off, a killed server loses up to 0.6 s
# of commits that it had acknowledged; with fsync off, a laptop that runs out of battery loses the whole cluster.
# Their price is one fsync for each commit: 0.13 ms on an SSD (measured).
SETTINGS = """
# Set by devinit for a small footprint on a developer's machine; change what you like.
shared_buffers = 32MB
max_wal_size = 256MB
min_wal_size = 32MB
max_logical_replication_workers = 0
"""
SETTINGS_OF_18 = "io_method = sync\n"
"""Saves three processes, for a database with one user."""


def place_home(service_name: str, place: Place) -> Path:
    """Return the folder with everything that one service keeps."""
    return place.data / service_name


def outside_home(service_name: str, place: Place) -> Path | None:
    """Return the place of the data when root's server must run as another user; None for an ordinary user."""
    outside = state_folders.outside_of(str(place.data.parent))
    return None if outside is None else Path(outside, service_name)


def take_shared(service_name: str, place: Place) -> None:
    """Move clusters out of a place that other state folders of the checkout share.

    The caller has made sure that no server works there. Raise StateFileError if they cannot be moved.
    """
    try:
        old_outside.take(str(place.data.parent), service_name)
    except OSError as error:
        raise unusable(Path(error.filename), error) from error


def taken_by_another(service_name: str, place: Place) -> Notes:
    """Return a note for a service that begins empty, about data that it shared with another state folder."""
    data = old_outside.taken_by_another(str(place.data.parent), service_name)
    if data is None:
        return ()
    where = f"another state folder of this checkout (XDG_STATE_HOME) has the data in {data}"
    return (f"it begins empty: {where}, which both used until now",)


def clusters_of(service_name: str, place: Place) -> dict[int, Path]:
    """Return the clusters of a service by major version."""
    found: dict[int, Path] = {}
    shared = old_outside.shared_home(str(place.data.parent), service_name)
    outside = outside_home(service_name, place)
    # The checkout's own folder comes last, so that it takes precedence.
    for folder in (None if shared is None else Path(shared), outside, place_home(service_name, place)):
        try:
            entries = [] if folder is None else list(folder.iterdir())
        except FileNotFoundError:
            continue
        except OSError as error:
            raise unusable(Path(error.filename), error) from error
        found.update((int(matched[1]), path) for path in entries if (matched := NAME.fullmatch(path.name)))
    return found


def create(service_name: str, program: Program, place: Place, say: Say) -> Path:
    """Create a cluster and return its folder."""
    account, base = _account_and_base(service_name, program, place)
    cluster = base / f"pg{program.major}"
    say(f"creating the data directory for {program.title} in {cluster}")
    # A killed initdb leaves a folder that is neither empty nor usable, so the folder has
    # this name until it is complete.
    unfinished = base / f"pg{program.major}{UNFINISHED}"
    try:
        _remove_tree(unfinished)
        _initdb(program, unfinished, account, place)
        _configure(unfinished, program)
        unfinished.rename(cluster)
    except OSError as error:
        raise unusable(cluster, error) from error
    return cluster


def is_starting(cluster: Path) -> bool:
    """Whether the server reports in its lock file that it accepts no connections yet; False without a report.

    If it is asked over the network instead, it starts a process for each question, only to refuse it, and logs
    each one as fatal.
    """
    try:
        content = read_bytes(cluster / LOCK_FILE, most=LARGEST_SETTINGS)
    except StateFileError:
        return False
    if content is None:
        return False
    lines = content.split(b"\n")
    status = lines[STATUS_LINE].strip() if len(lines) > STATUS_LINE else b""
    return status in (b"", b"starting")


def clear_remains(cluster: Path, say: Say) -> None:
    """Enable a start after a crash: remove the lock file of a dead server, and end backends that outlived it.

    PostgreSQL usually does that itself, but not if the old pid now belongs to another process of the same user, if
    the file is empty, or if a backend was too busy to notice that its server had died.
    """
    lock = cluster / LOCK_FILE
    content = read_bytes(lock, most=LARGEST_SETTINGS)
    if content is None:
        return
    first_line = content.partition(b"\n")[0].strip()
    # PostgreSQL itself takes a number that is no pid for the pid of another process.
    pid = int(first_line) if first_line.isdigit() and len(first_line) <= LONGEST_PID else 0
    if pid and works_in(pid, cluster):
        raise already_running(cluster, "PostgreSQL", pid, "INT")
    ended = end_occupants(cluster)
    if ended:
        say(f"ended what a killed server left running (pid {', '.join(map(str, ended))})")
    if not pid or identity_of(pid) is not None:
        lock.unlink(missing_ok=True)


def server_environment(environment: dict[str, str]) -> dict[str, str]:
    """Return an environment that does not affect the place or the language of PostgreSQL.

    PGDATA, PGPORT, PGOPTIONS and similar variables are meant for the developer's own server; a LANG that is not
    installed makes initdb and the server fail.
    """
    kept = {name: value for name, value in environment.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return {**kept, "LC_ALL": "C"}


def superuser_file(cluster: Path) -> Path:
    """Return the superuser's password file, in the format of psql."""
    return cluster / SUPERUSER_FILE


def _account_and_base(service_name: str, program: Program, place: Place) -> tuple[Account, Path]:
    """Return the first account that can run the program, found by trying each, and the folder for its data."""
    inside, outside = place_home(service_name, place), outside_home(service_name, place)
    make_private(inside)
    own = own_account()
    if outside is None or (own is not None and works(own, program, inside)):
        return own or Account(), inside
    for account in other_users():
        _make_outside(outside, account)
        if works(account, program, outside):
            return account, outside
    raise ProviderError(
        f"PostgreSQL refuses to run as root, and no other user may run {program.path}",
        hint="start devinit as an ordinary user, or install PostgreSQL where every user can read it",
    )


def _make_outside(folder: Path, account: Account) -> None:
    try:
        for above in (folder.parent.parent, folder.parent):
            if not above.exists():
                above.mkdir(parents=True)
                # Every user must be able to enter, whatever the umask is ...
                above.chmod(0o755)
        # ... and only the server's user may enter the service's own folder.
        folder.mkdir(exist_ok=True, mode=0o700)
        _own(folder, account)
    except OSError as error:
        raise unusable(folder, error) from error


def _remove_tree(folder: Path) -> None:
    if folder.exists():
        import shutil  # 2 ms that the supervisor's start does not pay

        shutil.rmtree(folder)


def _initdb(program: Program, folder: Path, account: Account, place: Place) -> None:
    secret = os.urandom(24).hex()
    password_file = folder.with_name(f"{folder.name}.pw")
    try:
        _write_private(password_file, f"{secret}\n", account)
        for locale in LOCALES:
            said = run(
                account,
                (
                    str(program.folder / "initdb"),
                    f"--pgdata={folder}",
                    f"--username={SUPERUSER}",
                    f"--pwfile={password_file}",
                    "--auth=scram-sha-256",
                    "--encoding=UTF8",
                    *_locale(program, locale),
                    # It contains nothing of value yet.
                    "--no-sync",
                ),
                environment=server_environment(place.environment),
                timeout=INITDB_TIMEOUT_SECONDS,
            )
            if said.returncode == 0 or "locale" not in said.stdout:
                break
    except subprocess.TimeoutExpired as error:
        raise ProviderError(
            f"initdb of {program.title} did not end within {INITDB_TIMEOUT_SECONDS:.0f} seconds",
            hint="is the disk full or very slow? What it began is cleared away on the next start",
        ) from error
    finally:
        password_file.unlink(missing_ok=True)
    if said.returncode != 0:
        raise ProviderError(
            f"initdb of {program.title} failed: {said.stdout.strip() or f'exit code {said.returncode}'}",
            hint="what it began is cleared away on the next start",
        )
    _write_private(folder / SUPERUSER_FILE, f"*:*:*:{SUPERUSER}:{secret}\n", account)


def _locale(program: Program, locale: str) -> tuple[str, ...]:
    if program.major >= BUILTIN_LOCALE_MAJOR:
        # PostgreSQL's own C.UTF-8 sorts the same on every system and in every build, so indexes stay valid when
        # another build of the same major version runs the data.
        return ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
    return (f"--locale={locale}",)


def _configure(folder: Path, program: Program) -> None:
    settings = SETTINGS + (SETTINGS_OF_18 if program.major >= IO_METHOD_MAJOR else "")
    descriptor = open_regular(folder / "postgresql.conf", os.O_WRONLY | os.O_APPEND)
    with open(descriptor, "a", encoding="utf-8") as file:  # noqa: PTH123 - a descriptor has no Path
        file.write(settings)


def _write_private(path: Path, text: str, account: Account) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 - a descriptor has no Path
        file.write(text)
    _own(path, account)


def _own(path: Path, account: Account) -> None:
    if account.run_as is not None:
        os.chown(path, account.run_as.uid, account.run_as.gid)


def system_identifier(cluster: Path) -> int:
    """Return the number that initdb gives each cluster, and that copies share. 0 if it cannot be read.

    It is the first field of global/pg_control (src/include/catalog/pg_control.h).
    """
    content = read_bytes(cluster / "global" / "pg_control") or b""
    return int.from_bytes(content[:8], sys.byteorder)
