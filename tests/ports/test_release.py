from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from devinit.errors import PortConflict
from devinit.model.process import ProcessIdentity
from devinit.ports.ending.release import Released, release
from devinit.ports.holder.lookup import holders_of_port
from devinit.ports.holder.naming import named
from devinit.system.processes import Process, identity_of
from tests.ports.conftest import LISTEN, RESTART, Block, Stranger

HELPERS = f"""
import subprocess, sys
idle = [sys.executable, "-S", "-c", "import signal; signal.pause()"]
helpers = [subprocess.Popen(idle, start_new_session=apart).pid for apart in (False, True)]
open(sys.argv.pop(), "w").write(" ".join(map(str, helpers)))
{LISTEN}
"""
"""A server with a helper in its group and one that has left it."""

STARTING = """
import subprocess, sys
redis = subprocess.Popen({argv!r} + ["--save", "3600 1"], stdout=subprocess.PIPE, text=True)
any("Ready to accept" in line for line in redis.stdout)
""" + LISTEN.replace("{", "{{").replace("}", "}}")
"""A server that has started a Redis in its group."""

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")


def released(port: int, *, grace_seconds: float = 5.0, saving_seconds: float = 30.0) -> Released:
    return release(
        port, holders_of_port(port).identities, grace_seconds=grace_seconds, saving_seconds=saving_seconds
    )


def helper(pid: str) -> Process:
    identity = identity_of(int(pid))
    assert identity is not None
    return Process(identity)


def lives(process: subprocess.Popen[str]) -> bool:
    return process.poll() is None


class TestReleasingAPort:
    def test_ends_its_holder_and_holds_the_port(self, port: int, stranger: Stranger) -> None:
        process = stranger(port)
        said: list[str] = []

        freed = release(port, holders_of_port(port).identities, say=said.append)

        assert process.wait() == -signal.SIGTERM
        assert len(freed.ended) == 1
        assert freed.ended[0].endswith(f"(pid {process.pid})")
        assert said == [f"asked {freed.ended[0]} to end"]
        assert freed.hold.port == port
        freed.hold.close()

    def test_ends_every_process_that_has_the_socket(self, port: int, stranger: Stranger) -> None:
        stranger(port, "127.0.0.1", "fork")

        freed = released(port)

        assert len(freed.ended) == 2
        freed.hold.close()

    def test_ends_a_worker_whose_parent_is_gone(self, port: int, stranger: Stranger) -> None:
        parent = stranger(port, "127.0.0.1", "fork")
        parent.kill()
        parent.wait()

        freed = released(port)

        assert len(freed.ended) == 1
        freed.hold.close()

    def test_ends_the_holders_of_both_families(self, port: int, stranger: Stranger) -> None:
        processes = [stranger(port, "127.0.0.1"), stranger(port, "::1")]

        freed = released(port)

        assert [process.wait() for process in processes] == [-signal.SIGTERM] * 2
        freed.hold.close()

    def test_wakes_a_holder_that_was_stopped_by_ctrl_z(self, port: int, stranger: Stranger) -> None:
        process = stranger(port)
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)

        freed = released(port)

        assert process.wait() == -signal.SIGTERM
        freed.hold.close()

    def test_insists_when_the_holder_does_not_listen_to_reason(self, port: int, stranger: Stranger) -> None:
        process = stranger(port, "127.0.0.1", "stubborn")

        freed = released(port, grace_seconds=0.1)

        assert process.wait() == -signal.SIGKILL
        freed.hold.close()

    def test_takes_milliseconds(self, port: int, stranger: Stranger) -> None:
        stranger(port)
        start = time.monotonic()

        freed = released(port)

        assert time.monotonic() - start < 1
        freed.hold.close()

    def test_that_is_free_ends_nobody(self, port: int) -> None:
        freed = release(port, ())

        assert freed.ended == ()
        freed.hold.close()

    @linux_only
    def test_asks_postgresql_for_its_fast_shutdown(self, port: int, stranger: Stranger) -> None:
        process = stranger(port, "127.0.0.1", "postgres")

        freed = released(port)

        assert process.wait() == 0
        freed.hold.close()

    @linux_only
    def test_never_kills_postgresql(self, port: int, stranger: Stranger) -> None:
        process = stranger(port, "127.0.0.1", "immortal")

        with pytest.raises(PortConflict) as refused:
            released(port, grace_seconds=0.1, saving_seconds=0.1)

        assert lives(process)
        assert "PostgreSQL was asked to end and may still be saving its data" in str(refused.value.hint)

    @linux_only
    @pytest.mark.parametrize(
        "server",
        ["redis-server", "valkey-server", "keydb-server", "dragonfly", "mysqld", "mariadbd", "mongod"],
    )
    def test_never_kills_a_server_that_saves_when_it_ends(
        self, port: int, stranger: Stranger, server: str
    ) -> None:
        process = stranger(port, "127.0.0.1", "stubborn", f"name={server}")

        with pytest.raises(PortConflict, match=r"is held by") as refused:
            released(port, grace_seconds=0.1, saving_seconds=0.1)

        assert lives(process)
        assert "may still be saving its data, so it is never killed" in str(refused.value.hint)


