"""Specifies ports that are assigned in PM2, with a real PM2."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from devinit.errors import PortConflict
from devinit.model.port import ConflictPolicy, PortRequest, VerdictKind
from devinit.ports.granting.grants import Grant, grant
from devinit.ports.holder.pm2 import PATIENCE_SECONDS, applications
from devinit.ports.holder.who import who
from devinit.ports.leases import LeaseStore
from devinit.system.listeners import tcp_listeners
from tests.ports.conftest import Block

SERVER = "require('http').createServer((_, answer) => answer.end()).listen(process.env.PORT, '127.0.0.1')\n"


class Pm2:
    """A PM2 of a user, with a folder for its applications."""

    def __init__(self, program: str, home: Path, folder: Path) -> None:
        self.program, self.home, self.folder = program, home, folder
        folder.mkdir()
        (folder / "server.js").write_text(SERVER)

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "PM2_HOME": str(self.home)}

    def __call__(self, *words: str, **environment: str) -> None:
        subprocess.run(
            [self.program, *words],
            cwd=self.folder,
            env={**self.environment, **environment},
            check=True,
            capture_output=True,
            timeout=60,
        )

    def runs(self, name: str, port: int) -> None:
        self("start", "server.js", "--name", name, PORT=str(port))

    def has_stopped(self, name: str, port: int) -> None:
        self.runs(name, port)
        self("stop", name)

    def end_daemon(self) -> None:
        daemon = int((self.home / "pm2.pid").read_text())
        descriptor = os.pidfd_open(daemon)
        os.kill(daemon, signal.SIGTERM)
        select.select([descriptor], [], [], 30)  # readable at its end
        os.close(descriptor)


@pytest.fixture
def user(pm2: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pm2]:
    found = Pm2(pm2, tmp_path / "pm2", tmp_path / "api")
    monkeypatch.setenv("PM2_HOME", str(found.home))
    yield found
    if (found.home / "pm2.pid").exists():
        found.end_daemon()


def devinit(user: Pm2, folder: Path, *words: str) -> Any:
    """Return what a command says as JSON, in a folder that is no project."""
    done = subprocess.run(
        [sys.executable, "-m", "devinit", *words, "--json"],
        cwd=folder,
        env=user.environment,
        check=True,
        capture_output=True,
        timeout=30,
    )
    return json.loads(done.stdout)


def ask(
    root: Path, store: LeaseStore, port: int, environ: Mapping[str, str], *, strict: bool = False
) -> Grant:
    request = PortRequest(service="web", preferred=port, first=port, last=port + 20, strict=strict)
    [granted] = grant(
        [request],
        root=root,
        project="shop",
        environ=environ,
        remembered={},
        policy=ConflictPolicy.MOVE,
        store=store,
    )
    granted.close()
    return granted


class TestAPortOfAStoppedApplication:
    def test_is_given_to_no_service(self, user: Pm2, root: Path, store: LeaseStore, block: Block) -> None:
        port = block(2)[0]
        user.has_stopped("api", port)

        granted = ask(root, store, port, user.environment)

        assert granted.port == port + 1
        assert granted.granted.reason == f"{port} is assigned to api in PM2, which is stopped"

    def test_is_refused_to_a_strict_one_with_the_way_out(
        self, user: Pm2, root: Path, store: LeaseStore, port: int
    ) -> None:
        user.has_stopped("api", port)

        with pytest.raises(PortConflict, match="assigned to api in PM2") as refused:
            ask(root, store, port, user.environment, strict=True)

        assert f"PM2_HOME={user.home} pm2 delete api" in str(refused.value.hint)

    def test_is_listed_and_not_found(self, user: Pm2, block: Block, tmp_path: Path) -> None:
        port = block(2)[0]
        user.has_stopped("api", port)

        listed = devinit(user, tmp_path, "ports", "--all")["ports"]
        found = devinit(user, tmp_path, "ports", "find", str(port))

        row = next(row for row in listed if row["port"] == port)
        assert (row["service"], row["project"], row["state"]) == ("api", "PM2", "assigned")
        assert row["root"] == str(user.folder)
        assert (found["port"], found["passed"][0]["reason"]) == (port + 1, "assigned to api in PM2")

    def test_counts_also_without_a_daemon_when_it_was_saved(
        self, user: Pm2, root: Path, store: LeaseStore, block: Block
    ) -> None:
        port = block(2)[0]
        user.has_stopped("api", port)
        user("save")
        user.end_daemon()

        assert ask(root, store, port, user.environment).port == port + 1

    def test_is_free_when_the_application_was_deleted(
        self, user: Pm2, root: Path, store: LeaseStore, port: int
    ) -> None:
        user.has_stopped("api", port)
        user("delete", "api")

        assert ask(root, store, port, user.environment).port == port

    def test_is_free_for_the_checkout_that_the_application_runs_in(
        self, user: Pm2, store: LeaseStore, port: int
    ) -> None:
        user.has_stopped("api", port)

        assert ask(user.folder, store, port, user.environment).port == port

    def test_is_explained_to_a_person_who_asks(self, user: Pm2, port: int) -> None:
        user.has_stopped("api", port)

        found = who(port)

        assert found is not None
        assert (found.kind, found.killable) == (VerdictKind.ASSIGNED, False)
        assert found.advice.startswith("PM2 starts api on it")


class TestAPortOfARunningApplication:
    def test_is_told_by_its_process(self, user: Pm2, root: Path, store: LeaseStore, block: Block) -> None:
        port = block(2)[0]
        user.runs("api", port)
        deadline = time.monotonic() + 30
        while not tcp_listeners(port):
            assert time.monotonic() < deadline
            time.sleep(0.01)  # a server that begins to listen wakes nobody

        granted = ask(root, store, port, user.environment)

        assert granted.port == port + 1
        assert granted.granted.kind is VerdictKind.SUPERVISED


class TestAPm2ThatCannotBeAsked:
    def test_that_says_nothing_delays_a_start_by_half_a_second_at_most(self, tmp_path: Path) -> None:
        with socket.socket(socket.AF_UNIX) as silent:
            silent.bind(str(tmp_path / "rpc.sock"))
            silent.listen()
            (tmp_path / "dump.pm2").write_text(json.dumps([{"name": "api", "PORT": 3000}]))
            began = time.monotonic()

            found = applications({"PM2_HOME": str(tmp_path)})

        assert time.monotonic() - began < PATIENCE_SECONDS + 1
        assert [each.name for each in found.values()] == ["api"]

    @pytest.mark.parametrize(
        "answer", [b"", b"\x11", b"\x11\xff\xff\xff\xff", b"\x11\0\0\0\2[]", b"\x11\0\0\0\6j:null"]
    )
    def test_that_talks_nonsense_assigns_what_was_saved(self, tmp_path: Path, answer: bytes) -> None:
        (tmp_path / "dump.pm2").write_text('[{"name": "api", "PORT": "3000"}]')
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(tmp_path / "rpc.sock"))
            server.listen()

            def serve() -> None:
                connection, _ = server.accept()
                connection.sendall(answer)
                connection.close()

            thread = threading.Thread(target=serve)
            thread.start()
            found = applications({"PM2_HOME": str(tmp_path)})
            thread.join()

        assert [*found] == [3000]

    @pytest.mark.parametrize(
        "text",
        [
            "{", "[" * 100_000, "9" * 5000, "{}", "[1]", '[{"PORT": true}]', '[{"PORT": "80a"}]',
            '[{"PORT": 70000}]', '[{"PORT": -1}]', '[{"pm2_env": 1}]', "[{}]",
        ],
    )  # fmt: skip
    def test_whose_list_is_broken_assigns_nothing(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "dump.pm2").write_text(text)

        assert applications({"PM2_HOME": str(tmp_path)}) == {}

    def test_that_was_never_used_assigns_nothing(self, tmp_path: Path) -> None:
        assert applications({"HOME": str(tmp_path)}) == {}
