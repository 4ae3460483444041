"""Specifies which processes are never ended, with what to do instead, and how a taken port is told."""

from __future__ import annotations

import os

import pytest
from msgspec.structs import replace

from devinit.model.port import Container, Holder, Listener, Manager, PortUse, UseState, VerdictKind
from devinit.model.process import ProcessIdentity
from devinit.ports.holder.barriers import Barrier, barrier_of, managed_by
from devinit.ports.holder.naming import named
from devinit.ports.holder.port_use import Hidden, PortHolders, works_in
from devinit.system.processes import ancestors_of

SHOP = "/home/me/shop"
ME = 1000
LISTENER = Listener(port=8000, address="0.0.0.0", family=4, inode=1, uid=ME)


def process(
    name: str = "node",
    *command: str,
    pid: int = 4242,
    parent: int = 1,
    uid: int = ME,
    kernel: bool = False,
    directory: str | None = SHOP,
    worktree: str | None = None,
    linked: bool = False,
    stopped: bool = False,
) -> Holder:
    return Holder(
        identity=ProcessIdentity(pid, 1, "boot"),
        parent_pid=parent,
        name=name,
        command=() if kernel else (name, *command),
        user="me" if uid == ME else "somebody",
        uid=uid,
        directory=directory,
        age_seconds=1.0,
        stopped=stopped,
        worktree=worktree,
        linked=linked,
    )


def with_title(name: str, title: str, *, pid: int = 4242) -> Holder:
    """Return a process that has replaced its command line."""
    return replace(process(name, pid=pid), command=(title,))


def barrier(facts: Holder, *spared: int, uid: int = ME) -> Barrier | None:
    return barrier_of(facts, 8000, uid=uid, spared=spared)


class TestAProtectedProcess:
    @pytest.mark.parametrize(
        ("facts", "kind", "advice"),
        [
            (process("docker-proxy", uid=0), VerdictKind.CONTAINER, "docker stop NAME"),
            (process("com.docker.backe"), VerdictKind.CONTAINER, "docker ps --filter publish=8000"),
            (process("rootlesskit"), VerdictKind.CONTAINER, "podman stop NAME"),
            (process("systemd", pid=1, uid=0), VerdictKind.SUPERVISED, "systemctl stop NAME.socket"),
            (with_title("sshd", "sshd: ada@pts/0"), VerdictKind.FORWARD, "-R"),
            (process("sshd", "-D"), VerdictKind.PROTECTED, "SSH server"),
            (
                with_title("sshd", "sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups"),
                VerdictKind.PROTECTED,
                "SSH server",
            ),
            (process("code"), VerdictKind.FORWARD, "editor"),
            (
                process("node", "/home/me/.vscode-server/bin/1/out/server-main.js"),
                VerdictKind.FORWARD,
                "editor",
            ),
            (process("ControlCenter"), VerdictKind.PROTECTED, "AirPlay"),
            (process("wslrelay.exe"), VerdictKind.FORWARD, "WSL"),
            (process("qemu-system-x86"), VerdictKind.PROTECTED, "virtual machine"),
            (process("VBoxHeadless"), VerdictKind.PROTECTED, "virtual machine"),
            (process("limactl"), VerdictKind.PROTECTED, "virtual machine"),
            (process("passt.avx2"), VerdictKind.PROTECTED, "virtual machine"),
            (process("Xtigervnc"), VerdictKind.PROTECTED, "desktop session"),
            (process("dropbear"), VerdictKind.PROTECTED, "SSH server"),
            (process("ttyd"), VerdictKind.PROTECTED, "windows of that terminal"),
        ],
    )
    def test_comes_with_what_to_do_instead(self, facts: Holder, kind: VerdictKind, advice: str) -> None:
        found = barrier(facts, 1)

        assert found is not None
        assert found.kind is kind
        assert advice in found.advice

    def test_is_the_first_of_the_system(self) -> None:
        found = barrier(process("tini", pid=1), 1)

        assert found is not None
        assert found.kind is VerdictKind.PROTECTED
        assert "first process" in found.advice

    def test_is_whoever_started_us(self) -> None:
        found = barrier(process("bash", pid=77), 77)

        assert found is not None
        assert found.kind is VerdictKind.PROTECTED
        assert "devinit itself runs in bash (pid 77)" in found.advice

    def test_is_every_ancestor_of_ours(self) -> None:
        above = [pid for pid in ancestors_of(os.getpid()) if pid != 1]

        assert above
        assert all(barrier(process(pid=pid), *above) for pid in above)

    @pytest.mark.parametrize("name", ["node", "sshd", "code"])
    def test_is_another_user_s(self, name: str) -> None:
        assert barrier(process(name, uid=1001)) == Barrier(
            VerdictKind.OTHER_USER,
            "it belongs to user somebody: ask them, or end it yourself with `sudo kill 4242`",
        )

    def test_is_ended_by_root_without_sudo(self) -> None:
        found = barrier(process(), uid=0)

        assert found is not None
        assert found.advice.endswith("`kill 4242`")

    def test_is_a_part_of_the_kernel(self) -> None:
        found = barrier(process("nfsd", parent=2, uid=0, kernel=True), uid=0)

        assert found is not None
        assert "kernel" in found.advice

    @pytest.mark.parametrize(
        "name", ["node", "vite", "python3.11", "postgres", "redis-server", "qemu-x86_64", "passenger"]
    )
    def test_is_no_server_of_our_own_user(self, name: str) -> None:
        assert barrier(process(name)) is None

    def test_is_no_child_of_process_2_in_a_container(self) -> None:
        assert barrier(process(parent=2)) is None


