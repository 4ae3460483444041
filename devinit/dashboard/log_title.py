"""The line above the logs: whose they are, and which of them. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devinit.text import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from devinit.dashboard.presentation import Piece

FOLLOWING: Piece = ("following", "good")
PAUSED: Piece = ("paused, Esc follows", "attention")
EVERYONE = "all services"


def log_title(whose: str, states: Sequence[Piece], lines: int | None, columns: int) -> list[Piece]:
    """Return the line. `lines`: how many are shown; None where they are not counted."""
    pieces: list[Piece] = [("─ ", "dim"), (whose or "logs", "title"), (" ", "")]
    for text, style in states:
        pieces += [("· ", "dim"), (text + " ", style)]
    used = sum(len(text) for text, _ in pieces)
    count = f" {counted(lines, 'line')} " if lines is not None else " "
    return [*pieces, ("─" * max(0, columns - used - len(count) - 1) + count + "─", "dim")]
