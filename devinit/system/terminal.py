"""The only access to standard output, standard error and the terminal: no other module writes there.

Output contains no secrets and no terminal commands except colours, no matter which module composed it. `data` is
the exception: output for programs stays unchanged unless it goes to a terminal. `draw` adds the cursor movements
of pictures that replace each other.
"""

from __future__ import annotations

import os
import sys

from devinit.masking import masked
from devinit.text import coloured, harmless, linked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import TextIO

ERASE_BELOW, ERASE_REST = "\x1b[J", "\x1b[K"


def write(
    stream: TextIO, lines: Iterable[str], mask: Callable[[str], str] = masked, *, links: bool = False
) -> None:
    """Write lines to a stream; colours go only to a terminal. `mask` hides more than the recognised secrets.

    With `links`, links to pages go to a terminal as well.
    """
    safe = (linked if links else coloured) if stream.isatty() else harmless
    stream.writelines(f"{mask(safe(line))}\n" for line in lines)
    stream.flush()


def prompt(stream: TextIO, text: str) -> None:
    """Write a question; the answer is typed after it."""
    stream.write(shown(stream, text))
    stream.flush()


def data(text: str) -> None:
    """Write text for programs to standard output, unchanged; for a terminal, remove terminal commands.

    Secrets stay, as `devinit env` needs.
    """
    sys.stdout.write(harmless(text) if sys.stdout.isatty() else text)
    sys.stdout.flush()


def lend(data: bytes) -> None:
    """Write the output of a program whose terminal is shown in ours, unchanged."""
    while data:
        data = data[os.write(1, data) :]


def draw(stream: TextIO, rows: int, above: Sequence[str], lines: Sequence[str]) -> None:
    """Draw lines over a former picture of this many rows; `above` scrolls away and stays.

    The picture is one write, and each line is overwritten before the rest is erased, so nothing flickers. The
    cursor is never hidden, so there is nothing to restore if we are killed.
    """
    stays = "".join(f"{shown(stream, line)}\n" for line in above)
    drawn = "".join(f"{shown(stream, line)}{ERASE_REST}\n" for line in lines)
    upwards = f"\r\x1b[{rows}A" if rows else ""
    stream.write(f"{upwards}{ERASE_BELOW + stays if stays else ''}{drawn}{ERASE_BELOW}")
    stream.flush()


def shown(stream: TextIO, text: str) -> str:
    """Return a text as it is safe for a stream."""
    return masked(coloured(text) if stream.isatty() else harmless(text))
