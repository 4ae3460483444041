"""The master of a pseudo-terminal: the output of its program, and the input typed into it."""

from __future__ import annotations

import fcntl
import os
import select
import struct
import termios

MOST_UNREAD_BYTES = 1 << 20
"""The most typed input that is kept while the service does not read."""
READ_BYTES = 64 * 1024
WINDOW = struct.Struct("HHHH")


class Terminal:
    """A pseudo-terminal, until no process has it open any more."""

    def __init__(self, size: tuple[int, int]) -> None:
        """`size`: rows and columns."""
        self.master, self.slave = os.openpty()
        self.typed = bytearray()
        """Input that is not written yet, because the program does not read."""
        os.set_blocking(self.master, False)
        self.resize(*size)

    @property
    def is_open(self) -> bool:
        """Whether a process has the terminal open."""
        return self.master >= 0

    def read(self) -> bytes:
        """Return the output, or nothing; the master is closed at its end."""
        if not self.is_open:
            return b""
        try:
            data = os.read(self.master, READ_BYTES)
        except BlockingIOError:
            return b""
        except OSError:  # EIO: the last process has closed the terminal
            data = b""
        if not data:
            os.close(self.master)
            self.master = -1
        return data

    def has_output(self) -> bool:
        """Whether there is output, or its end has come."""
        if not self.is_open:
            return False
        ready = select.poll()
        ready.register(self.master, select.POLLIN)
        return bool(ready.poll(0))

    def let_end(self) -> None:
        """Close our slave end, so that the terminal ends with the last process that has it open."""
        os.close(self.slave)

    def type(self, data: bytes) -> bool:
        """Type a text; return False if too much input is unread already."""
        if not self.is_open or len(self.typed) + len(data) > MOST_UNREAD_BYTES:
            return False
        self.typed += data
        self.write()
        return True

    def write(self) -> None:
        """Write typed input, as far as there is space."""
        while self.typed and self.is_open:
            try:
                del self.typed[: os.write(self.master, self.typed)]
            except OSError:  # no space, or no reader any more
                return

    def resize(self, rows: int, columns: int) -> None:
        """Set the size; the program gets SIGWINCH."""
        if self.is_open:
            try:
                fcntl.ioctl(self.master, termios.TIOCSWINSZ, WINDOW.pack(rows, columns, 0, 0))
            except OSError:
                pass

    def signals(self) -> bool:
        """Whether Ctrl-C causes a signal and the kernel edits lines, so that no program reads single keys."""
        try:
            local = termios.tcgetattr(self.master)[3]
        except (termios.error, ValueError):
            return False
        wanted = termios.ISIG | termios.ICANON | termios.ECHO
        return bool(local & wanted == wanted)

    def group(self) -> int:
        """Return the foreground process group; 0 if it is unknown."""
        try:
            return os.tcgetpgrp(self.master)
        except OSError:
            return 0

    def program(self) -> str:
        """Return the name of the program in the foreground."""
        try:
            with open(f"/proc/{self.group()}/comm", encoding="utf-8", errors="replace") as file:
                return file.read(64).strip()
        except OSError:
            return "a program"
