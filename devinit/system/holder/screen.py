"""The state of a terminal's output: which part is logged, and which is replayed to a later viewer. Pure.

There is no model of the screen, because the viewer's own terminal is a better one. Known are the last lines, the
modes that are switched on, and whether a program uses the full screen.
"""

from __future__ import annotations

from devinit.system.holder.queries import without_queries

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

KEPT_BYTES = 64 * 1024
"""How much output is kept for replay."""
PRIVATE = b"\x1b[?"
"""The beginning of a sequence that switches a private mode (DECSET, DECRST)."""
KEYS = b"\x1b[>"
"""The beginning of a sequence that switches the reporting of keys."""
FULL_SCREEN = frozenset((47, 1047, 1049))
"""The modes that select the alternate screen of xterm."""
RESTORED = frozenset((1, 7, 9, 25, 1000, 1002, 1003, 1004, 1005, 1006, 1015, 1016, 2004))
"""Modes that a viewer's terminal must have as well: keys, wrapping, cursor, mouse, pasting."""
ON_AT_FIRST = frozenset((7, 25))
LONGEST_SEQUENCE = 64
LONGEST_NUMBER = 5
"""The most digits in the number of a mode."""
USUAL = b"\x1b7\x1b[r\x1b8\x1b[4l\x1b(B\x0f\x1b[0m\x1b>"
"""The defaults: the whole screen scrolls (the cursor stays), text replaces text, no line graphics, no colours, and
the number pad sends digits."""
_PARAMETERS = b"0123456789;"


class Screen:
    """The state of one terminal since its service started."""

    def __init__(self, program: Callable[[], str]) -> None:
        """`program`: returns the name of the program in the foreground."""
        self._program = program
        self.is_full = False
        """Whether a program uses the full screen."""
        self.is_at_line_start = True
        """Whether the last line is finished, so that the next byte begins a new one."""
        self._modes: dict[int, bool] = {}
        self._usual_keys = b""
        """The sequence that ends the reporting of keys as numbers, if a program has asked for it."""
        self._lines, self._full = bytearray(), bytearray()
        self._unfinished, self._returns = b"", b""

    def take(self, data: bytes) -> bytes:
        """Process output; return the part for the log.

        A line ends with a line feed. One line replaces everything that a program showed on the full screen.
        """
        data, self._unfinished = self._unfinished + data, b""
        if KEYS in data:
            self._usual_keys = usual_keys(data) or self._usual_keys
        logged: list[bytes] = []
        begin = search = 0
        while (found := data.find(PRIVATE, search)) >= 0:
            end = found + len(PRIVATE)
            while end < len(data) and data[end] in _PARAMETERS:
                end += 1
            if end == len(data):
                if end - found < LONGEST_SEQUENCE:
                    data, self._unfinished = data[:found], data[found:]
                break
            search = end + 1
            if data[end] not in b"hl" or not self._switch(data[found + 3 : end], on=data[end] == ord("h")):
                continue
            if self.is_full:
                self._keep(data[begin:found], logged)
                begin = found
                self._full = bytearray()
                logged.append(self._said())
            else:
                begin = search
        else:
            for head in (b"\x1b[", b"\x1b"):
                if data.endswith(head):
                    data, self._unfinished = data[: -len(head)], head
                    break
        if self.is_full:
            _add(self._full, data[begin:])
        else:
            self._keep(data[begin:], logged)
        return b"".join(logged)

    def leave(self) -> None:
        """Return to the normal screen: the program that used the full screen is gone."""
        self.is_full = False
        self._full = bytearray()

    def replay(self, lines: int) -> bytes:
        """Return a sequence that shows a viewer's terminal the last lines and switches on the active modes."""
        if self.is_full:
            return PRIVATE + b"1049h" + self._restoring()
        shown = bytes(self._lines[-KEPT_BYTES:])
        begin = len(shown)
        for _ in range(max(lines, 1)):
            begin = shown.rfind(b"\n", 0, begin)
            if begin < 0:
                break
        # If more was printed than is kept, the first line is incomplete.
        if begin < 0 and len(self._lines) >= KEPT_BYTES:
            begin = shown.find(b"\n")
        return without_queries(shown[begin + 1 :]) + self._restoring()

    def undone(self) -> bytes:
        """Return a sequence that restores a viewer's terminal to its former state."""
        full = PRIVATE + b"1049l" if self.is_full else b""
        changed = [(mode, on) for mode, on in sorted(self._modes.items()) if on != (mode in ON_AT_FIRST)]
        modes = b"".join(b"%b%d%b" % (PRIVATE, mode, b"l" if on else b"h") for mode, on in changed)
        return full + modes + self._usual_keys + USUAL

    def _restoring(self) -> bytes:
        known = sorted(self._modes.items())
        return b"".join(b"%b%d%b" % (PRIVATE, mode, b"h" if on else b"l") for mode, on in known)

    def _switch(self, numbers: bytes, *, on: bool) -> bool:
        """Record switched modes; return whether this entered or left the full screen."""
        before = self.is_full
        for number in numbers.split(b";"):
            mode = int(number) if 0 < len(number) <= LONGEST_NUMBER else 0
            if mode in FULL_SCREEN:
                self.is_full = on
            elif mode in RESTORED:
                self._modes[mode] = on
        return self.is_full != before

    def _keep(self, data: bytes, logged: list[bytes]) -> None:
        if not data:
            return
        _add(self._lines, data)
        text = self._returns + data
        kept = text.rstrip(b"\r")
        text, self._returns = kept, text[len(kept) :]
        while b"\r\r\n" in text:
            text = text.replace(b"\r\r\n", b"\r\n")
        if text:
            text = text.replace(b"\r\n", b"\n")
            logged.append(text)
            self.is_at_line_start = text.endswith(b"\n")

    def _said(self) -> bytes:
        begin = b"" if self.is_at_line_start else b"\n"
        self.is_at_line_start, self._returns = True, b""
        return begin + f"--- full screen: {self._program()} ---\n".encode()


def usual_keys(data: bytes) -> bytes:
    """Return the sequence that ends the key reporting that a program requests, for xterm and kitty."""
    xterm = b"\x1b[>4m" if b"\x1b[>4;" in data else b""
    return xterm + (b"\x1b[<u" if any(b"\x1b[>%du" % flags in data for flags in range(1, 32)) else b"")


def _add(kept: bytearray, data: bytes) -> None:
    kept += data
    if len(kept) > 2 * KEPT_BYTES:
        del kept[:-KEPT_BYTES]
