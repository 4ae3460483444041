"""One attachment to a service: its output, its phase, and the connection to its standard input.

The supervisor may die and return meanwhile, and the service may restart: typed text goes to its current run.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import CancelledError
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from devinit.cli.attached.output import Output
from devinit.dashboard.lines.feed import Feed
from devinit.dashboard.link import Found, Gone, Happened
from devinit.model.phases import AT_REST
from devinit.system.standard_input import ATOMIC_BYTES

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
    from pathlib import Path

    from devinit.control.wire import Json
    from devinit.dashboard.lines.feed import Piece
    from devinit.dashboard.link import Link, News
    from devinit.model.status import InputReport

    Show = Callable[[Sequence[str]], Awaitable[None]]

REST_SECONDS = 1.0
"""A restart keeps a service stopped for less time than this."""


class Session:
    """One attachment to a service."""

    def __init__(self, root: Path, link: Link, service: str) -> None:
        self.service = service
        self.output = Output()
        self.is_read = asyncio.Event()
        """Set once the earlier output has been read: all output from then on is new."""
        self.is_over = asyncio.Event()
        """Set when the service has ended and is not being restarted."""
        self.phase, self.reason = "", ""
        self._root, self._link = root, link
        self._printed = asyncio.Event()
        self._resting: asyncio.TimerHandle | None = None

    async def follow(self, show: Show, say: Callable[[str], None], lines: int) -> None:
        """Show output and track the phase, until cancelled. `lines`: the number of earlier lines to show."""
        loop = asyncio.get_running_loop()

        def take(pieces: list[Piece]) -> None:
            # Runs in the thread of the feed, which waits until the pieces have been shown.
            hand_over(self._take(pieces, show, lines), loop)

        feed = Feed(self._root, take)
        feed.follow([self.service])
        feed.begin()
        try:
            await self._link.follow(partial(self._hear, say))
        finally:
            feed.end()

    async def send(self, text: str) -> InputReport:
        """Send a piece from `pieces_of`; with an empty text, only query the unread bytes. Raise DevinitError."""
        report: InputReport = await self._link.order("input", {"service": self.service, "text": text})
        return report

    async def until_quiet(self, seconds: float) -> None:
        """Return when nothing has been printed for a number of seconds."""
        with suppress(TimeoutError):
            while True:
                self._printed.clear()
                async with asyncio.timeout(seconds):
                    await self._printed.wait()

    async def _take(self, pieces: Sequence[Piece], show: Show, lines: int) -> None:
        for piece in pieces:
            skipped = [f"--- {piece.skipped:,} lines are passed over ---"] if piece.skipped else []
            unfinished = piece.unfinished.text if piece.unfinished else ""
            texts = self.output.take([*skipped, *(line.text for line in piece.lines)], unfinished)
            if not self.is_read.is_set():
                texts = texts[-lines:] if lines else []
            await show(texts)
        self._printed.set()
        self.is_read.set()

    def _hear(self, say: Callable[[str], None], news: News) -> None:
        match news:
            case Found(status):
                rows = [row for row in status["services"] if row["name"] == self.service]
                self._enter(*((rows[0]["phase"], rows[0]["reason"]) if rows else ("stopped", None)))
            case Happened(event) if is_phase_of(event, self.service):
                self._enter(event["phase"], event["reason"])
            case Gone(message) if self.phase not in AT_REST:
                say(f"{message}: {self.service} keeps running, and the next line starts a supervisor")

    def _enter(self, phase: str, reason: str | None) -> None:
        self.phase, self.reason = phase, reason or ""
        if self._resting is not None:
            self._resting.cancel()
            self._resting = None
        if phase in AT_REST:
            self._resting = asyncio.get_running_loop().call_later(REST_SECONDS, self.is_over.set)


def hand_over(work: Coroutine[object, object, None], loop: asyncio.AbstractEventLoop) -> bool:
    """Run a coroutine in the event loop, from another thread; return False if the loop has ended meanwhile."""
    try:
        asyncio.run_coroutine_threadsafe(work, loop).result()
    except (CancelledError, RuntimeError):
        work.close()
        return False
    return True


def is_phase_of(event: Json, service: str) -> bool:
    """Whether an event reports a new phase of a service."""
    return event.get("type") == "phase" and event.get("service") == service


def pieces_of(text: str) -> Iterator[str]:
    """Yield a text in pieces that are delivered whole: at most 4096 bytes each, split between characters."""
    while len(text.encode()) > ATOMIC_BYTES:
        piece = text[:ATOMIC_BYTES].encode()[:ATOMIC_BYTES].decode(errors="ignore")
        yield piece
        text = text[len(piece) :]
    yield text
