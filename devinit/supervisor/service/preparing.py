"""The steps before a service's process starts: set-up when its inputs changed, one-shot commands each time."""

from __future__ import annotations

import asyncio
import os
import shlex
from collections.abc import Callable
from pathlib import Path

import msgspec
from msgspec import Struct

from devinit.errors import PreparationFailed
from devinit.kinds.provider import Install
from devinit.model.process import ProcessSpec
from devinit.model.service import Service, StopPolicy
from devinit.supervisor.diagnosis.causes import explanation_of
from devinit.supervisor.diagnosis.remedies import remedy_of, with_limit
from devinit.supervisor.files.setup_inputs import MOST_FILES, inputs_of
from devinit.supervisor.logs import log_files
from devinit.supervisor.logs.keeper import LogKeeper
from devinit.supervisor.processes.ending import end_tree, exit_of
from devinit.supervisor.processes.turns import Turns
from devinit.supervisor.project.drift import checksum_of, shown
from devinit.supervisor.service.broken_off import below, left_in, products_in, remove
from devinit.system.descriptors import descriptors
from devinit.system.digest import blake2b
from devinit.system.files import read_bytes, read_text, write_atomically
from devinit.system.processes import spawn
from devinit.toolchains.languages import PRODUCTS
from devinit.toolchains.python.language import VENV_FOLDERS

