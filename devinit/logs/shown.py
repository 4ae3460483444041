"""The display of structured lines: level, time and message first, then the other fields. Pure.

Pieces are texts with the name of a style (`level`, `message`, `dim`), which the command
line and the dashboard render.
"""

from __future__ import annotations

from devinit.logs.levels import Level
from devinit.logs.records import Record, clock, told

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

Piece = tuple[str, str]
SHORT = {
    Level.TRACE: "TRACE",
    Level.DEBUG: "DEBUG",
    Level.INFO: "INFO ",
    Level.WARNING: "WARN ",
    Level.ERROR: "ERROR",
    Level.FATAL: "FATAL",
}
LONGEST_VALUE = 2_000
"""Characters of one field while the line is folded."""
MOST_ROWS = 500
"""The most rows of an unfolded line."""


def folded(record: Record, *, with_time: bool = True, with_rest: bool = True) -> list[Piece]:
    """Return a record on one line; `with_time`: with the time in the record."""
    first = _first_line(record.message)
    pieces: list[Piece] = [(f"{SHORT[record.level]} ", "level")] if record.level is not None else []
    if with_time and record.time is not None:
        pieces.append((f"{clock(record.time)} ", "dim"))
    pieces.append((first, "message"))
    if not with_rest:
        return pieces
    rest = " ".join(f"{name}={_brief(value)}" for name, value in told(record).items())
    if rest:
        pieces.append((f"  {rest}" if first else rest, "dim"))
    return pieces


def unfolded(record: Record) -> Iterator[list[Piece]]:
    """Yield the rows below the first one of an unfolded record: every field, each with all its lines."""
    rows = list(_rows(record))
    wide = min(max((len(name) for name, _ in rows), default=0), 24)
    for name, text in rows[:MOST_ROWS]:
        yield [(f"      {name:<{wide}}  ", "dim"), (text, "message")]
    if len(rows) > MOST_ROWS:
        yield [(f"      {len(rows) - MOST_ROWS:,} more", "dim")]


def without_what_is_below(record: Record) -> Record:
    """Return a record without the fields that `below` yields."""
    rest = {name: value for name, value in record.rest.items() if not _is_long(value)}
    return Record(record.level, record.time, record.message, rest)


def below(record: Record) -> Iterator[str]:
    """Yield the lines of multi-line values in a record, such as a stack trace."""
    for value in (record.message.partition("\n")[2], *record.rest.values()):
        text = value.get("stack", "") if isinstance(value, dict) else value
        if isinstance(text, str) and _is_long(text):
            yield from text.strip("\n").splitlines()


def _is_long(value: object) -> bool:
    return isinstance(value, str) and "\n" in value.strip()


def _rows(record: Record) -> Iterator[tuple[str, str]]:
    _, _, more = record.message.partition("\n")
    for line in more.splitlines():
        yield "", line
    yield from _fields("", record.rest, 0)


def _fields(before: str, fields: dict[str, object] | object, depth: int) -> Iterator[tuple[str, str]]:
    """Yield names and values; the name of a nested field contains those of the outer ones."""
    if isinstance(fields, dict) and fields and depth < 8:  # noqa: PLR2004  deeper ones are written on one line
        for name, value in fields.items():
            yield from _fields(f"{before}.{name}" if before else str(name), value, depth + 1)
        return
    lines = (fields if isinstance(fields, str) else _plain(fields)).splitlines() or [""]
    yield before, lines[0]
    for line in lines[1:]:
        yield "", line


def _first_line(text: str) -> str:
    first, end, _ = text.strip("\n").partition("\n")
    return f"{first} …" if end else first


def _brief(value: object) -> str:
    """Return a short value of a field: the message of an error, or the most important line of a stack trace."""
    match value:
        case {"message": str(message), "type": str(kind)} | {"message": str(message), "name": str(kind)}:
            return f"{kind}: {_first_line(message)}"
        case {"stack": str(stack)}:
            return _first_line(stack)
        case str():
            lines = value.strip().splitlines()
            if len(lines) > 1:
                return lines[-1] if lines[0].startswith("Traceback") else f"{lines[0]} …"
            text = value[:LONGEST_VALUE]
            return f'"{text}"' if not text or " " in text else text
    return _plain(value)[:LONGEST_VALUE]


def _plain(value: object) -> str:
    """Return a value as JSON."""
    import msgspec  # a record was decoded with it

    return msgspec.json.encode(value).decode()
