"""A player of the supervisor's part in a recording, on a real socket; it only knows the recorded answers."""

from __future__ import annotations

import json
import os
import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from devinit.system.paths import socket_path

if TYPE_CHECKING:
    from collections.abc import Iterator

FIRST = Path(__file__).with_name("wire-1.json")
"""The conversations of commands and supervisor before greetings had a root and a wire number."""
Message = dict[str, Any]  # JSON-RPC


class Recording:
    """A recording, with this checkout and this port in place of the recorded ones."""

    def __init__(self, root: Path, port: int = 24311) -> None:
        text = FIRST.read_text()
        for then, now in (("{root}", str(root)), ("{home}", str(root.parent)), ("24311", str(port))):
            text = text.replace(then, now)
        said = json.loads(text.replace("24312", str(port + 1)))
        self.state: str = json.dumps(said["state"])
        """The recorded state file."""
        self.parameters: dict[str, list[str]] = said["parameters"]
        self._conversations: dict[str, list[tuple[str, Message]]] = said["conversations"]

    def greeting(self) -> Message:
        """Return the supervisor's first message."""
        return self._conversations["status"][0][1]

    def exchanges(self) -> Iterator[tuple[Message, list[Message]]]:
        """Yield every request in order, with the messages up to its answer."""
        for conversation in self._conversations.values():
            requests = [message for direction, message in conversation if direction == ">"]
            heard = [message for direction, message in conversation[1:] if direction == "<"]
            assert len(requests) == 1
            yield requests[0], heard

    def answers(self, method: str) -> list[Message]:
        """Return the messages in answer to the first request of a method."""
        return next(heard for request, heard in self.exchanges() if request["method"] == method)


class Player:
    """A supervisor of the recording's version. It refuses unknown requests with that version's messages."""

    def __init__(self, root: Path, recording: Recording) -> None:
        self._recording = recording
        self.asked: list[Message] = []
        """Every received request."""
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(socket_path(root)))
        self._listening.listen()
        self._threads = [threading.Thread(target=self._accept)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self._threads.append(threading.Thread(target=self._serve, args=(connection,)))
            self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rw", encoding="utf-8") as line:
            try:
                self._say(line, self._recording.greeting())
                for asked in line:
                    request = json.loads(asked)
                    self.asked.append(request)
                    for message in self._answers(request):
                        self._say(line, message)
            except ConnectionError:
                return

    def _answers(self, request: Message) -> list[Message]:
        method, number = request["method"], request["id"]
        known = self._recording.parameters.get(method)
        unknown = [name for name in request["params"] if known is not None and name not in known]
        if unknown:
            text = f"{method}: Object contains unknown field `{unknown[0]}`"
            return [{"jsonrpc": "2.0", "id": number, "error": {"code": -32602, "message": text, "data": {}}}]
        said = [dict(message) for message in self._recording.answers(method)]
        said[-1]["id"] = number
        if method == "ping":
            said[-1]["result"] = {**said[-1]["result"], "pid": os.getpid()}
        return said

    @staticmethod
    def _say(line: Any, message: Message) -> None:
        line.write(json.dumps(message) + "\n")
        line.flush()
