"""Specifies how much of a service's output stays on disk, and what is given up first."""

from __future__ import annotations

import os
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as some

from devinit.logs.tail import Tail
from devinit.model.service import LogLimits
from devinit.supervisor.logs.bounds import bound, data_of, freeing

if TYPE_CHECKING:
    from pathlib import Path

LIMITS = LogLimits(size_bytes=100_000, count=3)
LINE = b"%06d 234567890123456789012345678901234567890123456789012345678901234567890123456\n"


def write(path: Path, first: int, count: int) -> None:
    """Append numbered lines of 83 bytes."""
    with path.open("ab") as file:
        file.writelines(LINE % number for number in range(first, first + count))


def numbers(path: Path) -> list[int]:
    """Return the numbers of the lines that a reader finds."""
    with closing(Tail("web", path)) as tail:
        return [int(line.text[:6]) for line in tail.last(1_000_000)]


class TestWhatIsFreed:
    def test_is_nothing_as_long_as_everything_fits(self) -> None:
        assert freeing([100_000, 100_000, 100_000], LIMITS) == [0, 0, 0]

    def test_is_the_oldest_and_half_a_file_more_than_is_needed(self) -> None:
        assert freeing([100_000, 200_001], LIMITS) == [0, 50_001]

    def test_is_the_beginning_of_the_one_file_when_there_is_only_one(self) -> None:
        assert freeing([1_000_000], LIMITS) == [750_000]

    def test_are_whole_old_files_before_the_beginning_of_a_newer_one(self) -> None:
        assert freeing([300_000, 40_000, 20_000], LIMITS) == [50_000, 40_000, 20_000]

    @given(some.lists(some.integers(0, 10**12)), some.integers(1000, 10**9), some.integers(1, 50))
    def test_leaves_between_a_half_file_less_than_the_limit_and_the_limit(
        self, sizes: list[int], size: int, count: int
    ) -> None:
        left = sum(sizes) - sum(freeing(sizes, LogLimits(size_bytes=size, count=count)))

        assert left <= size * count
        assert left >= min(sum(sizes), size * count - size // 2)


class TestALogThatIsTooLong:
    def test_is_bounded_on_disk_while_somebody_appends_to_it(self, tmp_path: Path) -> None:
        log = tmp_path / "web.log"
        writer = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for number in range(20_000):
            os.write(writer, LINE % number)
            if number % 500 == 0:
                bound(log, LIMITS)
        os.close(writer)
        bound(log, LIMITS)

        found = log.stat()
        assert found.st_blocks * 512 <= 300_000 + 2 * 4096
        assert found.st_size == 20_000 * 83

    def test_has_its_last_lines_without_a_gap(self, tmp_path: Path) -> None:
        log = tmp_path / "web.log"
        write(log, 0, 10_000)

        bound(log, LIMITS)

        kept = numbers(log)
        assert kept == list(range(kept[0], 10_000))
        assert len(kept) >= 250_000 // 83

    def test_gives_up_files_of_earlier_runs_first(self, tmp_path: Path) -> None:
        log = tmp_path / "web.log"
        write(log.with_name("web.log.2"), 0, 500)
        write(log.with_name("web.log.1"), 500, 2000)
        write(log, 2500, 2000)

        bound(log, LIMITS)

        assert not log.with_name("web.log.2").exists()
        assert data_of(log) == 2000 * 83
        kept = numbers(log)
        assert kept == list(range(kept[0], 4500))
        assert 250_000 <= data_of(log) + data_of(log.with_name("web.log.1")) <= 254_096

    def test_may_be_bounded_again_at_any_moment(self, tmp_path: Path) -> None:
        """Whoever is killed between two steps leaves a log that the next one bounds."""
        log = tmp_path / "web.log"
        write(log, 0, 10_000)
        bound(log, LIMITS)
        before = numbers(log)

        for _ in range(3):
            bound(log, LIMITS)

        assert numbers(log) == before

    def test_may_be_smaller_than_a_block_of_the_disk(self, tmp_path: Path) -> None:
        log = tmp_path / "web.log"
        write(log, 0, 1000)

        bound(log, LogLimits(size_bytes=1000, count=1))

        assert numbers(log)[-1] == 999
        assert log.stat().st_blocks * 512 <= 2 * 4096

    def test_is_none_when_it_vanished(self, tmp_path: Path) -> None:
        assert bound(tmp_path / "web.log", LIMITS) is False

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a file system that cannot free")
    def test_is_left_alone_where_the_file_system_cannot_free(self, ramfs: Path) -> None:
        log = ramfs / "web.log"
        write(log, 0, 10_000)

        with pytest.raises(OSError, match="not supported"):
            bound(log, LIMITS)

        assert numbers(log) == list(range(10_000))
