"""SIGTERM in a command that waits. By default it ends a command without a message, and process 1 not at all."""

from __future__ import annotations

# The C module behind `signal`, which takes 4 ms to build enumerations.
import _signal  # type: ignore[import-not-found]  # typeshed has only `signal`

from devinit.errors import Termination

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Self


class Terminable:
    """A context manager in which SIGTERM raises Termination, unless SIGTERM has another handler already."""

    def __enter__(self) -> Self:
        self._before = _signal.getsignal(_signal.SIGTERM)
        if self._before is _signal.SIG_DFL:
            _signal.signal(_signal.SIGTERM, _raise)
        return self

    def __exit__(self, *_: object) -> None:
        _signal.signal(_signal.SIGTERM, self._before)


def _raise(_number: int, _frame: FrameType | None) -> None:
    raise Termination
