"""Specifies how the end of a log is read, and followed over restarts and rotation."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from devinit.logs.follow import Follower
from devinit.logs.lines import LONGEST_LINE
from devinit.logs.tail import BLOCK, Tail
from devinit.logs.times import times_path
from devinit.system.holes import free_beginning


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "backend.log"


def last(log: Path, count: int = 100) -> list[str]:
    return [line.text for line in Tail("backend", log).last(count)]


def more(tail: Tail) -> list[str]:
    return [line.text for line in tail.more()]


class TestTheLastLines:
    def test_of_a_file_that_is_not_there_are_none(self, log: Path) -> None:
        assert last(log) == []

    @pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK])
    def test_are_whole_wherever_a_block_ends(self, log: Path, size: int) -> None:
        lines = ["first", *["x" * (size // 4)] * 4, "", "漢字 at the seam", "last"]
        log.write_text("\n".join(lines) + "\n")

        assert last(log) == lines

    def test_of_a_megabyte_are_cut_and_say_so(self, log: Path) -> None:
        log.write_bytes(b"a" * 1_000_000 + b"\n" + b"b" * 1_000_000)

        said = "… [934,464 more bytes in the log file]"
        assert last(log) == ["a" * LONGEST_LINE + said, "b" * LONGEST_LINE + said]

    def test_that_were_written_over_show_their_last_state_however_often(self, log: Path) -> None:
        log.write_bytes(b"".join(b"%d%%\r" % number for number in range(100_000)) + b"\ndone\r\n")

        assert last(log) == ["99999%", "done"]

    def test_are_shown_whatever_bytes_they_have(self, log: Path) -> None:
        log.write_bytes(b"bad \xff\xfe byte\nnul \0 here\r\n")

        assert last(log) == ["bad \ufffd\ufffd byte", "nul \0 here"]

    def test_include_one_that_is_not_finished(self, log: Path) -> None:
        log.write_text("done\nPassword: ")

        assert last(log) == ["done", "Password: "]

    def test_are_as_many_as_were_asked_for(self, log: Path) -> None:
        log.write_text("".join(f"{number}\n" for number in range(1000)))

        assert last(log, 2) == ["998", "999"]
        assert last(log, 0) == []

    def test_go_on_in_the_files_that_were_moved_aside(self, log: Path) -> None:
        log.write_text("5\n")
        log.with_name("backend.log.1").write_text("3\n4\n")
        log.with_name("backend.log.2").write_text("1\n2\n")

        assert last(log, 4) == ["2", "3", "4", "5"]

    def test_are_found_without_reading_the_rest(self, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with log.open("wb") as file:
            file.truncate(20_000_000_000)  # sparse: it has this size and takes no space
            file.seek(0, os.SEEK_END)
            file.write(b"\n" + b"".join(b"%d\n" % number for number in range(100)))
        sizes: list[int] = []
        pread = os.pread

        def counted(descriptor: int, size: int, offset: int) -> bytes:
            sizes.append(size)
            return pread(descriptor, size, offset)

        monkeypatch.setattr(os, "pread", counted)

        assert len(last(log)) == 100
        assert sum(sizes) <= 2 * BLOCK


class TestLinesSinceATime:
    def test_include_one_that_had_begun_before(self, log: Path) -> None:
        log.write_text("old\nPassword: given\nnew\n")
        inode = log.stat().st_ino
        # Known: a prompt, a silence, the rest of its line, the next one.
        Path(times_path(log)).write_text(
            f"{inode} 14 1000.0\n{inode} 14 2000.0\n{inode} 20 2000.0\n{inode} 24 2001.0\n"
        )
        os.utime(log, (2001.0, 2001.0))

        assert [line.text for line in Tail("web", log).since(1500.0)] == ["Password: given", "new"]


class TestFollowing:
    def follow(self, log: Path) -> Tail:
        tail = Tail("backend", log)
        tail.last(0, follow=True)
        return tail

    def test_yields_what_has_come_since(self, log: Path) -> None:
        log.write_text("old\n")
        tail = self.follow(log)

        with log.open("a") as file:
            file.write("new\nnewer\n")

        assert more(tail) == ["new", "newer"]
        assert more(tail) == []

    def test_waits_for_the_end_of_a_line(self, log: Path) -> None:
        log.write_text("old\nhalf")
        tail = self.follow(log)

        assert more(tail) == []
        with log.open("a") as file:
            file.write(" and half\n")
        assert more(tail) == ["half and half"]

    def test_begins_when_the_file_appears(self, log: Path) -> None:
        tail = self.follow(log)

        log.write_text("first\n")

        assert more(tail) == ["first"]

    def test_loses_nothing_when_the_file_is_moved_aside(self, log: Path) -> None:
        log.write_text("old\n")
        tail = self.follow(log)

        with log.open("a") as file:
            file.write("last words\nunfinished")
        log.rename(log.with_name("backend.log.1"))
        log.write_text("of the next run\n")

        assert more(tail) == ["last words", "unfinished", "of the next run"]

    def test_begins_anew_when_the_file_is_emptied(self, log: Path) -> None:
        log.write_text("old and long\n")
        tail = self.follow(log)

        log.write_text("new\n")

        assert more(tail) == ["new"]

    def test_cuts_a_line_that_does_not_end_and_keeps_no_more_of_it(self, log: Path) -> None:
        log.write_text("")
        tail = self.follow(log)

        log.write_bytes(b"x" * 9_000_000)
        assert more(tail) == []
        with log.open("a") as file:
            file.write("\nnext\n")

        assert more(tail) == ["x" * LONGEST_LINE + "… [8,934,464 more bytes in the log file]", "next"]

    def test_shows_the_last_state_of_a_line_that_is_written_over(self, log: Path) -> None:
        log.write_text("")
        tail = self.follow(log)

        for percent in range(0, 101, 10):
            with log.open("a") as file:
                file.write(f"{percent}%\r" * 10_000)
            assert more(tail) == []
        with log.open("a") as file:
            file.write("\n")

        assert more(tail) == ["100%"]


class TestFallingBehind:
    def test_passes_over_whole_lines_and_counts_them(self, log: Path) -> None:
        log.write_text("begin\n")
        tail = Tail("backend", log)
        tail.last(1, follow=True)
        with log.open("a") as file:
            file.writelines(f"line {number:05}\n" for number in range(1000))

        assert tail.unread() == 11_000
        passed = tail.skip(25)

        assert passed == 998
        assert more(tail) == ["line 00998", "line 00999"]

    def test_passes_over_nothing_when_little_has_come(self, log: Path) -> None:
        log.write_text("begin\n")
        tail = Tail("backend", log)
        tail.last(1, follow=True)
        with log.open("a") as file:
            file.write("one\n")

        assert tail.skip(100) == 0
        assert more(tail) == ["one"]

    def test_of_a_log_that_is_not_there_is_not_possible(self, log: Path) -> None:
        tail = Tail("backend", log)

        assert (tail.unread(), tail.skip(0)) == (0, 0)

    def test_can_be_read_a_piece_at_a_time(self, log: Path) -> None:
        log.write_text("begin\n")
        tail = Tail("backend", log)
        tail.last(1, follow=True)
        with log.open("a") as file:
            file.writelines(f"line {number:05}\n" for number in range(20_000))

        first = [line.text for line in tail.more(most=BLOCK)]
        rest = more(tail)

        assert 0 < len(first) <= BLOCK // 11
        assert len(first) + len(rest) == 20_000
        assert rest[-1] == "line 19999"


class TestALineThatHasNotEnded:
    def test_can_be_looked_at_before_it_does(self, log: Path) -> None:
        log.write_text("begin\n")
        tail = Tail("backend", log)
        tail.last(1, follow=True)
        assert tail.unfinished() is None
        with log.open("a") as file:
            file.write("one\nPassword: ")

        assert more(tail) == ["one"]

        unfinished = tail.unfinished()
        assert unfinished is not None
        assert unfinished.text == "Password: "


class TestABeginningThatWasGivenBackToTheDisk:
    @pytest.fixture
    def freed(self, log: Path) -> Path:
        """A log of lines of 10 bytes of which the first 40,960 bytes are gone: 4096 lines."""
        log.write_text("".join(f"line {number:04}\n" for number in range(6000)))
        descriptor = os.open(log, os.O_RDWR)
        free_beginning(descriptor, 0, 40_960)
        os.close(descriptor)
        return log

    def test_is_left_out(self, freed: Path) -> None:
        lines = last(freed, 10_000)

        assert (lines[0], lines[-1], len(lines)) == ("line 4097", "line 5999", 1903)

    def test_is_left_out_of_what_was_printed_since_a_time(self, freed: Path) -> None:
        lines = [line.text for line in Tail("backend", freed).since(0)]

        # The line at the cut is whole, but nobody can know that.
        assert (lines[0], len(lines)) == ("line 4097", 1903)

    def test_is_told_to_who_followed_too_slowly(self, log: Path) -> None:
        log.write_text("")
        tail = Tail("backend", log)
        tail.last(0, follow=True)
        log.write_text("".join(f"line {number:04}\n" for number in range(6000)))
        descriptor = os.open(log, os.O_RDWR)
        free_beginning(descriptor, 0, 40_960)
        os.close(descriptor)

        first, second, *_ = more(tail)

        assert first == "--- devinit: 40,960 bytes are gone: more was printed than is kept ---"
        assert second == "line 4097"

    def test_may_come_while_it_is_read(self, log: Path) -> None:
        log.write_text("".join(f"line {number:05}\n" for number in range(60_000)))
        lines = Tail("backend", log).since(0)
        begun = [next(lines).text for _ in range(10)]
        descriptor = os.open(log, os.O_RDWR)
        free_beginning(descriptor, 0, 409_600)
        os.close(descriptor)

        rest = [line.text for line in lines]

        assert begun == [f"line {number:05}" for number in range(10)]
        assert all(line.startswith(("line ", "--- devinit: ")) for line in rest)
        assert rest[-1] == "line 59999"


class TestADeletedLog:
    def test_is_followed_on_and_named(self, log: Path) -> None:
        said: list[str] = []
        with log.open("a") as service, Follower([Tail("backend", log)], said.append) as follower:
            assert list(follower.lines()) == []
            service.write("before\n")
            service.flush()
            assert [line.text for _, line in follower.lines()] == ["before"]
            log.unlink()
            service.write("after\n")
            service.flush()

            assert [line.text for _, line in follower.lines()] == ["after"]
            assert list(follower.lines()) == []
        [text] = said
        assert "was deleted" in text
        assert "`devinit restart backend`" in text

    def test_gives_way_to_the_new_one(self, log: Path) -> None:
        log.write_text("old\n")
        tail = Tail("backend", log)
        tail.last(0, follow=True)
        log.unlink()
        log.write_text("new\n")

        assert more(tail) == ["new"]


class TestALogThatCannotBeRead:
    def test_is_named_once_and_does_not_end_the_others(self, tmp_path: Path) -> None:
        (tmp_path / "loop.log").symlink_to("loop.log")
        (tmp_path / "web.log").write_text("here\n")
        said: list[str] = []
        tails = [Tail(name, tmp_path / f"{name}.log") for name in ("loop", "web")]

        with Follower(tails, said.append) as follower:
            shown = [*follower.lines(), *follower.lines()]

        assert [(service, line.text) for service, line in shown] == [("web", "here")]
        [text] = said
        assert "loop.log cannot be read" in text


KEY = (
    "-----BEGIN PRIVATE KEY-----",
    "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKB",
    "q8rX0sLw3E5Kq3ZdTfFh2PaQc1Gk5hTqYvB2nQ8rX0sLw3E5Kq3ZdTfFh2PaQc1G",
    "Zd9T",
)
"""A private key without its end: only the lines before it tell its last line from a word."""


class TestTheLastLineOfAPrivateKey:
    @pytest.fixture
    def keyed(self, log: Path) -> Path:
        log.write_text("\n".join(("before", *KEY, "")))
        return log

    def test_is_hidden_where_no_other_line_is_wanted(self, keyed: Path) -> None:
        assert last(keyed, 1) == ["***"]
        assert Tail("web", keyed).last(100, lambda line: "9" in line.text) == []
        assert Tail("web", keyed).last(1, lambda line: "before" not in line.text)[0].text == "***"

    @pytest.mark.parametrize("count", [1, 3])
    def test_is_hidden_although_it_comes_when_the_lines_before_it_were_read(
        self, log: Path, count: int
    ) -> None:
        log.write_text("\n".join(("before", *KEY[:-1], "")))
        tail = Tail("web", log)
        tail.last(count, lambda line: "before" in line.text, follow=True)

        with log.open("a") as file:
            file.write(f"{KEY[-1]}\n")

        assert more(tail) == ["***"]

    def test_is_hidden_while_its_end_is_not_there(self, log: Path) -> None:
        log.write_text("")
        tail = Tail("web", log)
        tail.last(1, follow=True)
        log.write_text("\n".join(KEY))
        assert more(tail) == [KEY[0], "***", "***"]

        unfinished = tail.unfinished()

        assert unfinished is not None
        assert unfinished.text == "***"

    def test_is_hidden_when_the_lines_before_it_are_older(self, log: Path) -> None:
        log.write_text("\n".join(KEY[:-1]) + "\n")
        inode, size = log.stat().st_ino, log.stat().st_size
        with log.open("a") as file:
            file.write(f"{KEY[-1]}\nit is up\n")
        points = ((0, 100), (size, 101), (size + 1, 200), (log.stat().st_size, 201))
        Path(times_path(log)).write_text("".join(f"{inode} {at} {time}\n" for at, time in points))

        assert [line.text for line in Tail("web", log).since(150)] == ["***", "it is up"]

    def test_is_no_word_far_from_a_key(self, log: Path) -> None:
        words = ["the key is broken", "the server starts", "it listens on 8000", "it is ready", "Zd9T"]
        log.write_text("\n".join((*KEY[:1], *words, "")))

        assert last(log, 1) == ["Zd9T"]
        assert last(log) == [KEY[0], *words]

    def test_costs_little_to_look_for(self, log: Path) -> None:
        log.write_text("Ready2Go\n" * 20_000)
        begun = time.process_time()

        assert last(log, 20_000) == ["Ready2Go"] * 20_000
        assert time.process_time() - begun < 2
