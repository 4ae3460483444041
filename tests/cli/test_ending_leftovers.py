"""Specifies the cure of `devinit doctor` for processes without a supervisor: a save is never cut short."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from devinit.cli.doctor.leftovers import end
from devinit.errors import ServiceError
from devinit.system.processes import identity_of


@pytest.mark.skipif(shutil.which("redis-server") is None, reason="needs Redis")
def test_a_redis_that_is_still_saving_is_reported_and_keeps_its_data(tmp_path: Path) -> None:
    options = f"--port 0 --unixsocket {tmp_path}/s --dir {tmp_path} --rdb-key-save-delay 2000"
    with subprocess.Popen(
        ["redis-server", *options.split(), "--save", "3600 1"], stdout=subprocess.PIPE, text=True
    ) as redis:
        assert redis.stdout is not None
        assert any("ready to accept" in line.lower() for line in redis.stdout)
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(f"{tmp_path}/s")
            client.sendall(b"".join(b"SET key%d value\r\n" % number for number in range(1000)))
            answers = b""
            while answers.count(b"+OK") < 1000:
                answers += client.recv(65536)
        identity = identity_of(redis.pid)
        assert identity is not None

        with pytest.raises(ServiceError, match=rf"Redis \(pid {redis.pid}\) .* may still be saving its data"):
            end([identity], signal.SIGTERM, grace_seconds=0.2, saving_seconds=0.1)

        assert redis.wait() == 0
    assert b"key999" in (tmp_path / "dump.rdb").read_bytes()
