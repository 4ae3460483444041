"""Handlers for the signals that end `start --foreground`, installed before its imports, so that none kills it."""

from __future__ import annotations

# The C module behind `signal`, which takes 4 ms to build enumerations.
import _signal  # type: ignore[import-not-found]  # typeshed has only `signal`

from devinit.errors import Interrupted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

SIGNALS: tuple[int, ...] = (_signal.SIGINT, _signal.SIGTERM, _signal.SIGHUP)


class Leave(BaseException):
    """A signal that ends `start --foreground`, as an exception."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number

    @property
    def exit_code(self) -> int:
        """The exit code: 0, because the command was asked to end, except after Ctrl-C."""
        return Interrupted.exit_code if self.number == _signal.SIGINT else 0


def until_left(act: Callable[[], int]) -> int:
    """Call `act`; return its exit code, or that of a signal that arrives before `act` handles signals itself."""
    try:
        obey(leave)
        return act()
    except Leave as leaving:
        return leaving.exit_code


def obey(act: Callable[[int, FrameType | None], None]) -> None:
    """Call `act` on the signals that end the foreground, except those that the caller has set to be ignored."""
    for number in SIGNALS:
        if _signal.getsignal(number) is not _signal.SIG_IGN:
            _signal.signal(number, act)


def leave(number: int, _frame: FrameType | None) -> None:
    """End the foreground, once: later signals must not leave services behind. Ctrl-C speeds up the stop."""
    obey(lambda _number, _frame: None)
    raise Leave(number)
