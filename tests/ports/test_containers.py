from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from devinit.ports.holder.containers import WAIT_SECONDS, engines, published
from tests.conftest import Machine

Engine = Callable[[Path, bytes | None], None]


@pytest.fixture
def engine() -> Iterator[Engine]:
    """Serve one answer on a socket, however wrong it is; None never answers."""
    with ExitStack() as stack:

        def serve(path: Path, answer: bytes | None) -> None:
            path.parent.mkdir(parents=True, exist_ok=True)
            server = stack.enter_context(socket.socket(socket.AF_UNIX))
            server.bind(str(path))
            server.listen()
            if answer is None:
                return

            def speak() -> None:
                with server.accept()[0] as client:
                    client.recv(4096)
                    with suppress(BrokenPipeError):
                        client.sendall(answer)

            thread = threading.Thread(target=speak, daemon=True)
            thread.start()
            stack.callback(thread.join, 5)

        yield serve


def ok(body: bytes) -> bytes:
    return b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" + body


PODMAN = (
    b'[{"Id":"c0ffee","Names":["/db"],"Image":"postgres:16","Labels":null,'
    b'"Ports":[{"PrivatePort":5432,"PublicPort":5440,"Type":"tcp","IP":"::1"},{"PrivatePort":53,"Type":"udp"}]}]'
)


class TestEngines:
    def test_are_where_the_environment_says_and_where_they_usually_are(self) -> None:
        found = engines({"DOCKER_HOST": "unix:///tmp/x.sock", "XDG_RUNTIME_DIR": "/run/user/1", "HOME": "/h"})

        assert found["/tmp/x.sock"] == "docker"
        assert found["/var/run/docker.sock"] == "docker"
        assert found["/run/user/1/podman/podman.sock"] == "podman"
        assert found["/h/.orbstack/run/docker.sock"] == "docker"

    def test_on_another_machine_publish_nothing_here(self) -> None:
        places = engines({"DOCKER_HOST": "ssh://build@example.com"})

        assert places == engines({})

    def test_answer_for_all_their_containers(self, machine: Machine, engine: Engine) -> None:
        path = machine.runtime / "podman" / "podman.sock"
        engine(path, ok(PODMAN))

        found = published(environ={"XDG_RUNTIME_DIR": str(machine.runtime)}).get(5440)

        assert found is not None
        assert (found.engine, found.name, found.image) == ("podman", "db", "postgres:16")
        assert found.compose_project is None

    @pytest.mark.parametrize(
        "answer",
        [
            b"",
            b"HTTP/1.0 500 Oops\r\n\r\n[]",
            ok(b"<html>"),
            ok(b'[{"Id":'),
            ok(b'{"message":"no"}'),
            b"\0\xff\r\n",
        ],
    )
    def test_that_answer_nonsense_are_no_error(self, machine: Machine, engine: Engine, answer: bytes) -> None:
        engine(machine.runtime / "docker.sock", answer)

        assert published(environ={"XDG_RUNTIME_DIR": str(machine.runtime)}) == published(environ={})

    def test_that_hang_are_not_waited_for_and_keep_no_other_one_from_answering(
        self, machine: Machine, engine: Engine
    ) -> None:
        engine(machine.runtime / "docker.sock", None)
        engine(machine.runtime / "podman" / "podman.sock", ok(PODMAN))
        start = time.monotonic()

        found = published(environ={"XDG_RUNTIME_DIR": str(machine.runtime)}).get(5440)

        assert found is not None
        assert time.monotonic() - start < WAIT_SECONDS + 0.5

    def test_that_nobody_runs_any_more_are_no_error(self, machine: Machine) -> None:
        with socket.socket(socket.AF_UNIX) as gone:
            gone.bind(str(machine.runtime / "docker.sock"))

        assert published(environ={"XDG_RUNTIME_DIR": str(machine.runtime)}) == published(environ={})
