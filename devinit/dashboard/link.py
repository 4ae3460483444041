"""The dashboard's line to the supervisor: one subscription that comes back, and a connection for each order.

Orders are sent one after the other, in the order in which they are given; their answers come in any order.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from msgspec import Struct

from devinit.control.async_client import AsyncClient, Json, connected
from devinit.control.elsewhere import out_of_reach
from devinit.errors import DevinitError, SupervisorError

SENDING_SECONDS = 3.0
"""How long leaving waits for orders to be sent: a supervisor that has to be started first takes less."""
LOOK_SECONDS = 1.0
"""How often it is looked whether another command has started a supervisor again."""


class Found(Struct, frozen=True):
    """The supervisor answers: what runs, and the runtime environment."""

    status: Json
    environment: dict[str, str]
    out_of_reach: str = ""
    """Why its services cannot be reached from here, if they run in another container."""


class Happened(Struct, frozen=True):
    """The supervisor tells an event."""

    event: Json


class Gone(Struct, frozen=True):
    """No supervisor answers any more, or none could be started."""

    message: str
    hint: str = ""
    again: str = "tries again"
    """What Ctrl-R does about it."""


GONE = Gone("The supervisor is gone", "what runs keeps running", "starts one that takes over what runs")
News: TypeAlias = Found | Happened | Gone
Tell: TypeAlias = Callable[[News], None]


class Link(Protocol):
    """What the dashboard needs of a supervisor; tests have one without processes."""

    async def follow(self, tell: Tell) -> None:
        """Tell what happens, for ever."""
        ...

    async def ask(self, method: str, params: Json | None = None) -> Any:
        """Ask a question that is answered at once. Raise DevinitError. Any: whatever came off the wire."""
        ...

    async def order(self, method: str, params: Json) -> Any:
        """Order something that takes its time, after everything that was ordered before. Raise DevinitError.

        Any: as above.
        """
        ...

    async def until_sent(self) -> None:
        """Return when every order that was given is on its way, or after a moment."""
        ...

    def revive(self) -> None:
        """Start a supervisor if there is none."""
        ...


class SupervisorLink:
    """The line to the supervisor of a checkout."""

    def __init__(self, root: Path, environ: dict[str, str], profile: str | None) -> None:
        self._root = root
        self._environ = environ
        self._profile = profile
        self._client: AsyncClient | None = None
        self._unsent: set[asyncio.Event] = set()
        """Orders that were given and are not on their way yet; each is set when it is."""
        self._revival = asyncio.Event()
        # A user who opens the dashboard wants a supervisor to talk to.
        self._revival.set()

    async def follow(self, tell: Tell) -> None:
        """Keep a subscription over deaths and returns of the supervisor."""
        while True:
            wanted = self._revival.is_set()
            self._revival.clear()
            try:
                async with self._connection(lambda event: tell(Happened(event)), start=wanted) as client:
                    self._client = client
                    await self._subscribe(client, tell)
                    await client.until_gone()
                tell(GONE)
            except NobodyThere:
                pass
            except DevinitError as error:
                tell(Gone(error.message, error.hint or ""))
            finally:
                self._client = None
            await self._pause()

    async def ask(self, method: str, params: Json | None = None) -> Any:
        """Ask over the connection that is there."""
        if self._client is None:
            raise SupervisorError("there is no supervisor to ask", hint="Esc, then Ctrl-R starts one")
        return await self._client.call(method, params)

    async def order(self, method: str, params: Json) -> Any:
        """Order something on a connection of its own, so that its events do not come twice."""
        if method in ("start", "restart"):
            params = {"environ": self._environ, "profile": self._profile, **params}
        sent = asyncio.Event()
        earlier = tuple(self._unsent)
        self._unsent.add(sent)
        try:
            # The last key wins: what is connected first must not arrive first.
            await all_set(earlier)
            async with self._connection(None, start=True) as client:
                if method in ("start", "restart") and client.greeting.is_out_of_reach:
                    # As in commands: a start promises services that answer here.
                    raise out_of_reach(client.greeting)
                return await client.call(method, params, sent.set)
        finally:
            self._unsent.discard(sent)
            sent.set()

    async def until_sent(self) -> None:
        """Wait for the orders that are not on their way yet."""
        with suppress(TimeoutError):
            async with asyncio.timeout(SENDING_SECONDS):
                await all_set(tuple(self._unsent))

    def revive(self) -> None:
        """Start a supervisor with the next look."""
        self._revival.set()

    async def _subscribe(self, client: AsyncClient, tell: Tell) -> None:
        # Before anything else: a supervisor that was only just started reads the configuration for it.
        environment = await client.call("environment", {"environ": self._environ, "profile": self._profile})
        status = await client.call("subscribe")
        elsewhere = out_of_reach(client.greeting).message if client.greeting.is_out_of_reach else ""
        tell(Found(status, environment, elsewhere))

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                await self._revival.wait()
        except TimeoutError:
            pass

    @asynccontextmanager
    async def _connection(
        self, on_event: Callable[[Json], None] | None, *, start: bool
    ) -> AsyncIterator[AsyncClient]:
        client = await connected(self._root, on_event, start=start)
        if client is None:
            raise NobodyThere
        async with client:
            yield client


async def all_set(events: Iterable[asyncio.Event]) -> None:
    """Return when each of these has happened."""
    for event in events:
        await event.wait()


class NobodyThere(Exception):
    """No supervisor listens, and none was to be started."""
