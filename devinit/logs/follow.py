"""Several logs, followed together as they grow, for `logs -f` and the dashboard."""

from __future__ import annotations

from devinit.errors import StateFileError
from devinit.logs.merge import in_order
from devinit.system.watch import FileWatch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Self

    from devinit.logs.lines import Line
    from devinit.logs.tail import Tail


class Follower:
    """The new lines of several services. Create it, take `lines()`, then `wait()` and take them again."""

    def __init__(self, tails: Sequence[Tail], complain: Callable[[str], None]) -> None:
        self._tails = tails
        self._complain = complain
        self._complained: set[str] = set()
        # Created before anything is read: output between a read and the next wait ends that wait.
        self._watch = FileWatch([tail.path for tail in tails])

    def lines(self) -> Iterator[tuple[str, Line]]:
        """Yield the new lines, each with the service that printed it."""
        return in_order({tail.name: self._more(tail) for tail in self._tails})

    def wait(self, timeout: float | None = None) -> bool:
        """Return True as soon as there may be new lines, False after `timeout` seconds."""
        return self._watch.wait(timeout)

    @property
    def tails(self) -> Sequence[Tail]:
        """The followed logs."""
        return self._tails

    def let_go(self) -> None:
        """Stop following, and leave the logs open for another follower."""
        self._watch.close()

    def close(self) -> None:
        """Stop following, and close the logs."""
        self.let_go()
        for tail in self._tails:
            tail.close()

    def _more(self, tail: Tail) -> Iterator[Line]:
        """Yield new lines of a service; an unreadable log must not end the output of the others."""
        try:
            yield from tail.more()
        except StateFileError as error:
            self._complain_once(error.message)
        if tail.is_deleted():
            self._complain_once(
                f"{tail.path} was deleted: what {tail.name} prints is shown here, and kept nowhere until"
                f" `devinit restart {tail.name}`"
            )

    def _complain_once(self, text: str) -> None:
        if text not in self._complained:
            self._complained.add(text)
            self._complain(text)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
