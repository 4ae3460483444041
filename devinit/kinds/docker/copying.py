"""The files of the process that stands for a container: its record, and the output that it copies.

As `shim`, without devinit.
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
    """The file that vouches for the container: anyone can copy a name and a label, and not this."""

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
        """Whether a container is the one that was created for this record."""
        token = self.values.get("token")
        return bool(token) and (found["Config"].get("Labels") or {}).get(self.TOKEN) == token

    def write(self, **values: Any) -> None:
        """Put more on record. Raise OSError for a token that has no room: all else can wait for it."""
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
    """What a container prints, copied once: also by a process that takes over from another one.

    The engine's stamps tell what was copied before an answer. They do not tell lines apart: the parts of a long
    line have the same one, and those of its two streams are not always in order.
    """

    def __init__(self, path: str) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        self._seen = os.open(path, flags, 0o600)
        self._stamp, self._count = b"", 0
        """The latest time at which something was printed that was copied, and how many parts have that time."""
        self._since, self._again = b"", 0
        """From when on this answer is, until something later has come; how many parts of that time are copied."""
        self._rest = b""

    def begin(self) -> None:
        """Copy from the beginning: of another container."""
        os.ftruncate(self._seen, 0)
        self._stamp, self._count = b"", 0

    def remember(self) -> None:
        """Go on behind what was copied by the process before this one."""
        words = os.pread(self._seen, LONGEST_STAMP, 0).split()
        self._stamp = words[0] if words else b""
        self._count = int(words[1]) if len(words) > 1 and words[1].isdigit() else 1

    def since(self) -> str:
        """Return from which time the engine is asked for output; drop the rest of an answer that broke off."""
        self._rest = b""
        self._since, self._again = self._stamp, self._count
        return f"&since={seconds_of(self._stamp)}" if self._stamp else ""

    def copy(self, data: bytes) -> None:
        """Print the lines in a part of it, without the engine's stamps."""
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
            with suppress(OSError):  # a full disk: the next process may copy some of it again
                os.pwrite(self._seen, (b"%b %d" % (self._stamp, self._count)).ljust(LONGEST_STAMP), 0)

    def _is_new(self, stamp: bytes) -> bool:
        """Take note of a part; return whether it was not copied from the answer before."""
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
    """What could not be written into the log: a full disk costs output, and never the container."""

    bytes = 0
    reason = ""


def say(text: str) -> None:
    """Print a line of our own into the service's log."""
    print_all(f"devinit: {text}\n".encode())


def print_all(data: bytes) -> None:
    """Write all of it to the standard output, which is the service's log; say there how much had no room."""
    if Lost.bytes:
        note = f"\n--- {Lost.bytes:,} bytes are lost: {Lost.reason} ---\n".encode()
        if unwritten(note):
            Lost.bytes += len(data)
            return
        Lost.bytes = 0
    Lost.bytes = unwritten(data)


def unwritten(data: bytes) -> int:
    """Write as much as there is room for; return how many bytes are left."""
    try:
        while data:
            data = data[os.write(OUTPUT, data) :]
    except OSError as error:
        Lost.reason = error.strerror or str(error)
    return len(data)


def seconds_of(stamp: bytes) -> str:
    """Return a stamp of the engine as seconds of Unix time, with its nanoseconds."""
    from calendar import timegm  # hardly any shim outlives its engine

    whole, _, rest = stamp.decode().rstrip("Z").partition(".")
    date, _, time = whole.partition("T")
    fields = (*map(int, date.split("-")), *map(int, time.split(":")))
    return f"{timegm((*fields, 0, 0, 0))}.{rest or '0'}"
