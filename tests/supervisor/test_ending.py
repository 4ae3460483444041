"""Specifies `devinit.supervisor.processes.ending`: every process of a service ends, asked first and then made to."""

from __future__ import annotations

import asyncio
import shlex
import shutil
import signal
import socket
import sys
import time
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from devinit.model.service import StopPolicy, StopTarget
from devinit.supervisor.processes import ending
from devinit.supervisor.processes.ending import ProcessScan, ask, end_tree
from devinit.system.processes import members_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.supervisor.conftest import Launcher, Started

SOON = StopPolicy(grace_seconds=0.2)
POLITE = """
import os, signal, sys
signal.signal(signal.SIGTERM, lambda *_: (os.write(1, b"asked\\n"), sys.exit(0)))
print("ready", flush=True)
while True:
    signal.pause()
"""
STUBBORN = """
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
while True:
    signal.pause()
"""
LEAVES_ITS_SESSION = """
import os, signal
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        print("ready", flush=True)
        signal.pause()
    os._exit(0)
os.wait()
signal.pause()
"""
FORKS_WHILE_IT_DIES = """
import os, signal

def fork(*_):
    # Blocked meanwhile: a signal that Python has taken down for a handler which is changed then is lost.
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    if os.fork() == 0:
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
        while True:
            signal.pause()
    os._exit(0)

signal.signal(signal.SIGTERM, fork)
print("ready", flush=True)
while True:
    signal.pause()
"""

WORKS_IN_A_CHILD = """
import os, signal, sys, time

signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGTERM])
child = os.fork()
if child == 0:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
    os.write(1, b"at work\\n")
    signal.sigwait([signal.SIGUSR1])
    os.write(1, b"job done\\n")
    os._exit(0)
while "stubborn" in sys.argv:
    signal.pause()
signal.sigwait([signal.SIGTERM])
if "leaves" not in sys.argv:
    time.sleep(0.3)  # the job takes its time
    os.kill(child, signal.SIGUSR1)
    os.waitpid(child, 0)
"""
"""As Celery and RQ do it: asked to end, it lets the child finish its job, which a signal to the child would lose."""


class Ended:
    """What the ending of a service said and left."""

    def __init__(self, left: list[int], said: list[str], seconds: float) -> None:
        self.left, self.said, self.seconds = left, said, seconds


async def end(launch: Launcher, started: Started, policy: StopPolicy = SOON, *, known: bool = True) -> Ended:
    """End a service; without `known` nobody remembers its first process."""
    said: list[str] = []
    began = time.monotonic()
    left = await end_tree(started.process.identity if known else None, launch.marker, policy, said.append)
    return Ended(left, said, time.monotonic() - began)


def left_of(launch: Launcher) -> list[int]:
    return [member.pid for member in members_of(None, launch.marker)]


