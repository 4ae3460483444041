"""Specifies `devinit.supervisor.logs.log_files`: where output goes, and how its end is read."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from devinit.errors import StateFileError
from devinit.model.service import LogLimits
from devinit.supervisor.logs import log_files

if TYPE_CHECKING:
    from pathlib import Path

LIMITS = LogLimits(size_bytes=100, count=3)


def write(private: Path, text: bytes, limits: LogLimits = LIMITS) -> int:
    """Write as one run of a service does; return where its output begins."""
    descriptor = log_files.open_log(private, "web", limits)
    try:
        offset = log_files.mark(descriptor, "web starts on port 8000")
        os.write(descriptor, text)
        return offset
    finally:
        os.close(descriptor)


def contents(private: Path) -> dict[str, str]:
    """Return the output of each log file without the marker lines."""
    return {
        path.name: "".join(line for line in path.read_text().splitlines(keepends=True) if "---" not in line)
        for path in sorted((private / "logs").iterdir())
    }


class TestALog:
    def test_is_readable_for_its_owner_only(self, tmp_path: Path) -> None:
        write(tmp_path, b"secret\n")

        assert stat.S_IMODE(log_files.log_path(tmp_path, "web").stat().st_mode) == 0o600

    def test_begins_each_run_with_a_line_of_our_own(self, tmp_path: Path) -> None:
        write(tmp_path, b"hello\n")

        first = log_files.log_path(tmp_path, "web").read_text().splitlines()[0]
        assert first.startswith("--- devinit: web starts on port 8000 at 20")
        assert first.endswith("Z ---")

    def test_keeps_what_earlier_runs_wrote(self, tmp_path: Path) -> None:
        write(tmp_path, b"one\n", LogLimits())
        write(tmp_path, b"two\n", LogLimits())

        assert contents(tmp_path) == {"web.log": "one\ntwo\n"}

    def test_that_is_full_is_moved_aside_between_runs(self, tmp_path: Path) -> None:
        write(tmp_path, b"one\n" + b"x" * 100 + b"\n")
        write(tmp_path, b"two\n")

        assert contents(tmp_path) == {"web.log": "two\n", "web.log.1": "one\n" + "x" * 100 + "\n"}

    def test_is_kept_in_as_many_files_as_configured(self, tmp_path: Path) -> None:
        for number in range(6):
            write(tmp_path, f"{number}".encode() * 100 + b"\n")

        assert [(name, text[0]) for name, text in contents(tmp_path).items()] == [
            ("web.log", "5"),
            ("web.log.1", "4"),
            ("web.log.2", "3"),
        ]

    def test_of_one_file_begins_anew_when_it_is_full(self, tmp_path: Path) -> None:
        for number in range(3):
            write(tmp_path, f"{number}".encode() * 100 + b"\n", LogLimits(size_bytes=100, count=1))

        assert [(name, text[0]) for name, text in contents(tmp_path).items()] == [("web.log", "2")]

    def test_that_cannot_be_written_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "logs").touch()

        with pytest.raises(StateFileError, match=r"logs/web\.log cannot be written"):
            write(tmp_path, b"")


class TestTheLastLines:
    def test_are_those_of_this_run(self, tmp_path: Path) -> None:
        write(tmp_path, b"old\n", LogLimits())
        offset = write(tmp_path, b"1\n2\n3\n", LogLimits())

        assert log_files.last_lines(log_files.log_path(tmp_path, "web"), offset, 2) == ["2", "3"]
        assert log_files.last_lines(log_files.log_path(tmp_path, "web"), offset, 20) == ["1", "2", "3"]

    def test_come_without_colours_and_without_our_own_lines(self, tmp_path: Path) -> None:
        write(tmp_path, b"\x1b[1;31mred\x1b[0m \x1b[2Kline\n")

        assert log_files.last_lines(log_files.log_path(tmp_path, "web"), 0, 20) == ["red line"]

    def test_may_contain_what_is_not_utf_8(self, tmp_path: Path) -> None:
        offset = write(tmp_path, b"caf\xe9 \xff\xfe\x00\n")

        assert log_files.last_lines(log_files.log_path(tmp_path, "web"), offset, 20) == [
            "caf\ufffd \ufffd\ufffd\0"
        ]

    def test_are_found_behind_a_line_of_a_megabyte(self, tmp_path: Path) -> None:
        offset = write(tmp_path, b"x" * 1_000_000 + b"\nthe end\n")

        cut, last = log_files.last_lines(log_files.log_path(tmp_path, "web"), offset, 20)

        assert last == "the end"
        assert len(cut) < 65_536

    def test_of_a_log_that_was_rotated_are_those_of_the_new_file(self, tmp_path: Path) -> None:
        offset = write(tmp_path, b"x" * 100)
        write(tmp_path, b"new\n")

        assert log_files.last_lines(log_files.log_path(tmp_path, "web"), offset + 1000, 20) == ["new"]

    def test_of_no_log_are_none(self, tmp_path: Path) -> None:
        assert log_files.last_lines(tmp_path / "missing", 0, 20) == []


class TestNewOutput:
    def test_is_given_out_once(self, tmp_path: Path) -> None:
        path = tmp_path / "web.log"
        path.write_bytes(b"old\none\n")
        output = log_files.NewOutput(path, 4)

        assert output() == "one\n"
        path.write_bytes(b"old\none\ntwo\n")
        assert output() == "two\n"
        assert output() == ""

    def test_repeats_a_line_that_was_not_finished(self, tmp_path: Path) -> None:
        path = tmp_path / "web.log"
        path.write_bytes(b"one\nready i")
        output = log_files.NewOutput(path, 0)
        output()

        path.write_bytes(b"one\nready in 3 ms\n")

        assert output() == "ready in 3 ms\n"

    def test_misses_nothing_of_a_flood(self, tmp_path: Path) -> None:
        path = tmp_path / "web.log"
        path.write_bytes(b"ready\n" + b"x" * 9_000_000 + b"\nend\n")
        output = log_files.NewOutput(path, 0)

        assert output().startswith("ready\n")
        assert output()
        assert output().endswith("end\n")

    def test_comes_without_colours(self, tmp_path: Path) -> None:
        path = tmp_path / "web.log"
        path.write_bytes(b"http://localhost:\x1b[1m5173\x1b[22m/\n")

        assert log_files.NewOutput(path, 0)() == "http://localhost:5173/\n"

    def test_of_no_log_is_empty(self, tmp_path: Path) -> None:
        assert log_files.NewOutput(tmp_path / "missing", 0)() == ""
