"""The one door to standard output, standard error and the terminal: no other module writes there.

What passes has no secrets in it and nothing that a terminal obeys except colours, no matter which module
composed it. `data` is the exception: what a command prints for programs passes unchanged unless it goes to a
terminal. `draw` adds the cursor movements of pictures that replace each other.
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
    """Write lines to a stream; colours only to a terminal. `mask` hides more than what is recognised anyhow.

    With `links`, those to pages pass to a terminal as well.
    """
    safe = (linked if links else coloured) if stream.isatty() else harmless
    stream.writelines(f"{mask(safe(line))}\n" for line in lines)
    stream.flush()


def prompt(stream: TextIO, text: str) -> None:
    """Write a question behind which the answer is typed."""
    stream.write(shown(stream, text))
    stream.flush()


def data(text: str) -> None:
    """Write what a program reads to standard output, to the letter; a terminal is not shown what it would obey.

    Secrets stay: this is how `devinit env` gives them.
    """
    sys.stdout.write(harmless(text) if sys.stdout.isatty() else text)
    sys.stdout.flush()


def lend(data: bytes) -> None:
    """Write what a program shows in its own terminal, which is shown in ours meanwhile: unchanged."""
    while data:
        data = data[os.write(1, data) :]


def draw(stream: TextIO, rows: int, above: Sequence[str], lines: Sequence[str]) -> None:
    """Draw lines over a picture of so many rows that was drawn before; `above` stays in its place.

    One write for a picture, and each line is overwritten before the rest is erased: nothing flickers. The
    cursor is never hidden, so that there is nothing to restore when we are killed.
    """
    stays = "".join(f"{shown(stream, line)}\n" for line in above)
    drawn = "".join(f"{shown(stream, line)}{ERASE_REST}\n" for line in lines)
    upwards = f"\r\x1b[{rows}A" if rows else ""
    stream.write(f"{upwards}{ERASE_BELOW + stays if stays else ''}{drawn}{ERASE_BELOW}")
    stream.flush()


def shown(stream: TextIO, text: str) -> str:
    """Return a text as a stream may show it."""
    return masked(coloured(text) if stream.isatty() else harmless(text))
