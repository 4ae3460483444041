"""A data directory of PostgreSQL: found, made as a whole or not at all, and freed of what a crash left."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from devinit.errors import ProviderError, StateFileError
from devinit.providers.occupants import end_occupants, is_alive, works_in
from devinit.providers.postgres.account import Account, account_for_new, run
from devinit.providers.programs import Program, already_running
from devinit.providers.provider import Place, Say

SUPERUSER = "devinit_admin"
"""Not `devinit`: a project of that name may have a role that is called like it."""
SUPERUSER_FILE = "devinit.pgpass"
"""Inside the cluster, so that neither can be moved or lost without the other."""
OUTSIDE = Path("/var/lib/devinit")
UNFINISHED = ".unfinished"
INITDB_TIMEOUT_SECONDS = 180.0
NAME = re.compile(r"pg(\d+)")
BUILTIN_LOCALE_MAJOR = 17
WORKER_IO_MAJOR = 18
LOCALES = ("C.UTF-8", "C")
"""macOS before 15 has no C.UTF-8."""

# Written into the cluster's own file and not on the command line, so that ALTER SYSTEM and an editor can change them.
#
# fsync and synchronous_commit keep their defaults: with synchronous_commit off, up to 0.6 s of acknowledged
# commits are lost when the server is killed; with fsync off a laptop that runs out of battery loses the whole
# cluster. What they cost is measured in docs/adr: 0.14 ms for each commit on an SSD.
SETTINGS = """
# Set by devinit for a small footprint on a developer's machine; change what you like.
shared_buffers = 32MB
max_wal_size = 256MB
min_wal_size = 32MB
max_logical_replication_workers = 0
"""
# Three processes less, for a database that is read by one person.
SETTINGS_OF_18 = "io_method = sync\n"


def clusters_in(home: Path, outside: Path | None) -> dict[int, Path]:
    """Return the clusters of a service by their major version."""
    found: dict[int, Path] = {}
    for folder in filter(None, (outside, home)):
        try:
            names = os.listdir(folder)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            raise ProviderError(
                f"{folder} cannot be read: {error.strerror}", hint="check who owns it"
            ) from error
        for name in names:
            if matched := NAME.fullmatch(name):
                found[int(matched[1])] = folder / name
    return found


def outside_home(service_name: str, root: Path) -> Path | None:
    """Return where the data lies when root's server must be another user; None for an ordinary user."""
    if os.geteuid() != 0:
        return None
    from devinit.system.paths import project_id  # only root needs it

    return OUTSIDE / project_id(root) / service_name


def check_version(cluster: Path, program: Program) -> None:
    """Refuse, before PostgreSQL does so less clearly, a folder that holds something else than its name says."""
    try:
        version = (cluster / "PG_VERSION").read_text().strip()
    except FileNotFoundError as error:
        raise ProviderError(
            f"{cluster} is not a PostgreSQL data directory: it has no PG_VERSION",
            hint=f"nothing was changed; to begin with an empty database: mv {cluster} {cluster}.old",
        ) from error
    except OSError as error:
        raise ProviderError(
            f"{cluster} cannot be read: {error.strerror}", hint="check who owns it"
        ) from error
    if version != str(program.major):
        raise ProviderError(
            f"{cluster} holds data of PostgreSQL {version}, which {program.title} cannot read",
            hint=f"rename it to pg{version} to use it with PostgreSQL {version}, or move it away; nothing was changed",
        )


def create(program: Program, home: Path, outside: Path | None, say: Say, *, name: str) -> Path:
    """Make a cluster and return its folder."""
    account = account_for_new(program)
    base = home
    if account.run_as is not None and outside is not None:
        base = outside
        # Everybody may pass through; the service's own folder belongs to the server's user alone.
        base.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
    base.mkdir(parents=True, exist_ok=True, mode=0o700)
    cluster = base / f"pg{program.major}"
    say(f"{name}: creating the data directory for {program.title} in {cluster}")
    # A killed initdb leaves a folder that is neither empty nor usable: it gets another name until it is complete.
    unfinished = base / f"pg{program.major}{UNFINISHED}"
    if unfinished.exists():
        shutil.rmtree(unfinished)
    _own(base, account)
    try:
        _initdb(program, unfinished, account)
        _configure(unfinished, program, account)
        unfinished.rename(cluster)
    except OSError as error:
        raise ProviderError(
            f"the data directory {cluster} cannot be made: {error.strerror}",
            hint="make room, or check who owns it",
        ) from error
    return cluster


