"""The protocol between a holder and its clients over its socket. Pure.

The holder speaks first, with one byte, the VERSION. Each message after that is a frame: a letter, the length of
the content (4 bytes, big-endian), and the content. Capital letters come from the holder.
"""

from __future__ import annotations

import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

VERSION = 1
LONGEST_BYTES = 1 << 20
"""The longest content of a frame; a client that announces more is disconnected."""

ATTACH = b"a"
"""`ATTACHMENT`: show all output from now on, after this many lines of earlier output."""
INPUT = b"i"
"""Input from the keyboard."""
GUARDED = b"g"
"""One control character: it is typed if it causes no signal, else refused once with GUARD."""
SIZE = b"s"
"""`SIZES`: the size of the client's terminal."""
TAKE = b"t"
"""Take the keyboard from the client that has it."""
PUSH = b"p"
"""Type a text without being attached; answered with PUSHED."""
ASK_CODE = b"q"
"""`NUMBER`, a pid: ask how the process ended. Answered with CODE."""

OUTPUT = b"O"
"""Raw output of the service."""
KEYBOARD = b"K"
"""One byte: 1 if the client has the keyboard from now on, else 0."""
SKIPPED = b"S"
"""The client was too slow: output that it has not received is skipped, and the screen is sent again."""
REFUSED = b"R"
"""The service does not read its input; the typed text is dropped."""
GUARD = b"G"
"""A control character from GUARDED that would have caused a signal and was not typed."""
PUSHED = b"P"
"""One byte: 1 if the text was accepted, else 0."""
CODE = b"C"
"""`CODES`: the answer to ASK_CODE; also sent without a request when the service itself has ended."""

ATTACHMENT = struct.Struct(">HHHB")
"""Rows, columns, lines of earlier output, whether the client wants the keyboard."""
SIZES = struct.Struct(">HH")
NUMBER = struct.Struct(">I")
CODES = struct.Struct(">IBi")
"""The pid; RUNS, ENDED or UNKNOWN; and the exit code (negative: the signal)."""
RUNS, ENDED, UNKNOWN = 0, 1, 2
_HEAD = struct.Struct(">cI")


class Broken(Exception):
    """Raised when received data is not a valid frame."""


def frame(kind: bytes, content: bytes = b"") -> bytes:
    """Return a frame in its wire format."""
    return _HEAD.pack(kind, len(content)) + content


class Frames:
    """A parser for the frames of one connection."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def take(self, data: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Yield the letter and the content of each complete frame. Raise Broken for invalid data."""
        self._bytes += data
        while len(self._bytes) >= _HEAD.size:
            kind, length = _HEAD.unpack_from(self._bytes)
            if length > LONGEST_BYTES:
                raise Broken(f"a frame of {length:,} bytes")
            end = _HEAD.size + length
            if len(self._bytes) < end:
                return
            content = bytes(self._bytes[_HEAD.size : end])
            del self._bytes[:end]
            yield kind, content