class TestEnding:
    async def test_asks_and_returns_as_soon_as_everything_is_gone(self, launch: Launcher) -> None:
        service = launch.python(POLITE)
        service.line()

        ended = await end(launch, service, StopPolicy(grace_seconds=20))

        assert service.line() == "asked"
        assert (ended.left, ended.said) == ([], [])
        assert ended.seconds < 10

    async def test_kills_after_the_grace_and_says_whom(self, launch: Launcher) -> None:
        service = launch.python(STUBBORN)
        service.line()

        ended = await end(launch, service)

        assert ended.left == []
        assert ended.said == [f"still running after 0.2 s: pid {service.pid} python; sending SIGKILL"]
        assert service.process.returncode() == -signal.SIGKILL

    async def test_says_nothing_of_processes_that_have_ended_meanwhile(
        self, launch: Launcher, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(ending, "TELLING_SECONDS", 0.0)
        monkeypatch.setattr(ending, "facts_of", lambda _pid: None)
        service = launch.python(STUBBORN)
        service.line()

        assert (await end(launch, service)).said == []

    async def test_sends_the_signal_that_the_service_wants(self, launch: Launcher) -> None:
        service = launch.sh("trap 'echo interrupted; exit' INT; echo ready; while :; do sleep 0.01; done")
        service.line()

        await end(launch, service, StopPolicy(signal="INT", grace_seconds=20))

        assert service.line() == "interrupted"

    async def test_takes_along_what_left_the_session(self, launch: Launcher) -> None:
        service = launch.python(LEAVES_ITS_SESSION)
        service.line()
        assert len(left_of(launch)) == 2

        ended = await end(launch, service)

        assert (ended.left, ended.said, left_of(launch)) == ([], [], [])

    async def test_finds_what_a_process_left_behind_that_is_gone(self, launch: Launcher) -> None:
        service = launch.python(LEAVES_ITS_SESSION)
        service.line()
        service.process.send(signal.SIGKILL)
        service.process.wait(10)
        service.process.returncode()

        await end(launch, service)

        assert left_of(launch) == []

    async def test_finds_everything_by_the_mark_alone(self, launch: Launcher) -> None:
        service = launch.python(LEAVES_ITS_SESSION)
        service.line()

        await end(launch, service, known=False)

        assert left_of(launch) == []

    async def test_ends_what_is_started_while_the_tree_dies(self, launch: Launcher) -> None:
        service = launch.python(FORKS_WHILE_IT_DIES)
        service.line()

        ended = await end(launch, service, StopPolicy(grace_seconds=20))

        assert (ended.left, left_of(launch)) == ([], [])
        assert ended.seconds < 10

    async def test_ends_a_process_that_is_stopped(self, launch: Launcher) -> None:
        service = launch.python(POLITE)
        service.line()
        service.process.send(signal.SIGSTOP)

        ended = await end(launch, service, StopPolicy(grace_seconds=20))

        assert (ended.left, ended.said) == ([], [])

    async def test_shares_the_grace_between_all_processes(self, launch: Launcher) -> None:
        for _ in range(4):
            stubborn = launch.python(STUBBORN)
            stubborn.line()

        ended = await end(launch, stubborn, StopPolicy(grace_seconds=0.3))

        assert left_of(launch) == []
        assert ended.seconds < 1.1

    async def test_asks_again_instead_of_killing_when_that_is_the_policy(self, launch: Launcher) -> None:
        service = launch.python(STUBBORN.replace("SIGTERM", "SIGINT"))
        service.line()

        ended = await end(launch, service, StopPolicy(signal="INT", grace_seconds=0.1, kill=False))

        assert ended.said == [f"still running after 0.1 s: pid {service.pid} python; sending SIGQUIT"]
        assert service.process.returncode() == -signal.SIGQUIT

    async def test_of_nothing_is_over_at_once(self, launch: Launcher) -> None:
        assert await end_tree(None, launch.marker, SOON, print) == []

    async def test_goes_on_when_a_process_is_another_users(self, launch: Launcher) -> None:
        service = launch.python(POLITE)
        service.line()
        refusing = Refusing(service)

        ask(refusing, signal.SIGTERM)  # type: ignore[arg-type]  # a process that answers as sudo's does

        assert refusing.asked

    async def test_lets_everything_else_go_on_meanwhile(self, launch: Launcher) -> None:
        service = launch.python(STUBBORN)
        service.line()
        ending = asyncio.create_task(end(launch, service))
        turns = 0
        while not ending.done():
            await asyncio.sleep(0.005)
            turns += 1

        # One or two where the loop is blocked; how many more depends on how busy the machine is.
        assert turns > 3


@pytest.mark.skipif(shutil.which("redis-server") is None, reason="needs Redis")
class TestARedisWhoseLastSaveTakesLonger:
    """`rdb-key-save-delay` stands in for a large data set."""

    @pytest.fixture
    def redis(self, launch: Launcher, tmp_path: Path) -> Started:
        command = (
            "exec redis-server --port 0 --unixsocket redis.sock --save '3600 1' --rdb-key-save-delay 2000"
        )
        service = launch.sh(f"cd {shlex.quote(str(tmp_path))} && {command}")
        while "ready to accept" not in service.line().lower():
            pass
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(tmp_path / "redis.sock"))
            client.sendall(b"".join(b"SET key%d value\r\n" % number for number in range(1000)))
            answers = b""
            while answers.count(b"+OK") < 1000:
                answers += client.recv(65536)
        return service

    async def test_than_the_grace_is_waited_for_and_not_killed(
        self, launch: Launcher, redis: Started, tmp_path: Path
    ) -> None:
        ended = await end(launch, redis)

        assert ended.left == []
        assert any("may still be saving its data, so it is not killed" in each for each in ended.said)
        assert b"key999" in (tmp_path / "dump.rdb").read_bytes()

    async def test_than_all_of_the_time_is_left_running(self, launch: Launcher, redis: Started) -> None:
        ended = await end(launch, redis, replace(SOON, saving_seconds=0.1))

        assert ended.left == [redis.pid]

    @pytest.mark.parametrize("forced_by", ["a second stop", "deleted data"])
    async def test_is_killed_when_that_is_wished_or_it_has_nothing_to_save(
        self, launch: Launcher, redis: Started, forced_by: str
    ) -> None:
        force = asyncio.Event()

        def say(text: str) -> None:
            if "not killed" in text:
                force.set()

        policy = replace(SOON, saving_seconds=0.0) if forced_by == "deleted data" else SOON
        left = await end_tree(redis.process.identity, launch.marker, policy, say, force=force)

        assert left == []
        assert redis.process.returncode() == -signal.SIGKILL
        assert force.is_set() == (forced_by == "a second stop")


