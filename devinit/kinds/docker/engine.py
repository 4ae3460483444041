"""The Engine API of Docker and Podman on its Unix socket: one connection per request, read as data arrives.

It imports nothing of devinit and little of Python, because `shim` runs for as long as its container does: it uses
5 MB of its own instead of the 9 MB of a waiting `docker run` (measured as PSS).
"""

from __future__ import annotations

import _socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

VERSION = "/v1.40"
"""The oldest version of the API that present engines support; engines of 2019 support it, too."""
PART = 1 << 16
MOST = 64 << 20
"""Maximum bytes of an answer that is read as a whole."""
TIME_OUT = 30.0
"""Seconds that an engine may be silent during requests that should be quick."""

# The same codec as in `control.wire`, which `shim` cannot import: its process has this folder in its path, but not
# the package. `wire` cannot import this one either: `control` knows no kind of service.
write: Callable[[Any, bool], Iterable[str]]
scan: Callable[[str, int], tuple[Any, int]]

try:
    from _json import encode_basestring_ascii, make_encoder, make_scanner
except ImportError:  # another Python than CPython: the package does the same, with more memory
    import json

    write = json.JSONEncoder().iterencode
    scan = json.JSONDecoder().raw_decode
else:

    class Plainly:
        """The options of a scanner: no hooks."""

        strict = True
        object_hook = object_pairs_hook = array_hook = None
        parse_int, parse_float, parse_constant = int, float, float

    def refuse(value: object) -> object:
        """Raise TypeError for a value that JSON cannot represent."""
        raise TypeError(f"JSON has no {type(value).__name__}")

    write = make_encoder(None, refuse, encode_basestring_ascii, None, ": ", ", ", False, False, False)  # noqa: FBT003
    scan = make_scanner(Plainly)  # type: ignore[arg-type]  # it reads the attributes of whatever it is given


class EngineAway(Exception):
    """Error: no engine answers on the socket, or it has gone away."""

    def __init__(self, path: str, number: int | None = None) -> None:
        super().__init__(f"no container engine answers on {path}")
        self.path, self.number = path, number


