"""What happens before a service's process starts: set-up when its inputs changed, one-shot commands each time."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import msgspec
from msgspec import Struct

from devinit.errors import PreparationFailed
from devinit.model.process import ProcessSpec
from devinit.model.service import Service, StopPolicy
from devinit.supervisor import logs
from devinit.supervisor.causes import cause_of
from devinit.supervisor.ending import end_tree, exit_of
from devinit.supervisor.log_keeper import LogKeeper
from devinit.supervisor.remedies import remedy_of
from devinit.supervisor.setup_inputs import inputs_of
from devinit.supervisor.turns import Turns
from devinit.system.descriptors import descriptors
from devinit.system.digest import blake2b
from devinit.system.files import read_bytes, read_text, write_atomically
from devinit.system.processes import spawn

PRODUCTS = (".venv", "venv", "node_modules")
"""Folders that set-up makes: it runs again when one that it made is gone."""


turns = Turns(lambda: descriptors.at_once() // 2)
"""Of set-ups and one-shots: each has its log and its process open."""
LAST_WORDS = 200
"""How many lines of the output are looked through for the cause of a failure."""


class SetupRecord(Struct, frozen=True):
    """The last set-up that succeeded."""

    fingerprint: str
    products: tuple[str, ...]


class Workshop(Struct, frozen=True, kw_only=True):
    """Where and how the commands of one service run."""

    service: Service
    root: Path
    """The project's folder."""
    spec: Callable[[str, str], ProcessSpec]
    """Returns how a command line is run; the second argument is the key that it stands under."""
    private: Path
    logs: LogKeeper
    marker: str
    say: Callable[[str], None]
    began: Callable[[int], None] = lambda _offset: None
    """Told where in the log the output of a command begins."""


async def set_up(workshop: Workshop) -> None:
    """Run the set-up commands unless nothing that they depend on has changed since they last succeeded."""
    service = workshop.service
    if not service.setup:
        return
    record_path = workshop.private / "setup" / f"{service.name}.json"
    if is_current(record_path, service, workshop.root):
        return
    for command in service.setup:
        workshop.say(f"setting up: {command}")
        await run_once(workshop, command, "setup")
    products = tuple(name for name in PRODUCTS if (service.directory / name).exists())
    record_path.parent.mkdir(mode=0o700, exist_ok=True)
    write_atomically(
        record_path, msgspec.json.encode(SetupRecord(fingerprint(service, workshop.root), products))
    )


async def run_one_shots(workshop: Workshop) -> None:
    """Run what the service wants done before each start, in order."""
    for command in workshop.service.before_start:
        workshop.say(f"running {command}")
        await run_once(workshop, command, "before_start")


async def run_once(workshop: Workshop, command: str, key: str) -> None:
    """Run a command to its end, its output in the service's log. Raise ServiceError when it fails."""
    async with turns.one():
        await run_in_turn(workshop, command, key)


async def run_in_turn(workshop: Workshop, command: str, key: str) -> None:
    """As `run_once`, once it is its turn."""
    service = workshop.service
    descriptor = workshop.logs.open(service)
    try:
        offset = workshop.logs.mark(service.name, descriptor, f"{service.name} {key}: {command}")
        workshop.began(offset)
        code = await run_command(workshop, command, key, descriptor)
        silent = os.fstat(descriptor).st_size <= offset
    finally:
        os.close(descriptor)
    if code != 0:
        last_words = logs.last_lines(logs.log_path(workshop.private, service.name), offset, LAST_WORDS)
        cause = cause_of(last_words, code)
        remedy = remedy_of([*last_words, cause or ""], command, service.directory)
        # What it printed is told with the service: its last lines are those of this command now.
        raise PreparationFailed(
            f"{key} of {service.name} failed: `{command}` exited with code {code}"
            + (f": {cause}" if cause else ""),
            command=command,
            code=code,
            hint=remedy or (f"it printed nothing; it ran in {service.directory}" if silent else None),
        )


async def run_command(workshop: Workshop, command: str, key: str, output: int) -> int:
    """Run a command in the service's folder and environment; return its exit code. Ended when cancelled."""
    spec = workshop.spec(command, key)
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


def is_current(record_path: Path, service: Service, root: Path) -> bool:
    """Whether the last set-up still holds."""
    text = read_text(record_path)
    if text is None:
        return False
    try:
        record = msgspec.json.decode(text, type=SetupRecord)
    except (msgspec.DecodeError, RecursionError):
        # Only a memory of ours that saves time: running set-up once more is the way out.
        return False
    products = all((service.directory / name).exists() for name in record.products)
    return products and record.fingerprint == fingerprint(service, root)


def fingerprint(service: Service, root: Path) -> str:
    """Return a digest of everything that set-up depends on."""
    digest = blake2b(digest_size=16)
    for command in service.setup:
        digest.update(command.encode() + b"\0")
    for name, path in inputs_of(service, root):
        digest.update(os.fsencode(name) + b"\0" + (read_bytes(path) or b"") + b"\0")
    return digest.hexdigest()
