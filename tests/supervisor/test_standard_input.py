"""Specifies what a service reads from its standard input: what is written to it, and nothing else, for ever."""

from __future__ import annotations

import asyncio
import os
import select
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from devinit.errors import ServiceError
from devinit.supervisor.orders import standard_input
from devinit.system.paths import runtime_directory
from devinit.system.standard_input import silent_input

if TYPE_CHECKING:
    from tests.supervisor.conftest import Shop, Until

READER = """
import sys
for line in sys.stdin:
    with open(sys.argv[1], "a") as file:
        file.write(line)
with open(sys.argv[1], "a") as file:
    file.write("end of input\\n")
"""
SIX = [f"line {number}" for number in range(6)]


def readers(shop: Shop, *names: str) -> None:
    """Let services note each line that they read."""
    for name in names:
        path = shop.root / f"{name}.py"
        path.write_text(READER)
        shop.service(name, command=f"python3 -S -E {path} {name}.lines", ready={"after": 0})
    shop.up()


def write_line(shop: Shop, name: str, text: str) -> None:
    """Write a line to the standard input of a service, from outside."""
    Path(f"/proc/{shop.status()[name]['pid']}/fd/0").write_text(f"{text}\n")


def read_by(shop: Shop, name: str) -> list[str]:
    """Return the lines that a service has read."""
    path = shop.root / f"{name}.lines"
    return path.read_text().splitlines() if path.exists() else []


class TestTheStandardInputOfAService:
    def test_brings_all_six_lines_to_that_service_and_none_to_another(self, shop: Shop, until: Until) -> None:
        readers(shop, "debugger", "tailwind")

        for line in SIX:
            write_line(shop, "debugger", line)

        until(lambda: len(read_by(shop, "debugger") + read_by(shop, "tailwind")) == len(SIX), shop.root)
        assert read_by(shop, "debugger") == SIX
        assert read_by(shop, "tailwind") == []

    def test_is_another_one_for_each_run(self, shop: Shop, until: Until) -> None:
        shop.service("deaf", "never", ready={"after": 0})
        shop.up()
        write_line(shop, "deaf", "never read")
        (shop.root / "deaf.py").write_text(READER)
        shop.service("deaf", command="python3 -S -E deaf.py deaf.lines", ready={"after": 0})
        assert shop("restart").returncode == 0

        write_line(shop, "deaf", "of this run")

        until(lambda: read_by(shop, "deaf") != [], shop.root)
        assert read_by(shop, "deaf") == ["of this run"]

    def test_stays_open_after_the_supervisor_was_killed(self, shop: Shop, until: Until) -> None:
        readers(shop, "debugger")
        pid = shop.status()["debugger"]["pid"]
        shop.kill_supervisor()

        Path(f"/proc/{pid}/fd/0").write_text("still here\n")

        until(lambda: read_by(shop, "debugger") != [], shop.root)
        assert read_by(shop, "debugger") == ["still here"]
        assert shop.status()["debugger"]["pid"] == pid

    def test_has_no_path_and_is_not_kept_by_the_supervisor(self, shop: Shop) -> None:
        readers(shop, "debugger", "tailwind")
        status = shop.status()

        inputs = {name: Path(f"/proc/{each['pid']}/fd/0").readlink() for name, each in status.items()}

        assert all(str(each).startswith("pipe:") for each in inputs.values())
        assert len({*inputs.values()}) == 2
        assert not {*inputs.values()} & opened_by(shop.supervisor())
        assert list(runtime_directory().glob("stdin-*")) == []


class TestASilentInput:
    def test_never_ends_and_never_says_anything(self) -> None:
        poll = select.poll()

        with silent_input() as descriptor:
            poll.register(descriptor, select.POLLIN)

            assert poll.poll(50) == []

    def test_is_closed_here_while_a_process_that_has_it_reads_on(self) -> None:
        with silent_input() as descriptor:
            kept = os.dup(descriptor)

        os.write(kept, b"line\n")

        assert os.read(kept, 10) == b"line\n"
        os.close(kept)


def opened_by(pid: int) -> set[Path]:
    """Return what a process has open."""
    return {each.readlink() for each in Path(f"/proc/{pid}/fd").iterdir() if each.is_symlink()}


class TestWhatIsTyped:
    def test_into_a_service_that_ends_meanwhile_is_refused_by_name(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        reading, writing = os.pipe2(os.O_NONBLOCK)
        with suppress(BlockingIOError):
            while True:
                os.write(writing, b"x" * 4096)
        process = SimpleNamespace(pid=4711, wait=lambda _seconds: False)
        runner = SimpleNamespace(
            name="app", run=SimpleNamespace(process=process, terminal=SimpleNamespace(known=None))
        )
        monkeypatch.setattr(standard_input, "input_of", lambda _pid, _name: writing)

        async def typed() -> None:
            asyncio.get_running_loop().call_later(0.05, os.close, reading)
            await standard_input.write_input(runner, "more\n")  # type: ignore[arg-type]  # as much as it needs

        with pytest.raises(ServiceError, match=r"app \(pid 4711\) has ended"):
            asyncio.run(typed())
