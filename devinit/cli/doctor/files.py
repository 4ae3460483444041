"""Check the files and folders that devinit reads and writes, the supervisor, and the disk space."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain, count
from pathlib import Path
from resource import RLIM_INFINITY
from shlex import quote
from typing import TYPE_CHECKING

from devinit.cli.doctor.finding import Cure, Finding
from devinit.cli.logged import without_log
from devinit.config.absence import no_services
from devinit.config.env_files import given_env_files
from devinit.config.load import load
from devinit.control.elsewhere import out_of_reach
from devinit.control.launch import connect_to
from devinit.control.ownership import left_by_root, other_starter
from devinit.control.waking import ELSEWHERE, ELSEWHERE_ADVICE, supervisor_of, visible_supervisor_of, wake
from devinit.errors import ConfigError, DevinitError
from devinit.model.names import ENVIRONMENT_FILE, OWN_FOLDER, PORTS_FILE
from devinit.ports.remembered import ports_file
from devinit.runtime.dotenv import stated_in
from devinit.runtime.publish import environment_of_user, refuse_linked_environment
from devinit.system.descriptors import limits_of
from devinit.system.files import read_text
from devinit.system.own_folder import refuse_no_folder
from devinit.system.permissions import chown
from devinit.system.state_folders import state_folder
from devinit.system.watch_limits import is_mounted
from devinit.system.writer import is_of_another, writer_of

if TYPE_CHECKING:
    from devinit.control.client import Client
    from devinit.model.service import Project
    from devinit.model.status import ServiceStatus

LEAST_FREE_BYTES = 500_000_000
"""With less free space, a database may stop at the next checkpoint."""
LARGE_LOGS_BYTES = 1_000_000_000


def configuration(root: Path) -> Iterator[Finding]:
    """Load devinit.toml (or detect the services) and the `.env` files; report errors and notes."""
    try:
        project = load(root, profile=os.environ.get("DEVINIT_PROFILE") or None)
    except DevinitError as error:
        yield Finding(check="configuration", problem=error.message, advice=error.hint or "")
        return
    empty = None if project.services else no_services(project.source or project.root)
    for note in project.notes:
        if empty is None or not empty.message.endswith(note):
            yield Finding(check="configuration", problem=note, harmless=True)
    if empty is not None:
        yield Finding(check="configuration", problem=empty.message, advice=empty.hint or "")
    yield from refused_env_files(project)


def refused_env_files(project: Project) -> Iterator[Finding]:
    """Read the `.env` files of every service as a start does, except named pipes, which can be read only once."""
    refused: dict[str, str] = {}
    for service in project.services.values():
        paths = [path for path in given_env_files(project.root, service) if not path.is_fifo()]
        try:
            stated_in(paths, caller=os.environ)
        except ConfigError as error:
            refused[error.message] = error.hint or ""
    for problem, advice in refused.items():
        yield Finding(check="configuration", problem=problem, advice=advice)


def state(root: Path) -> Iterator[Finding]:
    """Check the remembered ports, the environment file, the state file, and who owns them."""
    try:
        refuse_no_folder(str(root / OWN_FOLDER))
    except DevinitError as error:
        yield Finding(check="state", problem=error.message, advice=error.hint or "")
    try:
        ports_file.refuse_link_to_another_file(root)
        ports_file.read(root)
    except DevinitError as error:
        yield unreadable(root / PORTS_FILE, error.message, error.hint or "")
    try:
        refuse_linked_environment(root)
        if environment_of_user(root) is not None:
            yield Finding(
                check="state",
                problem=f"{root / ENVIRONMENT_FILE} was not written by devinit",
                advice=f"the next start replaces it, and keeps its text as {ENVIRONMENT_FILE}.old: "
                "move what is yours to .env",
                harmless=True,
            )
        if is_of_another(root, writer_of(Path(state_folder(root)))):
            yield Finding(
                check="state",
                problem=f"{root / ENVIRONMENT_FILE} was written by devinit with another state folder "
                "(another user, HOME or container), and names the services of that one",
                advice="`devinit start` writes it for the services of this one",
            )
    except DevinitError as error:
        yield Finding(check="state", problem=error.message, advice=error.hint or "")
    folder = Path(state_folder(root))
    path = folder / "state.json"
    try:
        if (text := read_text(path)) is not None:
            json.loads(text)
    except DevinitError as error:
        yield unreadable(path, error.message, error.hint or "")
    except (ValueError, RecursionError) as error:
        yield unreadable(path, f"{path} cannot be read: {error}", "")
    for path in (root / PORTS_FILE, root / ENVIRONMENT_FILE):
        if is_mounted(path):
            yield Finding(
                check="state",
                problem=f"{path} is mounted by itself (as a container does with a single file): a start replaces "
                "that file, and so fails",
                advice=f"mount the folder {root} instead",
            )
    if left := left_by_root(str(root)):
        yield of_root(root, left)
    elif name := other_starter(str(root)):
        yield Finding(
            check="state",
            problem=f"user {name} has started this project: its services, logs and data are not seen from here",
            advice=f"run the command as {name}: sudo -u {name} devinit doctor",
        )
    for path in (root, root / OWN_FOLDER, folder):
        if str(path) not in left and exists(path) and not os.access(path, os.W_OK):
            yield Finding(
                check="state", problem=f"{path} cannot be written", advice="ports and logs are kept there"
            )


def of_root(root: Path, left: list[str]) -> Finding:
    """Return the finding about files that a start by root left here: we may rename them, but not read them."""
    names = " and ".join(Path(path).name for path in left)
    return Finding(
        check="state",
        problem=f"root has started this project (with sudo?) and owns {names}",
        advice=f"if it still runs: `sudo devinit -C {quote(str(root))} stop`; then make it yours: `{chown(left)}`",
        cure=Cure("move that aside, so that the next start begins its own", partial(aside, left)),
    )


def aside(left: list[str]) -> str:
    """Rename files that belong to root: the owner of a folder may rename any entry in it."""
    moved = [(Path(path), name_for(Path(path), "of-root")) for path in left]
    for path, name in moved:
        path.rename(name)
    return f"{', '.join(name.name for _, name in moved)}: delete that with sudo when you like"


def exists(path: Path) -> bool:
    """Return whether a path exists, even if it is not readable or is a broken link."""
    return os.path.lexists(path)


def knock(root: Path) -> Client | DevinitError | None:
    """Connect to the supervisor; return the error if that fails, None when no supervisor listens."""
    try:
        client = connect_to(root)
        if client is None and supervisor_of(root) is not None and wake(root):
            client = connect_to(root)
    except DevinitError as error:
        return error
    return client


def supervisor(root: Path, answer: Client | DevinitError | None) -> Iterator[Finding]:
    """Check the supervisor's answer, version and limits, and whether a silent process holds its lock."""
    if answer is not None and not isinstance(answer, DevinitError):
        yield from reach(answer)
        yield from version(answer)
        yield from open_files(limits_of(answer.greeting.pid), limits_of(os.getpid()))
    pid = visible_supervisor_of(root)
    if pid is None:
        return
    if isinstance(answer, DevinitError):
        yield Finding(check="supervisor", problem=answer.message, advice=answer.hint or "")
    elif answer is None and not pid:
        yield Finding(
            check="supervisor", problem=f"the supervisor {ELSEWHERE}", advice=ELSEWHERE_ADVICE, harmless=True
        )
    elif answer is None:
        yield Finding(
            check="supervisor",
            problem=f"the supervisor (pid {pid}) cannot be reached",
            advice=f"`kill -9 {pid}` ends it; services keep running, and the next command takes them over",
        )