def clear_remains(cluster: Path, say: Say, *, name: str) -> None:
    """Let the server start after a crash: the lock file of a dead server, backends that outlived it.

    PostgreSQL clears most of this by itself. Not so when the old pid belongs to another process of the same
    user by now, when the file is empty, or when a backend was too busy to notice that its server died.
    """
    lock = cluster / "postmaster.pid"
    try:
        first_line = lock.read_bytes().partition(b"\n")[0].strip()
    except FileNotFoundError:
        return
    except OSError as error:
        raise StateFileError(f"{lock} cannot be read: {error.strerror}") from error
    pid = int(first_line) if first_line.isdigit() else 0
    if pid and works_in(pid, cluster):
        raise already_running(cluster, "PostgreSQL", pid, "INT")
    ended = end_occupants(cluster)
    if ended:
        say(f"{name}: ended {len(ended)} process{'es' if len(ended) > 1 else ''} of a server that was killed")
    if not pid or is_alive(pid):
        lock.unlink(missing_ok=True)


def server_environment(environment: dict[str, str]) -> dict[str, str]:
    """Return an environment that changes nothing about where or in which language PostgreSQL runs.

    PGDATA, PGPORT, PGOPTIONS and their like belong to the developer's own server; a LANG that is not
    installed makes initdb and the server refuse.
    """
    kept = {key: value for key, value in environment.items() if not key.startswith(("PG", "LC_"))}
    kept.pop("LANG", None)
    kept.pop("LANGUAGE", None)
    return {**kept, "LC_ALL": "C"}


def superuser_file(cluster: Path) -> Path:
    """Return the superuser's password file, in the form that psql reads."""
    return cluster / SUPERUSER_FILE


def place_home(service_name: str, place: Place) -> Path:
    """Return the folder of everything that one service keeps."""
    return place.data / service_name


def _initdb(program: Program, folder: Path, account: Account) -> None:
    secret = os.urandom(24).hex()
    password_file = folder.with_name(folder.name + ".pw")
    try:
        _write_private(password_file, secret + "\n", account)
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
                    # Nothing of value is in it yet, and it takes a quarter of the time.
                    "--no-sync",
                ),
                environment=server_environment(dict(os.environ)),
                timeout=INITDB_TIMEOUT_SECONDS,
            )
            if said.returncode == 0:
                break
            if "locale" not in said.stdout:
                break
    finally:
        password_file.unlink(missing_ok=True)
    if said.returncode != 0:
        raise ProviderError(
            f"initdb of {program.title} failed: {said.stdout.strip() or f'exit code {said.returncode}'}",
            hint="nothing is left of it; fix the reason and start again",
        )
    _write_private(folder / SUPERUSER_FILE, f"*:*:*:{SUPERUSER}:{secret}\n", account)


def _locale(program: Program, locale: str) -> tuple[str, ...]:
    if program.major >= BUILTIN_LOCALE_MAJOR:
        # PostgreSQL's own C.UTF-8 sorts alike on every system and in every build, so indexes stay valid
        # when another build of the same major runs the data.
        return ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
    return (f"--locale={locale}",)


def _configure(folder: Path, program: Program, account: Account) -> None:
    settings = SETTINGS + (SETTINGS_OF_18 if program.major >= WORKER_IO_MAJOR else "")
    with (folder / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.write(settings)
    _own(folder / "postgresql.conf", account)


def _write_private(path: Path, text: str, account: Account) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 - a descriptor has no Path
        file.write(text)
    _own(path, account)


def _own(path: Path, account: Account) -> None:
    if account.run_as is not None:
        os.chown(path, account.run_as.uid, account.run_as.gid)
