"""SIGTERM in a command that waits. Unhandled, it would end without a message, and as process 1 not at all."""

from __future__ import annotations

# The module below `signal`, which builds enumerations for 4 ms.
import _signal  # type: ignore[import-not-found]  # typeshed has only what stands above it

from devinit.errors import Termination

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Self


class Terminable:
    """Use it as a context manager: SIGTERM raises Termination inside, unless it means something else already."""

    def __enter__(self) -> Self:
        self._before = _signal.getsignal(_signal.SIGTERM)
        if self._before is _signal.SIG_DFL:
            _signal.signal(_signal.SIGTERM, _raise)
        return self

    def __exit__(self, *_: object) -> None:
        _signal.signal(_signal.SIGTERM, self._before)


def _raise(_number: int, _frame: FrameType | None) -> None:
    raise Termination