def reach(client: Client) -> Iterator[Finding]:
    """Report where the services run when this command cannot reach them."""
    if client.greeting.is_out_of_reach:
        error = out_of_reach(client.greeting)
        yield Finding(check="supervisor", problem=error.message, advice=error.hint or "", harmless=True)


def version(client: Client) -> Iterator[Finding]:
    """Compare the supervisor's version with this command's."""
    if client.greeting.is_older:
        advice = "`devinit start` replaces it; services keep running"
    elif client.greeting.is_newer:
        advice = "upgrade this devinit, or use the newer one in this project"
    else:
        return
    yield Finding(check="supervisor", problem=client.greeting.beside_ours(), advice=advice, harmless=True)


def open_files(theirs: tuple[int, int] | None, ours: tuple[int, int] | None) -> Iterator[Finding]:
    """Compare the open-file limits of the supervisor with those of this shell, as (soft, hard).

    A supervisor may have raised its soft limit, but never beyond what its shell allowed.
    """
    if theirs is None or ours is None:
        return
    for before, now, option in zip(theirs, ours, ("-n", "-Hn"), strict=True):
        if before != RLIM_INFINITY and (now > before or now == RLIM_INFINITY):
            yield Finding(
                check="supervisor",
                problem=f"services get the limit of open files with which the supervisor was started, {before}, "
                f"and this shell allows {'any number' if now == RLIM_INFINITY else now} (ulimit {option})",
                advice="`devinit stop`, and then `devinit start` in this shell",
                harmless=True,
            )
            return


