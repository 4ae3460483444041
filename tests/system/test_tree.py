"""Specifies `devinit.system.tree`: what belongs to a service, and signals to all of it."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from devinit.model.process import ProcessIdentity
from devinit.system import processes, tree
from devinit.system.process_stat import Stat
from devinit.system.procfs import family_of

if TYPE_CHECKING:
    from tests.system.conftest import Launcher, Started

LEAVES_ITS_SESSION = """
import os, signal
if os.fork() == 0:
    os.setsid()
    daemon = os.fork()
    if daemon == 0:
        signal.pause()
    print(daemon, flush=True)
    os._exit(0)
os.wait()
print("left", flush=True)
signal.pause()
"""
"""As a daemon does: a session of its own, and its parent is init."""


STARTS_FROM_A_THREAD = """
import subprocess, threading, signal
def work():
    print(subprocess.Popen(["sleep", "1000"]).pid, flush=True)
    signal.sigwait([])
threading.Thread(target=work).start()
signal.pause()
"""


def end(started: Started) -> None:
    started.process.send(signal.SIGKILL)
    started.process.wait(10)
    started.process.returncode()


class TestTheTreeOfAService:
    def test_is_the_process_and_its_descendants(self, start: Launcher) -> None:
        service = start.sh("sh -c 'sleep 1000 & echo $!; wait' & echo $!; wait")
        said = {service.pid_said(), service.pid_said()}

        assert set(processes.tree_of(service.process, None)) == {service.pid, *said}

    def test_is_a_family_that_the_kernel_lists(self, start: Launcher) -> None:
        service = start.sh("sh -c 'sleep 1000 & echo $!; wait' & echo $!; wait")
        said = {service.pid_said(), service.pid_said()}

        assert set(family_of(service.pid)) == {service.pid, *said}

    def test_is_a_family_also_of_what_a_thread_started(self, start: Launcher) -> None:
        service = start.python(STARTS_FROM_A_THREAD)
        child = service.pid_said()

        assert family_of(service.pid) == (service.pid, child)

    def test_has_no_descendants_when_it_has_ended(self, start: Launcher) -> None:
        service = start.sh("sleep 1000")
        end(service)

        assert family_of(service.pid) == (service.pid,)

    def test_is_found_by_the_number_alone(self, start: Launcher) -> None:
        service = start.sh("sleep 1000 & echo $!; wait")
        child = service.pid_said()

        assert processes.tree_of(service.pid, None) == sorted([service.pid, child])

    def test_keeps_what_stayed_in_its_session_after_the_parent_ended(self, start: Launcher) -> None:
        service = start.sh("(sleep 1000 & echo $!); exec sleep 1000")
        orphan = service.pid_said()

        assert orphan in processes.tree_of(service.process, None)

    def test_keeps_what_left_its_session_by_the_mark(self, start: Launcher) -> None:
        service = start.python(LEAVES_ITS_SESSION)
        daemon = service.pid_said()
        assert service.line() == "left"

        assert daemon not in processes.tree_of(service.process, None)
        assert daemon in processes.tree_of(service.process, start.marker)

    def test_is_found_by_the_mark_after_its_first_process_ended(self, start: Launcher) -> None:
        service = start.sh("sleep 1000 & echo $!; wait")
        left = service.pid_said()

        end(service)

        assert processes.tree_of(service.process, start.marker) == [left]

    def test_has_its_mark_from_the_first_moment(self) -> None:
        mark = {tree.RUN_VARIABLE: "first"}
        unseen = 0
        for _ in range(100):
            with subprocess.Popen(["/bin/sh", "-c", "exec sleep 1000"], env=mark) as service:
                looks = [processes.variable_of(service.pid, tree.RUN_VARIABLE) for _ in range(5)]
                unseen += looks != ["first"] * 5
                service.kill()

        assert unseen == 0

    def test_includes_the_children_and_the_session_of_what_is_marked(self, start: Launcher) -> None:
        service = start.sh(
            "sleep 1000 & env -i sleep 1000 & echo $!; sh -c 'env -i sleep 1000 & echo $!; wait' & wait"
        )
        unmarked = {service.pid_said(), service.pid_said()}

        end(service)

        assert unmarked < set(processes.tree_of(service.process, start.marker))

    def test_needs_the_whole_mark(self, start: Launcher) -> None:
        start.sh("sleep 1000 & echo $!; wait").pid_said()
        stranger = start("sleep", "1000", environment={"PATH": "/bin:/usr/bin"})

        assert processes.tree_of(stranger.process, start.marker[:-1]) == [stranger.pid]

    def test_includes_a_stopped_process(self, start: Launcher) -> None:
        service = start("sleep", "1000")
        service.process.send(signal.SIGSTOP)
        os.waitid(os.P_PID, service.pid, os.WSTOPPED | os.WNOWAIT)

        assert processes.tree_of(service.process, None) == [service.pid]

    def test_leaves_out_what_has_ended_and_was_not_reaped(self, start: Launcher) -> None:
        service = start("true")
        service.process.wait(10)

        assert processes.tree_of(service.process, None) == []

    def test_reaches_through_a_first_process_that_was_not_reaped(self, start: Launcher) -> None:
        service = start.sh("sleep 1000 & echo $!; wait")
        left = service.pid_said()
        service.process.send(signal.SIGKILL)
        service.process.wait(10)

        assert processes.tree_of(service.process, None) == [left]

    def test_is_empty_when_another_process_has_the_number(self, start: Launcher) -> None:
        stranger = start.sh("sleep 1000 & echo $!; wait")
        stranger.pid_said()
        now = stranger.process.identity

        assert processes.tree_of(ProcessIdentity(now.pid, now.start_time - 1, now.boot_id), None) == []

    def test_of_a_process_that_shares_a_session_stops_at_its_descendants(self, start: Launcher) -> None:
        shell = start.sh("sleep 1000 & echo $!; sleep 1000 & echo $!; wait")
        first, _second = shell.pid_said(), shell.pid_said()

        assert processes.tree_of(first, None) == [first]


class TestATableOfProcesses:
    def test_answers_for_several_services(self, start: Launcher) -> None:
        first = start.sh("sleep 1000 & echo $!; wait")
        second = start.sh("sleep 1000 & echo $!; wait")
        children = [first.pid_said(), second.pid_said()]

        table = processes.ProcessTable()

        assert [
            [member.pid for member in table.members_of(service.process, None)] for service in (first, second)
        ] == [[first.pid, children[0]], [second.pid, children[1]]]

    def test_finds_the_marked_without_a_first_process(self, start: Launcher) -> None:
        service = start("sleep", "1000")

        assert processes.ProcessTable().members_of(None, start.marker) == [service.process.identity]

    def test_reads_each_environment_once_however_many_services_there_are_and_none_of_the_kernel(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        marks = {pid: f"shop/s{pid}@1" for pid in range(100, 130)}
        threads = {2: Stat("S", 0, 0, 1, name="kthreadd"), 3: Stat("I", 2, 0, 1), 4: Stat("I", 2, 0, 1)}
        ours = {pid: Stat("S", 1, pid, 5, name="sh") for pid in marks}
        shell = {50: Stat("S", 2, 50, 5, name="sh")}
        read: list[int] = []

        def variable_of(pid: int, _name: str) -> str | None:
            read.append(pid)
            return marks.get(pid)

        monkeypatch.setattr(tree, "all_processes", lambda: threads | shell | ours)
        monkeypatch.setattr(tree, "variable_of", variable_of)

        table = processes.ProcessTable()
        found = {pid: [each.pid for each in table.members_of(None, mark)] for pid, mark in marks.items()}

        assert found == {pid: [pid] for pid in marks}
        assert sorted(read) == [2, 50, *marks]

    def test_reads_what_only_looks_like_a_thread_of_the_kernel(self, monkeypatch: pytest.MonkeyPatch) -> None:
        container = {2: Stat("S", 1, 2, 5, name="kthreadd"), 3: Stat("S", 2, 0, 5, name="sh")}
        monkeypatch.setattr(tree, "all_processes", lambda: container)
        monkeypatch.setattr(tree, "variable_of", lambda pid, _name: f"mark {pid}")

        assert [each.pid for each in processes.ProcessTable().members_of(None, "mark 3")] == [3]

    def test_takes_no_session_from_outside_the_container_for_ours(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        marked, stranger = Stat("S", 0, 0, 1), Stat("S", 0, 0, 1)
        monkeypatch.setattr(tree, "all_processes", lambda: {10: marked, 11: stranger})
        monkeypatch.setattr(tree, "variable_of", lambda pid, _name: "ours" if pid == 10 else None)

        assert [member.pid for member in processes.members_of(None, "ours")] == [10]


class TestASignalToATree:
    def test_reaches_every_member(self, start: Launcher) -> None:
        service = start.sh("sleep 1000 & echo $!; wait")
        child = service.pid_said()

        reached = processes.signal_tree(processes.tree_of(service.process, start.marker), signal.SIGKILL)

        assert set(reached) == {service.pid, child}
        assert service.rest() == ""

    def test_never_reaches_a_process_that_was_given_a_number_later(self, start: Launcher) -> None:
        stranger = start("sleep", "1000")
        now = stranger.process.identity

        reached = processes.signal_tree(
            [ProcessIdentity(now.pid, now.start_time - 1, now.boot_id)], signal.SIGKILL
        )

        assert reached == []
        assert not stranger.process.wait(0.05)

    def test_never_means_a_group_the_first_process_or_ourselves(self) -> None:
        assert processes.signal_tree([-1, 0, 1, os.getpid()], 0) == []

    def test_passes_over_what_has_ended(self, start: Launcher) -> None:
        gone = start("true")
        end(gone)

        assert processes.signal_tree([gone.pid, gone.process.identity], signal.SIGTERM) == []
