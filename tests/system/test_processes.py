"""Specifies `devinit.system.processes`: identity, facts, and a process that is held."""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from devinit.model.process import ProcessFacts, ProcessIdentity
from devinit.system import processes

if TYPE_CHECKING:
    from devinit.model.process import RunAs
    from tests.system.conftest import Launcher, Started, Unprivileged

PARENT_OF_A_ZOMBIE = """
import os, signal
child = os.fork()
if child == 0:
    os._exit(0)
os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
print(child, flush=True)
signal.pause()
"""


def identity_of(pid: int) -> ProcessIdentity:
    found = processes.identity_of(pid)
    assert found is not None
    return found


def facts_of(pid: int) -> ProcessFacts:
    found = processes.facts_of(pid)
    assert found is not None
    return found


def earlier(identity: ProcessIdentity) -> ProcessIdentity:
    """An earlier process that had the same number."""
    return ProcessIdentity(identity.pid, identity.start_time - 1, identity.boot_id)


def end(started: Started) -> None:
    started.process.send(signal.SIGKILL)
    started.process.wait(10)
    started.process.returncode()


@contextmanager
def no_descriptors_left() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest_free = os.open(os.devnull, os.O_RDONLY)
    os.close(lowest_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class TestAnIdentity:
    def test_stays_the_same_while_the_process_runs(self) -> None:
        assert identity_of(os.getpid()) == identity_of(os.getpid())
        assert processes.alive(identity_of(os.getpid()))

    def test_is_none_when_no_process_has_the_number(self, start: Launcher) -> None:
        gone = start("true")
        end(gone)

        assert processes.identity_of(gone.pid) is None

    def test_is_dead_once_the_process_has_ended_even_when_nobody_reaped_it(self, start: Launcher) -> None:
        zombie = start.python(PARENT_OF_A_ZOMBIE).pid_said()

        assert not processes.alive(identity_of(zombie))

    def test_is_dead_when_another_process_has_the_number(self) -> None:
        assert not processes.alive(earlier(identity_of(os.getpid())))

    def test_is_dead_after_a_reboot(self) -> None:
        own = identity_of(os.getpid())

        assert not processes.alive(ProcessIdentity(own.pid, own.start_time, "another boot"))

    def test_is_found_for_a_process_with_a_parenthesis_in_its_name(
        self, start: Launcher, tmp_path: Path
    ) -> None:
        (tmp_path / "a) S (b 1").symlink_to("/bin/sleep")
        started = start(str(tmp_path / "a) S (b 1"), "1000")

        assert processes.alive(started.process.identity)
        assert facts_of(started.pid).name == "a) S (b 1"

    def test_is_not_taken_for_dead_when_descriptors_run_out(self) -> None:
        own = identity_of(os.getpid())

        with no_descriptors_left(), pytest.raises(OSError, match="Too many open files"):
            processes.alive(own)


class TestTheFactsOfAProcess:
    def test_tell_what_a_person_asks(self, start: Launcher, tmp_path: Path) -> None:
        script = "echo here; sleep 1000; echo"
        started = start("sh", "-c", script, directory=tmp_path)
        # Its arguments are there a moment after it is: the kernel copies them during exec.
        assert started.line() == "here"

        facts = facts_of(started.pid)

        assert facts.identity == started.process.identity
        assert facts.parent_pid == os.getpid()
        assert (facts.name, facts.command) == ("sh", ("sh", "-c", script))
        assert (facts.uid, facts.user) == (os.getuid(), processes.user_name(os.getuid()))
        assert facts.directory == str(tmp_path.resolve())
        assert 0 <= facts.age_seconds < 60
        assert not facts.stopped

    def test_keep_an_argument_with_spaces_whole(self, start: Launcher) -> None:
        started = start.sh("echo; sleep 1000; echo", "a b")
        started.line()

        assert facts_of(started.pid).command[-1] == "a b"

    def test_say_that_it_was_stopped(self, start: Launcher) -> None:
        started = start("sleep", "1000")

        started.process.send(signal.SIGSTOP)
        os.waitid(os.P_PID, started.pid, os.WSTOPPED | os.WNOWAIT)

        assert facts_of(started.pid).stopped

    def test_can_be_sent_as_json_whatever_the_command_line_holds(self, start: Launcher) -> None:
        started = start.sh("echo; sleep 1000; echo", os.fsdecode(b"\xff"))
        started.line()

        assert facts_of(started.pid).command[-1] == "\N{REPLACEMENT CHARACTER}"

    def test_are_none_when_there_is_no_such_process(self, start: Launcher) -> None:
        gone = start("true")
        end(gone)

        assert processes.facts_of(gone.pid) is None

    def test_of_a_zombie_have_no_command(self, start: Launcher) -> None:
        zombie = start.python(PARENT_OF_A_ZOMBIE).pid_said()

        assert facts_of(zombie).command == ()

    def test_of_another_users_process_lack_what_is_hidden(
        self, start: Launcher, unprivileged: Unprivileged
    ) -> None:
        if os.getuid() != 0:
            pytest.skip("there is no other user's process to look at")
        started = start("sleep", "1000")
        started.process.send(0)

        facts = unprivileged(lambda: facts_of(started.pid))

        assert (facts.user, facts.name, facts.directory) == ("root", "sleep", None)

    def test_name_the_user_that_runs_it(self, start: Launcher, other_user: RunAs) -> None:
        started = start("sleep", "1000", run_as=other_user)

        assert facts_of(started.pid).uid == other_user.uid

    def test_give_the_number_of_a_user_without_a_name(self) -> None:
        assert processes.user_name(4_000_000_000) == "4000000000"


class TestTheAncestorsOfAProcess:
    def test_begin_with_its_parent_and_end_with_the_first_process(self, start: Launcher) -> None:
        # Of a child: the tests themselves may be the first process of a container.
        ancestors = processes.ancestors_of(start("sleep", "1000").pid)

        assert ancestors[0] == os.getpid()
        assert ancestors[-1] == 1

    def test_are_none_for_a_process_that_is_gone(self, start: Launcher) -> None:
        gone = start("true")
        end(gone)

        assert processes.ancestors_of(gone.pid) == ()


class TestAProcess:
    def test_wakes_us_when_it_ends(self, start: Launcher) -> None:
        started = start("sleep", "1000")

        assert not started.process.wait(0)
        started.process.send(signal.SIGTERM)

        assert started.process.wait(10)

    async def test_wakes_an_event_loop_when_it_ends(self, start: Launcher) -> None:
        started = start("sleep", "1000")
        ended = asyncio.Event()
        asyncio.get_running_loop().add_reader(started.process.fileno(), ended.set)

        started.process.send(signal.SIGTERM)

        async with asyncio.timeout(10):
            await ended.wait()
        asyncio.get_running_loop().remove_reader(started.process.fileno())

    @pytest.mark.parametrize(
        ("script", "code"), [("exit 0", 0), ("exit 3", 3), ("kill -TERM $$", -signal.SIGTERM)]
    )
    def test_has_a_return_code_after_it_ended(self, start: Launcher, script: str, code: int) -> None:
        started = start.sh(script)

        started.process.wait(10)

        assert started.process.returncode() == code
        assert started.process.returncode() == code

    def test_has_no_return_code_while_it_runs(self, start: Launcher) -> None:
        assert start("sleep", "1000").process.returncode() is None

    def test_is_reaped_by_asking_for_the_return_code(self, start: Launcher) -> None:
        started = start("true")
        started.process.wait(10)

        started.process.returncode()

        assert processes.identity_of(started.pid) is None

    def test_that_ended_takes_no_signal(self, start: Launcher) -> None:
        started = start("true")
        end(started)

        assert not started.process.send(signal.SIGTERM)

    def test_keeps_running_when_it_is_let_go(self, start: Launcher) -> None:
        started = start("sleep", "1000")
        identity = started.process.identity

        started.process.close()
        gc.collect()

        assert processes.alive(identity)
        assert processes.signal_exactly(identity, signal.SIGKILL)
        os.waitpid(identity.pid, 0)


class TestAnAdoptedProcess:
    def test_is_held_like_our_own(self, start: Launcher) -> None:
        other = start.sh("sleep 1000 & echo $!; wait").pid_said()

        with processes.Process.open(identity_of(other)) or pytest.fail("not adopted") as adopted:
            assert adopted.pid == other
            assert adopted.send(signal.SIGTERM)
            assert adopted.wait(10)
            assert adopted.returncode() is None

    def test_is_none_when_it_has_ended(self, start: Launcher) -> None:
        started = start("true")
        end(started)

        assert processes.Process.open(started.process.identity) is None

    def test_is_none_when_it_ended_and_was_not_reaped(self, start: Launcher) -> None:
        zombie = start.python(PARENT_OF_A_ZOMBIE).pid_said()

        assert processes.Process.open(identity_of(zombie)) is None

    def test_is_none_when_another_process_has_its_number(self) -> None:
        assert processes.Process.open(earlier(identity_of(os.getpid()))) is None


@pytest.fixture
def without_pidfd(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on macOS, and on Linux before 5.3."""
    monkeypatch.delattr(os, "pidfd_open")


@pytest.mark.usefixtures("without_pidfd")
class TestAProcessWithoutPidfds:
    def test_wakes_us_when_it_ends(self, start: Launcher) -> None:
        started = start("sleep", "1000")

        assert not started.process.wait(0)
        assert started.process.send(signal.SIGTERM)
        assert started.process.wait(10)
        assert started.process.returncode() == -signal.SIGTERM

    def test_that_ended_takes_no_signal(self, start: Launcher) -> None:
        started = start("true")
        started.process.wait(10)

        assert not started.process.send(signal.SIGTERM)

    def test_is_not_adopted_when_another_process_has_its_number(self) -> None:
        assert processes.Process.open(earlier(identity_of(os.getpid()))) is None


class TestASignalToExactlyOneProcess:
    def test_is_sent_to_the_process_that_is_meant(self, start: Launcher) -> None:
        started = start("sleep", "1000")

        assert processes.signal_exactly(started.process.identity, signal.SIGTERM, lambda: True)
        started.process.wait(10)

        assert started.process.returncode() == -signal.SIGTERM

    def test_never_reaches_a_process_that_was_given_the_number_later(self, start: Launcher) -> None:
        started = start("sleep", "1000")

        assert not processes.signal_exactly(earlier(started.process.identity), signal.SIGKILL)
        assert not started.process.wait(0.05)

    def test_is_not_sent_when_the_reason_for_it_is_gone(self, start: Launcher) -> None:
        started = start("sleep", "1000")

        assert not processes.signal_exactly(started.process.identity, signal.SIGKILL, lambda: False)
        assert not started.process.wait(0.05)

    def test_is_refused_for_another_users_process(self, start: Launcher, unprivileged: Unprivileged) -> None:
        if os.getuid() != 0:
            pytest.skip("there is no other user's process that a test may aim at")
        started = start("sleep", "1000")

        def attempt() -> str:
            with pytest.raises(PermissionError) as caught:
                processes.signal_exactly(started.process.identity, signal.SIGKILL)
            return type(caught.value).__name__

        assert unprivileged(attempt) == "PermissionError"
        assert processes.alive(started.process.identity)
