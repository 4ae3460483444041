"""Input from a pipe or a file: each line is sent as it arrives, then the answer is awaited."""

from __future__ import annotations

import asyncio
import codecs
import os
import sys
import threading
import time
from typing import TYPE_CHECKING

from devinit.cli.attached.session import hand_over, pieces_of
from devinit.cli.output import talk
from devinit.errors import ServiceError
from devinit.system import terminal
from devinit.system.standard_input import ATOMIC_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from devinit.cli.attached.session import Session

QUIET_SECONDS = 1.0
"""After the end of the input, a service that prints nothing for this time has finished its answer."""
UNREAD_SECONDS = 10.0
"""The time limit for a service to read from a full input."""


class Piping:
    """Input from a pipe or a file, not from a user at a terminal."""

    def __init__(self, session: Session, seconds: float | None) -> None:
        """`seconds`: how long to show output after the end of the input; None: until the service is quiet."""
        self._session = session
        self._seconds = seconds

    async def show(self, lines: Sequence[str]) -> None:
        """Print lines."""
        terminal.write(sys.stdout, lines, str)

    async def until_detached(self) -> None:
        """Send the input until its end, and show the output that follows. Raise DevinitError if it is refused."""
        await self._session.is_read.wait()
        loop = asyncio.get_running_loop()
        read: asyncio.Queue[bytes] = asyncio.Queue(maxsize=1)

        def read_all() -> None:
            # A daemon thread, because nothing can interrupt a read of standard input.
            while hand_over(read.put(data := os.read(0, ATOMIC_BYTES)), loop) and data:
                pass

        threading.Thread(target=read_all, name="input", daemon=True).start()
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        while data := await read.get():
            await self._send(decoder.decode(data))
        await self._send(decoder.decode(b"", final=True))
        await self._until_answered()
        if self._session.output.prompt:
            await self.show([self._session.output.prompt])

    def say(self, text: str) -> None:
        """Print a message next to the output."""
        talk(text)

    def leave(self) -> None:
        """Do nothing: nothing is open that would have to be closed when the service ends."""

    async def _send(self, text: str) -> None:
        for piece in pieces_of(text):
            deadline = time.monotonic() + UNREAD_SECONDS
            while piece and not (report := await self._session.send(piece))["taken"]:
                if time.monotonic() >= deadline:
                    raise ServiceError(
                        f"{self._session.service} has not read {report['unread']:,} bytes of its standard input "
                        f"for {UNREAD_SECONDS:g} s, and takes no more",
                        hint=f"`devinit logs {self._session.service}` shows what it does instead",
                    )

    async def _until_answered(self) -> None:
        if self._seconds is not None:
            await asyncio.sleep(self._seconds)
            return
        await self._session.until_quiet(QUIET_SECONDS)
        if (unread := (await self._session.send(""))["unread"]) > 0:
            talk(
                f"{unread:,} bytes are not read yet: {self._session.service} reads them when it asks for input"
            )
