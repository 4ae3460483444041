"""One-shots that run only once on the same data: the record of the last run, and whether it still applies.

The record names the data: a recreated database has another identity, so the one-shot runs on it again. Only an end
with code 0 is recorded.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from devinit.errors import DevinitError
from devinit.kinds import kind_of
from devinit.model.service import Project, Service
from devinit.supervisor.project.project_state import ProjectState
from devinit.system.files import read_text, write_atomically

if TYPE_CHECKING:
    from devinit.supervisor.service.runner import Runner


class Done(Struct, frozen=True):
    """The last end of a one-shot with code 0, and the data on which it ran."""

    at: float
    """Unix time."""
    data: dict[str, str]
    """Service → identity of its data; empty if no server of the project keeps data."""


class Once:
    """The decision whether the one-shot of a service has to run on the present data."""

    def __init__(self, runner: Runner, stage: ProjectState) -> None:
        self._runner, self._stage = runner, stage
        self._data: dict[str, str | None] = {}
        """The identities of the data before the run, which may change them."""

    async def said(self) -> str | None:
        """Return the reason why a one-shot is done already; None when it has to run on the present data."""
        service = self._runner.service
        if not service.once:
            return None
        self._data = await asyncio.to_thread(_data_of, service, self._stage)
        done = _read(record_path(self._stage.private, service.name))
        if done is None or not is_same_data(done.data, self._data):
            return None
        return describe(done.at, service.name)

    def ended(self, code: int | None) -> None:
        """Record an end with code 0, unless the identity of the data is unknown."""
        service = self._runner.service
        known = {name: each for name, each in self._data.items() if each is not None}
        if not service.once or code != 0:
            return
        if len(known) < len(self._data):
            names = ", ".join(self._data.keys() - known.keys())
            self._stage.note(
                f"{service.name} ran, and runs again at the next start: it is not known which data {names} has; "
                f"with `depends_on` it waits for {names}",
                service.name,
            )
            return
        path = record_path(self._stage.private, service.name)
        try:
            path.parent.mkdir(mode=0o700, exist_ok=True)
            write_atomically(path, msgspec.json.encode(Done(time.time(), known)))
        except (OSError, DevinitError) as error:
            self._stage.note(f"{service.name} runs again at the next start: {error}", service.name)


def describe(at: float, name: str) -> str:
    """Describe when a one-shot ran. `at`: Unix time."""
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(at))
    return f"ran on {when}, once; `devinit restart {name}` runs it again"


def forget(private: Path, name: str) -> None:
    """Let a one-shot run again because an order has named it."""
    record_path(private, name).unlink(missing_ok=True)


def record_path(private: Path, name: str) -> Path:
    """Return the file that records the last success of a one-shot."""
    return private / "once" / f"{name}.json"


def is_same_data(before: Mapping[str, str], now: Mapping[str, str | None]) -> bool:
    """Return whether a one-shot has run on the present data. Pure.

    A server that was added since does not make it run again. Neither does a server that cannot identify its data
    now: running twice does more harm than not running.
    """
    if not before:
        return not now
    return all(name in now and now[name] in (None, identity) for name, identity in before.items())


def servers_of(service: Service, project: Project) -> list[str]:
    """Return the services whose data a one-shot works on. Pure.

    They are the databases among its dependencies, direct or indirect, else the other servers of data among these.
    If it depends on none, they are those of the project. A seed does not fill a cache beside a database.
    """
    databases = [name for name, each in project.services.items() if kind_of(each).has_databases]
    keeping = [name for name, each in project.services.items() if kind_of(each).keeps_data]
    reached: dict[str, None] = {}
    pending = list(service.depends_on)
    while pending:
        name = pending.pop()
        if name not in reached and name in project.services:
            reached[name] = None
            pending.extend(project.services[name].depends_on)
    for names in (databases, keeping):
        if found := [name for name in names if name in reached]:
            return found
    return databases or keeping


def _data_of(service: Service, stage: ProjectState) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for name in servers_of(service, stage.project):
        server = stage.project.services[name]
        try:
            found[name] = stage.provider(server).data_identity(server, stage.endpoint(name), stage.place())
        except (OSError, DevinitError):
            found[name] = None
    return found


def _read(path: Path) -> Done | None:
    if not os.path.lexists(path):
        return None
    try:
        return msgspec.json.decode(read_text(path) or "", type=Done)
    except (msgspec.DecodeError, RecursionError, DevinitError):
        return None  # it is only our own record, and is written again