installing = asyncio.Lock()
"""Held during an installation of packages: two installations in one folder break each other."""
turns = Turns(lambda: descriptors.at_once() // 2)
"""Limit on concurrent set-ups and one-shots: each keeps its log and its process open."""
SETUP_FOLDER = "setup"
"""Name of the folder in a state folder that records the last set-ups."""
LAST_WORDS = 200
"""How many lines of the output are searched for the cause of a failure."""


class SetupRecord(Struct, frozen=True):
    """The record of the last set-up of a service."""

    fingerprint: str = ""
    """Digest of the set-up's inputs. Empty until a set-up succeeds: the products of a failed one are useless."""
    products: tuple[str, ...] = ()
    inputs: dict[str, int] | None = None
    """The input files: name relative to the service's folder → checksum."""
    environments: tuple[str, ...] = ()
    """Virtual environments that a set-up created, complete or not; without those that existed before."""
    asked: bool = False
    """Whether `start --setup` asked for it, so that a service without `setup` gets the packages that it lacks."""
    broken_off: dict[str, int] | None = None
    """The remains of an installation that did not succeed: path below the project's folder → inode. They are
    useless, and are removed before the next installation. None: the last one succeeded.
    """
    installed: tuple[str, str] | None = None
    """The last installation that succeeded: its folder, relative to the project's, and its command. `inputs`
    are its inputs.
    """


class Workshop(Struct, frozen=True, kw_only=True):
    """The place and the way in which the commands of one service run."""

    service: Service
    root: Path
    """The project's folder."""
    install: Callable[[], Install | None]
    """Return the installation of packages that a service without `setup` lacks. Blocking."""
    update: Callable[[], Install | None]
    """Return the installation of packages that are older than the files which declare them. Blocking."""
    spec: Callable[[str, str, tuple[str, ...]], ProcessSpec]
    """Return how to run a command line, given its key and the virtual environments to hide from it."""
    private: Path
    logs: LogKeeper
    marker: str
    say: Callable[[str], None]
    is_kept_back: Callable[[str], bool] = lambda _command: False
    """Return whether a one-shot must not run."""
    began: Callable[[int], None] = lambda _offset: None
    """Called with the offset in the log at which the output of a command begins."""


async def set_up(workshop: Workshop) -> None:
    """Run the set-up commands, unless nothing that they depend on has changed since they last succeeded.

    A virtual environment that an earlier set-up created is hidden from the first command: it may be incomplete,
    and is about to be replaced. The later commands find it.
    """
    service = workshop.service
    path = record_path(workshop.private, service.name)
    if not service.setup:
        await _install_what_is_missing(workshop, path)
        return
    before = read_record(path)
    # In threads: both search folders, perhaps many.
    if await asyncio.to_thread(is_current, before, service, workshop.root):
        return
    path.parent.mkdir(mode=0o700, exist_ok=True)
    there = existing(VENV_FOLDERS, service)
    own = tuple(name for name in there if name in before.environments)
    # The earlier success no longer counts, whatever the result of this run.
    inputs = await asyncio.to_thread(checksums, service, workshop.root)
    after = SetupRecord(inputs=inputs, environments=own)
    write_record(path, after)
    if len(after.inputs or ()) >= MOST_FILES:
        workshop.say(
            f"setup depends on {MOST_FILES} files or more: of setup_inputs, only the first {MOST_FILES} count"
        )
    try:
        for number, command in enumerate(service.setup):
            workshop.say(f"setting up: {command}")
            await run_once(workshop, command, "setup", hidden=own if number == 0 else ())
        after = SetupRecord(
            await asyncio.to_thread(fingerprint, service, workshop.root),
            existing(PRODUCTS, service),
            await asyncio.to_thread(checksums, service, workshop.root),
        )
    finally:
        made = tuple(name for name in existing(VENV_FOLDERS, service) if name in own or name not in there)
        write_record(path, msgspec.structs.replace(after, environments=made))


async def _install_what_is_missing(workshop: Workshop, path: Path) -> None:
    """Install the packages that a service lacks, or that are older than their files, if an order asked for that.

    Services install one after the other: services of one workspace lack the same packages, and the first one
    installs them for all.
    """
    if not os.path.isfile(path):  # noqa: ASYNC240, PTH113 - one look, at each start
        return
    before = await asyncio.to_thread(read_record, path)
    if not before.asked:
        if before.broken_off is not None:
            workshop.say(
                "the last installation of its packages broke off; where some are missing, `devinit start --setup` "
                "begins anew"
            )
        return
    async with installing:
        await asyncio.to_thread(remove, before.broken_off or {}, workshop.root)
        wanted = await asyncio.to_thread(_wanted, workshop, before)
        if wanted is not None:
            before = await _install(workshop, path, before, *wanted)
    write_record(path, msgspec.structs.replace(before, asked=False, broken_off=None))


async def _install(
    workshop: Workshop, path: Path, before: SetupRecord, folder: Path, command: str
) -> SetupRecord:
    """Run an installation and return its record. If it breaks off, record its remains."""
    there = products_in(folder)
    write_record(path, msgspec.structs.replace(before, asked=False, broken_off={}))
    workshop.say(f"setting up: {command} (in {folder})")
    text = f"cd {shlex.quote(str(folder))} && {command}" if folder != workshop.service.directory else command
    try:
        await run_once(workshop, text, "setup", hidden=existing(VENV_FOLDERS, workshop.service))
    except BaseException:
        left = left_in(folder, workshop.root, there)
        write_record(path, msgspec.structs.replace(before, asked=False, broken_off=left))
        raise
    inputs = await asyncio.to_thread(_inputs_of_packages, workshop.service, workshop.root, folder)
    return msgspec.structs.replace(
        before,
        installed=(str(below(folder, workshop.root)), command),
        inputs={name: checksum_of(each) for name, each in inputs.items()},
    )


def _wanted(workshop: Workshop, before: SetupRecord) -> tuple[Path, str] | None:
    """Return folder and command of the installation that a service needs; None when it needs none."""
    install = workshop.install()
    is_known = before.installed is not None
    if install is None and (not is_known or _changed_packages(before, workshop.service, workshop.root)):
        install = workshop.update()
    if install is not None:
        return install.folder, install.command
    if before.installed is None or not _changed_packages(before, workshop.service, workshop.root):
        return None
    folder = Path(os.path.normpath(workshop.root / before.installed[0]))
    return (folder, before.installed[1]) if folder.is_dir() else None


def _inputs_of_packages(service: Service, root: Path, folder: Path) -> dict[str, Path]:
    """Return the files that an installation in a folder depends on. The folder may be above the service's."""
    there = msgspec.structs.replace(service, directory=folder)
    return {
        os.path.relpath(path, service.directory): path
        for each in (service, there)
        for _, path in inputs_of(each, root)
    }


def changed_packages(private: Path, service: Service, root: Path) -> list[str]:
    """Return the files that have changed since devinit installed the packages of a service without `setup`."""
    path = record_path(private, service.name)
    if service.setup or not path.is_file():
        return []
    return _changed_packages(read_record(path), service, root)


def _changed_packages(record: SetupRecord, service: Service, root: Path) -> list[str]:
    if record.installed is None or record.inputs is None:
        return []
    now = _inputs_of_packages(service, root, Path(os.path.normpath(root / record.installed[0])))
    names = [name for name, each in now.items() if record.inputs.get(name) != checksum_of(each)]
    names += [name for name in record.inputs if name not in now]
    return [shown(os.path.normpath(service.directory / name), root) for name in names]


def require_set_up(private: Path, service: str) -> None:
    """Force the next set-up of a service to run, even if nothing has changed since the last one."""
    path = record_path(private, service)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    write_record(path, msgspec.structs.replace(read_record(path), fingerprint="", asked=True))


async def run_one_shots(workshop: Workshop) -> None:
    """Run the `before_start` commands of the service in order."""
    for command in workshop.service.before_start:
        if workshop.is_kept_back(command):
            continue
        workshop.say(f"running {command}")
        await run_once(workshop, command, "before_start")


async def run_once(workshop: Workshop, command: str, key: str, *, hidden: tuple[str, ...] = ()) -> None:
    """Run a command to its end, with its output in the service's log. Raise ServiceError when it fails."""
    async with turns.one():
        await run_in_turn(workshop, command, key, hidden)


async def run_in_turn(workshop: Workshop, command: str, key: str, hidden: tuple[str, ...]) -> None:
    """Do the same as `run_once` for a caller that has its turn."""
    service = workshop.service
    descriptor = workshop.logs.open(service)
    try:
        offset = workshop.logs.mark(service.name, descriptor, f"{service.name} {key}: {command}")
        workshop.began(offset)
        code = await run_command(workshop, command, key, descriptor, hidden=hidden)
        silent = os.fstat(descriptor).st_size <= offset
    finally:
        os.close(descriptor)
    if code != 0:
        last_words = log_files.last_lines(
            log_files.log_path(workshop.private, service.name), offset, LAST_WORDS
        )
        cause = with_limit(explanation_of(last_words, code), code)
        remedy = remedy_of([*last_words, cause or ""], command, service.directory)
        # Its output is shown with the service, whose last lines are now those of this command.
        raise PreparationFailed(
            f"{key} of {service.name} failed: `{command}` exited with code {code}"
            + (f": {cause}" if cause else ""),
            command=command,
            code=code,
            hint=remedy or (f"it printed nothing; it ran in {service.directory}" if silent else None),
        )


async def run_command(
    workshop: Workshop, command: str, key: str, output: int, *, hidden: tuple[str, ...] = ()
) -> int:
    """Run a command in the service's folder and environment; return its exit code. End it when cancelled."""
    spec = workshop.spec(command, key, hidden)
    stdin = os.open(os.devnull, os.O_RDONLY)
    try:
        process = spawn(spec, output=output, stdin=stdin, keep=())
    finally:
        os.close(stdin)
    with process:
        try:
            await exit_of(process)
        except asyncio.CancelledError:
            # By descent, not by the service's mark: a probe that takes too long must not end the service.
            await end_tree(process.identity, None, StopPolicy(), workshop.say)
            raise
        code = process.returncode()
    return -1 if code is None else code


def record_path(private: Path, service: str) -> Path:
    """Return the file that records the last set-up of a service."""
    return private / SETUP_FOLDER / f"{service}.json"


def read_record(path: Path) -> SetupRecord:
    """Return the record of the last set-up of a service; an empty record if there was none."""
    text = read_text(path)
    try:
        return msgspec.json.decode(text, type=SetupRecord) if text is not None else SetupRecord()
    except (msgspec.DecodeError, RecursionError):
        # The record only saves time: without it, the set-up runs once more.
        return SetupRecord()


def write_record(path: Path, record: SetupRecord) -> None:
    """Write the record of a set-up. Raise StateFileError."""
    write_atomically(path, msgspec.json.encode(record))


def existing(names: tuple[str, ...], service: Service) -> tuple[str, ...]:
    """Return those of these names that exist in a service's folder."""
    return tuple(name for name in names if (service.directory / name).exists())


def is_current(record: SetupRecord, service: Service, root: Path) -> bool:
    """Return whether the last set-up is still valid."""
    if not record.fingerprint:
        return False
    products = all((service.directory / name).exists() for name in record.products)
    return products and record.fingerprint == fingerprint(service, root)


def checksums(service: Service, root: Path) -> dict[str, int]:
    """Return the files that the set-up depends on, each with its checksum."""
    return {name: checksum_of(path) for name, path in inputs_of(service, root)}


def changed_inputs(private: Path, service: Service, root: Path) -> list[str]:
    """Return the files because of which the set-up of a service would run again: new, changed, or missing ones."""
    if not service.setup:
        return []
    record = read_record(record_path(private, service.name))
    if record.inputs is None:
        return []
    now = dict(inputs_of(service, root))
    different = [name for name, path in now.items() if record.inputs.get(name) != checksum_of(path)]
    gone = [name for name in (*record.inputs, *record.products) if not (service.directory / name).exists()]
    return [shown(os.path.normpath(service.directory / name), root) for name in (*different, *gone)]


def fingerprint(service: Service, root: Path) -> str:
    """Return a digest of everything that the set-up depends on."""
    digest = blake2b(digest_size=16)
    for command in service.setup:
        digest.update(command.encode() + b"\0")
    for name, path in inputs_of(service, root):
        digest.update(os.fsencode(name) + b"\0" + (read_bytes(path) or b"") + b"\0")
    return digest.hexdigest()
