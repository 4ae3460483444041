"""The progress display of a start or a stop.

On a terminal, each service has a line that is redrawn; elsewhere, each event is a line. The display goes to
standard error, because it is not the result.
"""

from __future__ import annotations

import os
import time

from devinit.cli.output import Paint, is_quiet, size_of, symbol
from devinit.system import terminal
from devinit.text import cut, duration, one_line, pad, plain, width

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self, TextIO

    from devinit.cli.last_output import LastOutput
    from devinit.control.wire import Json

BUSY = ("waiting", "starting", "stopping", "backoff", "unhealthy")
LONG_SECONDS = 1.0
"""A step that takes longer than this shows the last line of its output."""
TELLING_SECONDS = 0.1
"""Waiting times below this are not shown."""
_RAN_BEFORE = "ran on "
"""The beginning of the reason of a one-shot that did not run again, because it already ran on this data."""


class ProgressLine:
    """The displayed state of one service."""

    def __init__(self, name: str, phase: str, now: float) -> None:
        self.name = name
        self.phase = phase
        self.since = now
        self.port: int | None = None
        self.detail = ""
        self.ready_seconds: float | None = None


class Board:
    """The state of one start or stop: it turns events into lines, and writes nothing."""

    def __init__(
        self, paint: Paint, symbols: dict[str, str], output_of: Callable[[str], str] = lambda _: ""
    ) -> None:
        self._paint = paint
        self.output_of = output_of
        """Returns the last output line of a service; "" if there is none."""
        self._symbols = symbols
        self._lines: dict[str, ProgressLine] = {}

    def is_busy(self) -> bool:
        """Whether any service is still being waited for."""
        return any(line.phase in BUSY for line in self._lines.values())

    def see(self, event: Json, now: float) -> list[str]:
        """Process an event; return the messages about it that stay on the screen."""
        match event["type"]:
            case "plan":
                for name in event["starting"]:
                    self._lines.setdefault(name, ProgressLine(name, "waiting", now))
            case "phase":
                self._phase(event, now)
            case "port":
                return self._port(event)
            case "progress":
                self._line(event["service"], now).detail = one_line(event["message"])
            case "note":
                mark = self._paint.attention(self._symbols["attention"])
                return [f"{mark} {one_line(event['message'])}"]
        return []

    def lines(self, now: float, columns: int, most: int) -> list[str]:
        """Return the current display: at most `most` lines, each shorter than `columns`."""
        lines = list(self._lines.values())
        if len(lines) > most:
            # More services than the terminal has lines: show only those in progress.
            lines = [line for line in lines if line.phase in BUSY]
        shown = lines if len(lines) <= most else lines[: max(most - 1, 0)]
        texts = [self._drawn(line, now, columns) for line in shown]
        if shown != lines:
            texts.append(cut(f"  and {len(lines) - len(shown)} more", columns - 1))
        return texts

    def line_of(self, event: Json) -> str | None:
        """Return the line for an event where nothing is redrawn; None for an event without news."""
        match event["type"]:
            case "progress":
                return f"  {event['service']}: {one_line(event['message'])}"
            case "phase" if event["phase"] != event["previous"]:
                if event["phase"] == "waiting" and not event["reason"]:
                    return None
                line = self._lines[event["service"]]
                # The summary gives the reason, together with the last lines of output.
                reason = "" if line.phase == "failed" else line.detail
                mark, said = self._state(line, "", reason)
                return f"{mark} {self._columns(line)}{said}"
        return None

    def _line(self, name: str, now: float) -> ProgressLine:
        return self._lines.setdefault(name, ProgressLine(name, "", now))

    def _phase(self, event: Json, now: float) -> None:
        line = self._line(event["service"], now)
        if line.phase != event["phase"]:
            line.since = now
        line.phase, line.detail = event["phase"], one_line((event["reason"] or "").partition("\n")[0])
        line.ready_seconds = event["ready_seconds"]

    def _port(self, event: Json) -> list[str]:
        service, port = event["service"], event["port"]
        if service in self._lines:
            self._lines[service].port = port
        said = [f"{service}: ended {one_line(killed)} to free port {port}" for killed in event["killed"]]
        if event["moved_from"] is not None:
            why = f": {one_line(event['reason'])}" if event["reason"] else ""
            tries = event["attempts"]
            # The first attempt was the port that it left, the second the next one.
            after = f" after {tries} attempts" if tries > 2 else ""  # noqa: PLR2004  as it says
            said.append(f"{service}: {event['moved_from']} {self._symbols['arrow']} {port}{after}{why}")
        if event["uses"]:
            said.append(f"{service}: uses {one_line(event['uses'])} on port {port}, and never stops it")
        return said

    def _drawn(self, line: ProgressLine, now: float, columns: int) -> str:
        waited = now - line.since
        mark, said = self._state(
            line, f" {duration(waited)}" if waited >= TELLING_SECONDS else "", line.detail
        )
        # The symbol and a space precede it. The last column stays free: terminals disagree about the width of a
        # few characters, and a line that wraps could not be redrawn.
        said = self._columns(line) + said
        room = max(columns - 3, 0)
        if waited >= LONG_SECONDS and line.phase in BUSY and (output := self.output_of(line.name)):
            # Without room for both, the output is more informative than the detail.
            before = cut(said, max(room // 2, room - width(output) - 2), self._symbols["cut"])
            shown = cut(output, room - width(before) - 2, self._symbols["cut"])
            return f"{mark} {before}  {self._paint.dim(shown)}"
        return f"{mark} {cut(said, room, self._symbols['cut'])}"

    def _columns(self, line: ProgressLine) -> str:
        names = max(width(name) for name in self._lines)
        ports = max((len(str(each.port)) for each in self._lines.values() if each.port), default=0)
        port = str(line.port or "").rjust(ports) + "  " if ports else ""
        return f"{pad(line.name, names)}  {port}"

    def _state(self, line: ProgressLine, waited: str, reason: str) -> tuple[str, str]:
        """Return the symbol and the text for the state of a service."""
        detail = f": {reason}" if reason else ""
        paint, symbols = self._paint, self._symbols
        match line.phase:
            case "ready":
                took = f" after {duration(line.ready_seconds)}" if line.ready_seconds is not None else ""
                return paint.good(symbols["good"]), f"ready{took}"
            case "failed":
                return paint.bad(symbols["bad"]), f"failed{detail}"
            case "stopped":
                return paint.dim(symbols["rest"]), f"stopped{detail}"
            case "exited" if reason.startswith(_RAN_BEFORE):
                return paint.dim(symbols["rest"]), reason
            case "exited":
                return paint.dim(symbols["rest"]), "finished"
            case "waiting" if not reason:
                return paint.dim(symbols["busy"]), "waiting"
        return paint.attention(symbols["busy"]), f"{line.phase}{waited}{detail}"


class Progress:
    """The display of one start or stop on a stream. Use it as a context manager.

    With `vanishes`, the display is erased at the end, because a better one replaces it. Without `redraws`,
    there are only lines, because other output goes to the same terminal.
    """

    def __init__(
        self, stream: TextIO, *, silent: bool = False, vanishes: bool = False, redraws: bool = True
    ) -> None:
        self._stream = stream
        self._silent = silent or is_quiet()
        self._vanishes = vanishes
        can_redraw = stream.isatty() and os.environ.get("TERM") != "dumb"
        self._redraws = redraws and can_redraw and not self._silent
        self._board = Board(Paint(stream), symbols_of(stream))
        self._drawn: list[int] = []
        """The widths of the lines that are on the screen."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._redraws:
            return
        # An error reports everything that matters; an interrupt leaves the display as it was.
        wiped = issubclass(kind, Exception) if kind else self._vanishes
        if wiped:
            terminal.draw(self._stream, self._rows(), [], [])
        else:
            self._draw([])

    def see(self, event: Json) -> None:
        """Process and show an event."""
        if self._silent:
            return
        said = self._board.see(event, time.monotonic())
        if self._redraws:
            self._draw(said)
        else:
            line = self._board.line_of(event)
            terminal.write(self._stream, [each for each in (*said, line) if each is not None])

    def say(self, message: str) -> None:
        """Print a message of this command above the display."""
        # The message follows the terminal's echo of the pressed keys.
        self.see({"type": "note", "message": message})

    def show_output_of(self, root: str) -> None:
        """Show the last output line of services whose step takes long."""
        if not self._redraws:
            return
        found: list[LastOutput] = []

        def output_of(service: str) -> str:
            if not found:
                from devinit.cli.last_output import LastOutput  # only needed for a start that takes long

                found.append(LastOutput(root))
            return found[0].of(service)

        self._board.output_of = output_of

    def tick(self) -> None:
        """Update the displayed waiting times."""
        if self._redraws and self._board.is_busy():
            self._draw([])

    def _draw(self, said: list[str]) -> None:
        """Draw the current display over the previous one, below the permanent lines."""
        before = self._rows()
        columns, rows = size_of(self._stream)
        # One row is reserved for the cursor.
        lines = self._board.lines(time.monotonic(), columns, max(rows - 1, 1))
        self._drawn = [columns_taken(line) for line in lines]
        terminal.draw(self._stream, before, said, lines)

    def _rows(self) -> int:
        """Return the number of rows of the previous display, and forget it.

        A terminal that becomes narrower wraps existing lines again, so they take more rows then.
        """
        if not self._drawn:
            return 0
        columns, _ = size_of(self._stream)
        rows = sum(max(1, -(-taken // columns)) for taken in self._drawn)
        self._drawn = []
        return rows


def symbols_of(stream: TextIO) -> dict[str, str]:
    """Return the symbols that a stream can encode."""
    return {
        "good": symbol("✓", "+", stream),
        "bad": symbol("✗", "x", stream),
        "attention": symbol("⚠", "!", stream),
        "busy": symbol("…", "~", stream),
        "rest": symbol("·", ".", stream),
        "arrow": symbol("→", "->", stream),
        "cut": symbol("…", "...", stream),
    }


def columns_taken(line: str) -> int:
    """Return the width of a painted line in columns."""
    return width(plain(line))
