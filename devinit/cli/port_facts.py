"""The facts about a taken port as lines of text, for the question about it and for `ports who`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devinit.model.port_words import (
    VERDICTS,
    Row,
    advice_of,
    holder_rows,
    parents_first,
    port_rows,
    sentence,
)
from devinit.text import cut, one_line, pad, width

if TYPE_CHECKING:
    from collections.abc import Iterator

    from devinit.cli.output import Paint
    from devinit.control.wire import Json

LABELS = 12
"""The width of the column with the names of the facts ..."""
NARROW = 60
"""... unless the terminal has fewer columns than this: then the names have no column of their own."""
INDENT = "  "
LEAST_ROOM = 10


def heading(report: Json, paint: Paint, columns: int | None) -> list[str]:
    """Return the lines above the facts: the port, the service that wants it, and the holder."""
    wanted = f", which {one_line(report['service'])} wants," if "service" in report else ""
    name = f"Port {report['port']}"
    first, *more = folded(f"{name}{wanted} is {one_line(report['summary'])}.", columns)
    return [paint.bold(name) + first.removeprefix(name), *more]


def facts_of(report: Json, paint: Paint, columns: int | None, *, in_full: bool = False) -> list[str]:
    """Return the facts about a port, in parts separated by empty lines. `columns` None: no limit.

    Unless `in_full`, a command takes one line, and only one of several holders is shown.
    """
    holders = parents_first(report["holders"])
    shown = holders if in_full else holders[:1]
    parts = [list(holder_rows(holder, in_full=in_full)) for holder in shown]
    about_port = list(port_rows(report, holders[len(shown) :]))
    parts = [parts[0] + about_port] if len(parts) == 1 else [*parts, about_port]
    lines = [paint.attention(line) for line in paragraph(sentence(report.get("problem", "")), columns)]
    for part in filter(None, parts):
        lines.append("")
        for row in part:
            lines += laid_out(row, paint, columns, in_full=in_full)
    words = [paint.bold(line) for line in paragraph(VERDICTS.get(report["kind"], ""), columns)]
    words += map(paint.attention, paragraph(advice_of(report), columns))
    if report.get("reuse") and "reuse" not in report["choices"]:
        words += paragraph(f"It cannot be used: {one_line(report['reuse'])}.", columns)
    if report.get("move_to") is not None and report["changes"]:
        changes = "; ".join(map(one_line, report["changes"]))
        words += paragraph(f"Moving to {report['move_to']} changes {changes}.", columns)
    return [*lines, "", *words] if words else lines


def paragraph(text: str, columns: int | None) -> list[str]:
    """Return a text as indented lines; no lines for no text."""
    return [INDENT + line for line in folded(text, columns, len(INDENT))] if text else []


def laid_out(row: Row, paint: Paint, columns: int | None, *, in_full: bool) -> Iterator[str]:
    """Yield the lines of a fact; its name precedes the first one."""
    name, text = row
    wide = columns is None or columns >= NARROW
    label, hanging = (pad(name, LABELS), LABELS) if wide else (f"{name}: ", len(INDENT))
    if name == "command" and columns is not None and not in_full:
        text = cut(text, columns - len(INDENT) - len(label) - 1)
    first, *rest = folded(text, columns, len(INDENT) + len(label), len(INDENT) + hanging)
    yield INDENT + paint.dim(label) + first
    yield from (INDENT + " " * hanging + line for line in rest)


def folded(text: str, columns: int | None, taken: int = 0, taken_later: int | None = None) -> list[str]:
    """Return the lines of a text, which leave `taken` columns free; a word longer than a line is broken."""
    if columns is None:
        return [text]
    later = taken if taken_later is None else taken_later
    lines: list[str] = []
    for word in text.split(" "):
        room = max(columns - (later if len(lines) > 1 else taken) - 1, LEAST_ROOM)
        if lines and width(f"{lines[-1]} {word}") <= room:
            lines[-1] += f" {word}"
            continue
        rest = word
        while True:
            room = max(columns - (later if lines else taken) - 1, LEAST_ROOM)
            head = cut(rest, room, "")
            lines.append(head)
            rest = rest[len(head) :]
            if not rest:
                break
    return lines
