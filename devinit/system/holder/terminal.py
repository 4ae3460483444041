"""The master of a pseudo-terminal: what the program in it prints, and what is typed into it."""

from __future__ import annotations

import fcntl
import os
import select
import struct
import termios

MOST_UNREAD_BYTES = 1 << 20
"""What is kept of what was typed while the service does not read."""
READ_BYTES = 64 * 1024
WINDOW = struct.Struct("HHHH")


class Terminal:
    """A pseudo-terminal, until nothing has it open any more."""

    def __init__(self, size: tuple[int, int]) -> None:
        """`size`: rows and columns."""
        self.master, self.slave = os.openpty()
        self.typed = bytearray()
        """What is not written yet, because the program does not read."""
        os.set_blocking(self.master, False)
        self.resize(*size)

    @property
    def is_open(self) -> bool:
        """Whether a process has it open."""
        return self.master >= 0

    def read(self) -> bytes:
        """Return what was printed, or nothing; it is closed at its end."""
        if not self.is_open:
            return b""
        try:
            data = os.read(self.master, READ_BYTES)
        except BlockingIOError:
            return b""
        except OSError:  # EIO: the last process has closed it
            data = b""
        if not data:
            os.close(self.master)
            self.master = -1
        return data

    def has_output(self) -> bool:
        """Whether something was printed, or its end has come."""
        if not self.is_open:
            return False
        ready = select.poll()
        ready.register(self.master, select.POLLIN)
        return bool(ready.poll(0))

    def let_end(self) -> None:
        """Have it end with the last process that has it open, from here on."""
        os.close(self.slave)

    def type(self, data: bytes) -> bool:
        """Type something; return False where too much is unread already."""
        if not self.is_open or len(self.typed) + len(data) > MOST_UNREAD_BYTES:
            return False
        self.typed += data
        self.write()
        return True

    def write(self) -> None:
        """Write what was typed, as much of it as there is room for."""
        while self.typed and self.is_open:
            try:
                del self.typed[: os.write(self.master, self.typed)]
            except OSError:  # it has no room, or no reader any more
                return

    def resize(self, rows: int, columns: int) -> None:
        """Give it a size; its program gets SIGWINCH."""
        if self.is_open:
            try:
                fcntl.ioctl(self.master, termios.TIOCSWINSZ, WINDOW.pack(rows, columns, 0, 0))
            except OSError:
                pass

    def signals(self) -> bool:
        """Whether Ctrl-C is a signal, and lines are edited by the kernel: no program reads each key."""
        try:
            local = termios.tcgetattr(self.master)[3]
        except (termios.error, ValueError):
            return False
        wanted = termios.ISIG | termios.ICANON | termios.ECHO
        return bool(local & wanted == wanted)

    def group(self) -> int:
        """Return the process group that has it; 0 where that is not known."""
        try:
            return os.tcgetpgrp(self.master)
        except OSError:
            return 0

    def program(self) -> str:
        """Return the name of the program that has it."""
        try:
            with open(f"/proc/{self.group()}/comm", encoding="utf-8", errors="replace") as file:
                return file.read(64).strip()
        except OSError:
            return "a program"
