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
from devinit.supervisor.logs import keeper, log_files
from devinit.supervisor.logs.keeper import LogKeeper

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

PATIENCE = 30.0
CLOCK_SECONDS = 0.02
"""What a file's time may lag behind, and what rounding takes."""
LINE_BYTES = 75
FLOOD = """
import os
for number in range(1_000_000):
    os.write(1, b"%07d a line of a service that prints as fast as it can, and never stops\\n" % number)
"""


def is_in(moment: float, when: tuple[float, float]) -> bool:
    return when[0] <= moment <= when[1] + CLOCK_SECONDS


async def pause(seconds: float = 0.3) -> None:
    """Let time pass that shows when a line is told too late or too early."""
    end = time.time() + seconds
    await until(lambda: time.time() > end)


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
        self.printed: dict[str, tuple[float, float]] = {}
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

    def print(self, descriptor: int, text: str) -> None:
        """Write a line, and keep in mind when that was."""
        before = time.time()
        os.write(descriptor, f"{text}\n".encode())
        self.printed[text] = (before - CLOCK_SECONDS, time.time())

    def expect_times(self) -> None:
        """Every line has the time at which it was printed."""
        found = self.lines()
        wrong = {
            text: (found[text], when) for text, when in self.printed.items() if not is_in(found[text], when)
        }
        assert wrong == {}

    @property
    def log(self) -> Path:
        return log_files.log_path(self.private, "web")

    def lines(self) -> dict[str, float]:
        """Return when each line was printed."""
        return {line.text: line.time for line in Tail("web", self.log).last(1000)}


@pytest.fixture
async def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Book]:
    monkeypatch.setattr(keeper, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(keeper, "START_SECONDS", 0.0)
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
        seconds, used, looks = time.monotonic() - began, time.process_time() - used, book.looks
        # What was written last may not have been looked at yet.
        await until(lambda: book.log.stat().st_blocks * 512 <= 6_000_000 + 4096)

        kept = [int(line.text[:7]) for line in Tail("web", book.log).last(1_000_000)]
        assert kept == list(range(kept[0], 1_000_000))
        assert len(kept) * LINE_BYTES >= 5_000_000 - 4096
        # It looks once in a while, however much is written, and reads and copies nothing.
        assert looks <= seconds / 0.02 + 5
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

    async def test_stay_right_when_one_run_and_one_shot_follows_another(self, book: Book) -> None:
        for number in range(3):
            for command in ("setup", "before_start", "starts"):
                descriptor = book.begin()
                book.print(descriptor, f"{command} {number}")
                await book.quiet()
                book.print(descriptor, f"later {command} {number}")
                os.close(descriptor)
            await pause()

        book.expect_times()

    async def test_of_the_last_words_are_not_those_of_the_next_start(
        self, book: Book, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        descriptor = book.begin()
        await book.quiet()
        # The first write wakes the keeper; the next run begins before the next look.
        monkeypatch.setattr(keeper, "LOOK_SECONDS", PATIENCE)
        for text in ("stopping", "stopped, with so many words that a straight line goes astray"):
            book.print(descriptor, text)
            await pause()
        os.close(descriptor)
        os.close(book.begin())

        book.expect_times()

    async def test_of_the_last_words_are_noted_by_a_supervisor_that_ends(self, book: Book) -> None:
        descriptor = book.begin()
        await book.quiet()
        book.print(descriptor, "the last")
        book.keeper.close()
        await pause()
        # Printed while there is no supervisor.
        book.print(descriptor, "alone")
        os.close(descriptor)

        book.expect_times()

    async def test_go_on_with_the_next_supervisor(self, book: Book) -> None:
        descriptor = book.begin()
        book.print(descriptor, "before")
        await book.quiet()
        book.keeper.close()
        await pause()
        book.keeper = LogKeeper(book.private)
        book.keeper.keep(Service(name="web", directory=book.private))
        await book.quiet()
        await pause()
        book.print(descriptor, "after")
        await book.quiet()
        os.close(descriptor)

        book.expect_times()

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
        monkeypatch.setattr(keeper, "MOST_POINTS", 100)
        descriptor = book.begin()
        inode = os.fstat(descriptor).st_ino
        for number in range(5000):
            os.write(descriptor, b"a line\n")
            book.keeper._note("web", [f"{inode} {number * 7} {1_700_000_000 + number}.000\n"])
        os.close(descriptor)
        await book.quiet()

        assert book.log.with_suffix(".times").stat().st_size <= 100 * keeper.POINT_BYTES + 200


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
        monkeypatch.setattr(keeper, "LOOK_SECONDS", 0.02)
        monkeypatch.setattr(keeper, "START_SECONDS", 0.0)
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
