"""The projects that have joined the gateway, each with the status that its supervisor reports."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path
from typing import Any

from msgspec import Struct

from devinit.control.async_client import AsyncClient, taken_over
from devinit.control.client import connect
from devinit.errors import DevinitError
from devinit.gateway.caddy.routes import Target
from devinit.gateway.snapshot import ServiceNow, origins_of, services_of, targets_of
from devinit.gateway.withdrawals import Withdrawals
from devinit.model.status import ProjectStatus

log = logging.getLogger(__name__)

AGAIN_SECONDS = 0.2
ANSWER_SECONDS = 1.0
REJOIN_SECONDS = 5.0
"""How long a project of the previous gateway may take to join again."""
FOLLOWED = frozenset({"phase", "port", "port_info", "environment", "summary", "plan"})
"""Events after which the status of a project may have changed."""


class Joining(Struct, frozen=True, kw_only=True):
    """The request of a project to join."""

    root: str
    project: str
    label: str
    socket: str


class Withdrawn(Struct, frozen=True, kw_only=True):
    """The request of a project to hold requests to services that it is about to restart."""

    label: str
    services: tuple[str, ...]


class Joined:
    """One project that has joined."""

    def __init__(self, joining: Joining, on_change: Callable[[Joined], None]) -> None:
        self.joining, self._on_change = joining, on_change
        self.status: ProjectStatus | None = None
        self.targets: list[Target] = []
        self.services: dict[str, ServiceNow] = {}
        self.sequence = 0
        """Number of changes so far."""
        self.client: AsyncClient | None = None
        self._stale = asyncio.Event()
        self._dialled: dict[int, str] = {}
        self._withdrawals = Withdrawals()
        self._changes = asyncio.Condition()
        self.is_gone = False

    def origins(self, port: int) -> frozenset[str]:
        """Return the origins of the project's pages. `port`: the gateway's port."""
        hosts = [host for target in self.targets for host in target.hosts]
        return origins_of(self.services.values(), hosts, port)

    def target(self, service: str) -> Target | None:
        """Return the target of a service; None if it is not served by name."""
        return next((each for each in self.targets if each.service == service), None)

    def is_returning(self, service: str) -> bool:
        """Whether a service is stopped only to be started again."""
        return self.status is not None and service in self.status.get("returning", [])

    def phase(self, service: str) -> str:
        """Return the phase of a service, or of the service that has an extra port of that name."""
        name = service.partition(".")[0]
        rows = self.status["services"] if self.status else ()
        return next((each["phase"] for each in rows if each["name"] == name), "stopped")

    def reason(self, service: str) -> str | None:
        """Return the reason of a service's phase."""
        for each in self.status["services"] if self.status else ():
            if each["name"] == service:
                return each["reason"]
        return None

    async def changes_after(self, sequence: int) -> None:
        """Wait until the project has changed after `sequence`, or is gone."""
        async with self._changes:
            await self._changes.wait_for(lambda: self.sequence != sequence or self.is_gone)

    async def follow(self) -> None:
        """Follow the supervisor's reports, reconnecting after errors, until this is cancelled."""
        while True:
            try:
                await self._follow_once()
            except (DevinitError, OSError) as error:
                log.info("%s: %s", self.joining.root, error)
            await asyncio.sleep(AGAIN_SECONDS)

    async def _follow_once(self) -> None:
        found = await asyncio.to_thread(connect, self.joining.socket)
        if found is None:
            return
        async with await taken_over(found, self._happened) as client:
            self.client = client
            try:
                await self._take(await client.call("subscribe"))
                gone = asyncio.ensure_future(client.until_gone())
                try:
                    while not gone.done():
                        stale = asyncio.ensure_future(self._stale.wait())
                        await asyncio.wait((stale, gone), return_when=asyncio.FIRST_COMPLETED)
                        stale.cancel()
                        if self._stale.is_set():
                            self._stale.clear()
                            await self._take(await client.call("status", {"measure": False}))
                finally:
                    gone.cancel()
            finally:
                self.client = None

    def _happened(self, event: dict[str, Any]) -> None:  # Any: an event of the wire
        if event.get("type") in FOLLOWED:
            self._stale.set()

    async def _take(self, status: ProjectStatus) -> None:
        before, self.status = self.services, status
        await self._find_families(status)
        self._withdrawals.see(status, time.monotonic())
        self.targets = self._withdrawals.applied(targets_of(self.joining.label, status, self._dialled))
        self.services = services_of(status, before, time.time())
        async with self._changes:
            # Also without a change of services: held requests wait for other parts of the status, too.
            self.sequence += 1
            self._changes.notify_all()
        self._on_change(self)

    async def _find_families(self, status: ProjectStatus) -> None:
        """Find the ports that answer only on ::1, as servers on `localhost` of Node before version 20."""
        for row in status["services"]:
            port = row["port"]
            if row["phase"] != "ready" or port is None or not row.get("hosts") or port in self._dialled:
                continue
            for address, dialled in (("127.0.0.1", "127.0.0.1"), ("::1", "[::1]")):
                with suppress(OSError, TimeoutError):
                    async with asyncio.timeout(ANSWER_SECONDS):
                        _, writer = await asyncio.open_connection(address, port)
                    writer.close()
                    self._dialled[port] = dialled
                    break
        ready = {row["port"] for row in status["services"] if row["phase"] == "ready"}
        self._dialled = {port: each for port, each in self._dialled.items() if port in ready}

    def withdraw(self, services: Collection[str]) -> None:
        """Hold requests to services from now on, as these are about to be restarted."""
        self._withdrawals.begin(services, time.monotonic())
        self.targets = self._withdrawals.applied(self.targets)
        self._on_change(self)

    async def leave(self) -> None:
        """Mark the project as gone, and wake up everything that waits for a change."""
        async with self._changes:
            self.is_gone = True
            self._changes.notify_all()


