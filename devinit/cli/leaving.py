"""The signals that end `start --foreground`, obeyed before all of it is imported: it must not die of them."""

from __future__ import annotations

# The module below `signal`, which builds enumerations for 4 ms.
import _signal  # type: ignore[import-not-found]  # typeshed has only what stands above it

from devinit.errors import Interrupted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

SIGNALS: tuple[int, ...] = (_signal.SIGINT, _signal.SIGTERM, _signal.SIGHUP)


class Leave(BaseException):
    """A signal that ends the foreground."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number

    @property
    def exit_code(self) -> int:
        """What the foreground comes to: it was asked to end, but for Ctrl-C."""
        return Interrupted.exit_code if self.number == _signal.SIGINT else 0


def until_left(act: Callable[[], int]) -> int:
    """Do something and return its exit code; that of the signal when one comes before it has answered signals."""
    try:
        obey(leave)
        return act()
    except Leave as leaving:
        return leaving.exit_code


def obey(act: Callable[[int, FrameType | None], None]) -> None:
    """Do this on the signals that end a foreground, but for those that our caller has us ignore."""
    for number in SIGNALS:
        if _signal.getsignal(number) is not _signal.SIG_IGN:
            _signal.signal(number, act)


def leave(number: int, _frame: FrameType | None) -> None:
    """End the foreground, once: what follows is no reason to leave services behind. Ctrl-C hurries the stop."""
    obey(lambda _number, _frame: None)
    raise Leave(number)
