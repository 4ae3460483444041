"""Specifies `devinit.control.async_client`: one connection for many requests, and events meanwhile."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from devinit.control.async_client import AsyncClient, taken_over
from devinit.control.client import RemoteError, connect
from devinit.errors import SupervisorError
from tests.control.conftest import NONSENSE

if TYPE_CHECKING:
    from tests.conftest import Machine
    from tests.control.conftest import House

pytestmark = pytest.mark.timeout(120)


class Heard(asyncio.Queue[dict[str, Any]]):
    """Events as they come."""


async def client_of(house: House, heard: Heard | None = None) -> AsyncClient:
    greeted = await asyncio.to_thread(connect, house.path)
    assert greeted is not None
    return await taken_over(greeted, heard.put_nowait if heard is not None else None)


class TestARequest:
    async def test_is_answered(self, house: House) -> None:
        async with await client_of(house) as client:
            assert await client.call("names", {"services": ["web"]}) == ["web"]

    async def test_overtakes_one_that_takes_longer(self, house: House) -> None:
        async with await client_of(house) as client, asyncio.TaskGroup() as tasks:
            slow = tasks.create_task(client.call("wait"))

            assert await client.call("echo", {"quick": True}) == {"quick": True}

            assert not slow.done()
            house.methods.release.set()
            assert await slow == "released"

    async def test_that_is_refused_raises_what_the_supervisor_said(self, house: House) -> None:
        async with await client_of(house) as client:
            with pytest.raises(RemoteError, match="port 8000 is taken") as caught:
                await client.call("refuse")

            assert caught.value.data["conflicts"][0]["port"] == 8000

    async def test_of_a_supervisor_that_goes_away_says_so(self, house: House) -> None:
        async with await client_of(house) as client:
            waiting = asyncio.ensure_future(client.call("wait"))
            await client.call("echo")

            house.server.hang_up()

            with pytest.raises(SupervisorError, match="went away during `wait`"):
                await waiting
            await client.until_gone()
            with pytest.raises(SupervisorError, match="went away during `echo`"):
                await client.call("echo")

    @pytest.mark.parametrize("said", NONSENSE.values(), ids=NONSENSE)
    async def test_that_is_answered_with_nonsense_is_refused(self, machine: Machine, said: bytes) -> None:
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b'{"method": "hello"}\n')
            await reader.readline()
            writer.write(said)
            writer.close()
            await writer.wait_closed()

        path = machine.runtime / "nonsense.sock"
        async with await asyncio.start_unix_server(talk, str(path)):
            greeted = await asyncio.to_thread(connect, path)
            assert greeted is not None
            async with await taken_over(greeted, lambda _event: None) as client:
                with pytest.raises(SupervisorError, match="sent during `status` is no message"):
                    await client.call("status")
                await client.until_gone()

    async def test_that_nobody_waits_for_any_more_is_forgotten(self, house: House) -> None:
        async with await client_of(house) as client:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(client.call("wait"), 0.01)
            house.methods.release.set()

            assert await client.call("echo", {"still": "here"}) == {"still": "here"}


class TestEvents:
    async def test_come_without_anything_being_asked(self, house: House) -> None:
        heard = Heard()
        async with await client_of(house, heard) as client:
            await client.call("subscribe")

            house.methods.connections[0].tell({"type": "note", "message": "hello"})

            assert (await heard.get())["message"] == "hello"

    async def test_come_before_the_answer_that_follows_them(self, house: House) -> None:
        heard = Heard()
        async with await client_of(house, heard) as client:
            await client.call("tell")

            assert [heard.get_nowait()["message"] for _ in range(2)] == ["first", "second"]
