"""Specifies `devinit.control.client`: one blocking connection, made of light modules alone."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from devinit.control import client as module
from devinit.control.client import Client, RemoteError, connect
from devinit.errors import SupervisorError
from tests.control.conftest import NONSENSE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.conftest import Machine
    from tests.control.conftest import House

pytestmark = pytest.mark.timeout(120)
HELLO = b'{"jsonrpc": "2.0", "method": "hello", "params": {}}\n'


@pytest.fixture
def path(machine: Machine) -> Path:
    return machine.runtime / "test.sock"


@pytest.fixture
def scripted(path: Path) -> Iterator[Callable[..., Client]]:
    """Connect to a server that says exactly these bytes, then hangs up; after None it waits for the client to do so."""
    threads: list[threading.Thread] = []
    clients: list[Client] = []
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(path))
    listening.listen()

    def serve(chunks: tuple[bytes | None, ...]) -> None:
        connection, _ = listening.accept()
        with connection:
            connection.sendall(HELLO)
            connection.recv(65536)
            with suppress(ConnectionError):  # the client may have heard enough
                for chunk in chunks:
                    if chunk is None:
                        connection.recv(65536)
                    else:
                        connection.sendall(chunk)

    def make(*chunks: bytes | None) -> Client:
        threads.append(threading.Thread(target=serve, args=(chunks,)))
        threads[-1].start()
        client = connect(path)
        assert client is not None
        clients.append(client)
        return client

    yield make
    for client in clients:
        client.close()
    for thread in threads:
        thread.join()
    listening.close()


async def in_thread(house: House, work: Callable[[Client], Any]) -> Any:
    """Let a blocking client talk to a server of this loop. Any: what the method answers."""

    def run() -> Any:
        client = connect(house.path)
        assert client is not None
        try:
            return work(client)
        finally:
            client.close()

    return await asyncio.to_thread(run)


class TestACall:
    async def test_returns_the_result(self, house: House) -> None:
        assert await in_thread(house, lambda client: client.call("echo", {"a": "ü"})) == {"a": "ü"}

    async def test_passes_events_on_that_come_before(self, house: House) -> None:
        seen: list[str] = []

        result = await in_thread(
            house, lambda client: client.call("tell", None, lambda event: seen.append(event["message"]))
        )

        assert result == "told"
        assert seen == ["first", "second"]

    async def test_may_be_followed_by_another(self, house: House) -> None:
        answers = await in_thread(
            house, lambda client: [client.call("echo", {"n": number}) for number in range(3)]
        )

        assert answers == [{"n": 0}, {"n": 1}, {"n": 2}]

    async def test_raises_what_the_supervisor_refused_with_its_exit_code(self, house: House) -> None:
        with pytest.raises(RemoteError, match="port 8000 is taken") as caught:
            await in_thread(house, lambda client: client.call("refuse"))

        error = caught.value
        assert (error.exit_code, error.hint, error.kind) == (3, "choose another", "Asked")
        assert error.data["conflicts"][0]["service"] == "web"

    async def test_shows_that_time_passes(self, house: House) -> None:
        ticks: list[int] = []
        loop = asyncio.get_running_loop()

        def tick() -> None:
            ticks.append(1)
            loop.call_soon_threadsafe(house.methods.release.set)

        result = await in_thread(house, lambda client: client.call("wait", None, None, tick))

        assert (result, len(ticks) >= 1) == ("released", True)

    def test_takes_an_answer_that_comes_in_pieces(self, scripted: Callable[..., Client]) -> None:
        client = scripted(b'{"id"', b": 1, ", b'"result": "whole"}\n')

        assert client.call("status") == "whole"

    def test_takes_several_messages_that_come_at_once(self, scripted: Callable[..., Client]) -> None:
        event = json.dumps({"method": "event", "params": {"message": "x"}}).encode() + b"\n"
        seen: list[Any] = []  # events are JSON
        client = scripted(event + event + b'{"id": 1, "result": 3}\n')

        assert client.call("status", None, seen.append) == 3
        assert len(seen) == 2

    def test_passes_over_answers_to_others(self, scripted: Callable[..., Client]) -> None:
        client = scripted(b'{"id": 99, "result": "other"}\n{"id": 1, "result": "mine"}\n')

        assert client.call("status") == "mine"


class TestWhatIsNoAnswer:
    @pytest.mark.parametrize(
        "said", [b"no JSON\n", b"[]\n", b"17\n", b"null\n", b"{}\n", b"[" * 100_000 + b"\n"]
    )
    def test_is_refused_with_both_versions(self, scripted: Callable[..., Client], said: bytes) -> None:
        client = scripted(said)

        with pytest.raises(SupervisorError, match="sent during `status` is no message") as caught:
            client.call("status")

        assert "the supervisor is devinit unknown (wire 1)" in str(caught.value.hint)


class TestASupervisorThatGoesAway:
    @pytest.mark.parametrize("said", [b"", b'{"id": 1, "res'])
    def test_is_told_with_what_to_do(self, scripted: Callable[..., Client], said: bytes) -> None:
        client = scripted(said)

        with pytest.raises(SupervisorError, match="the supervisor went away during `status`") as caught:
            client.call("status")

        assert caught.value.exit_code == 5
        assert caught.value.hint is not None
        assert "run the command again" in caught.value.hint

    def test_is_told_at_the_next_call_too(self, scripted: Callable[..., Client]) -> None:
        client = scripted(b'{"id": 1, "result": 1}\n')
        client.call("status")

        with pytest.raises(SupervisorError, match="went away"):
            client.call("status")

    def test_is_told_when_what_it_says_has_no_end(
        self, scripted: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "LONGEST_LINE", 1000)
        client = scripted(b"x" * 200_000, None)

        with pytest.raises(SupervisorError):
            client.call("status")


class TestAServerThatTalksNonsense:
    @pytest.mark.parametrize("said", NONSENSE.values(), ids=NONSENSE)
    def test_is_refused_with_what_to_do(self, scripted: Callable[..., Client], said: bytes) -> None:
        client = scripted(said)

        with pytest.raises(SupervisorError, match="sent during `status` is no message") as caught:
            client.call("status", None, lambda _event: None)

        assert "listens at its socket" in (caught.value.hint or "")

    @pytest.mark.parametrize("data", ["text", 5, [1], None])
    def test_about_the_facts_of_an_error_is_passed_over(
        self, scripted: Callable[..., Client], data: object
    ) -> None:
        client = scripted(
            json.dumps({"id": 1, "error": {"message": "refused", "data": data}}).encode() + b"\n"
        )

        with pytest.raises(RemoteError, match="refused") as caught:
            client.call("status")

        assert (caught.value.data, caught.value.exit_code) == ({}, 1)

    @pytest.mark.parametrize("code", [0, -1, 10**9, "five", None, []])
    def test_about_an_exit_code_ends_the_command_with_1(
        self, scripted: Callable[..., Client], code: object
    ) -> None:
        error = {"code": 1, "message": ["odd"], "data": {"exit_code": code, "hint": 3}}
        client = scripted(json.dumps({"id": 1, "error": error}).encode() + b"\n")

        with pytest.raises(RemoteError) as caught:
            client.call("status")

        assert (caught.value.exit_code, caught.value.hint) == (1, "3")


class TestConnecting:
    def test_finds_nobody_without_a_socket(self, path: Path) -> None:
        assert connect(path) is None

    def test_finds_nobody_behind_a_socket_that_a_dead_supervisor_left(self, path: Path) -> None:
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(str(path))
        listening.close()

        assert connect(path) is None

    def test_finds_nobody_where_nobody_greets(self, path: Path) -> None:
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(path))
            listening.listen()

            def hang_up() -> None:
                listening.accept()[0].close()

            closing = threading.Thread(target=hang_up)
            closing.start()

            assert connect(path) is None
            closing.join()

    @pytest.mark.parametrize(
        "said", [b"hello\n", b"[]\n", b'{"method": "event"}\n', b"\xff\n", b"x" * 100_000]
    )
    def test_finds_nobody_where_something_else_is_said(self, path: Path, said: bytes) -> None:
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(path))
            listening.listen()

            def say() -> None:
                connection, _ = listening.accept()
                with connection, suppress(ConnectionError):
                    connection.sendall(said)

            saying = threading.Thread(target=say)
            saying.start()

            assert connect(path) is None
            saying.join()

    def test_says_that_a_supervisor_does_not_answer(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "GREETING_SECONDS", 0.05)
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(path))
            listening.listen()

            with pytest.raises(SupervisorError, match=r"does not answer within 0\.05 s"):
                connect(path)
