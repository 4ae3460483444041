"""Limits on output that no terminal reads, because programs and agents have room for a limited text.

Lines are shortened first, then the oldest are omitted; a notice reports both. `--max-bytes 0` prints everything.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, TypeVar

    Item = TypeVar("Item")
    Row = TypeVar("Row", bound=Mapping[str, Any])
    """A service of `status` or `wait`, or a finding of `doctor`."""

LOG_BYTES = 64 * 1024
"""The limit for logs: about 16,000 tokens of a language model."""
WHY_BYTES = 16 * 1024
STATUS_BYTES = 64 * 1024
"""The limit for `status`, `wait` and `doctor`."""
SHORTEST_TEXT = 80
"""The minimum length of a reason in characters, even for many services; no service is omitted."""
LONGEST_TEXT = 2000
"""The maximum length of a reason in an answer of the supervisor, in characters."""
TEXTS = ("reason", "restarted_for", "watch", "problem", "advice")
"""The fields of a row that may be shortened, besides its last error and its last lines."""
LONGEST_LINE = 2000
"""The maximum length of a log line, in characters."""


def add_bound(parser: ArgumentParser, usual: int) -> None:
    """Add `--max-bytes` to a command's parser."""
    from devinit.cli.parser import count

    parser.add_argument(
        "--max-bytes",
        type=count,
        metavar="N",
        help=f"print the last N bytes or so, long lines shortened; 0: everything "
        f"({usual} where no terminal reads, else everything)",
    )


def add_text_bound(parser: ArgumentParser, usual: int) -> None:
    """Add `--max-bytes` to the parser of a command that shortens texts instead of omitting rows."""
    from devinit.cli.parser import count

    parser.add_argument(
        "--max-bytes",
        type=count,
        metavar="N",
        help=f"shorten long reasons until N bytes or so are left; 0: everything "
        f"({usual} where no terminal reads, else everything)",
    )


def bound_of(stated: int | None, usual: int) -> int | None:
    """Return the limit in bytes, `usual` by default where no terminal reads; None for no limit, which 0 states."""
    if stated is None:
        return None if sys.stdout.isatty() else usual or None
    return stated or None


def last_within(items: list[Item], most: int, size_of: Callable[[Item], int]) -> tuple[list[Item], int]:
    """Return the last items that fit into `most` bytes, always at least one, and the number of omitted items."""
    total, first = 0, len(items)
    while first and (total := total + size_of(items[first - 1])) <= most:
        first -= 1
    first = min(first, max(len(items) - 1, 0))
    return items[first:], first


def rows_within(rows: list[Row], most: int, size_of: Callable[[list[Row]], int]) -> list[Row]:
    """Return all rows, with texts shortened until they fit into `most` bytes or reach the minimum length."""
    if size_of(rows) <= most:
        return rows
    low, high = SHORTEST_TEXT, LONGEST_TEXT
    while low < high:
        middle = (low + high + 1) // 2
        if size_of([with_texts_of(each, middle) for each in rows]) <= most:
            low = middle
        else:
            high = middle - 1
    return [with_texts_of(each, low) for each in rows]


def with_texts_of(row: Row, most: int) -> Row:
    """Return a row with texts of at most `most` characters, marked `truncated` if anything was cut."""
    from devinit.text import shortened

    # Any, because the rows of several commands differ; it stays a row (`cast` would load `typing`).
    told: Any = {**row}
    for key in TEXTS:
        if text := told.get(key):
            told[key] = shortened(text, most)
    if error := told.get("last_error"):
        told["last_error"] = {**error, "text": shortened(error["text"], most)}
    if lines := told.get("log_tail"):
        told["log_tail"], _ = last_within([shortened(line, most) for line in lines], most, len)
    if told != row:
        told["truncated"] = True
    shown: Row = told
    return shown


def size_as_json(rows: Sequence[object]) -> int:
    """Return the size of rows as JSON, in bytes."""
    from devinit.control import wire

    return len(wire.encode(rows).encode(errors="replace"))