class TestALook:
    async def test_is_shared_by_all_who_ask_at_once(self) -> None:
        process_scan = ProcessScan()

        first, second = await asyncio.gather(process_scan.table(), process_scan.table())

        assert first is second

    async def test_shows_what_was_there_after_it_was_asked_for(self, launch: Launcher) -> None:
        process_scan = ProcessScan()
        await process_scan.table()
        service = launch.sh("exec sleep 1000")

        table = await process_scan.table()

        assert [member.pid for member in table.members_of(None, launch.marker)] == [service.pid]

    async def test_lets_many_services_end_together(self, launch: Launcher) -> None:
        process_scan = ProcessScan()
        services = [launch.python(POLITE) for _ in range(10)]
        for service in services:
            service.line()

        left = await asyncio.gather(
            *(
                end_tree(service.process.identity, None, StopPolicy(grace_seconds=20), print, process_scan)
                for service in services
            )
        )

        assert left == [[]] * 10
        assert left_of(launch) == []

    async def test_ends_more_processes_than_it_has_descriptors_for(
        self, launch: Launcher, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("devinit.system.descriptors.Descriptors.at_once", lambda _self: 1)
        services = [launch.python(POLITE) for _ in range(4)]
        for service in services:
            service.line()

        left = await end_tree(None, launch.marker, StopPolicy(grace_seconds=20), print)

        assert left == []
        assert [service.line() for service in services] == ["asked"] * 4
        assert left_of(launch) == []


class Refusing:
    """A process that we may not signal."""

    def __init__(self, started: Started) -> None:
        self.identity = started.process.identity
        self.asked = False

    def send(self, _signal: int) -> bool:
        self.asked = True
        raise PermissionError


@pytest.fixture(autouse=True)
def _short_kill(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devinit.supervisor.processes.ending.KILL_SECONDS", 10.0)


class TestEndingTheMainProcessFirst:
    """With `stop = { to = "main" }`."""

    PATIENT = StopPolicy(to=StopTarget.MAIN, grace_seconds=20)

    async def test_lets_its_children_finish_their_work(self, launch: Launcher) -> None:
        service = launch.python(WORKS_IN_A_CHILD)
        service.line()

        ended = await end(launch, service, self.PATIENT)

        assert service.line() == "job done"
        assert (ended.left, ended.said, left_of(launch)) == ([], [], [])
        assert ended.seconds < 10

    async def test_asks_what_a_shell_runs_and_not_the_shell(self, launch: Launcher) -> None:
        program = shlex.join([sys.executable, "-S", "-E", "-c", WORKS_IN_A_CHILD])
        service = launch.sh(f"LEVEL=1; {program}; echo ended with $?")
        service.line()

        await end(launch, service, self.PATIENT)

        assert [service.line(), service.line()] == ["job done", "ended with 0"]

    async def test_lets_the_shell_around_it_run_its_last_lines(self, launch: Launcher) -> None:
        program = shlex.join([sys.executable, "-S", "-E", "-c", WORKS_IN_A_CHILD])
        service = launch.sh(f"LEVEL=1; {program}; sleep 0.2; echo cleaned up")
        service.line()

        ended = await end(launch, service, self.PATIENT)

        assert [service.line(), service.line()] == ["job done", "cleaned up"]
        assert (ended.left, ended.said, left_of(launch)) == ([], [], [])

    async def test_asks_a_shell_around_it_that_goes_on(
        self, launch: Launcher, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("devinit.supervisor.processes.ending.LAUNCHER_SECONDS", 0.1)
        program = shlex.join([sys.executable, "-S", "-E", "-c", WORKS_IN_A_CHILD])
        service = launch.sh(f"LEVEL=1; {program}; sleep 1000; echo never")
        service.line()

        ended = await end(launch, service, self.PATIENT)

        assert (ended.left, ended.said, left_of(launch)) == ([], [], [])
        assert ended.seconds < 10

    async def test_ends_what_it_leaves_behind(self, launch: Launcher) -> None:
        service = launch.python(WORKS_IN_A_CHILD, "leaves")
        service.line()

        ended = await end(launch, service, self.PATIENT)

        assert (ended.left, left_of(launch)) == ([], [])
        assert ended.seconds < 10

    async def test_asks_all_of_them_when_its_grace_is_over_and_then_insists(self, launch: Launcher) -> None:
        service = launch.python(WORKS_IN_A_CHILD, "stubborn")
        service.line()

        ended = await end(launch, service, StopPolicy(to=StopTarget.MAIN, grace_seconds=0.2))

        assert (ended.left, left_of(launch)) == ([], [])
        assert [said.rpartition("; ")[2] for said in ended.said] == [
            "sending SIGTERM to all of them",
            "sending SIGKILL",
        ]
