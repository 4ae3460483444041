"""A service's terminal shown in the caller's: raw output, and each key as it is pressed.

It connects to the process that holds the service's terminal, not to the supervisor, which may die meanwhile.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import time
from contextlib import ExitStack, contextmanager, suppress
from enum import Enum
from typing import TYPE_CHECKING

from devinit.control import api
from devinit.control.launch import connect_to_running
from devinit.errors import DevinitError, ServiceError
from devinit.model.phases import AT_REST
from devinit.system import raw_terminal
from devinit.system.holder import frames
from devinit.system.holder.screen import Screen
from devinit.system.terminal_holder import connected
from devinit.text import harmless

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from devinit.cli.attached.detach_keys import DetachKeys
    from devinit.model.status import ServiceStatus

REST_SECONDS = 1.0
"""A restart keeps a service stopped for less time than this."""
LOOK_SECONDS = 0.2
"""The interval of the checks whether a service that has ended was started again."""
AGAIN_SECONDS = 2.0
"""The same control character, typed again within this time, is confirmed."""
SIGNALS = {b"\x03": ("Ctrl-C", "interrupts"), b"\x1c": ("Ctrl-\\", "ends"), b"\x1a": ("Ctrl-Z", "halts")}
"""Control characters for which a terminal sends a signal to the programs in it."""


class Left(Enum):
    """The reason why an attachment ended."""

    DETACHED = "the keys were pressed, or the terminal is gone"
    TERMINATED = "a signal came"
    ENDED = "the service has ended, and is not started again"


class Held:
    """One attachment to a service with a terminal."""

    def __init__(self, root: Path, service: str, keys: DetachKeys, lines: int | None) -> None:
        self.service = service
        self.phase, self.reason = "", ""
        self._root, self._keys, self._lines = root, keys, lines
        self._screen = Screen(lambda: "")
        self._has_keyboard = False
        self._confirmed: tuple[bytes, float] = b"", 0.0
        """The last control character that awaits confirmation, and when it was typed."""
        self._signalled: list[int] = []

    def until_left(self, address: str | None) -> Left:
        """Show the service's terminal until the attachment ends, then restore the caller's terminal."""
        with ExitStack() as stack:
            woken = stack.enter_context(self._noticing())
            stack.enter_context(raw_terminal.raw_terminal())
            stack.callback(self._restore)
            while True:
                left = self._show(address, woken) if address is not None else None
                if left is not None:
                    return left
                found = self._next(woken)
                if isinstance(found, Left):
                    return found
                address = found

    def _show(self, address: str, woken: int) -> Left | None:
        """Show one run of the service; return None when that run has ended."""
        try:
            connection = connected(address, None)
        except TimeoutError:
            raise self._halted() from None
        except OSError:
            return self._idle(LOOK_SECONDS, woken)  # it has just ended, or does not exist yet
        with connection:
            rows, columns = raw_terminal.size()
            lines = (rows or 24) if self._lines is None else self._lines
            self._send(connection, frames.ATTACH, frames.ATTACHMENT.pack(rows, columns, min(lines, 65535), 1))
            received = frames.Frames()
            poll = select.poll()
            for descriptor in (raw_terminal.INPUT, woken, connection.fileno()):
                poll.register(descriptor, select.POLLIN)
            while True:
                ready = dict(poll.poll())
                if woken in ready and (left := self._woken(woken, connection)):
                    return left
                if raw_terminal.INPUT in ready and self._typed(connection):
                    return Left.DETACHED
                if connection.fileno() in ready:
                    try:
                        data = connection.recv(65536)
                    except OSError:
                        data = b""
                    if not data:
                        return None
                    for kind, content in received.take(data):
                        self._hear(kind, content)

    def _halted(self) -> ServiceError:
        """Return the error for a terminal whose holder exists but does not answer."""
        row = self._row()
        terminal = row.get("terminal") if row is not None else None
        pid = terminal["pid"] if terminal is not None else None
        return ServiceError(
            f"the process that holds the terminal of {self.service} does not answer"
            + (f" (pid {pid})" if pid is not None else ""),
            hint=f"it may be halted: `kill -CONT {pid}` lets it go on" if pid is not None else None,
        )

    def _hear(self, kind: bytes, content: bytes) -> None:
        match kind:
            case frames.OUTPUT:
                self._screen.take(content)
                raw_terminal.show(content)
            case frames.KEYBOARD:
                had, self._has_keyboard = self._has_keyboard, content == b"\1"
                if not self._has_keyboard:
                    taken = "has taken" if had else "has"
                    self._say(
                        f"another terminal {taken} the keyboard; Enter takes it, {self._keys.words} detaches"
                    )
            case frames.SKIPPED:
                self._say("this terminal was too slow: some output was passed over, and is in the log")
            case frames.REFUSED:
                self._say(f"{self.service} does not read: what was typed last is dropped")
            case frames.GUARD if content in SIGNALS:
                self._confirmed = content, time.monotonic()
                name, does = SIGNALS[content]
                self._say(f"{name} again {does} {self.service}; {self._keys.words} detaches")
            case frames.CODE:
                _, _, code = frames.CODES.unpack(content)
                ended = f"by {name_of(-code)}" if code < 0 else f"with code {code}"
                self._say(f"{self.service} has ended {ended}")

    def _typed(self, connection: socket.socket) -> bool:
        """Pass on the typed bytes; return whether the detach keys were among them."""
        try:
            data = os.read(raw_terminal.INPUT, 65536)
        except OSError:
            return True
        if not data:
            return True
        passed, is_left = self._keys.take(data)
        if not passed:
            return is_left
        if not self._has_keyboard:
            if b"\r" in passed or b"\n" in passed:
                self._send(connection, frames.TAKE, b"")
        elif passed in SIGNALS and not self._is_confirmed(passed):
            self._send(connection, frames.GUARDED, passed)
        else:
            self._send(connection, frames.INPUT, passed)
        return is_left

    def _is_confirmed(self, character: bytes) -> bool:
        before, at = self._confirmed
        return before == character and time.monotonic() - at < AGAIN_SECONDS

    def _next(self, woken: int) -> str | Left:
        """Wait until a service that has ended has a terminal again; return its address, or why none will come."""
        self._has_keyboard = False
        resting = None
        while True:
            row = self._row()
            if row is None:
                return Left.ENDED
            self.phase, self.reason = row["phase"], row["reason"] or ""
            terminal = row.get("terminal")
            if terminal is not None and terminal["lost"]:
                raise ServiceError(
                    f"{self.service} has lost its terminal: the process that held it was killed",
                    hint=f"`devinit restart {self.service}` gives it another one",
                )
            if terminal is not None and terminal["socket"] is not None:
                return terminal["socket"]
            if row["pid"] is not None and terminal is None:
                raise ServiceError(
                    f"{self.service} runs without a terminal now",
                    hint=f"`devinit attach {self.service}` once more",
                )
            resting = (resting or time.monotonic()) if row["phase"] in AT_REST else None
            if resting is not None and time.monotonic() - resting >= REST_SECONDS:
                return Left.ENDED
            if left := self._idle(LOOK_SECONDS, woken):
                return left

    def _row(self) -> ServiceStatus | None:
        """Return the status of the service; None if no supervisor knows it."""
        with suppress(DevinitError):
            client = connect_to_running(self._root)
            if client is not None:
                try:
                    rows = api.status(client)["services"]
                finally:
                    client.close()
                return next((row for row in rows if row["name"] == self.service), None)
        self.phase, self.reason = "gone", ""
        return None

    def _idle(self, seconds: float, woken: int) -> Left | None:
        """Wait for a number of seconds; return the reason if the attachment ends meanwhile."""
        ready, _, _ = select.select([raw_terminal.INPUT, woken], [], [], seconds)
        if woken in ready and (left := self._woken(woken, None)):
            return left
        if raw_terminal.INPUT in ready:
            try:
                data = os.read(raw_terminal.INPUT, 65536)
            except OSError:
                data = b""
            _, is_left = self._keys.take(data)
            if is_left or not data:
                return Left.DETACHED
        return None

    def _woken(self, woken: int, connection: socket.socket | None) -> Left | None:
        numbers = os.read(woken, 4096)
        if signal.SIGTERM in numbers or signal.SIGHUP in numbers:
            return Left.TERMINATED
        if signal.SIGCONT in numbers:
            raw_terminal.make_raw()
        if connection is not None:
            self._send(connection, frames.SIZE, frames.SIZES.pack(*raw_terminal.size()))
        return None

    @contextmanager
    def _noticing(self) -> Iterator[int]:
        """Turn signals into bytes on a pipe, and yield its read end."""
        woken, wakes = os.pipe()
        os.set_blocking(wakes, False)
        numbers = (signal.SIGTERM, signal.SIGHUP, signal.SIGWINCH, signal.SIGCONT)
        before = {number: signal.signal(number, lambda *_: None) for number in numbers}
        earlier = signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
        try:
            yield woken
        finally:
            signal.set_wakeup_fd(earlier)
            for number, handler in before.items():
                signal.signal(number, handler)
            os.close(woken)
            os.close(wakes)

    def _send(self, connection: socket.socket, kind: bytes, content: bytes) -> None:
        # The holder always reads; the end of its stream shows that it has exited.
        with suppress(OSError):
            connection.sendall(frames.frame(kind, content))

    def _say(self, text: str) -> None:
        begin = b"" if self._screen.is_at_line_start else b"\r\n"
        raw_terminal.show(begin + f"\x1b[2m[devinit: {harmless(text)}]\x1b[22m\r\n".encode())

    def _restore(self) -> None:
        end = b"" if self._screen.is_at_line_start and not self._screen.is_full else b"\r\n"
        raw_terminal.show(self._screen.undone() + end)


def name_of(number: int) -> str:
    """Return the name of a signal."""
    with suppress(ValueError):
        return signal.Signals(number).name
    return f"signal {number}"
