"""Specifies `devinit.dashboard.link` against a real server: orders arrive in the order in which they are given."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from devinit.control.async_client import AsyncClient, taken_over
from devinit.control.client import RemoteError, connect
from devinit.dashboard import link as link_module
from devinit.dashboard.link import SupervisorLink

if TYPE_CHECKING:
    from pathlib import Path

    from tests.control.conftest import House

pytestmark = pytest.mark.timeout(120)

OVERTAKEN_SECONDS = 0.3
"""How long the first connection takes, unless a later one is there before."""


@pytest.fixture
def link(house: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SupervisorLink:
    """A link whose first connection is made after the second one, if nothing prevents that."""
    begun = 0
    second_connected = asyncio.Event()

    async def slowly(_root: Path, _on_event: object, *, start: bool) -> AsyncClient:
        nonlocal begun
        assert start
        begun += 1
        number = begun
        if number == 1:
            with suppress(TimeoutError):
                await asyncio.wait_for(second_connected.wait(), OVERTAKEN_SECONDS)
        greeted = await asyncio.to_thread(connect, house.path)
        assert greeted is not None
        if number > 1:
            second_connected.set()
        return await taken_over(greeted)

    monkeypatch.setattr(link_module, "connected", slowly)
    return SupervisorLink(tmp_path, {}, None)


class TestOrders:
    async def test_arrive_in_the_order_in_which_they_are_given(
        self, house: House, link: SupervisorLink
    ) -> None:
        first = asyncio.ensure_future(link.order("order", {}))
        second = asyncio.ensure_future(link.order("echo", {}))

        # An order is sent without the answer to the one before.
        await second
        assert house.methods.begun == ["order", "echo"]

        house.methods.release.set()
        assert await first == "done"

    async def test_after_one_that_is_refused_are_sent(self, house: House, link: SupervisorLink) -> None:
        first = asyncio.ensure_future(link.order("refuse", {}))
        second = asyncio.ensure_future(link.order("echo", {}))

        assert await second == {}
        with pytest.raises(RemoteError):
            await first

    async def test_after_one_that_is_given_up_unsent_are_sent(
        self, house: House, link: SupervisorLink
    ) -> None:
        first = asyncio.ensure_future(link.order("order", {}))
        second = asyncio.ensure_future(link.order("echo", {}))
        await asyncio.sleep(0)

        first.cancel()

        assert await second == {}
        assert house.methods.begun == ["echo"]

    async def test_are_all_sent_before_the_dashboard_is_left(
        self, house: House, link: SupervisorLink
    ) -> None:
        given = [asyncio.ensure_future(link.order("order", {})) for _ in range(3)]
        await asyncio.sleep(0)

        await link.until_sent()
        for order in given:
            order.cancel()

        while len(house.methods.begun) < len(given):
            await house.methods.entered.get()
