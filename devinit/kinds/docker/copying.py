"""The files of the process that represents a container: its record, and the output that it copies.

It runs without devinit, like `shim`.
"""

from __future__ import annotations

import os
from contextlib import suppress

TYPE_CHECKING = False
if __package__:  # for the tests and the type checker
    from devinit.kinds.docker.engine import decode, encode
else:
    from engine import decode, encode  # type: ignore[import-not-found,no-redef]
if TYPE_CHECKING:
    from typing import Any, ClassVar

HEAD = 8
"""Bytes before each part of the output: the stream, three zeros, the length."""
OUTPUT = 1
LONGEST_STAMP = 64


class Vouched:
    """The record that proves which container is ours: anyone can copy a name and a label, but not this file."""

    TOKEN: ClassVar[str] = "dev.devinit.token"  # noqa: S105  the name of a label

    def __init__(self, path: str) -> None:
        self._path = path
        self.values: dict[str, Any] = {}
        try:
            with open(path, "rb") as file:
                self.values = decode(file.read())
        except (FileNotFoundError, ValueError):
            pass

    def vouches_for(self, found: dict[str, Any]) -> bool:
        """Return whether a container is the one that was created for this record."""
        token = self.values.get("token")
        return bool(token) and (found["Config"].get("Labels") or {}).get(self.TOKEN) == token

    def write(self, **values: Any) -> None:
        """Add values to the record. Raise OSError if there is no space for a token: other values can wait."""
        self.values = {**self.values, **values}
        new = f"{self._path}.new"
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            with open(os.open(new, flags, 0o600), "w") as file:
                file.write(encode(self.values))
            os.rename(new, self._path)
        except OSError:
            if values.get("token"):
                raise


class Output:
    """The output of a container, copied only once, even by a process that takes over from another one.

    The engine's timestamps show what was copied before an answer. They do not identify lines: the parts of a long
    line have the same one, and lines of its two streams are not always in order.
    """

    def __init__(self, path: str) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        self._seen = os.open(path, flags, 0o600)
        self._stamp, self._count = b"", 0
        """The latest timestamp of copied output, and the number of copied parts with that timestamp."""
        self._since, self._again = b"", 0
        """The timestamp at which this answer begins, until later output has come; number of parts with it that
        are copied.
        """
        self._rest = b""

    def begin(self) -> None:
        """Copy from the beginning, for a new container."""
        os.ftruncate(self._seen, 0)
        self._stamp, self._count = b"", 0

    def remember(self) -> None:
        """Continue after the output that the previous process copied."""
        words = os.pread(self._seen, LONGEST_STAMP, 0).split()
        self._stamp = words[0] if words else b""
        self._count = int(words[1]) if len(words) > 1 and words[1].isdigit() else 1

    def since(self) -> str:
        """Return the time from which to request output; discard the rest of an answer that broke off."""
        self._rest = b""
        self._since, self._again = self._stamp, self._count
        return f"&since={seconds_of(self._stamp)}" if self._stamp else ""

    def copy(self, data: bytes) -> None:
        """Print the lines in a part of the output, without the engine's timestamps."""
        data, position, lines = self._rest + data, 0, []
        while position + HEAD <= len(data):
            end = position + HEAD + int.from_bytes(data[position + 4 : position + HEAD], "big")
            if end > len(data):
                break
            stamp, _, line = data[position + HEAD : end].partition(b" ")
            position = end
            if self._is_new(stamp):
                lines.append(line)
        self._rest = data[position:]
        if lines:
            print_all(b"".join(lines))
            with suppress(OSError):  # the disk is full: the next process may copy some of it again
                os.pwrite(self._seen, (b"%b %d" % (self._stamp, self._count)).ljust(LONGEST_STAMP), 0)

    def _is_new(self, stamp: bytes) -> bool:
        """Record a part; return whether it was not copied from an earlier answer."""
        if self._since:
            # The engine's `since` is inclusive.
            if stamp < self._since:
                return False
            if stamp == self._since and self._again:
                self._again -= 1
                return False
            if stamp > self._since:
                self._since = b""
        if stamp > self._stamp:
            self._stamp, self._count = stamp, 0
        self._count += stamp == self._stamp
        return True


class Lost:
    """Output that could not be written to the log: a full disk costs output, but never the container."""

    bytes = 0
    reason = ""


def say(text: str) -> None:
    """Print a line of our own to the service's log."""
    print_all(f"devinit: {text}\n".encode())


def print_all(data: bytes) -> None:
    """Write all of it to standard output, which is the service's log; note there how much was lost."""
    if Lost.bytes:
        note = f"\n--- {Lost.bytes:,} bytes are lost: {Lost.reason} ---\n".encode()
        if unwritten(note):
            Lost.bytes += len(data)
            return
        Lost.bytes = 0
    Lost.bytes = unwritten(data)


def unwritten(data: bytes) -> int:
    """Write as much as there is space for; return the number of bytes left."""
    try:
        while data:
            data = data[os.write(OUTPUT, data) :]
    except OSError as error:
        Lost.reason = error.strerror or str(error)
    return len(data)


def seconds_of(stamp: bytes) -> str:
    """Return a timestamp of the engine as seconds of Unix time, with its nanoseconds."""
    from calendar import timegm  # hardly any shim outlives its engine

    whole, _, rest = stamp.decode().rstrip("Z").partition(".")
    date, _, time = whole.partition("T")
    fields = (*map(int, date.split("-")), *map(int, time.split(":")))
    return f"{timegm((*fields, 0, 0, 0))}.{rest or '0'}"
