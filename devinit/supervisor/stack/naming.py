"""Join a project with names to the gateway, and stay connected for as long as its services run.

The connection is the membership: when the supervisor ends, however it ends, the project has left. When the gateway
ends, this module starts it again. Without a gateway, services continue, and are reachable by their ports.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from contextlib import suppress
from typing import TYPE_CHECKING

from devinit.errors import ConfigError, DevinitError
from devinit.model.service import Project
from devinit.runtime.names import Naming as Names
from devinit.supervisor.stack.order import Order
from devinit.supervisor.stack.stack import Stack
from devinit.system.paths import socket_address

if TYPE_CHECKING:
    from devinit.control.async_client import AsyncClient

log = logging.getLogger(__name__)

AGAIN_SECONDS = 0.05
"""Pause before an ended gateway is started again; it doubles with each failure."""
LONGEST_SECONDS = 30.0
WITHDRAW_SECONDS = 0.3
"""How long a restart waits for the gateway to hold requests; then it continues without that."""


class Naming:
    """The membership of one project in the gateway."""

    def __init__(self, stack: Stack, tasks: asyncio.TaskGroup) -> None:
        self._stack, self._tasks = stack, tasks
        self._membership: asyncio.Task[None] | None = None
        self._joined: asyncio.Future[int] | None = None
        self._client: AsyncClient | None = None
        self._moved_to: int | None = None
        """The port of a later gateway, if it differs from that of the gateway joined first."""

    async def settle(self, project: Project, order: Order) -> None:
        """Join the gateway if the project or the order requests names, before values are derived from them.

        Raise ConfigError when the user has to do something first, such as installing Caddy.
        """
        self._stack.wants_names = self._stack.wants_names or order.names
        if not (project.names or self._stack.wants_names):
            self.leave()
            return
        wanted = self._stack.wants_names
        try:
            label = await asyncio.to_thread(_label_for, project)
            port = await self._port(project, label)
        except ConfigError:
            self.leave()
            raise
        except (DevinitError, OSError, LookupError, TypeError, ValueError) as error:
            self.leave()
            self._stack.wants_names = wanted
            text = error.message if isinstance(error, DevinitError) else str(error)
            self._stack.note_once(f"pages have no names now: {text}")
            return
        self._stack.stage.naming = Names(label=label, port=port)

    def settle_again(self, project: Project) -> None:
        """Adopt the names that services got from an earlier supervisor. Blocking."""
        if not (project.names or self._stack.wants_names):
            return
        from devinit.control.gateway import known  # few projects have names, here and below

        with suppress(DevinitError, OSError):
            if (gateway := known()) is not None:
                self._stack.stage.naming = Names(label=_label_for(project), port=gateway.port)

    async def go_on(self) -> None:
        """Join the gateway again after `settle_again`."""
        stage = self._stack.stage
        if stage.naming is not None and self._membership is None:
            with suppress(DevinitError, OSError):
                await self._port(stage.project, stage.naming.label)

    async def withdraw(self, names: Collection[str]) -> None:
        """Make the gateway hold requests to these services before a restart stops them."""
        if self._client is None or self._stack.stage.naming is None:
            return
        asked = {"label": self._stack.stage.naming.label, "services": [*names]}
        with suppress(DevinitError, OSError, TimeoutError):
            async with asyncio.timeout(WITHDRAW_SECONDS):
                await self._client.call("withdraw", asked)

    def leave(self) -> None:
        """Leave the gateway."""
        if self._membership is not None:
            self._membership.cancel()
            self._membership = None
        self._stack.stage.naming, self._joined = None, None
        self._stack.wants_names = False

    async def _port(self, project: Project, label: str) -> int:
        """Return the gateway's port once the project has joined it."""
        naming = self._stack.stage.naming
        if self._membership is not None and naming is not None and naming.label != label:
            self.leave()
        if self._membership is None or self._membership.done():
            self._joined, self._moved_to = asyncio.get_running_loop().create_future(), None
            self._membership = self._tasks.create_task(self._belong(project, label, self._joined))
        assert self._joined is not None  # noqa: S101  set where the membership is
        port = await asyncio.shield(self._joined)
        # It may have moved since the project joined for the first time.
        return self._moved_to or port

    async def _belong(self, project: Project, label: str, joined: asyncio.Future[int]) -> None:
        """Stay a member of the gateway, and start it again when it has ended."""
        pause = AGAIN_SECONDS
        while True:
            try:
                await self._belong_once(project, label, joined)
                pause = AGAIN_SECONDS
            except (DevinitError, OSError, LookupError, TypeError, ValueError) as error:
                if not joined.done():
                    joined.set_exception(error)
                    return
                log.warning("the gateway cannot be reached: %s", error)
                pause = min(2 * pause, LONGEST_SECONDS)
            await asyncio.sleep(pause)

    async def _belong_once(self, project: Project, label: str, joined: asyncio.Future[int]) -> None:
        # Few projects have names.
        from devinit.control.async_client import taken_over
        from devinit.control.gateway import running_or_started

        async with await taken_over(await asyncio.to_thread(running_or_started)) as client:
            root = str(await asyncio.to_thread(project.root.resolve))
            params = {"root": root, "project": project.name, "label": label, "socket": socket_address(root)}
            answer = await client.call("join", params)
            port = int(answer["port"])
            if not joined.done():
                joined.set_result(port)
            elif (naming := self._stack.stage.naming) is not None and naming.port != port:
                self._move(label, port)
            self._client = client
            try:
                await client.until_gone()
            finally:
                self._client = None
        log.info("the gateway has ended")

    def _move(self, label: str, port: int) -> None:
        """Publish names with a new port, after the gateway's former port was taken while it was down."""
        stage, self._moved_to = self._stack.stage, port
        stage.naming = Names(label=label, port=port)
        stage.publish()
        stage.note(
            f"pages have another port in their names now: {port}; restart what was given the former one"
        )


def _label_for(project: Project) -> str:
    from devinit.runtime.name_labels import label_for  # few projects have names

    return label_for(project)
