"""Specifies `devinit.supervisor.server.shared`: one answer for all who ask at the same time."""

from __future__ import annotations

import asyncio

import pytest

from devinit.supervisor.server.shared import Shared


class Search:
    """Finds numbers: the first is 1."""

    def __init__(self) -> None:
        self.begun = 0
        self.has_begun, self.may_end = asyncio.Event(), asyncio.Event()
        self.may_end.set()

    async def find(self) -> int:
        self.begun += 1
        self.has_begun.set()
        found = self.begun
        await self.may_end.wait()
        return found


class TestASharedAnswer:
    async def test_is_found_once_for_all_who_ask_at_once(self) -> None:
        search = Search()
        shared = Shared(search.find)

        answers = await asyncio.gather(*(shared.answer() for _ in range(100)))

        assert answers == [1] * 100
        assert search.begun == 1

    async def test_is_never_one_that_was_begun_before_the_question(self) -> None:
        search = Search()
        shared = Shared(search.find)
        search.may_end.clear()
        first = asyncio.create_task(shared.answer())
        await search.has_begun.wait()

        second = asyncio.create_task(shared.answer())
        await asyncio.sleep(0)
        search.may_end.set()

        assert [await first, await second] == [1, 2]

    async def test_comes_to_the_others_when_one_gives_up(self) -> None:
        search = Search()
        shared = Shared(search.find)
        search.may_end.clear()
        leaving, staying = (asyncio.create_task(shared.answer()) for _ in range(2))
        await search.has_begun.wait()

        leaving.cancel()
        search.may_end.set()

        with pytest.raises(asyncio.CancelledError):
            await leaving
        assert await staying == 1
