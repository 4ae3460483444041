"""Content of the ports page: rows of the supervisor and of the machine → lines of pieces. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from devinit.dashboard.presentation import MARKS, Piece, cut_left
from devinit.text import cut, one_line, pad, width

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from devinit.model.neighbour import PortRow

Json: TypeAlias = "Mapping[str, Any]"
# Rows arrive as JSON: model.status.OwnPort.
LONGEST_ROOT, SHORTEST_ROOT = 50, 8
TITLES = ("SERVICE", "PORT", "PREFERRED", "RANGE", "")


def header(rows: Sequence[Json]) -> list[Piece]:
    """Return the header of the table."""
    widths = widths_of(rows)
    return [("   ", "")] + [
        (pad(title, wide) + "  ", "dim") for title, wide in zip(TITLES, widths, strict=True)
    ]


def line(row: Json, rows: Sequence[Json], columns: int) -> list[Piece]:
    """Return the line for a port: its state, its current and preferred port, and the preferred one's holder."""
    mark, style = MARKS.get(row["phase"], ("?", "attention"))
    moved = row["port"] != row["preferred_port"]
    styles = ("strong", "attention" if moved else "", "", "dim", "")
    pieces: list[Piece] = [(f" {mark} ", style)]
    for text, wide, look in zip(cells(row), widths_of(rows), styles, strict=True):
        pieces.append((pad(text, wide) + "  ", look))
    if row["next_port"] != row["port"]:
        pieces.append((f"next start: {row['next_port']}  ", "accent"))
    if row.get("problem"):
        room = columns - sum(width(text) for text, _ in pieces) - 1
        pieces.append((cut(one_line(row["problem"]), room), "attention"))
    elif row["holder"]:
        room = columns - sum(width(text) for text, _ in pieces) - 1
        pieces.append((cut(f"{row['preferred_port']} is {one_line(row['holder'])}", room), "attention"))
    elif moved and row["phase"] == "ready":
        pieces.append((f"{row['preferred_port']} is free now", "good"))
    return pieces


def cells(row: Json) -> tuple[str, ...]:
    """Return the cells of a row, in the order of TITLES."""
    first, last = row["range"]
    where = "fixed" if row["strict"] else f"{first}-{last}"
    return row["service"], str(row["port"]), str(row["preferred_port"]), where, ""


def widths_of(rows: Sequence[Json]) -> list[int]:
    """Return the width of each column."""
    every = [TITLES, *map(cells, rows)]
    return [max(width(row[column]) for row in every) for column in range(len(TITLES))]


def neighbour_lines(rows: Sequence[PortRow], own_root: str, columns: int) -> Iterator[list[Piece]]:
    """Yield the ports of the other projects on this machine."""
    others = [row for row in rows if row["root"] != own_root]
    yield [("Other projects on this machine", "strong")]
    if not others:
        yield [("  none has a port", "dim")]
    services = max((width(f"{row['project']}.{row['service']}") for row in others), default=0)
    for row in others:
        style = "good" if row["state"] == "leased" else "dim"
        branch = f" ({one_line(row['branch'])})" if row["branch"] else ""
        pieces: list[Piece] = [
            (f"  {row['port']:<7}", "strong"),
            (pad(f"{row['project']}.{row['service']}", services) + "  ", ""),
            (pad(row["state"], 10), style),
        ]
        room = columns - sum(width(text) for text, _ in pieces)
        where = cut_left(one_line(row["root"]), LONGEST_ROOT) + branch
        yield [*pieces, (cut_left(where, room) if room > SHORTEST_ROOT else "", "dim")]