class TestAManager:
    def test_is_stopped_with_its_own_command(self) -> None:
        pm2 = Manager(kind="pm2", name="web", pid=7, stop_command="pm2 stop web")

        assert managed_by(pm2) == Barrier(
            VerdictKind.SUPERVISED, "pm2 would start it again (there web): `pm2 stop web` ends it"
        )

    def test_may_be_the_engine_of_the_container_that_the_process_runs_in(self) -> None:
        docker = Manager(
            kind="docker", name="0123456789ab", pid=None, stop_command="docker stop 0123456789ab"
        )

        assert managed_by(docker) == Barrier(
            VerdictKind.CONTAINER, "it runs in a container: `docker stop 0123456789ab` ends it"
        )


class TestWorkingInACheckout:
    @pytest.mark.parametrize("directory", [SHOP, f"{SHOP}/backend", f"{SHOP}/backend (deleted)"])
    def test_is_having_its_folder_in_there(self, directory: str) -> None:
        assert works_in(process(directory=directory), SHOP)

    @pytest.mark.parametrize("directory", ["/home/me", "/home/me/shop-old", "/", None])
    def test_is_not_having_a_folder_that_begins_alike(self, directory: str | None) -> None:
        assert not works_in(process(directory=directory), SHOP)

    def test_is_not_working_in_another_worktree_that_lies_in_there(self) -> None:
        inside = f"{SHOP}/.worktrees/fix"

        assert not works_in(process(directory=f"{inside}/web", worktree=inside, linked=True), SHOP)

    def test_may_be_working_in_a_submodule(self) -> None:
        inside = f"{SHOP}/backend"

        assert works_in(process(directory=inside, worktree=inside), SHOP)

    def test_may_be_working_in_a_linked_worktree_that_is_this_checkout_or_holds_it(self) -> None:
        assert works_in(process(worktree=SHOP, linked=True), SHOP)
        assert works_in(process(worktree="/home/me", linked=True), SHOP)

    def test_is_impossible_without_a_checkout(self) -> None:
        assert not works_in(process(), "")


class TestAServerWithWorkers:
    def test_of_another_user_is_ended_with_the_process_that_started_them(self) -> None:
        master = process("nginx", pid=10)
        workers = [process("nginx", pid=pid, parent=10, uid=1001) for pid in (12, 11)]

        found = PortHolders(port=8000, listeners=(LISTENER,), holders=(*workers, master), uid=ME).barrier

        assert found is not None
        assert found.advice.endswith("`sudo kill 10`")


class TestTheReason:
    def test_counts_more_than_two_holders(self) -> None:
        found = PortHolders(port=8000, holders=tuple(process("node", pid=pid) for pid in (1, 2, 3)))

        assert found.reason == "held by node (pid 1) and 2 more processes"

    def test_says_that_a_holder_is_stopped(self) -> None:
        assert PortHolders(port=8000, holders=(process("vite", stopped=True),)).reason == (
            "held by vite (pid 4242), stopped by Ctrl-Z"
        )

    def test_shortens_a_long_command(self) -> None:
        assert named(process("node", "x" * 100)) == f"node {'x' * 54}… (pid 4242)"

    @pytest.mark.parametrize(
        ("title", "name"),
        [
            ("node /srv/shop/api.js", "node /srv/shop/api.js"),
            ("PM2 v7.0.4: God Daemon (/home/me/.pm2)", "PM2 v7.0.4: God Daemon (/home/me/.pm2)"),
            ("/usr/bin/redis-server 127.0.0.1:6379", "redis-server 127.0.0.1:6379"),
            ("/usr/sbin/httpd -f /etc/httpd.conf", "httpd -f /etc/httpd.conf"),
            ("/Applications/A B.app/Contents/MacOS/A B", "A B"),
            ("node_modules/.bin/vite", "vite"),
        ],
    )
    def test_leaves_out_the_folder_of_the_program_and_nothing_else(self, title: str, name: str) -> None:
        assert named(with_title("node", title)) == f"{name} (pid 4242)"

    def test_names_a_container_rather_than_its_proxy(self) -> None:
        container = Container(
            engine="docker",
            id="1",
            name="shop-db-1",
            image="postgres:16",
            compose_project="shop",
            compose_service="db",
        )

        found = PortHolders(port=8000, holders=(process("docker-proxy"),), container=container)

        assert found.reason == "published by container shop-db-1 (db of the Compose project shop)"

    def test_says_when_the_process_is_not_visible(self) -> None:
        ours = PortHolders(port=8000, listeners=(LISTENER,), hidden=(Hidden(ME, "me"),), uid=ME)
        theirs = PortHolders(port=8000, listeners=(LISTENER,), hidden=(Hidden(0, "root"),), uid=ME)

        assert ours.reason == "held by a process that is hidden from us (another container or namespace)"
        assert theirs.reason == "held by user root, pid hidden"

    @pytest.mark.parametrize(
        ("use", "reason"),
        [
            (None, "taken, although no process listens on it"),
            (
                PortUse(state=UseState.CONNECTED, user="me", peer="[::1]:5432", processes=(process("curl"),)),
                "taken: curl (pid 4242) uses it for a connection to [::1]:5432",
            ),
            (
                PortUse(state=UseState.CLOSED, user="root", peer="10.0.0.1:443"),
                "taken: a connection to 10.0.0.1:443 was closed less than a minute ago",
            ),
            (
                PortUse(state=UseState.BOUND, user="somebody"),
                "taken: a process of user somebody has bound it without listening",
            ),
        ],
    )
    def test_explains_a_port_without_a_listener(self, use: PortUse | None, reason: str) -> None:
        assert PortHolders(port=8000, use=use).reason == reason
