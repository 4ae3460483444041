"""Specifies the lock on a data directory: it is the server's, until the last of its processes has ended."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from devinit.errors import ServiceError
from devinit.model.process import ProcessSpec
from devinit.system.data_lock import is_in_use, lock_of, take, visible_users, where_in_use
from devinit.system.processes import Process, spawn


def serve(data: Path, script: str = "exec sleep 1000") -> Process:
    """Start a process on the data, as a server is started."""
    spec = ProcessSpec(
        argv=("/bin/sh", "-c", script), directory=data, environment={"PATH": os.environ["PATH"]}, data=data
    )
    null = os.open(os.devnull, os.O_RDWR)
    try:
        return spawn(spec, output=null, stdin=null)
    finally:
        os.close(null)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "pg18"
    folder.mkdir()
    return folder


class TestALockOnData:
    def test_is_kept_by_the_server_and_given_back_with_its_end(self, data: Path) -> None:
        with serve(data) as server:
            assert is_in_use(data)
            assert [each.pid for each in visible_users(data)] == [server.pid]
            with pytest.raises(ServiceError, match=f"as process {server.pid}"):
                serve(data)

            server.send(9)
            assert server.wait(10)
            server.returncode()
        assert not is_in_use(data)

    def test_is_kept_by_what_outlives_the_server(self, data: Path) -> None:
        with serve(data, "sleep 1000 & exit 0") as server:
            assert server.wait(10)
            server.returncode()

            [backend] = visible_users(data)

            assert is_in_use(data)
            assert backend.pid != server.pid
            os.kill(backend.pid, 9)

    def test_says_on_which_host_the_server_was_started(self, data: Path) -> None:
        lock_of(data).write_text("17 3f2a91c0aa17\n")

        assert where_in_use(data) == "in another container or namespace (host name 3f2a91c0aa17)"

    @pytest.mark.parametrize("content", ["", "17", "\x1b[31m", "x" * 10000])
    def test_says_so_too_where_its_file_says_something_else(self, data: Path, content: str) -> None:
        lock_of(data).write_text(content)

        assert where_in_use(data) == "in another container or namespace"

    def test_does_not_write_into_a_file_that_has_another_name(self, data: Path, tmp_path: Path) -> None:
        (secret := tmp_path / "secret").write_text("kept")
        os.link(secret, lock_of(data))

        with serve(data) as server:
            server.send(9)
            assert server.wait(10)
            server.returncode()

        assert secret.read_text() == "kept"

    def test_is_not_taken_through_a_link(self, data: Path, tmp_path: Path) -> None:
        lock_of(data).symlink_to(tmp_path / "elsewhere")

        with pytest.raises(Exception, match="cannot be written"):
            take(data)

        assert not (tmp_path / "elsewhere").exists()
