"""Specifies `devinit.system.watch`."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from devinit.system import watch
from devinit.system.watch import FileWatch


def append(path: Path, text: str = "line\n") -> None:
    with path.open("a") as file:
        file.write(text)


@pytest.fixture(params=["inotify", "looking"])
def log(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A log file, followed in both ways."""
    if request.param == "looking":
        monkeypatch.setattr(FileWatch, "_start_inotify", lambda _: None)
    path = tmp_path / "backend.log"
    append(path)
    return path


@pytest.fixture
def watched(log: Path) -> Iterator[FileWatch]:
    with FileWatch([log]) as found:
        yield found


class TestAFileWatch:
    def test_wakes_when_the_file_grows(self, log: Path, watched: FileWatch) -> None:
        append(log)

        assert watched.wait(10)

    def test_wakes_a_waiter(self, log: Path, watched: FileWatch) -> None:
        writer = threading.Thread(target=append, args=(log,))
        writer.start()

        assert watched.wait(10)
        writer.join()

    def test_sleeps_when_nothing_happens(self, watched: FileWatch) -> None:
        assert not watched.wait(0)

    def test_wakes_once_for_what_happened_once(self, log: Path, watched: FileWatch) -> None:
        append(log)
        watched.wait(10)

        assert not watched.wait(0)

    def test_sleeps_when_a_neighbour_grows(self, log: Path, watched: FileWatch) -> None:
        append(log.with_name("frontend.log"))
        append(log.with_name("frontend.log"))

        assert not watched.wait(0)

    def test_wakes_when_the_file_is_replaced(self, log: Path, watched: FileWatch) -> None:
        log.rename(log.with_suffix(".1"))
        append(log)

        assert watched.wait(10)

    def test_follows_the_file_that_took_the_place(self, log: Path, watched: FileWatch) -> None:
        log.rename(log.with_suffix(".1"))
        append(log)
        watched.wait(10)
        watched.wait(0)

        append(log)

        assert watched.wait(10)

    def test_wakes_when_another_file_is_moved_into_the_place(self, log: Path, watched: FileWatch) -> None:
        append(log.with_suffix(".new"))
        log.with_suffix(".new").replace(log)

        assert watched.wait(10)

    def test_wakes_when_the_file_is_truncated(self, log: Path, watched: FileWatch) -> None:
        os.truncate(log, 0)

        assert watched.wait(10)

    @pytest.mark.usefixtures("log")
    def test_wakes_when_a_file_appears(self, tmp_path: Path) -> None:
        with FileWatch([tmp_path / "later.log"]) as watched:
            append(tmp_path / "later.log")

            assert watched.wait(10)

    @pytest.mark.usefixtures("log")
    def test_wakes_when_the_folder_and_the_file_appear(self, tmp_path: Path) -> None:
        path = tmp_path / "later" / "logs" / "backend.log"
        with FileWatch([path]) as watched:
            path.parent.mkdir(parents=True)
            watched.wait(0)
            append(path)

            assert watched.wait(10)

    def test_wakes_for_each_of_several_files(self, log: Path) -> None:
        other = log.with_name("frontend.log")
        append(other)
        with FileWatch([log, other]) as watched:
            append(other)
            assert watched.wait(10)
            append(log)
            assert watched.wait(10)

    def test_is_closed_once(self, watched: FileWatch) -> None:
        watched.close()
        watched.close()

        assert not watched.wait(0)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="inotify is Linux's")
class TestAFileWatchByInotify:
    def test_wakes_for_a_change_that_the_files_appearance_hides(self, tmp_path: Path) -> None:
        path = tmp_path / "backend.log"
        append(path)
        before = path.stat()
        with FileWatch([path]) as watched:
            path.write_text("life\n")
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

            assert watched.wait(10)

    def test_looks_from_time_to_time_where_watches_stay_silent(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(watch, "_LOOK_BESIDE_INOTIFY_SECONDS", 0.01)
        path = tmp_path / "backend.log"
        append(path)
        with FileWatch([path]) as watched:
            monkeypatch.setattr(watched, "_events", list)
            writer = threading.Thread(target=append, args=(path,))
            writer.start()

            assert watched.wait(10)
            writer.join()
