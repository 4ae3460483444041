"""Specifies how logs are looked after while services write: bounded, with times, and quietly."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from typing import TYPE_CHECKING

import pytest

from devinit.logs.tail import Tail
from devinit.model.service import LogLimits, Service
from devinit.supervisor import log_keeper, logs
from devinit.supervisor.log_keeper import LogKeeper

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

PATIENCE = 30.0
LINE_BYTES = 75
FLOOD = """
import os
for number in range(1_000_000):
    os.write(1, b"%07d a line of a service that prints as fast as it can, and never stops\\n" % number)
"""


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that no event tells of."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110  files and counters tell nobody
            await asyncio.sleep(0.005)


class Book:
    """A keeper, and what one does with it."""

    def __init__(self, private: Path) -> None:
        self.private = private
        self.told: list[tuple[str, str]] = []
        self.looks = 0
        self.keeper = LogKeeper(private, lambda text, service: self.told.append((text, service)))
        look = self.keeper._look_at_all

        def counted() -> None:
            self.looks += 1
            look()

        self.keeper._look_at_all = counted  # type: ignore[method-assign]  # counted, and done all the same

    def begin(self, limits: LogLimits | None = None) -> int:
        """Begin a run of `web`; return what it writes to."""
        service = Service(name="web", directory=self.private, logs=limits or LogLimits())
        descriptor = self.keeper.open(service)
        self.keeper.mark("web", descriptor, "web starts on port 8000")
        return descriptor

    async def quiet(self) -> None:
        """Wait until nothing will be looked at again before somebody writes."""
        await until(lambda: self.keeper._timer is None)

    async def write(self, descriptor: int, text: bytes) -> None:
        """Write after a silence, and wait until it was seen."""
        await self.quiet()
        looks = self.looks
        os.write(descriptor, text)
        await until(lambda: self.looks > looks)
        await self.quiet()

    @property
    def log(self) -> Path:
        return logs.log_path(self.private, "web")

    def lines(self) -> dict[str, float]:
        """Return when each line was printed."""
        return {line.text: line.time for line in Tail("web", self.log).last(1000)}


@pytest.fixture
async def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Book]:
    monkeypatch.setattr(log_keeper, "LOOK_SECONDS", 0.02)
    found = Book(tmp_path)
    yield found
    found.keeper.close()


class TestAFlood:
    async def test_of_a_million_lines_is_bounded_and_its_end_is_whole(self, book: Book) -> None:
        limits = LogLimits(size_bytes=2_000_000, count=3)
        descriptor = book.begin(limits)
        service = await asyncio.create_subprocess_exec(sys.executable, "-c", FLOOD, stdout=descriptor)
        os.close(descriptor)
        began, used = time.monotonic(), time.process_time()
        await service.wait()
        seconds, used = time.monotonic() - began, time.process_time() - used
        # What was written last may not have been looked at yet.
        await until(lambda: book.log.stat().st_blocks * 512 <= 6_000_000 + 4096)

        kept = [int(line.text[:7]) for line in Tail("web", book.log).last(1_000_000)]
        assert kept == list(range(kept[0], 1_000_000))
        assert len(kept) * LINE_BYTES >= 5_000_000 - 4096
        # It looks once in a while, however much is written, and reads and copies nothing.
        assert book.looks <= seconds / 0.02 + 5
        assert used < seconds / 4


class TestSilence:
    async def test_wakes_nobody(self, book: Book) -> None:
        os.close(book.begin())
        await book.quiet()
        looks = book.looks

        # Time in which a program that polls would have looked.
        await asyncio.sleep(0.2)

        assert book.looks == looks

    async def test_ends_with_the_next_write_whoever_writes(self, book: Book) -> None:
        descriptor = book.begin()
        for number in range(3):
            await book.write(descriptor, b"line %d\n" % number)
        os.close(descriptor)

        assert list(book.lines())[1:] == ["line 0", "line 1", "line 2"]


class TestTimes:
    async def test_are_those_at_which_lines_were_printed_however_long_it_was_silent(self, book: Book) -> None:
        descriptor = book.begin()
        await book.quiet()
        os.write(descriptor, b"early\n")
        an_hour_ago = time.time() - 3600
        os.utime(book.log, (an_hour_ago, an_hour_ago))
        book.keeper._logs["web"].noted_at = 0.0
        await book.quiet()
        before = time.time()
        await book.write(descriptor, b"late\nlater\n")
        os.close(descriptor)

        assert before - 0.1 <= book.lines()["late"] <= time.time()
        assert before - 0.1 <= book.lines()["later"] <= time.time()

    async def test_of_runs_are_told_with_each_line(self, book: Book) -> None:
        for text in (b"of the first\n", b"of the second\n"):
            descriptor = book.begin()
            os.write(descriptor, text)
            os.close(descriptor)
            ended = time.time()
            # Runs begin at different milliseconds.
            await until(lambda then=ended: time.time() > then + 0.002)  # type: ignore[misc]  # bound at once
        await book.quiet()

        runs = {line.text: line.run for line in Tail("web", book.log).last(10) if "---" not in line.text}
        assert None not in runs.values()
        assert runs["of the first"] != runs["of the second"]

    async def test_stay_few_however_long_a_service_runs(
        self, book: Book, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(log_keeper, "MOST_POINTS", 100)
        descriptor = book.begin()
        inode = os.fstat(descriptor).st_ino
        for number in range(5000):
            os.write(descriptor, b"a line\n")
            book.keeper._note("web", [f"{inode} {number * 7} {1_700_000_000 + number}.000\n"])
        os.close(descriptor)
        await book.quiet()

        assert book.log.with_suffix(".times").stat().st_size <= 100 * log_keeper.POINT_BYTES + 200


class TestALogThatIsDeleted:
    async def test_is_looked_after_again_with_the_next_run(self, book: Book) -> None:
        os.close(book.begin())
        await book.quiet()
        book.log.unlink()
        descriptor = book.begin()
        os.write(descriptor, b"again\n")
        os.close(descriptor)
        await book.quiet()

        assert "again" in book.lines()


class TestAFileSystemThatCannotFree:
    @pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount one")
    async def test_is_said_once_and_loses_nothing(self, ramfs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(log_keeper, "LOOK_SECONDS", 0.02)
        book = Book(ramfs)
        descriptor = book.begin(LogLimits(size_bytes=1000, count=2))
        for _ in range(3):
            await book.write(descriptor, b"x" * 5000 + b"\n")
        os.close(descriptor)
        book.keeper.close()

        [(text, service)] = book.told
        assert "cannot free the beginning of a file: `devinit restart web` begins a new one" in text
        assert service == "web"
        assert book.log.read_bytes().count(b"x") == 15_000
