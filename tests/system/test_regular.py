"""Specifies what is opened where a file is expected, and something else has its name."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from devinit.errors import StateFileError
from devinit.system.file_lock import FileLock
from devinit.system.regular import open_regular

if TYPE_CHECKING:
    from collections.abc import Callable


def listen(path: Path) -> None:
    # Its path is limited to some 100 bytes, which that of a test exceeds.
    before = Path.cwd()
    os.chdir(path.parent)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path.name)
    os.chdir(before)


def link_to_a_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


OTHERS = [
    pytest.param(os.mkfifo, "a named pipe", id="named pipe"),
    pytest.param(os.mkdir, "a directory", id="directory"),
    pytest.param(listen, "a socket", id="socket"),
    pytest.param(link_to_a_device, "a device", id="device"),
]


class TestAFile:
    def test_is_opened_as_it_is_by_open(self, tmp_path: Path) -> None:
        path = tmp_path / "web.log"

        written = open_regular(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(written, b"text")
        read = open_regular(path)

        assert os.read(read, 10) == b"text"
        assert path.stat().st_mode & 0o777 == 0o600
        assert os.get_blocking(written), "a service inherits this of its log"
        assert not os.get_inheritable(written)
        os.close(written)
        os.close(read)

    @pytest.mark.parametrize(("make", "kind"), OTHERS)
    def test_that_is_none_is_named_for_what_it_is(
        self, tmp_path: Path, make: Callable[[Path], object], kind: str
    ) -> None:
        path = tmp_path / "web.log"
        make(path)

        with pytest.raises(OSError, match=f"it is {kind}, not a file"):
            open_regular(path)

    @pytest.mark.parametrize("make", [os.mkfifo, listen, link_to_a_device])
    def test_that_is_none_is_not_written_to_either(
        self, tmp_path: Path, make: Callable[[Path], object]
    ) -> None:
        path = tmp_path / "web.log"
        make(path)

        with pytest.raises(OSError, match=r"it is a .*, not a file"):
            open_regular(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def test_that_is_missing_is_missing(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            open_regular(tmp_path / "web.log")


class TestALock:
    def test_is_not_taken_on_a_named_pipe(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "lock")

        with pytest.raises(StateFileError, match="lock cannot be written: it is a named pipe, not a file"):
            FileLock(tmp_path / "lock").acquire(blocking=False)
