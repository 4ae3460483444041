"""The terminal as a program that fills it wants it: its other screen, and keys that are kept and not shown.

For a picture that stands until a library that reads keys is loaded. Ctrl-C still interrupts; Ctrl-Z waits like
every other key, because a shell must not come back to this screen.
"""

from __future__ import annotations

import sys
import termios
from contextlib import suppress
from typing import Any, TypeAlias

from devinit.system.raw_terminal import show

Attributes: TypeAlias = list[Any]
# As termios has them: numbers, and a list of characters.

ENTER = "\x1b[?1049h"
"""Shows the other screen."""
BEGIN = f"{ENTER}\x1b[?25l\x1b[?7l".encode()
"""The same without a cursor, and without breaking what is too long."""
LEAVE = b"\x1b[?7h\x1b[?25h\x1b[?1049l"
INPUT = 0


class AlternateScreen:
    """The other screen of our terminal, from `enter` to `leave`, or until it is given away."""

    def __init__(self) -> None:
        self._before: Attributes | None = None

    @property
    def is_shown(self) -> bool:
        """Whether it is shown, and ours."""
        return self._before is not None

    def enter(self) -> bool:
        """Show it; return whether that could be done."""
        try:
            self._before = termios.tcgetattr(INPUT)
            termios.tcsetattr(INPUT, termios.TCSANOW, with_silent_keys(self._before))
        except (termios.error, OSError):
            self._before = None  # it is gone
            return False
        show(BEGIN)
        return True

    def give_away(self) -> Attributes | None:
        """Leave it as it is to a library that has the terminal from now on; return how the terminal was before.

        None when it is not shown.
        """
        before, self._before = self._before, None
        return before

    def leave(self) -> None:
        """Show the terminal as it was."""
        if self._before is None:
            return
        show(LEAVE)
        with suppress(termios.error, OSError):
            termios.tcsetattr(INPUT, termios.TCSANOW, self._before)
        self._before = None


def with_silent_keys(attributes: Attributes) -> Attributes:
    """Return how a terminal passes on each key at once and shows none."""
    iflag, oflag, cflag, lflag, ispeed, ospeed, characters = attributes
    silent = lflag & ~(termios.ECHO | termios.ICANON)
    # No key halts: a program for Linux or macOS has such a character for none.
    none = b"\x00" if sys.platform == "linux" else b"\xff"
    kept = [none if number == termios.VSUSP else each for number, each in enumerate(characters)]
    kept[termios.VMIN], kept[termios.VTIME] = b"\x01", b"\x00"
    return [iflag, oflag, cflag, silent, ispeed, ospeed, kept]
