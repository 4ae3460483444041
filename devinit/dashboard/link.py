"""The dashboard's connection to the supervisor: one subscription that reconnects, and one connection per order.

Orders are sent in the order in which they are given; their answers arrive in any order.
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
"""The time that leaving waits for orders to be sent, enough for a supervisor that has to be started first."""
LOOK_SECONDS = 1.0
"""The interval of checks whether another command has started a supervisor."""


class Found(Struct, frozen=True):
    """News that the supervisor answers, with its status and the runtime environment."""

    status: Json
    environment: dict[str, str]
    out_of_reach: str = ""
    """The reason why its services cannot be reached from here, if they run in another container."""


class Happened(Struct, frozen=True):
    """News of an event from the supervisor."""

    event: Json


class Gone(Struct, frozen=True):
    """News that no supervisor answers any more, or that none could be started."""

    message: str
    hint: str = ""
    again: str = "tries again"
    """The effect of Ctrl-R."""


GONE = Gone("The supervisor is gone", "what runs keeps running", "starts one that takes over what runs")
News: TypeAlias = Found | Happened | Gone
Tell: TypeAlias = Callable[[News], None]


class Link(Protocol):
    """The interface to a supervisor; tests implement it without processes."""

    async def follow(self, tell: Tell) -> None:
        """Report news, for ever."""
        ...

    async def ask(self, method: str, params: Json | None = None) -> Any:
        """Send a request that is answered at once. Raise DevinitError. Any: data from the wire."""
        ...

    async def order(self, method: str, params: Json) -> Any:
        """Send a request that takes time, after all earlier orders. Raise DevinitError.

        Any: as above.
        """
        ...

    async def until_sent(self) -> None:
        """Return when every order has been sent, or after a time-out."""
        ...

    def revive(self) -> None:
        """Start a supervisor if there is none."""
        ...


class SupervisorLink:
    """The connection to the supervisor of a checkout."""

    def __init__(self, root: Path, environ: dict[str, str], profile: str | None) -> None:
        self._root = root
        self._environ = environ
        self._profile = profile
        self._client: AsyncClient | None = None
        self._unsent: set[asyncio.Event] = set()
        """Orders that have not been sent yet; each event is set when its order is sent."""
        self._revival = asyncio.Event()
        # A user who opens the dashboard wants a supervisor.
        self._revival.set()

    async def follow(self, tell: Tell) -> None:
        """Keep a subscription across deaths and restarts of the supervisor."""
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
        """Send a request over the existing connection."""
        if self._client is None:
            raise SupervisorError("there is no supervisor to ask", hint="Esc, then Ctrl-R starts one")
        return await self._client.call(method, params)

    async def order(self, method: str, params: Json) -> Any:
        """Send an order on its own connection, so that its events do not arrive twice."""
        if method in ("start", "restart"):
            params = {"environ": self._environ, "profile": self._profile, **params}
        sent = asyncio.Event()
        earlier = tuple(self._unsent)
        self._unsent.add(sent)
        try:
            # The last key wins, so an order must not overtake earlier ones by connecting sooner.
            await all_set(earlier)
            async with self._connection(None, start=True) as client:
                if method in ("start", "restart") and client.greeting.is_out_of_reach:
                    # As in commands, a start promises services that answer here.
                    raise out_of_reach(client.greeting)
                return await client.call(method, params, sent.set)
        finally:
            self._unsent.discard(sent)
            sent.set()

    async def until_sent(self) -> None:
        """Wait for the orders that have not been sent yet."""
        with suppress(TimeoutError):
            async with asyncio.timeout(SENDING_SECONDS):
                await all_set(tuple(self._unsent))

    def revive(self) -> None:
        """Start a supervisor at the next check."""
        self._revival.set()

    async def _subscribe(self, client: AsyncClient, tell: Tell) -> None:
        # First of all: a supervisor that was just started reads the configuration for this request.
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
    """Return when all events are set."""
    for event in events:
        await event.wait()


class NobodyThere(Exception):
    """The error that no supervisor listens, and none was to be started."""
