"""The choice of the link that a key opens in a line. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devinit.logs.links import Link, links_in
from devinit.logs.shown import below

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from devinit.dashboard.lines.line import LogLine
    from devinit.dashboard.lines.view import LogView

MOST_ROWS = 200
"""The number of rows that are searched upwards for the latest link."""
OF_OTHERS = ("site-packages/", "node_modules/", "/lib/python", "/gems/", "/usr/lib/", "/pkg/mod/", "node:")
"""Parts of paths to code that the user has not written."""


def link_near(view: LogView, row: int | None, leads: Callable[[Link], bool]) -> tuple[Link, str] | None:
    """Return the link at a row, or the latest one, with the service that printed it."""
    rows = range(len(view.rows) - 1, max(-1, len(view.rows) - 1 - MOST_ROWS), -1) if row is None else (row,)
    for each in rows:
        line = view.rows[each].line
        block = view.folding.block_at(line)
        link = best_of(block.lines[::-1] if block else (line,), leads)
        if link is not None:
            return link, line.service
    return None


def best_of(lines: Iterable[LogLine], leads: Callable[[Link], bool]) -> Link | None:
    """Return the first link in these lines, preferably to the user's own code."""
    found = [link for line in lines for text in texts_of(line) for link in links_in(text) if leads(link)]
    own = (link for link in found if not any(part in link.path for part in OF_OTHERS))
    return next(own, found[0] if found else None)


def texts_of(line: LogLine) -> list[str]:
    """Return the texts of a line, including its folded fields."""
    if line.record is None:
        return [line.plain]
    return ["".join(text for text, _ in line.arranged), *below(line.record)]
