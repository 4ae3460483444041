"""Specifies what is found out about real processes that hold a port."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from devinit.model.port import UseState
from devinit.ports.holder.lookup import holders_of_port, holders_of_ports
from devinit.ports.holder.naming import named
from devinit.ports.holder.port_use import PortHolders
from devinit.system.processes import identity_of, user_name
from tests.conftest import Machine
from tests.ports.conftest import Block, Stranger

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root can start another user's process")
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="not visible on this system")


class TestTheHolderOfAPort:
    def test_is_the_process_that_listens(self, port: int, stranger: Stranger) -> None:
        process = stranger(port)

        found = holders_of_port(port)

        assert found.identities == (identity_of(process.pid),)
        assert [(each.address, each.family) for each in found.listeners] == [("127.0.0.1", 4)]
        assert found.killable
        assert found.reason == f"held by {named(found.holders[0])}"

    def test_is_every_process_that_has_the_socket(self, port: int, stranger: Stranger) -> None:
        parent = stranger(port, "127.0.0.1", "fork")

        found = holders_of_port(port)

        assert len(found.holders) == 2
        assert parent.pid in {each.identity.pid for each in found.holders}
        assert " and " in found.reason

    def test_may_be_two_processes_one_on_each_family(self, port: int, stranger: Stranger) -> None:
        pids = {stranger(port, "127.0.0.1").pid, stranger(port, "::1").pid}

        found = holders_of_port(port)

        assert {each.identity.pid for each in found.holders} == pids
        assert {each.family for each in found.listeners} == {4, 6}

    def test_is_found_for_several_ports_at_once(self, block: Block, stranger: Stranger) -> None:
        one, other, free = block(3)
        pids = [stranger(one).pid, stranger(other).pid]

        found = holders_of_ports({one, other, free})

        assert [found[at].holders[0].identity.pid for at in (one, other)] == pids
        assert found[free] == PortHolders(port=free, uid=os.geteuid(), spared=found[one].spared)

    def test_is_told_with_the_processes_above_it(self, port: int, stranger: Stranger) -> None:
        stranger(port)

        (found,) = holders_of_port(port).holders

        pids = [each.pid for each in found.ancestors]
        assert pids[0] == found.parent_pid == os.getpid()
        assert 1 not in pids
        assert found.ancestors[0].title.startswith(("pytest", "python"))

    def test_shows_no_page_of_arguments_of_what_runs_above_it(self, port: int, stranger: Stranger) -> None:
        stranger(port, "127.0.0.1", "fork", *["secret"] * 50)

        worker = next(each for each in holders_of_port(port).holders if each.parent_pid != os.getpid())

        assert len(worker.ancestors[0].title) <= 60

    def test_is_told_with_the_number_of_its_clients(self, block: Block) -> None:
        one, other = block(2)
        with (
            socket.create_server(("127.0.0.1", one)),
            socket.create_server(("127.0.0.1", other)),
            socket.create_connection(("127.0.0.1", one)),
        ):
            found = holders_of_ports([one, other])

        assert [found[port].clients for port in (one, other)] == [1, 0]

    @pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
    def test_is_told_with_its_checkout(self, port: int, stranger: Stranger, tmp_path: Path) -> None:
        subprocess.run(["git", "init", "-q", "-b", "feat/cart", str(tmp_path)], check=True)
        inside = tmp_path / "web"
        inside.mkdir()
        stranger(port, directory=inside)

        (found,) = holders_of_port(port).holders

        assert (found.directory, found.worktree) == (str(inside), str(tmp_path))
        assert (found.branch, found.linked) == ("feat/cart", False)

    def test_may_be_stopped(self, port: int, stranger: Stranger) -> None:
        process = stranger(port)
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)

        found = holders_of_port(port)

        assert found.holders[0].stopped
        assert found.reason.endswith(", stopped by Ctrl-Z")

    def test_that_runs_the_tests_is_spared(self, port: int) -> None:
        with socket.create_server(("127.0.0.1", port)):
            found = holders_of_port(port)

        assert not found.killable
        assert found.protection.startswith("devinit itself runs in ")

    def test_that_asked_is_spared_with_its_ancestors(self, port: int, stranger: Stranger) -> None:
        process = stranger(port, "127.0.0.1", "fork")
        (worker,) = {each.identity.pid for each in holders_of_port(port).holders} - {process.pid}

        assert not holders_of_port(port, protected=[worker]).killable

    @root_only
    def test_of_another_user_is_not_ours_to_end(self, port: int, stranger: Stranger) -> None:
        process = stranger(port, "127.0.0.1", "nobody")

        found = holders_of_port(port)

        assert not found.killable
        assert found.protection == (
            f"it belongs to user {user_name(65534)}: ask them, or end it yourself with `kill {process.pid}`"
        )

    @root_only
    def test_that_is_hidden_is_told_by_its_user(self, port: int) -> None:
        with socket.create_server(("127.0.0.1", port)) as server:
            found = seen_by_nobody(port, server)

        assert found == (
            "held by user root, pid hidden | False | it is user root, pid hidden: "
            f"look with `sudo ss -ltnp 'sport = :{port}'`"
        )

    @linux_only
    def test_is_nobody_when_a_connection_uses_the_port(self, block: Block) -> None:
        source, target = block(2)
        with socket.create_server(("127.0.0.1", target)), socket.socket() as client:
            client.bind(("127.0.0.1", source))
            client.connect(("127.0.0.1", target))

            found = holders_of_port(source)

        assert found.use is not None
        assert found.use.state is UseState.CONNECTED
        assert not found.killable
        assert f"uses it for a connection to 127.0.0.1:{target}" in found.reason


class TestAnOrdinaryHolder:
    def test_is_told_without_asking_a_container_engine(
        self, port: int, stranger: Stranger, machine: Machine
    ) -> None:
        stranger(port, "0.0.0.0")
        with socket.socket(socket.AF_UNIX) as engine:
            engine.bind(str(machine.runtime / "docker.sock"))
            engine.listen()
            engine.settimeout(0)

            assert holders_of_port(port).container is None

            with pytest.raises(BlockingIOError):  # nobody has connected
                engine.accept()


def seen_by_nobody(port: int, server: socket.socket) -> str:
    """Ask in a process of another user, which may not look into ours."""
    readable, writable = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            server.close()
            os.setgroups([])
            os.setuid(65534)
            found = holders_of_port(port)
            os.write(writable, f"{found.reason} | {found.killable} | {found.protection}".encode())
        finally:
            os._exit(0)
    os.close(writable)
    with os.fdopen(readable) as file:
        text = file.read()
    os.waitpid(child, 0)
    return text
