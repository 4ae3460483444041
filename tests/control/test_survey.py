"""Specifies that many are asked at once, and that nobody waits for one that hangs."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from devinit.control.survey import ask_all

Listening = Callable[[str, str], str]
HELLO = {"jsonrpc": "2.0", "method": "hello", "params": {}}


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[Listening]:
    """Listen on a socket and be a supervisor that answers, is silent, or goes away."""
    with ExitStack() as stack:

        def listen(name: str, manner: str) -> str:
            server = stack.enter_context(socket.socket(socket.AF_UNIX))
            server.bind(path := str(tmp_path / name))
            server.listen(1)
            if manner != "silent":
                thread = threading.Thread(target=serve, args=(server, manner, name))
                thread.start()
                stack.callback(thread.join)
            return path

        yield listen


def serve(server: socket.socket, manner: str, name: str) -> None:
    connection, _ = server.accept()
    with connection:
        if manner == "leaves":
            return
        connection.sendall(json.dumps(HELLO).encode() + b"\n")
        request = json.loads(connection.recv(65536))
        answer = json.dumps(
            {"jsonrpc": "2.0", "id": request["id"], "result": {"name": name, **request["params"]}}
        )
        for letter in (answer + "\n").encode():
            connection.sendall(bytes([letter]))
        connection.recv(1)


class TestAskingMany:
    def test_returns_what_each_says_in_any_number_of_pieces(self, listening: Listening) -> None:
        paths = [listening(name, "answers") for name in ("a", "b")]

        answers = ask_all(paths, "status", {"measure": False}, seconds=10)

        assert answers == {
            path: {"name": name, "measure": False} for path, name in zip(paths, "ab", strict=True)
        }

    def test_leaves_out_where_nobody_listens(self, tmp_path: Path) -> None:
        assert ask_all([str(tmp_path / "nobody")], "status", {}, seconds=10) == {}

    def test_leaves_out_who_is_just_going_away(self, listening: Listening) -> None:
        assert ask_all([listening("a", "leaves")], "status", {}, seconds=10) == {}

    def test_waits_for_one_that_hangs_only_as_long_as_it_may(self, listening: Listening) -> None:
        paths = [listening("a", "silent"), listening("b", "answers"), listening("c", "silent")]
        began = time.monotonic()

        answers = ask_all(paths, "status", {}, seconds=0.2)

        assert time.monotonic() - began < 5
        assert [answers[path] for path in paths] == [None, {"name": "b"}, None]

    def test_does_not_wait_at_all_where_the_queue_is_full(self, listening: Listening) -> None:
        path = listening("a", "silent")
        with ExitStack() as stack:
            for _ in range(2):
                stack.enter_context(socket.socket(socket.AF_UNIX)).connect(path)

            assert ask_all([path], "status", {}, seconds=600) == {path: None}
