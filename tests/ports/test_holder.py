from __future__ import annotations

import os
import socket
import sys

import pytest

from devinit.model.port import Holder, Listener
from devinit.model.process import ProcessIdentity
from devinit.ports.holder import Holding, holding, holdings, named, protection_of
from devinit.system.processes import ancestors_of, identity_of, user_name
from tests.ports.conftest import Block, Stranger

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root can start another user's process")
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="not visible on this system")


def process(
    name: str = "node",
    *command: str,
    pid: int = 4242,
    parent: int = 1,
    uid: int = 1000,
    kernel: bool = False,
) -> Holder:
    return Holder(
        identity=ProcessIdentity(pid, 1, "boot"),
        parent_pid=parent,
        name=name,
        command=() if kernel else (name, *command),
        user="me" if uid == 1000 else "somebody",
        uid=uid,
        directory="/home/me/shop",
        age_seconds=1.0,
    )


def protection(facts: Holder, *spared: int, uid: int = 1000) -> str:
    return protection_of(facts, 8000, uid=uid, spared=spared)


class TestTheHolderOfAPort:
    def test_is_the_process_that_listens(self, port: int, stranger: Stranger) -> None:
        process = stranger(port)

        found = holding(port)

        assert found.identities == (identity_of(process.pid),)
        assert [(each.address, each.family) for each in found.listeners] == [("127.0.0.1", 4)]
        assert found.killable
        assert found.reason == f"held by {named(found.holders[0])}"

    def test_is_every_process_that_has_the_socket(self, port: int, stranger: Stranger) -> None:
        parent = stranger(port, "127.0.0.1", "fork")

        found = holding(port)

        assert len(found.holders) == 2
        assert parent.pid in {each.identity.pid for each in found.holders}
        assert " and " in found.reason

    def test_may_be_two_processes_one_on_each_family(self, port: int, stranger: Stranger) -> None:
        pids = {stranger(port, "127.0.0.1").pid, stranger(port, "::1").pid}

        found = holding(port)

        assert {each.identity.pid for each in found.holders} == pids
        assert {each.family for each in found.listeners} == {4, 6}

    def test_is_found_for_several_ports_at_once(self, block: Block, stranger: Stranger) -> None:
        one, other, free = block(3)
        pids = [stranger(one).pid, stranger(other).pid]

        found = holdings({one, other, free})

        assert [found[at].holders[0].identity.pid for at in (one, other)] == pids
        assert found[free] == Holding(
            port=free,
            protection="nobody listens there, so there is nothing to end: wait for it, or choose another port",
        )

    def test_that_runs_the_tests_is_spared(self, port: int) -> None:
        with socket.create_server(("127.0.0.1", port)):
            found = holding(port)

        assert not found.killable
        assert found.protection.startswith("devinit itself runs in ")

    def test_that_asked_is_spared_with_its_ancestors(self, port: int, stranger: Stranger) -> None:
        process = stranger(port, "127.0.0.1", "fork")
        (worker,) = {each.identity.pid for each in holding(port).holders} - {process.pid}

        assert not holding(port, protected=[worker]).killable

    @root_only
    def test_of_another_user_is_not_ours_to_end(self, port: int, stranger: Stranger) -> None:
        process = stranger(port, "127.0.0.1", "nobody")

        found = holding(port)

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

            found = holding(source)

        assert found.listeners == ()
        assert not found.killable
        assert f"uses it for a connection to 127.0.0.1:{target}" in found.reason


class TestAProtectedProcess:
    @pytest.mark.parametrize(
        ("facts", "advice"),
        [
            (process("docker-proxy", uid=0), "docker stop NAME"),
            (process("com.docker.backe"), "docker ps --filter publish=8000"),
            (process("rootlesskit"), "podman stop NAME"),
            (process("systemd", pid=1), "systemctl stop NAME.socket"),
            (process("sshd"), "SSH"),
            (process("ssh"), "forward"),
            (process("code"), "editor"),
            (process("node", "/home/me/.vscode-server/bin/1/out/server-main.js"), "editor"),
            (process("ControlCenter"), "AirPlay"),
            (process("wslrelay.exe"), "WSL"),
        ],
    )
    def test_comes_with_what_to_do_instead(self, facts: Holder, advice: str) -> None:
        assert advice in protection(facts, uid=facts.uid)

    def test_is_the_first_of_the_system(self) -> None:
        assert "first process" in protection(process("tini", pid=1))

    def test_is_whoever_started_us(self) -> None:
        assert "devinit itself runs in" in protection(process("bash", pid=77), 77)

    def test_is_another_user_s(self) -> None:
        assert protection(process(uid=1001)) == (
            "it belongs to user somebody: ask them, or end it yourself with `sudo kill 4242`"
        )

    def test_is_a_part_of_the_kernel(self) -> None:
        assert "kernel" in protection(process("nfsd", parent=2, uid=0, kernel=True), uid=0)

    @pytest.mark.parametrize("name", ["node", "vite", "python3.11", "postgres", "redis-server"])
    def test_is_no_server_of_our_own_user(self, name: str) -> None:
        assert protection(process(name)) == ""

    def test_is_no_child_of_process_2_in_a_container(self) -> None:
        assert protection(process(parent=2)) == ""


class TestTheReason:
    def test_counts_more_than_two_holders(self) -> None:
        found = Holding(port=8000, holders=tuple(process("node", pid=pid) for pid in (1, 2, 3)))

        assert found.reason == "held by node (pid 1) and 2 more processes"

    def test_shortens_a_long_command(self) -> None:
        assert named(process("node", "x" * 100)) == f"node {'x' * 54}… (pid 4242)"

    def test_says_when_nothing_is_visible(self) -> None:
        hidden = Listener(port=8000, address="0.0.0.0", family=4, inode=1, uid=os.geteuid())

        assert Holding(port=8000, listeners=(hidden,)).reason == (
            "held by a process that is hidden from us (another container or namespace)"
        )
        assert Holding(port=8000).reason == "taken without anybody listening on it"


class TestOurAncestors:
    def test_are_all_spared(self) -> None:
        for pid in ancestors_of(os.getpid()):
            if pid != 1:
                assert "devinit itself" in protection(process(pid=pid), *ancestors_of(os.getpid()))


def seen_by_nobody(port: int, server: socket.socket) -> str:
    """Ask in a process of another user, which may not look into ours."""
    readable, writable = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            server.close()
            os.setgroups([])
            os.setuid(65534)
            found = holding(port)
            os.write(writable, f"{found.reason} | {found.killable} | {found.protection}".encode())
        finally:
            os._exit(0)
    os.close(writable)
    with os.fdopen(readable) as file:
        text = file.read()
    os.waitpid(child, 0)
    return text
