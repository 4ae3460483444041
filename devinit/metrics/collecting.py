"""Collect the measurements: ask each running supervisor, and read recorded statistics. Nothing is started."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from devinit.control import api, checkouts
from devinit.control.client import Client
from devinit.control.launch import connect_to
from devinit.errors import DevinitError, SupervisorError
from devinit.logs import log_path
from devinit.metrics.families import Measured
from devinit.model.status import ServiceStatus
from devinit.ports import statistics
from devinit.system.paths import project_id

if TYPE_CHECKING:
    from devinit.control.wire import Json

PATIENCE_SECONDS = 3.0
"""How long one supervisor may take to answer."""
_BLOCK = 512
"""Bytes of a block as counted by stat(2)."""


def collect() -> list[Measured]:
    """Return the measurements of every checkout in which devinit was started or a program got a port."""
    projects = {each.root: each.project for each in checkouts.recorded()}
    counted = {each.root: each for each in statistics.of_all()}
    known = {root: each.project for root, each in counted.items()} | projects
    return [
        _measured(root, project, counted.get(root, statistics.Statistics()))
        for root, project in sorted(known.items(), key=lambda each: (each[1], each[0]))
    ]


def _measured(root: str, project: str, counted: statistics.Statistics) -> Measured:
    services: list[ServiceStatus] = []
    ready: dict[str, float] = {}
    try:
        client = connect_to(root)
        if client is not None:
            try:
                services = api.status(client, measure=True, tick=_patience())["services"]
                ready = _ready_seconds(client)
            finally:
                client.close()
    except DevinitError:
        pass  # another user's or version's supervisor, or one that hangs: report the recorded numbers only
    return Measured(
        project=project,
        checkout=project_id(root),
        statistics=counted,
        services=tuple(services),
        ready_seconds=ready,
        log_bytes={each["name"]: _bytes_of_logs(root, each["name"]) for each in services},
    )


def _ready_seconds(client: Client) -> dict[str, float]:
    found: dict[str, float] = {}

    def see(event: Json) -> None:
        if event.get("type") == "phase" and event.get("ready_seconds") is not None:
            found[event["service"]] = event["ready_seconds"]

    client.call("events", {"after": 0.0}, see, _patience())
    return found


def _bytes_of_logs(root: str, service: str) -> int:
    """Return the disk space of a log and its older parts; a beginning that was punched out takes none."""
    path = log_path(root, service)
    return sum(each.st_blocks * _BLOCK for each in _files(path))


def _files(path: str) -> Iterator[os.stat_result]:
    folder, name = os.path.split(path)
    try:
        names = os.listdir(folder)  # noqa: PTH208 - paths are text here
    except OSError:
        return
    for each in names:
        if each == name or (each.startswith(f"{name}.") and each.removeprefix(f"{name}.").isdecimal()):
            try:
                yield os.lstat(os.path.join(folder, each))  # noqa: PTH118
            except OSError:
                continue  # it was just renamed


def _patience() -> Callable[[], None]:
    deadline = time.monotonic() + PATIENCE_SECONDS

    def tick() -> None:
        if time.monotonic() > deadline:
            raise SupervisorError(f"the supervisor does not answer within {PATIENCE_SECONDS:g} s")

    return tick
