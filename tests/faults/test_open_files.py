"""Faults of open files: more services than a shell may have files open. They start, and what is stopped has ended."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from devinit.supervisor.processes.turns import Turns
from devinit.supervisor.record.leftovers import end_the_rest

if TYPE_CHECKING:
    from collections.abc import Collection

    from tests.supervisor.conftest import FreePorts, Shop

MANY = 60
"""Services. They need more than 256 descriptors where each takes four."""


def many(shop: Shop, ports: Collection[int]) -> list[str]:
    for port in ports:
        shop.service(f"s{port}", port=port, strict_port=True)
    return [f"s{port}" for port in ports]


def limited(shop: Shop, soft: int, hard: int, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a shell that has these limits of open files."""
    script = f'ulimit -Sn {soft} && ulimit -Hn {hard} && exec "$@"'
    return subprocess.run(
        ["sh", "-c", script, "sh", *shop.program(), *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def limit_of(pid: int) -> tuple[int, int]:
    """Return the soft and the hard limit of a process's open files."""
    lines = Path(f"/proc/{pid}/limits").read_text().splitlines()
    words = next(line for line in lines if line.startswith("Max open files")).split()
    return int(words[3]), int(words[4])


class TestHundredsOfServices:
    def test_start_and_stop_under_a_limit_that_leaves_four_files_for_each(
        self, shop: Shop, free_ports: FreePorts
    ) -> None:
        names = many(shop, free_ports(MANY))

        started = limited(shop, 256, 256, "start", "-d")
        open_files = len(list(Path(f"/proc/{shop.supervisor()}/fd").iterdir()))
        stopped = shop("stop")

        assert started.returncode == 0, started.stderr
        assert f"{MANY} of {MANY} services ready" in started.stdout
        assert open_files < MANY * 3 + 32
        assert stopped.returncode == 0, stopped.stderr
        assert all(name in stopped.stderr for name in names)
        shop.expect_nothing_left()

    def test_raise_the_limit_of_the_supervisor_and_have_the_caller_s(
        self, shop: Shop, free_ports: FreePorts
    ) -> None:
        names = many(shop, free_ports(30))

        started = limited(shop, 100, 4000, "start", "-d")

        assert started.returncode == 0, started.stderr
        assert limit_of(shop.supervisor()) == (4000, 4000)
        assert {limit_of(pid) for name in names for pid in shop.pids(name)} == {(100, 4000)}
        assert shop("restart", names[0]).returncode == 0
        assert shop("stop").returncode == 0
        shop.expect_nothing_left()

    def test_are_refused_before_the_first_one_where_they_cannot_be_had(
        self, shop: Shop, free_ports: FreePorts
    ) -> None:
        many(shop, free_ports(30))

        refused = limited(shop, 128, 128, "start", "-d")

        assert refused.returncode == 1
        assert "90 files have to be kept open" in refused.stderr
        assert "ulimit -Hn" in refused.stderr
        shop.expect_nothing_left()

    def test_are_those_of_the_supervisor_until_a_shell_with_a_higher_limit_starts_another_one(
        self, shop: Shop, free_ports: FreePorts
    ) -> None:
        names = many(shop, free_ports(30))
        assert limited(shop, 128, 128, "start", names[0], "-d").returncode == 0
        supervisor = shop.supervisor()

        refused = limited(shop, 1000, 4000, "start", "-d")

        assert refused.returncode == 1
        assert f"the limit of devinit's supervisor (pid {supervisor})" in refused.stderr
        assert "it may open 128" in refused.stderr
        assert shop("stop").returncode == 0
        assert limited(shop, 1000, 4000, "start", "-d").returncode == 0
        assert shop("stop").returncode == 0
        shop.expect_nothing_left()

    @pytest.mark.parametrize(("soft", "hard"), [(200, 4000), (128, 4000)])
    def test_are_told_to_get_the_limit_of_the_shell_that_started_the_supervisor(
        self, shop: Shop, free_ports: FreePorts, soft: int, hard: int
    ) -> None:
        (name,) = many(shop, free_ports(1))
        assert limited(shop, 128, 128, "start", "-d").returncode == 0
        told = limited(shop, soft, hard, "doctor").stdout
        same = limited(shop, 128, 128, "doctor").stdout

        assert shop("stop").returncode == 0
        assert limited(shop, soft, hard, "start", "-d").returncode == 0

        assert "with which the supervisor was started, 128," in told
        assert "with which the supervisor" not in same
        assert "with which the supervisor" not in limited(shop, soft, hard, "doctor").stdout
        assert limit_of(shop.pids(name)[0]) == (soft, hard)

    def test_are_a_quarter_of_the_limit_where_a_shell_allows_hardly_any(
        self, shop: Shop, free_ports: FreePorts
    ) -> None:
        many(shop, free_ports(8))

        refused = limited(shop, 40, 40, "start", "-d")

        assert refused.returncode == 1
        assert "leaves 10\n" in refused.stderr

    def test_show_their_logs_in_a_shell_that_may_open_fewer_files(
        self, shop: Shop, free_ports: FreePorts
    ) -> None:
        names = many(shop, free_ports(MANY))
        assert shop("start", "-d").returncode == 0

        shown = limited(shop, 40, 4000, "logs")
        refused = limited(shop, 40, 40, "logs")

        assert all(name in shown.stdout for name in names), shown.stderr
        assert refused.returncode == 2
        assert "`ulimit -n 1024` in this shell raises that" in refused.stderr


class TestAStop:
    def test_does_not_call_stopped_what_still_runs(self, shop: Shop) -> None:
        shop.service(
            "deaf",
            command="sh -c 'trap : TERM QUIT; while :; do sleep 0.05; done'",
            ready={"after": 0.1},
            stop={"grace": 0.2, "kill": False},
        )
        shop.service("web", ready={"after": 0.1})
        shop.up()
        [pid] = {each for each in shop.pids("deaf") if is_shell(each)}

        command = shop.begin("stop")
        code = command.finish()

        assert code == 1
        answer, error = command.seen[-2:]
        assert answer["services"] == ["web"]
        assert pid in answer["remaining"]["deaf"]
        assert f"still running: deaf (pid {pid}" in error["message"], error
        shop.end_process(pid)

    async def test_ends_once_more_what_its_first_attempt_has_not_ended(self) -> None:
        class Survivor:
            def __init__(self, pids: list[int], withstood: frozenset[int]) -> None:
                self.service, self.run, self._pids = External, SimpleNamespace(withstood=withstood), pids

            def pids(self, _table: object) -> list[int]:
                return self._pids

            async def end_leftovers(self) -> None:
                self._pids = []

        survivors = {"lost": Survivor([4711], frozenset()), "stuck": Survivor([4712], frozenset({4712}))}

        left = await end_the_rest(survivors)  # type: ignore[arg-type]  # as much of a Runner as it needs

        assert left == {"stuck": [4712]}


class External:
    external_url = None


def is_shell(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/comm").read_text() == "sh\n"
    except FileNotFoundError:
        return False  # one of its `sleep`s, which has just ended


class TestTurns:
    async def test_let_only_so_many_at_a_time_go_on(self) -> None:
        turns, inside, most = Turns(lambda: 3), 0, 0

        async def work() -> None:
            nonlocal inside, most
            async with turns.one():
                inside += 1
                most = max(most, inside)
                await asyncio.sleep(0)
                inside -= 1

        await asyncio.gather(*(work() for _ in range(20)))

        assert most == 3

    async def test_pass_on_when_somebody_who_waits_gives_up(self) -> None:
        turns = Turns(lambda: 1)

        async def work() -> str:
            async with turns.one():
                await asyncio.sleep(0)
                return "done"

        tasks = [asyncio.ensure_future(work()) for _ in range(4)]
        await asyncio.sleep(0)
        tasks[1].cancel()

        assert await asyncio.gather(*tasks, return_exceptions=True) != []
        assert [task.cancelled() for task in tasks] == [False, True, False, False]
