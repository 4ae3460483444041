"""Show a start or a stop while it goes on.

On a terminal each service has a line that is redrawn, elsewhere each thing that happens has one. It goes
to the standard error stream: it is talk, not the result.
"""

from __future__ import annotations

import os
import shutil
import time

from devinit.cli.output import Paint, duration, is_quiet, symbol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self, TextIO

    from devinit.control.client import Json

BUSY = ("waiting", "starting", "stopping", "backoff", "unhealthy")


class Line:
    """One service as it is shown."""

    def __init__(self, name: str, phase: str, now: float) -> None:
        self.name = name
        self.phase = phase
        self.since = now
        self.port: int | None = None
        self.detail = ""
        self.ready_seconds: float | None = None


class Progress:
    """The lines of one start or stop. Use it as a context manager: at the end the picture stays."""

    def __init__(self, stream: TextIO, *, silent: bool = False) -> None:
        self._stream = stream
        self._silent = silent or is_quiet()
        self._redraws = stream.isatty() and os.environ.get("TERM") != "dumb" and not self._silent
        self._paint = Paint(stream)
        self._lines: dict[str, Line] = {}
        self._drawn = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._draw()

    def see(self, event: Json) -> None:
        """Take an event in and show it."""
        if self._silent:
            return
        now = time.monotonic()
        match event["type"]:
            case "plan":
                for name in event["starting"]:
                    self._lines.setdefault(name, Line(name, "waiting", now))
            case "phase":
                self._phase(event, now)
            case "port":
                self._port(event)
            case "progress":
                self._detail(event["service"], event["message"])
            case "note":
                self._above(f"{self._paint.attention(symbol('⚠', '!', self._stream))} {event['message']}")
        if self._redraws:
            self._draw()

    def tick(self) -> None:
        """Time has passed: show for how long things have been waited for."""
        if self._redraws and any(line.phase in BUSY for line in self._lines.values()):
            self._draw()

    def _phase(self, event: Json, now: float) -> None:
        name = event["service"]
        line = self._lines.get(name)
        if line is None:
            line = self._lines[name] = Line(name, event["phase"], now)
        if line.phase != event["phase"]:
            line.since = now
        line.phase, line.detail = event["phase"], (event["reason"] or "").partition("\n")[0]
        line.ready_seconds = event["ready_seconds"]
        if not self._redraws and event["phase"] != event["previous"]:
            self._write(self._text_of(line, now))

    def _port(self, event: Json) -> None:
        line = self._lines.get(event["service"])
        if line is not None:
            line.port = event["port"]
        for killed in event["killed"]:
            self._above(f"{event['service']}: ended {killed} to free port {event['port']}")
        if event["moved_from"] is not None:
            why = f": {event['reason']}" if event["reason"] else ""
            arrow = symbol("→", "->", self._stream)
            self._above(f"{event['service']}: {event['moved_from']} {arrow} {event['port']}{why}")

    def _detail(self, service: str, message: str) -> None:
        line = self._lines.get(service)
        if line is not None:
            line.detail = message
        if not self._redraws:
            self._write(f"  {service}: {message}")

    def _above(self, text: str) -> None:
        """Write a line that stays, above the ones that are redrawn."""
        self._erase()
        self._write(text)

    def _draw(self) -> None:
        if not self._redraws:
            return
        size = shutil.get_terminal_size()
        now = time.monotonic()
        lines = list(self._lines.values())
        if len(lines) >= size.lines:
            # More services than the terminal has lines: show those that something happens to.
            lines = [line for line in lines if line.phase in BUSY][: size.lines - 1]
        self._erase()
        for line in lines:
            self._write(self._text_of(line, now, size.columns))
        self._drawn = len(lines)

    def _erase(self) -> None:
        if self._drawn:
            self._stream.write(f"\x1b[{self._drawn}A\x1b[J")
            self._drawn = 0

    def _write(self, text: str) -> None:
        if not self._silent:
            self._stream.write(text + "\n")
            self._stream.flush()

    def _text_of(self, line: Line, now: float, columns: int = 0) -> str:
        mark, said = self._state(line, now)
        port = str(line.port) if line.port is not None else ""
        width = max(len(name) for name in self._lines)
        text = f"{line.name:<{width}}  {port:>5}  {said}"
        if columns:
            # The symbol and its space come before; a line that wraps could not be erased.
            text = text[: max(columns - 3, 0)]
        return f"{mark} {text}"

    def _state(self, line: Line, now: float) -> tuple[str, str]:
        """Return a symbol and what is to be said about a service."""
        waited = duration(now - line.since)
        detail = f": {line.detail}" if line.detail else ""
        match line.phase:
            case "ready":
                took = f" after {duration(line.ready_seconds)}" if line.ready_seconds is not None else ""
                return self._paint.good(symbol("✓", "+", self._stream)), f"ready{took}"
            case "failed":
                return self._paint.bad(symbol("✗", "x", self._stream)), f"failed{detail}"
            case "stopped" | "exited":
                return self._paint.dim(symbol("·", ".", self._stream)), f"{line.phase}{detail}"
            case "waiting" if not line.detail:
                return self._paint.dim(symbol("…", "~", self._stream)), "waiting"
        return self._paint.attention(symbol("…", "~", self._stream)), f"{line.phase} {waited}{detail}"