class Projects:
    """All joined projects, by label."""

    def __init__(self, on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self._joined: dict[str, Joined] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._ends: set[asyncio.Task[None]] = set()
        self._arrivals = asyncio.Condition()
        self.port = 0

    async def join(self, joining: Joining) -> Joined:
        """Add a project; it replaces the entry of an earlier supervisor of the same project."""
        if joining.label in self._joined:
            self.part(self._joined[joining.label])
        joined = Joined(joining, lambda _: self._on_change())
        self._joined[joining.label] = joined
        self._tasks[joining.label] = asyncio.create_task(joined.follow())
        async with self._arrivals:
            self._arrivals.notify_all()
        log.info("%s joins as %s", joining.root, joining.label)
        return joined

    def part(self, joined: Joined) -> None:
        """Remove a project."""
        label = joined.joining.label
        if self._joined.get(label) is not joined:
            return
        del self._joined[label]
        self._tasks.pop(label).cancel()
        end = asyncio.create_task(joined.leave())
        self._ends.add(end)
        end.add_done_callback(self._ends.discard)
        log.info("%s leaves", joined.joining.root)
        self._on_change()

    def all(self) -> list[Joined]:
        """Return every project, sorted by label."""
        return [self._joined[label] for label in sorted(self._joined)]

    def called(self, label: str) -> Joined | None:
        """Return a project by its label."""
        return self._joined.get(label)

    async def awaited(self, label: str) -> Joined | None:
        """Return a project, waiting a while for it: the projects of a killed gateway are about to join again."""
        if not label or label in self._joined:
            return self._joined.get(label)
        with suppress(TimeoutError):
            async with asyncio.timeout(REJOIN_SECONDS), self._arrivals:
                await self._arrivals.wait_for(lambda: label in self._joined)
        return self._joined.get(label)

    def are_known(self, labels: Collection[str]) -> bool:
        """Whether all these projects have joined, and have services with names."""
        return all(label in self._joined and self._joined[label].targets for label in labels)

    def at(self, root: str) -> Joined | None:
        """Return the project with this folder."""
        real = Path(root)
        return next((each for each in self._joined.values() if Path(each.joining.root) == real), None)

    def targets(self) -> list[Target]:
        """Return all services that are served by name."""
        return [target for each in self.all() for target in each.targets]
