"""What a holder and its clients say to each other over its socket: pure.

The holder speaks first, with one byte, the VERSION. Then each message is a frame: a letter, the length of what
follows (4 bytes, the highest first), and that. Capital letters come from the holder.
"""

from __future__ import annotations

import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

VERSION = 1
LONGEST_BYTES = 1 << 20
"""Of what one frame carries; a client that announces more is hung up on."""

ATTACH = b"a"
"""`ATTACHMENT`: show what is printed from here on, after so many lines of before."""
INPUT = b"i"
"""What was typed at the keyboard."""
GUARDED = b"g"
"""One control character: typed where it signals no process, else refused once with GUARD."""
SIZE = b"s"
"""`SIZES`: the size of the client's terminal."""
TAKE = b"t"
"""Take the keyboard from the client that has it."""
PUSH = b"p"
"""Type something without being attached; answered with PUSHED."""
ASK_CODE = b"q"
"""`NUMBER`, a process: how it ended. Answered with CODE."""

OUTPUT = b"O"
"""What the service prints, as it is."""
KEYBOARD = b"K"
"""One byte: 1 when the client has the keyboard from here on, else 0."""
SKIPPED = b"S"
"""The client was too slow: what it has not been shown is passed over, and the screen is shown again."""
REFUSED = b"R"
"""The service does not read; what was typed is dropped."""
GUARD = b"G"
"""A control character of GUARDED that would have signalled the service, and was not typed."""
PUSHED = b"P"
"""One byte: 1 when it was taken, else 0."""
CODE = b"C"
"""`CODES`: of ASK_CODE, and unasked of the service itself when it has ended."""

ATTACHMENT = struct.Struct(">HHHB")
"""Rows, columns, lines of before, whether it wants the keyboard."""
SIZES = struct.Struct(">HH")
NUMBER = struct.Struct(">I")
CODES = struct.Struct(">IBi")
"""The process, RUNS, ENDED or UNKNOWN, and its exit code; negative: the signal."""
RUNS, ENDED, UNKNOWN = 0, 1, 2
_HEAD = struct.Struct(">cI")


class Broken(Exception):
    """What came is no frame."""


def frame(kind: bytes, content: bytes = b"") -> bytes:
    """Return a frame as it is sent."""
    return _HEAD.pack(kind, len(content)) + content


class Frames:
    """The frames of one connection, as their bytes come in."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def take(self, data: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Yield what is complete: the letter and the content. Raise Broken for what is no frame."""
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