class Refused(Exception):
    """Error: the engine refused a request, with the HTTP status and its own words."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status, self.words = status, words


class Response:
    """An answer of the engine: its status, and its body as it arrives."""

    def __init__(self, path: str, link: _socket.socket) -> None:
        self.status = 0
        """0 until the head of the answer has arrived."""
        self.has_ended = False
        """Whether the body is complete; a connection that ends earlier raises EngineAway."""
        self._path, self._link, self._buffer = path, link, b""
        self._left: int | None = None
        """Remaining bytes of the body, or of its present chunk; None: until the connection ends."""
        self._is_chunked = self._is_begun = False
        self._skipped = 0
        """Remaining bytes to skip after a chunk."""

    def fileno(self) -> int:
        """Return the descriptor to wait for."""
        return self._link.fileno()

    def close(self) -> None:
        """Close the connection."""
        self._link.close()

    def head(self) -> int:
        """Wait for the head of the answer, and return its status."""
        while not self.status:
            self._receive()
            self._read_head()
        return self.status

    def receive(self) -> bytes:
        """Return more of the body, after one wait; b"" when only a part of a frame has arrived.

        The first call after `head` returns what arrived with the head, and does not wait.
        """
        if self.status and not self._is_begun:
            self._is_begun = True
            return self._body()
        try:
            self._receive()
        except EngineAway:
            if self.status and not self._is_chunked and self._left is None:
                self.has_ended = True
                return b""
            raise
        if not self.status:
            self._read_head()
        return self._body() if self.status else b""

    def parts(self) -> Iterator[bytes]:
        """Yield the body as it arrives, to its end."""
        self.head()
        while not self.has_ended:
            if data := self.receive():
                yield data

    def whole(self) -> bytes:
        """Wait for the end of the answer, and return its body. Raise Refused for an error status."""
        body = b""
        for part in self.parts():
            body += part
            if len(body) > MOST:
                raise Refused(self.status, "the answer is too long")
        self.close()
        if self.status >= 400:  # noqa: PLR2004  HTTP errors begin here
            raise Refused(self.status, words_of(body))
        return body

    def _receive(self) -> None:
        try:
            data = self._link.recv(PART)
        except OSError as error:
            raise EngineAway(self._path, error.errno) from error
        if not data:
            raise EngineAway(self._path)
        self._buffer += data

    def _read_head(self) -> None:
        head, end, rest = self._buffer.partition(b"\r\n\r\n")
        if not end:
            return
        lines = head.decode("latin-1").split("\r\n")
        self.status, self._buffer = int(lines[0].split(" ", 2)[1]), rest
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        self._is_chunked = fields.get("transfer-encoding", "").lower() == "chunked"
        if self._is_chunked:
            self._left = 0
        elif "content-length" in fields or self.status in (204, 304):
            self._left = int(fields.get("content-length", "0"))
            self.has_ended = self._left == 0

    def _body(self) -> bytes:
        """Return the available part of the body, without the frames of chunks."""
        self._is_begun = True
        body = b""
        while self._buffer and not self.has_ended:
            if self._skipped:
                passed = min(self._skipped, len(self._buffer))
                self._buffer, self._skipped = self._buffer[passed:], self._skipped - passed
            elif self._left == 0:
                if not self._next_chunk():
                    break
            else:
                part = self._buffer if self._left is None else self._buffer[: self._left]
                body, self._buffer = body + part, self._buffer[len(part) :]
                self._count(len(part))
        return body

    def _next_chunk(self) -> bool:
        length, end, rest = self._buffer.partition(b"\r\n")
        if not end:
            return False
        self._left, self._buffer = int(length.split(b";")[0], 16), rest
        self.has_ended = self._left == 0
        return True

    def _count(self, length: int) -> None:
        if self._left is None:
            return
        self._left -= length
        if self._left == 0 and self._is_chunked:
            self._skipped = len(b"\r\n")
        self.has_ended = self._left == 0 and not self._is_chunked


class Engine:
    """The engine on a socket."""

    def __init__(self, path: str) -> None:
        self.path = path

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,  # any: what JSON can say
        *,
        seconds: float | None = TIME_OUT,
        data: Iterable[bytes] | None = None,
        kind: str = "application/json",
    ) -> Response:
        """Send a request and return its answer, which is yet to arrive. Raise EngineAway.

        `seconds`: how long the engine may be silent; None: forever. `data`: a body other than JSON, in parts.
        """
        link = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
        text = encode(body).encode() if body is not None else b""
        length = "Transfer-Encoding: chunked" if data is not None else f"Content-Length: {len(text)}"
        try:
            link.settimeout(seconds)
            link.connect(self.path)
            link.sendall(
                f"{method} {VERSION}{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                f"Content-Type: {kind}\r\n{length}\r\n\r\n".encode()
                + text
            )
        except OSError as error:
            link.close()
            raise EngineAway(self.path, error.errno) from error
        if data is not None:
            # An error while a part is produced is not the engine's fault.
            for part in data:
                self._put(link, b"%x\r\n%b\r\n" % (len(part), part))
            self._put(link, b"0\r\n\r\n")
        return Response(self.path, link)

    def _put(self, link: _socket.socket, data: bytes) -> None:
        try:
            link.sendall(data)
        except OSError as error:
            link.close()
            raise EngineAway(self.path, error.errno) from error

    def ask(self, method: str, path: str, body: Any = None, *, seconds: float | None = TIME_OUT) -> Any:
        """Return the engine's answer; None for an empty one. Raise EngineAway, or Refused."""
        answer = self.send(method, path, body, seconds=seconds)
        try:
            text = answer.whole()
        finally:
            answer.close()
        return decode(text) if text.strip() else None


def words_of(body: bytes) -> str:
    """Return the engine's own words for an error."""
    try:
        said = decode(body)
    except ValueError:
        return body.decode(errors="replace").strip()
    return str(said.get("message", said)) if isinstance(said, dict) else str(said)


def encode(value: Any) -> str:
    """Return a value as JSON. Any: its free form."""
    return "".join(write(value, False))  # noqa: FBT003  json's "in one go"


def decode(text: bytes) -> Any:
    """Return the value in a JSON text. Raise ValueError for invalid JSON."""
    try:
        value, _ = scan(text.decode(errors="replace").strip(), 0)
    except StopIteration:
        raise ValueError(f"this is no JSON: {text[:40]!r}") from None
    return value


def quoted(text: str) -> str:
    """Return a text as a part of a path or of a query."""
    safe = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~"
    return "".join(chr(byte) if byte in safe else f"%{byte:02X}" for byte in text.encode())
