"""A thread that waits for logs to grow, and hands over new lines as fast as they are processed.

If a service prints faster than a user can read, the feed counts and skips the lines in between. The log has all
of them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from msgspec import Struct

from devinit.errors import StateFileError
from devinit.logs import log_path
from devinit.logs.lines import Line
from devinit.logs.secrets import mask_of
from devinit.logs.tail import Tail
from devinit.system.descriptors import descriptors
from devinit.system.watch import FileWatch

AT_FIRST = 2_000
"""The number of lines of each service that are read when its log is opened."""
BEHIND = 256 * 1024
"""In bytes. If more than this arrived since the last read, all but the last `KEEP` bytes are skipped."""
KEEP = 64 * 1024
FRAME_SECONDS = 0.05
"""Seconds between two batches; a shorter time would only use CPU."""
WAIT_SECONDS = 0.5
"""The maximum delay until a change of the followed services takes effect."""


class Piece(Struct, frozen=True):
    """New output of one service."""

    service: str
    lines: Sequence[Line]
    skipped: int = 0
    """The number of skipped lines before these."""
    unfinished: Line | None = None
    """A prompt, a progress bar, or an incomplete line."""


class Feed:
    """A live feed of the output of some services."""

    def __init__(self, root: Path, take: Callable[[list[Piece]], None]) -> None:
        self._root = root
        self._take = take
        """Called in the thread; returns when the pieces have been processed."""
        self._tails: dict[str, Tail] = {}
        self._unfinished: dict[str, str] = {}
        self._wanted: tuple[str, ...] = ()
        self._mask = mask_of(root)
        self._ended = threading.Event()

    def begin(self) -> None:
        """Start to follow."""
        # A daemon thread, because it may be waiting when the program ends.
        threading.Thread(target=self._run, name="logs", daemon=True).start()

    def follow(self, services: Iterable[str]) -> None:
        """Follow exactly these services' logs."""
        self._wanted = tuple(services)

    def renew_secrets(self) -> None:
        """Mask the current passwords from now on, because the runtime environment has changed."""
        self._mask = mask_of(self._root)

    def end(self) -> None:
        """Stop; the thread ends at its next step."""
        self._ended.set()

    def _run(self) -> None:
        while not self._ended.is_set():
            wanted = self._wanted
            if not wanted:
                self._ended.wait(FRAME_SECONDS)
                continue
            with FileWatch([self._log_of(name) for name in wanted]) as watch:
                self._arrange(wanted)
                while self._wanted == wanted and not self._ended.is_set():
                    self._hand_over(wanted)
                    watch.wait(WAIT_SECONDS)
        for tail in self._tails.values():
            tail.close()

    def _log_of(self, name: str) -> Path:
        return Path(log_path(self._root, name))

    def _arrange(self, wanted: tuple[str, ...]) -> None:
        for name in [name for name in self._tails if name not in wanted]:
            self._tails.pop(name).close()
        first = []
        descriptors.raise_limit(len(wanted))
        for name in wanted:
            if name not in self._tails:
                self._tails[name] = tail = Tail(name, self._log_of(name))
                try:
                    first.append(Piece(name, self._masked(tail.last(AT_FIRST, follow=True))))
                except StateFileError:
                    continue  # it belongs to another user, as the supervisor reports
        if first:
            self._take(first)

    def _hand_over(self, wanted: tuple[str, ...]) -> None:
        """Hand over new output, until there is no more or other services are to be followed."""
        while self._wanted == wanted and not self._ended.is_set():
            began = time.monotonic()
            pieces = [piece for tail in self._tails.values() if (piece := self._look(tail))]
            if not pieces:
                return
            self._take(pieces)
            # Lines that are printed in succession form one batch, and a flood leaves time for keys.
            self._ended.wait(max(FRAME_SECONDS / 2, FRAME_SECONDS - (time.monotonic() - began)))

    def _look(self, tail: Tail) -> Piece | None:
        try:
            skipped = tail.skip(KEEP) if tail.unread() > BEHIND else 0
            lines = self._masked(tail.more(most=BEHIND))
            unfinished = self._masked_line(found) if (found := tail.unfinished()) else None
        except StateFileError:
            return None  # as above
        before = self._unfinished.get(tail.name, "")
        self._unfinished[tail.name] = now = unfinished.text if unfinished else ""
        if not lines and now == before:
            return None
        return Piece(tail.name, lines, skipped, unfinished)

    def _masked(self, lines: Iterable[Line]) -> list[Line]:
        return [self._masked_line(line) for line in lines]

    def _masked_line(self, line: Line) -> Line:
        return Line(self._mask(line.text), line.time, line.run)