@linux_only
@pytest.mark.skipif(shutil.which("redis-server") is None, reason="needs Redis")
class TestARedisWhoseLastSaveTakesLonger:
    """`rdb-key-save-delay` stands in for a large data set."""

    @pytest.fixture
    def redis(self, port: int, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
        options = f"--port {port} --bind 127.0.0.1 --dir {tmp_path} --rdb-key-save-delay 2000"
        with subprocess.Popen(
            ["redis-server", *options.split(), "--save", "3600 1"], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            assert any("Ready to accept" in line for line in process.stdout)
            with socket.create_connection(("127.0.0.1", port)) as client:
                client.sendall(b"".join(b"SET key%d value\r\n" % number for number in range(1000)))
                answers = b""
                while answers.count(b"+OK") < 1000:
                    answers += client.recv(65536)
            yield process
            process.kill()

    def test_than_the_grace_keeps_its_data_and_frees_the_port(
        self, port: int, redis: subprocess.Popen[str], tmp_path: Path
    ) -> None:
        said: list[str] = []

        freed = release(port, holders_of_port(port).identities, grace_seconds=0.5, say=said.append)

        assert redis.wait() == 0
        assert b"key999" in (tmp_path / "dump.rdb").read_bytes()
        assert any("saves its data first, and is never killed; waiting 30 s more" in each for each in said)
        freed.hold.close()

    def test_than_all_of_the_time_is_a_conflict_that_says_so_and_keeps_its_data(
        self, port: int, redis: subprocess.Popen[str], tmp_path: Path
    ) -> None:
        with pytest.raises(PortConflict) as refused:
            released(port, grace_seconds=0.2, saving_seconds=0.2)

        assert "Redis was asked to end and may still be saving its data" in str(refused.value.hint)
        assert redis.wait() == 0
        assert b"key999" in (tmp_path / "dump.rdb").read_bytes()

    def test_is_not_cut_short_when_it_was_started_by_a_holder_that_is_killed(
        self, port: int, block: Block, stranger: Stranger, tmp_path: Path
    ) -> None:
        other = block(1)[0]
        options = f"--port {other} --bind 127.0.0.1 --dir {tmp_path} --rdb-key-save-delay 2000"
        parent = stranger(
            port, "127.0.0.1", "stubborn", program=STARTING.format(argv=["redis-server", *options.split()])
        )
        with socket.create_connection(("127.0.0.1", other)) as client:
            client.sendall(b"".join(b"SET key%d value\r\n" % number for number in range(1000)))
            answers = b""
            while answers.count(b"+OK") < 1000:
                answers += client.recv(65536)
            freed = released(port, grace_seconds=0.3)
            while client.recv(65536):
                pass

        assert parent.wait() == -signal.SIGKILL
        assert b"key999" in (tmp_path / "dump.rdb").read_bytes()
        freed.hold.close()


class TestAHolder:
    def test_that_was_not_shown_is_not_ended(self, port: int, stranger: Stranger) -> None:
        first = stranger(port)
        shown = holders_of_port(port).identities
        first.kill()
        first.wait()
        second = stranger(port)

        with pytest.raises(PortConflict, match=rf"port {port} is held by .*\(pid {second.pid}\)") as refused:
            release(port, shown)

        assert lives(second)
        assert refused.value.hint == "it is not the process that was shown, so nothing was ended"

    def test_that_joined_later_spares_the_others_too(self, port: int, stranger: Stranger) -> None:
        first = stranger(port, "127.0.0.1")
        shown = holders_of_port(port).identities
        second = stranger(port, "::1")

        with pytest.raises(PortConflict):
            release(port, shown)

        assert lives(first)
        assert lives(second)

    def test_that_is_protected_is_not_ended(self, port: int, stranger: Stranger) -> None:
        process = stranger(port)

        with pytest.raises(PortConflict) as refused:
            release(port, holders_of_port(port).identities, protected=[process.pid])

        assert lives(process)
        assert str(refused.value.hint).startswith("devinit itself runs in")

    def test_that_comes_back_is_reported_with_whoever_started_it(self, port: int, stranger: Stranger) -> None:
        supervisor = stranger(port, program=RESTART)

        with pytest.raises(PortConflict) as refused:
            released(port)

        hint = str(refused.value.hint)
        assert re.fullmatch(rf"it was started again: stop .* \(pid {supervisor.pid}\) first", hint)


class TestWhatAHolderStarted:
    @pytest.mark.parametrize("options", [(), ("stubborn",)])
    def test_in_its_group_is_ended_with_it_and_what_left_the_group_is_not(
        self, port: int, stranger: Stranger, tmp_path: Path, options: tuple[str, ...]
    ) -> None:
        stranger(port, "127.0.0.1", *options, str(tmp_path / "pids"), program=HELPERS)
        inside, outside = map(helper, (tmp_path / "pids").read_text().split())
        with inside, outside:
            try:
                freed = released(port, grace_seconds=0.1)

                assert inside.wait(5)
                assert not outside.wait(0)
                freed.hold.close()
            finally:
                outside.send(signal.SIGKILL)


class TestWaitingForAHolder:
    def test_says_for_whom_and_how_long(self, port: int, stranger: Stranger) -> None:
        stranger(port, "127.0.0.1", "stubborn")
        found = holders_of_port(port)
        said: list[str] = []

        freed = release(port, found.identities, say=said.append, grace_seconds=1.6)

        name = named(found.holders[0])
        assert said == [
            f"asked {name} to end",
            f"waiting for {name} to end, 1 s more at most",
            f"{name} did not end within 1.6 s: killed",
        ]
        freed.hold.close()


class TestANumberThatWasGivenOutAgain:
    def test_is_not_signalled(self, port: int, stranger: Stranger) -> None:
        process = stranger(port)
        [now] = holders_of_port(port).identities
        shown = ProcessIdentity(now.pid, now.start_time - 1, now.boot_id)

        with pytest.raises(PortConflict) as refused:
            release(port, [shown])

        assert lives(process)
        assert refused.value.hint == "it is not the process that was shown, so nothing was ended"

    def test_while_we_look_is_not_signalled(
        self, port: int, stranger: Stranger, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The number passes on after everything was checked, and before the signal."""
        process = stranger(port)
        found = holders_of_port(port)
        [holder] = found.holders
        earlier = replace(holder.identity, start_time=holder.identity.start_time - 1)
        before = replace(found, holders=(replace(holder, identity=earlier),))
        monkeypatch.setattr("devinit.ports.ending.release.holders_of_port", lambda *_args, **_named: before)

        with pytest.raises(PortConflict):
            release(port, [earlier], grace_seconds=0.2)

        assert lives(process)


class TestASocketThatPassedOn:
    def test_while_we_look_spares_who_had_it(
        self, block: Block, stranger: Stranger, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The same process, but it holds another socket than the one that it was found by."""
        port, elsewhere = block(2)
        stranger(port)
        bystander = stranger(elsewhere)
        before = replace(holders_of_port(port), holders=holders_of_port(elsewhere).holders)
        monkeypatch.setattr("devinit.ports.ending.release.holders_of_port", lambda *_args, **_named: before)

        with pytest.raises(PortConflict):
            release(port, before.identities, grace_seconds=0.2)

        assert lives(bystander)
