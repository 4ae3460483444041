"""What stands on the terminal while the dashboard is loaded: its first picture, with what is known of a start."""

from __future__ import annotations

import os
import sys
import threading
import time

from devinit.cli.caller import is_in_browser
from devinit.cli.output import Paint, is_quiet
from devinit.cli.progress import symbols_of
from devinit.system import terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO

    from devinit.control.pending import Pending
    from devinit.control.wire import Json
    from devinit.system.alternate_screen import Attributes

REFUSAL_SECONDS = 0.15
"""For how long a start may be refused, or ask something, before there is a picture."""
PICTURE_SECONDS = 0.05
"""How far pictures are apart at least."""
CLOCK_SECONDS = 0.25
"""How often there is another one because time has passed."""
TRUE_COLOURS = ("truecolor", "24bit")
"""In COLORTERM."""


class Loading:
    """A line that stands where the user looks until the dashboard is there: Textual takes a moment to load."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._is_shown = False

    def begin(self) -> None:
        """Show it."""
        self._is_shown = self._stream.isatty() and not is_quiet()
        if self._is_shown:
            mark = Paint(self._stream).attention(symbols_of(self._stream)["busy"])
            terminal.draw(self._stream, 0, [], [f"{mark} starting; the dashboard opens"])

    def give_away(self) -> Attributes | None:
        """Make room for the dashboard."""
        self.close()
        return None

    def close(self) -> None:
        """Wipe it."""
        if self._is_shown:
            self._is_shown = False
            terminal.draw(self._stream, 1, [], [])


class FirstPicture:
    """The dashboard's own first picture, painted by a thread until Textual paints over it.

    A start that is refused, or asks something, in the first moments does not open it: nothing flashes.
    """

    def __init__(
        self, root: str, pending: Pending, colours: Mapping[str, str], *, true_colours: bool
    ) -> None:
        # All of it is loaded for the dashboard anyhow.
        from pathlib import Path

        from devinit.dashboard.starting import Start
        from devinit.dashboard.state import Stack
        from devinit.system.alternate_screen import AlternateScreen

        self._pending, self._colours, self._true_colours = pending, colours, true_colours
        self._stack = Stack(root=root, project=Path(root).name)
        self._start = Start(began=pending.began)
        self._screen = AlternateScreen()
        self._lock = threading.Lock()
        """Around the screen: two threads have it, one after the other."""
        self._changed = threading.Event()
        self._is_over = False

    def begin(self) -> None:
        """Paint from now on."""
        threading.Thread(target=self._paint_on, name="first picture", daemon=True).start()
        self._pending.listen(self._see)

    def give_away(self) -> Attributes | None:
        """Leave the screen as it is to Textual; return how the terminal was before, or None without a picture."""
        with self._lock:
            self._is_over = True
            return self._screen.give_away()

    def close(self) -> None:
        """Show the terminal as it was, if Textual has not taken it."""
        with self._lock:
            self._is_over = True
            self._screen.leave()

    def _see(self, event: Json) -> None:
        """Take an event in; called in the thread that reads them."""
        from devinit.dashboard.starting import after  # as above
        from devinit.dashboard.state import happened, planned

        now = time.monotonic()
        self._start = after(self._start, event, now)
        before = self._stack
        self._stack = planned(before, event) if event["type"] == "plan" else happened(before, event, now)
        if self._stack.services:
            self._changed.set()

    def _paint_on(self) -> None:
        self._changed.wait(REFUSAL_SECONDS)
        while self._paint():
            time.sleep(PICTURE_SECONDS)
            self._changed.wait(CLOCK_SECONDS)

    def _paint(self) -> bool:
        """Paint once; return whether to go on."""
        from devinit.dashboard.first_picture import painted, picture  # as above
        from devinit.system.raw_terminal import show, size

        self._changed.clear()
        lines, columns = size()
        if self._pending.refusal is not None or not lines or not columns:
            return False
        rows = picture(self._stack, self._start, time.monotonic(), columns, lines)
        shown = painted(rows, self._colours, columns, true_colours=self._true_colours)
        with self._lock:
            if self._is_over or not (self._screen.is_shown or self._screen.enter()):
                return False
            show(shown)
        return True


def opening_of(root: str, pending: Pending) -> FirstPicture | Loading:
    """Return what to show on this terminal: a line where the colours of the dashboard are not known."""
    from devinit.dashboard.colours import colours_of, first_theme  # as above
    from devinit.dashboard.preferences import read_preferences

    preferences = read_preferences(os.environ)
    colours = colours_of(preferences.theme or first_theme(os.environ), preferences.themes)
    depth = colour_depth(os.environ)
    if colours is None or depth is None or is_in_browser() or not sys.stderr.isatty():
        return Loading(sys.stderr)
    return FirstPicture(root, pending, colours, true_colours=depth == "true")


def colour_depth(environ: Mapping[str, str]) -> str | None:
    """Return how many colours Textual will use: "true" or "256"; None for fewer, or greys."""
    if "NO_COLOR" in environ or "TEXTUAL_COLOR_SYSTEM" in environ or "TEXTUAL_DRIVER" in environ:
        return None
    if environ.get("COLORTERM", "").strip().lower() in TRUE_COLOURS:
        return "true"
    return "256" if environ.get("TERM", "").rpartition("-")[2] in ("256color", "kitty") else None
