"""Specifies how the output of a container gets into its log: all of it, and once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from devinit.kinds.docker import copying
from devinit.kinds.docker.copying import Lost, Output, Vouched, print_all

FIRST, SECOND, THIRD = (b"2026-12-01T00:00:00.00000000%dZ" % number for number in (1, 2, 3))


def part(stamp: bytes, text: bytes, stream: int = 1) -> bytes:
    content = stamp + b" " + text
    return bytes((stream, 0, 0, 0)) + len(content).to_bytes(4, "big") + content


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    path = tmp_path / "log"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    monkeypatch.setattr(copying, "OUTPUT", descriptor)
    monkeypatch.setattr(Lost, "bytes", 0)
    yield path
    os.close(descriptor)


class TestTheOutput:
    def test_has_every_part_of_a_long_line(self, log: Path, tmp_path: Path) -> None:
        output = Output(str(tmp_path / "seen"))
        output.begin()

        output.copy(part(FIRST, b"the begin") + part(FIRST, b"ning and the end\n"))

        assert log.read_bytes() == b"the beginning and the end\n"

    def test_has_the_lines_of_both_streams_in_whatever_order_they_come(
        self, log: Path, tmp_path: Path
    ) -> None:
        output = Output(str(tmp_path / "seen"))
        output.begin()

        output.copy(part(SECOND, b"later\n", stream=2) + part(FIRST, b"earlier\n") + part(THIRD, b"last\n"))

        assert log.read_bytes() == b"later\nearlier\nlast\n"

    def test_goes_on_where_the_process_before_has_stopped(self, log: Path, tmp_path: Path) -> None:
        before = Output(str(tmp_path / "seen"))
        before.begin()
        before.copy(part(FIRST, b"one\n") + part(SECOND, b"two "))
        after = Output(str(tmp_path / "seen"))
        after.remember()

        asked = after.since()
        again = part(SECOND, b"two ") + part(SECOND, b"three\n")
        after.copy(again + part(THIRD, b"four\n", stream=2) + part(SECOND, b"five\n"))

        assert asked == "&since=1796083200.000000002"
        assert log.read_bytes() == b"one\ntwo three\nfour\nfive\n"

    def test_that_has_no_room_is_counted_and_costs_nothing_else(
        self, log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        output = Output(str(tmp_path / "seen"))
        output.begin()
        usable = copying.OUTPUT
        with Path("/dev/full").open("wb") as full:
            monkeypatch.setattr(copying, "OUTPUT", full.fileno())
            output.copy(part(FIRST, b"lost\n"))
            print_all(b"lost as well\n")

        monkeypatch.setattr(copying, "OUTPUT", usable)
        output.copy(part(SECOND, b"kept\n"))

        assert log.read_text() == "\n--- 18 bytes are lost: No space left on device ---\nkept\n"


class TestTheRecord:
    def test_that_has_no_room_is_an_error_only_where_it_vouches_for_a_container(self, tmp_path: Path) -> None:
        record = Vouched(str(tmp_path / "nothing" / "web.json"))

        record.write(away=True)

        with pytest.raises(OSError, match="No such file"):
            record.write(token="secret")
