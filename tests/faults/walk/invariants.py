"""The invariants that hold whatever happens. Each check yields its violations as text; none are expected."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from io import StringIO
from typing import TYPE_CHECKING

import psutil
from dotenv import dotenv_values

if TYPE_CHECKING:
    from tests.faults.walk.world import Json, World

LARGEST_SUPERVISOR_BYTES = 120_000_000
SECOND_SUPERVISOR_SECONDS = 5.0
DEFECTS = (
    "Traceback (most recent call last)",
    "this is a defect of devinit",
    "failed inside the supervisor",
    "no end within",
)


def violations(world: World) -> Iterator[str]:
    """Check everything once."""
    while world.blamed:
        yield world.blamed.pop()
    yield from in_what_was_said(world)
    status = world.status()
    yield from in_what_was_said(world)
    yield from in_files(world)
    yield from in_processes(world, status)
    yield from in_data(world, status)


def after_stop(world: World) -> Iterator[str]:
    """Check for remains after everything was stopped."""
    for name, left in world.members().items():
        yield f"after stop {len(left)} processes of {name} are left: {[each.pid for each in left]}"
    if leased := world.leased():
        yield f"after stop these ports are still leased: {leased}"


def in_what_was_said(world: World) -> Iterator[str]:
    """Check that no command ended in a defect, or not at all, and that the supervisor's log shows none."""
    while world.said:
        said = world.said.pop()
        for defect in DEFECTS:
            if defect in said.talk or defect in said.out:
                yield f"`devinit {' '.join(said.words)}` said: {said.talk[-2000:]}"
    log = world.supervisor_log
    with suppress(OSError):
        text = log.read_text(errors="replace")
        if "Traceback (most recent call last)" in text:
            log.write_text("")
            yield f"the supervisor's log has a traceback: {text[text.index('Traceback') :][:3000]}"


def in_files(world: World) -> Iterator[str]:
    """Check that devinit's files are readable."""
    for path in (world.root / ".ports.json", world.state / "state.json"):
        with suppress(FileNotFoundError):
            text = path.read_text(errors="replace")
            try:
                json.loads(text)
            except ValueError:
                yield f"{path} cannot be read: {text[:200]!r}"
    with suppress(FileNotFoundError):
        values = dotenv_values(stream=StringIO((world.root / ".env.runtime").read_text(errors="replace")))
        if values and None in values.values():
            yield f".env.runtime cannot be read: {[name for name, value in values.items() if value is None]}"


def in_processes(world: World, status: Json) -> Iterator[str]:
    """Check for one supervisor of limited size, and one instance of each service, on its own port."""
    supervisors = settled_supervisors(world)
    if len(supervisors) > 1:
        yield f"{len(supervisors)} supervisors: {[each.pid for each in supervisors]}"
    for each in supervisors:
        with suppress(psutil.Error):
            if (size := each.memory_info().rss) > LARGEST_SUPERVISOR_BYTES:
                yield f"the supervisor has grown to {size / 1e6:.0f} MB"
    services = status.get("services", [])
    ready = {each["name"] for each in services if each["phase"] == "ready"}
    for name, members in world.members().items():
        if name in ready and len(roots := firsts(members)) > 1 and name != "stubborn":
            yield f"{len(roots)} instances of {name}: {roots}"
    ports = [each["port"] for each in services if each["port"] is not None]
    if len(ports) != len(set(ports)):
        yield f"one port twice: {ports}"


def in_data(world: World, status: Json) -> Iterator[str]:
    """Check that every committed row and every acknowledged write exists."""
    for each in status.get("services", []):
        if each["phase"] != "ready":
            continue
        match each["name"]:
            case "postgres":
                rows = world.commit_row(each["port"])
                if rows is not None and rows <= world.rows:
                    yield f"{world.rows} rows were committed, {rows - 1} were there"
                world.rows = rows or world.rows
            case "redis":
                visits = world.count_visit(each["port"])
                if visits is not None and visits <= world.visits:
                    yield f"{world.visits} visits were acknowledged, {visits - 1} were there"
                world.visits = visits or world.visits


def settled_supervisors(world: World) -> list[psutil.Process]:
    """Return the supervisors that persist: a command may start one before it finds that one runs already."""
    deadline = time.monotonic() + SECOND_SUPERVISOR_SECONDS
    while len(found := world.supervisors()) > 1 and time.monotonic() < deadline:
        psutil.wait_procs(found, timeout=0.1)
    return found


def firsts(members: list[psutil.Process]) -> list[int]:
    """Return the processes without a parent in the same service."""
    pids = {each.pid for each in members}
    found = []
    for each in members:
        with suppress(psutil.Error):
            if each.ppid() not in pids:
                found.append(each.pid)
    return found
