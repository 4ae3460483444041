"""An emulated terminal for tests of programs: its screen, and key presses."""

from __future__ import annotations

import time
from collections.abc import Callable

import pexpect
import pyte

PATIENCE = 60
COLUMNS, LINES = 100, 24


class Screen(pyte.Screen):
    """A screen that ignores sequences which pyte mistakes for colours, such as vim's `ESC [ > 4 ; 2 m`."""

    def select_graphic_rendition(self, *attributes: int, private: bool = False) -> None:
        if not private:
            super().select_graphic_rendition(*attributes)


class Terminal:
    """A terminal that runs a program, with its screen and keys to press."""

    def __init__(self, child: pexpect.spawn[str]) -> None:
        self.child = child
        self.screen = Screen(COLUMNS, LINES)
        self._stream = pyte.Stream(self.screen)

    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.screen.display)

    def shows(self, *expected: str, gone: str = "") -> str:
        """Wait until the screen shows all these texts; return its text."""
        return self._until(
            lambda text: all(each in text for each in expected) and (not gone or gone not in text)
        )

    def press(self, keys: str) -> None:
        self.child.send(keys)

    def left(self) -> tuple[str, int | None]:
        """Wait for the end; return the text on the screen, and the exit code."""
        self._until(lambda _: not self.child.isalive())
        self._take(0.1)
        self.child.close()
        return self.text(), self.child.exitstatus

    def _until(self, condition: Callable[[str], bool]) -> str:
        deadline = time.monotonic() + PATIENCE
        while not condition(self.text()):
            assert time.monotonic() < deadline, f"the screen shows:\n{self.text()}"
            self._take(0.1)
        return self.text()

    def _take(self, seconds: float) -> None:
        try:
            self._stream.feed(self.child.read_nonblocking(1_000_000, seconds))
        except pexpect.TIMEOUT:
            return
        except pexpect.EOF:
            self.child.wait() if self.child.isalive() else None