def disk(root: Path) -> Iterator[Finding]:
    """Check the free disk space and the size of the logs; a database stops when the disk is full."""
    folder = Path(state_folder(root))
    place = next(each for each in (folder, *folder.parents) if each.is_dir())
    free = shutil.disk_usage(place).free
    if free < LEAST_FREE_BYTES:
        yield Finding(
            check="disk",
            problem=f"only {free // 1_000_000} MB are free where {place} lies",
            advice="databases and logs need room: PostgreSQL stops when there is none",
        )
    logs = folder / "logs"
    size = sum(path.stat().st_blocks * 512 for path in logs.glob("*")) if logs.is_dir() else 0
    if size > LARGE_LOGS_BYTES:
        yield Finding(
            check="disk",
            problem=f"the logs in {logs} take {size // 1_000_000} MB",
            advice="`logs = { size = …, count = … }` of a service bounds them",
            harmless=True,
        )


def lost_logs(root: Path, services: Iterable[ServiceStatus]) -> Iterator[Finding]:
    """Find services whose log was deleted while they write to it (`rm -rf` of the folder)."""
    lost = without_log(root, services)
    if lost:
        yield Finding(
            check="logs",
            problem=f"what {', '.join(lost)} print{'s' if len(lost) == 1 else ''} is lost: the log was deleted",
            advice=f"`devinit restart {' '.join(lost)}` begins a new one",
        )


def unreadable(path: Path, problem: str, advice: str) -> Finding:
    """Return the finding about a broken file. The fix moves it, unless we lack permission to read it."""
    broken = name_for_broken(path)
    cure = Cure(f"move it to {broken.name}", partial(move_away, path, broken))
    return Finding(
        check="state", problem=problem, advice=advice, cure=cure if os.access(path, os.R_OK) else None
    )


def name_for_broken(path: Path) -> Path:
    """Return the unused path to which a broken file is moved."""
    return name_for(path, "broken")


def name_for(path: Path, word: str) -> Path:
    """Return an unused path: the name with this word as suffix, and a number if necessary."""
    names = chain([f"{path.name}.{word}"], (f"{path.name}.{word}-{number}" for number in count(2)))
    return next(each for each in map(path.with_name, names) if not os.path.lexists(each))


def move_away(path: Path, broken: Path) -> str:
    """Rename a broken file, so that its content is kept."""
    path.rename(broken)
    return f"{path.name} is {broken.name} now"
