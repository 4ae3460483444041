"""Specifies `devinit.watch` with real services under a real supervisor."""

from __future__ import annotations

import asyncio
import os
import resource
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

import devinit
from tests.supervisor.conftest import PATIENCE, Shop

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def running(shop: Shop, port: int) -> Shop:
    """A backend that is ready."""
    shop.service("backend", port=port)
    shop.up()
    return shop


def opened() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


class TestDescriptors:
    def test_are_closed_at_the_end_of_a_watch_that_was_never_iterated(self, tmp_path: Path) -> None:
        before = opened()

        for _ in range(20):
            with devinit.watch("backend", start=tmp_path):
                pass

        assert opened() == before

    def test_are_closed_at_the_end_of_a_watch_that_was_left_in_the_middle(self, tmp_path: Path) -> None:
        before = opened()

        watches = [devinit.watch("backend", start=tmp_path) for _ in range(20)]
        for each in watches:
            next(iter(each))
            each.close()

        assert opened() == before


class TestAWatch:
    def test_says_where_the_service_answers_now(self, running: Shop, port: int) -> None:
        with devinit.watch("backend", start=running.root) as watch:
            found = next(iter(watch))

        assert found == devinit.Discovered("backend", "127.0.0.1", port, f"http://localhost:{port}")

    def test_is_of_use_in_a_program_with_many_open_files(self, running: Shop, port: int) -> None:
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, before[1]), before[1]))
        with ExitStack() as stack:
            stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, before)
            for _ in range(1100):
                stack.callback(os.close, os.open(os.devnull, os.O_RDONLY))
            watch = stack.enter_context(devinit.watch("backend", start=running.root))
            changes = iter(watch)
            first = next(changes)
            running("stop")

            assert first is not None
            assert first.port == port
            assert next(changes) is None

    def test_says_where_it_answers_after_a_move(self, running: Shop, port: int) -> None:
        with devinit.watch("backend", start=running.root) as watch:
            changes = iter(watch)
            before = next(changes)
            running("ports", "set", "backend", str(port + 1))
            running("restart", "backend")

            # What was between is not kept for a program that was busy meanwhile.
            after = next(changes)

        assert before is not None
        assert after is not None
        assert (before.port, after.port) == (port, port + 1)

    def test_goes_on_over_the_end_and_the_start_of_supervisors(self, running: Shop, port: int) -> None:
        with devinit.watch("backend", start=running.root) as watch:
            changes = iter(watch)
            next(changes)
            running("stop")
            gone = next(changes)
            running("start")
            back = next(changes)

        assert gone is None
        assert back is not None
        assert back.port == port

    def test_does_not_take_a_supervisor_that_was_killed_for_a_change(self, running: Shop) -> None:
        with devinit.watch("backend", start=running.root) as watch, ThreadPoolExecutor(1) as pool:
            before = next(iter(watch))
            running.kill_supervisor()
            later = pool.submit(next, iter(watch))
            running("status")
            running("stop")
            after = later.result(PATIENCE)

        assert before is not None
        assert after is None

    def test_of_a_folder_without_a_project_begins_with_none(self, tmp_path: Path) -> None:
        with devinit.watch("backend", start=tmp_path) as watch:
            assert next(iter(watch)) is None

    def test_that_is_closed_ends_also_in_another_thread(self, running: Shop) -> None:
        watch = devinit.watch("backend", start=running.root)
        changes = iter(watch)
        next(changes)
        closing = threading.Timer(0.2, watch.close)
        closing.start()

        assert list(changes) == []

    async def test_is_followed_by_a_program_with_a_loop(self, running: Shop, port: int) -> None:
        seen: list[devinit.Discovered | None] = []

        async def follow() -> None:
            async for address in devinit.watch("backend", start=running.root):
                seen.append(address)
                if len(seen) == 1:
                    asyncio.get_running_loop().run_in_executor(None, running, "stop")
                if len(seen) == 2:
                    return

        await asyncio.wait_for(follow(), PATIENCE)

        assert [each and each.port for each in seen] == [port, None]

    async def test_ends_with_the_task_that_waits_for_it(self, running: Shop) -> None:
        watch = devinit.watch("backend", start=running.root)

        async def follow() -> None:
            async for _ in watch:
                reached.set()

        reached = asyncio.Event()
        task = asyncio.create_task(follow())
        await asyncio.wait_for(reached.wait(), PATIENCE)
        task.cancel()

        with pytest.raises(asyncio.CancelledError):
            await task
        assert list(watch) == []
