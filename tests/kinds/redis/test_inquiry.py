"""Specifies when a Redis that somebody else runs may be used."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

from devinit.kinds.providers import PROVIDERS
from devinit.model.running import RunningServer
from devinit.model.service import Service
from tests.kinds.conftest import Bench, Speaker

PROVIDER = PROVIDERS["redis"]
SERVICE = Service(name="redis", provider="redis", directory=Path("/"))

Start: TypeAlias = Callable[..., int]


@pytest.fixture
def start(bench: Bench, redis_binary: Path) -> Iterator[Start]:
    """Start servers by hand, as somebody else would."""
    started: list[subprocess.Popen[str]] = []

    def begin(*options: str, port: int | None = None) -> int:
        port = port or bench.free_port()
        words = [str(redis_binary), "--port", str(port), "--save", "", *options]
        if "--cluster-enabled" in options:
            # Without it the cluster's own port is 10000 higher, which a connection may have.
            words += ["--cluster-port", str(bench.free_port())]
        process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=bench.place.root)
        started.append(process)
        assert process.stdout is not None
        for line in process.stdout:
            if "eady to accept connections" in line or "Sentinel ID" in line:
                return port
        raise AssertionError("it ended")

    yield begin
    for process in started:
        process.terminate()
        process.communicate()


def asked(port: int) -> RunningServer:
    found = PROVIDER.running(SERVICE, PROVIDER.endpoint(SERVICE, port))
    assert found is not None
    return found


class TestAServerThatLetsEverybodyIn:
    def test_can_be_used_and_tells_its_version(self, start: Start, redis_binary: Path) -> None:
        port = start("--bind", "127.0.0.1", "::1")

        found = asked(port)

        name = "Valkey" if "valkey" in redis_binary.name else "Redis"
        said = subprocess.run([redis_binary, "--version"], capture_output=True, text=True, check=True).stdout
        version = said.partition("v=")[2].split()[0]
        assert (found.title, found.problem) == (f"{name} {version}", "")
        assert found.detail == "0 keys in database 0"

    def test_proves_nothing_by_it(self, start: Start) -> None:
        assert not asked(start()).authenticated


class TestAServerThatIsOfNoUse:
    @pytest.mark.parametrize(
        ("options", "reason"),
        [
            (("--requirepass", "secret"), "Redis answers, but it wants a password, and the project has none"),
            (("--replicaof", "127.0.0.1", "1"), "answers, but it is a replica, which only reads"),
            (("--cluster-enabled", "yes"), "answers, but it runs as a cluster"),
        ],
    )
    def test_is_refused(self, start: Start, options: tuple[str, ...], reason: str) -> None:
        found = asked(start("--bind", "127.0.0.1", *options))

        assert found.problem.endswith(reason)


class TestSomethingElse:
    @pytest.mark.parametrize(
        "answer",
        [b"HTTP/1.0 400 Bad Request\r\n\r\n", b"+PONG\r\n$-1\r\n", b"+PONG\r\n" + b"$2\r\nhi\r\n" * 3, b""],
    )
    def test_is_refused(self, speaker: Speaker, answer: bytes) -> None:
        found = asked(speaker(answer))

        assert found.title == ""
        assert found.problem


class TestBothAddressFamilies:
    def test_have_to_be_the_same_server(self, start: Start) -> None:
        port = start("--bind", "127.0.0.1")
        start("--bind", "::1", port=port)

        found = asked(port)

        assert found.problem == f"{found.title} answers on 127.0.0.1, another one on ::1"

    def test_must_not_be_shared_with_something_else(self, start: Start, speaker: Speaker) -> None:
        port = start("--bind", "127.0.0.1")
        speaker(b"HTTP/1.0 400 Bad Request\r\n\r\n", address="::1", port=port)

        assert asked(port).problem == (
            f"{asked(port).title} answers on 127.0.0.1, another server on ::1: "
            "what answers there is not Redis"
        )

    def test_may_be_one(self, start: Start) -> None:
        assert asked(start("--bind", "127.0.0.1")).problem == ""

    def test_include_the_one_that_clients_are_told(self, start: Start) -> None:
        assert asked(start("--bind", "::1")).problem == "nothing answers on 127.0.0.1"
