"""Checks which servers the services are connected to: after a service becomes ready, and when a client asks.

There is no timer beyond that. A program opens its first connections when it starts or when its first page is
requested; later connections are seen by the next `status`, `why` or `check`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Collection
from typing import TYPE_CHECKING

from devinit.kinds import kind_of
from devinit.supervisor.reporting.connections import CONNECTED

if TYPE_CHECKING:
    from devinit.model.process import ProcessIdentity
    from devinit.model.status import WrongServer
    from devinit.supervisor.diagnosis.peers import Own, Server
    from devinit.supervisor.service.runner import Runner
    from devinit.supervisor.stack.fixed_addresses import FixedAddresses
    from devinit.supervisor.stack.stack import Stack

log = logging.getLogger(__name__)

AFTER_SECONDS = (0.2, 3.0)
"""Delays after a service becomes ready: for connections that it opens at once, and for those of its first
requests.
"""

Trees = dict[str, tuple["ProcessIdentity | None", str]]
"""Service → its process and the mark of its processes."""


class PeerLooks:
    """The connection checks of one supervisor."""

    def __init__(self, stack: Stack, fixed: FixedAddresses, tasks: asyncio.TaskGroup) -> None:
        self._stack, self._stage, self._fixed, self._tasks = stack, stack.stage, fixed, tasks
        self._due: list[float] = []
        """Loop times of the scheduled checks: at most two, however many services become ready."""
        self._coming: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()
        self._began = -1.0
        """Loop time at which the last check began."""
        self._known: dict[int, Server] = {}
        """Inode of a listening socket → its server, as long as one of our services is connected to it."""
        self._judged: dict[str, tuple[ProcessIdentity | None, list[WrongServer]]] = {}
        """Service → its process at the last check, and the findings before they were explained."""
        self._told: dict[str, list[WrongServer]] = {}

    def soon(self) -> None:
        """Schedule two checks: one shortly, and one a little later."""
        now = asyncio.get_running_loop().time()
        first, second = AFTER_SECONDS
        self._due = [*(self._due[:1] or [now + first]), now + second]
        if self._coming is None or self._coming.done():
            self._coming = self._tasks.create_task(self._come())

    async def _come(self) -> None:
        clock = asyncio.get_running_loop().time
        while self._due:
            await asyncio.sleep(max(0.0, self._due[0] - clock()))
            del self._due[0]
            await self.look()

    async def look(self) -> None:
        """Check now, once for all callers that ask at the same time."""
        clock = asyncio.get_running_loop().time
        asked = clock()
        async with self._turn:
            if self._began > asked:
                return
            self._began = clock()
            try:
                await self._look()
            except Exception:
                # No descriptors or threads are left, or it is a defect: the supervision of the services must go
                # on.
                log.exception("it cannot be seen which servers the services use")

    async def _look(self) -> None:
        runners = {name: each for name, each in self._stack.runners.items() if each.phase in CONNECTED}
        clients = [name for name, each in runners.items() if each.is_program]
        for name in self._told.keys() - set(clients):
            self._tell(name, [])
            self._judged.pop(name, None)
        if not clients:
            return
        trees = {name: (each.run.identity, self._stage.marker(name)) for name, each in runners.items()}
        seen = await asyncio.to_thread(self._seen, trees, clients)
        # A service may have been removed from the configuration meanwhile.
        runners = {name: each for name, each in runners.items() if self._stack.runners.get(name) is each}
        own = [self._own(each) for each in runners.values()] if any(seen.values()) else []
        for name, servers in seen.items():
            runner = runners.get(name)
            if runner is not None and runner.phase in CONNECTED and runner.run.identity == trees[name][0]:
                await self._judge(runner, servers, own)

    def _seen(self, trees: Trees, clients: Collection[str]) -> dict[str, list[Server]]:
        """Return the servers that each client is connected to. Blocking."""
        from devinit.system.peers import client_ends, peers_of  # a start does not wait for these
        from devinit.system.procfs import LINUX
        from devinit.system.tree import ProcessTable

        ends = client_ends()
        if LINUX and not ends:
            self._known = {}
            return {name: [] for name in clients}
        table = ProcessTable()
        pids = {
            name: [each.pid for each in table.members_of(identity, mark)]
            for name, (identity, mark) in trees.items()
        }
        peers = peers_of({name: pids[name] for name in clients}, ends)
        used = frozenset().union(*peers.values())
        known = {inode: found for inode, found in self._known.items() if any(inode == p.inode for p in used)}
        new = [peer for peer in used if peer.inode not in known]
        if new:
            from devinit.supervisor.stack.peer_servers import servers_at  # as above

            known |= servers_at(new, pids, str(self._stage.root))
        self._known = known
        return {name: [known[peer.inode] for peer in peers[name]] for name in clients}

    def _own(self, runner: Runner) -> Own:
        from devinit.supervisor.diagnosis.peers import Own  # as above

        service, endpoint = runner.service, self._stage.endpoint(runner.name)
        return Own(
            name=runner.name,
            kind=kind_of(service),
            host=endpoint.host,
            port=endpoint.port,
            preferred=service.port.preferred if service.port else None,
            is_elsewhere=service.external_url is not None,
        )

    async def _judge(self, runner: Runner, servers: list[Server], own: Collection[Own]) -> None:
        if not servers:
            runner.history.talks_to = []
            self._judged.pop(runner.name, None)
            self._tell(runner.name, [])
            return
        from devinit.supervisor.diagnosis.peers import service_at, wrong_servers  # as above

        names = {service_at(each, own) for each in servers} - {None, runner.name}
        runner.history.talks_to = sorted(name for name in names if name is not None)
        found = wrong_servers(servers, own, (), self._stage.project.name)
        judged = (runner.run.identity, found)
        if found and self._judged.get(runner.name) == judged:
            # The reloader started the program again, so its history is new.
            runner.history.wrong_servers = self._told.get(runner.name, [])
            return
        self._judged[runner.name] = judged
        if found:
            # Few services need the following, which reads files.
            from devinit.supervisor.stack.peer_evidence import explained

            constants = await self._fixed.of(runner.service)
            found = explained(servers, own, runner.service, constants, self._stage)
        self._tell(runner.name, found)

    def _tell(self, name: str, found: list[WrongServer]) -> None:
        runner = self._stack.runners.get(name)
        if runner is not None:
            runner.history.wrong_servers = found
        if found == self._told.get(name, []):
            return
        if found:
            self._told[name] = found
        else:
            del self._told[name]
        self._stage.broadcaster.tell(
            {"type": "wrong_servers", "at": time.time(), "service": name, "servers": found}
        )
