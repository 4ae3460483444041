"""Queries that programs send to a terminal: found, removed, and answered if no terminal is attached. Pure.

A query that is replayed is answered a second time, and the service takes the answer for typed input.
"""

from __future__ import annotations

ANSWERS = (
    (b"\x1b[6n", b"\x1b[1;1R"),
    (b"\x1b[5n", b"\x1b[0n"),
    (b"\x1b[c", b"\x1b[?62;22c"),
    (b"\x1b[0c", b"\x1b[?62;22c"),
)
"""Queries for the cursor position and the type of terminal. Ruby's Reline and others
wait for the answer forever."""
LONGEST = 3
"""How many bytes of a query may be in the preceding output, without its last byte."""
LONGEST_STRING = 4096
"""Longer operating system commands (titles, pictures) are passed on as they are."""
_OF_WINDOWS = (b"11", b"13", b"14", b"15", b"16", b"18", b"19", b"20", b"21")


def answers_to(data: bytes, before: bytes = b"") -> bytes:
    """Return the answers to a program's queries, as a terminal without a display would give them.

    `before`: the end of the output that was already searched.
    """
    if b"\x1b" not in data and b"\x1b" not in before:
        return b""
    text = before[-LONGEST:] + data
    seen = text[: len(before[-LONGEST:])]
    return b"".join(answer * (text.count(question) - seen.count(question)) for question, answer in ANSWERS)


def without_queries(data: bytes) -> bytes:
    """Return output without its queries, and without an unfinished sequence at its end."""
    return Quiet().take(data)


class Quiet:
    """A filter that removes queries from output, for viewers that must not answer."""

    def __init__(self) -> None:
        self._unfinished = b""

    def take(self, data: bytes) -> bytes:
        """Return the output without its queries; an unfinished sequence follows with the next piece."""
        data, self._unfinished = self._unfinished + data, b""
        if b"\x1b" not in data:
            return data
        kept: list[bytes] = []
        begin = 0
        while (found := data.find(b"\x1b", begin)) >= 0:
            kept.append(data[begin:found])
            end = _end_of(data, found)
            if end is None:
                if len(data) - found <= LONGEST_STRING:
                    self._unfinished = data[found:]
                else:
                    kept.append(data[found:])
                return b"".join(kept)
            if not _asks(data[found:end]):
                kept.append(data[found:end])
            begin = end
        kept.append(data[begin:])
        return b"".join(kept)


def _end_of(data: bytes, begin: int) -> int | None:
    """Return the end of the sequence that begins here (ECMA-48 §5); None if it is incomplete."""
    if begin + 1 >= len(data):
        return None
    match data[begin + 1]:
        case 0x5B:  # CSI
            for end in range(begin + 2, len(data)):
                if not 0x20 <= data[end] <= 0x3F:
                    return end + 1
            return None
        case 0x5D | 0x50 | 0x5F | 0x5E:  # OSC, DCS, APC, PM: ended by BEL or ST
            ends = [
                found + len(mark)
                for mark in (b"\x07", b"\x1b\\")
                if (found := data.find(mark, begin + 2, begin + LONGEST_STRING)) >= 0
            ]
            return min(ends, default=None)
        case 0x1B:
            return begin + 1
        case _:
            return begin + 2


def _asks(sequence: bytes) -> bool:
    content = sequence[2:]
    match sequence[1:2]:
        case b"[":
            words, final = content[:-1], content[-1:]
            return (
                final in (b"n", b"c")
                or (final == b"x" and b"$" not in words)
                or (final == b"q" and words.startswith(b">"))
                or (final == b"u" and words.startswith(b"?"))
                or (final == b"p" and words.endswith(b"$"))
                or (final == b"t" and words.split(b";")[0] in _OF_WINDOWS)
            )
        case b"]":
            return b";?" in content
        case b"P":
            return content[:2] in (b"$q", b"+q")
        case b"Z":
            return True
        case _:
            return False
