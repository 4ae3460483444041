"""An order whose answer a thread awaits, while the program loads and opens its screen."""

from __future__ import annotations

import threading
import time

from devinit.errors import DevinitError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from devinit.control.client import Client
    from devinit.control.wire import Json


class Pending:
    """An order on its own connection, which may be sent again with answers to its questions."""

    def __init__(self, client: Client, method: str) -> None:
        self._client, self._method = client, method
        self._lock = threading.Lock()
        self._listeners: list[Callable[[Json], None]] = []
        self._waiters: list[Callable[[], None]] = []
        self._is_answered = True
        self._result: Any = None
        self._error: DevinitError | None = None
        self.began = time.monotonic()
        """When it was first sent."""
        self.events: list[Json] = []
        """All events that have arrived, oldest first."""

    def order(self, params: Json) -> None:
        """Send the order. Raise SupervisorError if it cannot be sent."""
        self._client.order(self._method, params)
        self._is_answered, self._result, self._error = False, None, None
        # A daemon thread: a program that is closed does not wait for the end of the order.
        threading.Thread(target=self._read, name="answer", daemon=True).start()

    @property
    def refusal(self) -> DevinitError | None:
        """The latest error in the supervisor's answers, if any."""
        return self._error

    def result(self) -> Any:
        """Return the result of the order. Raise DevinitError if it was refused. Any: data from the wire."""
        if self._error is not None:
            raise self._error
        return self._result

    def listen(self, tell: Callable[[Json], None]) -> None:
        """Call `tell` in the reading thread with each event, and here with events that have already arrived."""
        with self._lock:
            self._listeners.append(tell)
            before = list(self.events)
        for event in before:
            tell(event)

    def when_answered(self, act: Callable[[], None]) -> None:
        """Call `act` once there is an answer: in the reading thread, or at once."""
        with self._lock:
            if not self._is_answered:
                self._waiters.append(act)
                return
        act()

    def close(self) -> None:
        """Close the connection; the order continues."""
        self._client.close()

    def _read(self) -> None:
        result, error = None, None
        try:
            result = self._client.answer(self._method, self._take)
        except DevinitError as raised:
            error = raised
        with self._lock:
            self._result, self._error, self._is_answered = result, error, True
            waiters, self._waiters = self._waiters, []
        for act in waiters:
            act()

    def _take(self, event: Json) -> None:
        with self._lock:
            self.events.append(event)
            listeners = list(self._listeners)
        for tell in listeners:
            tell(event)
