"""The result of a start: a table on standard output, and the last output lines of failed services."""

from __future__ import annotations

import sys

from devinit.cli.output import Paint, columns_of, is_quiet, table, talk
from devinit.cli.progress import BUSY, symbols_of
from devinit.model.start_words import totals
from devinit.system import terminal
from devinit.text import cut, duration, one_line, plain, width

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any  # data from the wire

    from devinit.control.wire import Json

TRIES = "TRIES"
HEADER = ("", "SERVICE", "PORT", "PREFERRED", TRIES, "READY", "URL")
LAST = len(HEADER) - 1
DISPENSABLE = (TRIES, "READY", "PREFERRED", "PORT")
"""The columns that are omitted, in this order, until the table fits: a URL that wraps cannot be copied."""
SHORTEST_REASON = 20
TROUBLES = {"starting": "cannot start", "unhealthy": "is unhealthy"}
"""Words for the phases of services in trouble, where the phase itself is not the word."""
NO_ATTENTION = ("ready", "exited")
EXTRA = ""
"""The phase of a row that is a further port of the service above it."""
WORDS = {"exited": "finished"}
"""Words of the table for phases that need another word."""


def print_summary(summary: Json, starting: Sequence[str]) -> None:
    """Print the table of a start, then the reasons of failures. `starting`: services that did not run before."""
    if not summary["services"]:
        from devinit.config.absence import NO_SERVICES  # rarely needed

        talk(f"there are no services: {NO_SERVICES}")
        return
    if not is_quiet():
        paint, symbols = Paint(sys.stdout), symbols_of(sys.stdout)
        lines = [*picture(summary, paint, symbols, columns_of(sys.stdout)), "", totals(summary, starting)]
        terminal.write(sys.stdout, lines)
    terminal.write(sys.stderr, explanation(summary, Paint(sys.stderr)))
    talk(advice(summary))


def picture(summary: Json, paint: Paint, symbols: dict[str, str], columns: int | None) -> list[str]:
    """Return the lines of the table, at most `columns` wide unless a URL is wider; None for no limit."""
    rows = [each for row in summary["services"] for each in (row, *extra_rows(row))]
    cells = [cells_of(row, symbols) for row in rows]
    # The number of attempts only matters if a port is not the preferred one.
    tried = any(row["port"] != row["preferred"] for row in rows if row["preferred"] is not None)
    names = [name for name in HEADER if tried or name != TRIES]
    head, *lines = fitting(cells, [is_up(row) for row in rows], columns, symbols["cut"], names)
    colours = {"ready": paint.good, "failed": paint.bad, "unhealthy": paint.attention}
    painted = [
        colours.get(row["phase"], paint.dim)(line[:1]) + line[1:]
        for row, line in zip(rows, lines, strict=True)
    ]
    return [paint.dim(head), *painted]


def extra_rows(row: Json) -> list[Json]:
    """Return rows for the further ports of a service that is up; an older supervisor does not report them."""
    if not is_up(row):
        return []
    return [
        {
            **row,
            "service": each["name"],
            "phase": EXTRA,
            "mode": "preferred",
            "port": each["port"],
            "preferred": each["preferred_port"],
            "attempts": 0,
            "ready_seconds": None,
            "url": each["url"],
        }
        for each in row.get("extra_ports", [])
    ]


def cells_of(row: Json, symbols: dict[str, str]) -> tuple[str, ...]:
    """Return the cells of a service's row."""
    marks = {
        EXTRA: " ",
        "ready": symbols["good"],
        "unhealthy": symbols["attention"],
        "failed": symbols["bad"],
    }
    port, preferred = row["port"], row["preferred"]
    # The last port passed over may be a remembered one; the developer knows the preferred one.
    moved = "" if port == preferred or preferred is None else f"moved from {preferred}"
    if row["mode"] == "external":
        # That devinit does not run it matters more than its port.
        moved = "external"
    ready = duration(row["ready_seconds"]) if row["ready_seconds"] is not None else ""
    phase: str = row["phase"]
    return (
        marks.get(phase, symbols["busy"] if phase in BUSY else symbols["rest"]),
        row["service"],
        str(port) if port is not None else "",
        moved or ("yes" if port is not None else ""),
        str(row["attempts"] or ""),
        ready if is_up(row) else WORDS.get(phase, phase),
        shown_url(row) if is_up(row) else reason_of(row),
    )


def is_up(row: Json) -> bool:
    """Whether a service answers at the URL in the table."""
    return row["phase"] in ("ready", "unhealthy", EXTRA)


def reason_of(row: Json) -> str:
    """Return why a service is not up, unless that is shown below the table with its last output."""
    return "" if needs_attention(row) else one_line((row["reason"] or "").partition("\n")[0])


def fitting(
    rows: Sequence[Sequence[str]],
    have_url: Sequence[bool],
    columns: int | None,
    ellipsis: str,
    names: list[str],
) -> list[str]:
    """Return the lines of the table, without columns that do not fit."""
    dispensable = [name for name in DISPENSABLE if name in names]
    while True:
        chosen = [HEADER.index(name) for name in names]
        shown = [[row[index] for index in chosen] for row in rows]
        if columns is None:
            return table(shown, header=names)
        before = width(table([[*row[:-1], ""] for row in shown], header=[*names[:-1], "|"])[0]) - 1
        longest = max((width(row[LAST]) for row, url in zip(rows, have_url, strict=True) if url), default=0)
        left = columns - before
        if left >= max(longest, SHORTEST_REASON) or not dispensable:
            for row, url in zip(shown, have_url, strict=True):
                row[-1] = row[-1] if url else cut(row[-1], left, ellipsis)
            return table(shown, header=names)
        names.remove(dispensable.pop(0))


def shown_url(row: Json) -> str:
    """Return a service's URL as one line, with the password in it masked."""
    return one_line(row["url"] or "")


def print_in_foreground(summary: Json, starting: Sequence[str]) -> None:
    """Print the summary to standard error only, because standard output belongs to the services."""
    paint, symbols = Paint(sys.stderr), symbols_of(sys.stderr)
    lines = [*picture(summary, paint, symbols, columns_of(sys.stderr)), "", totals(summary, starting)]
    terminal.write(sys.stderr, [*([] if is_quiet() else lines), *explanation(summary, paint)])


def explanation(summary: Json, paint: Paint) -> Iterator[str]:
    """Yield the reasons of failed services, with the last lines of their output."""
    for row in filter(needs_attention, summary["services"]):
        first, *more = plain(row["reason"] or "for an unknown reason").splitlines()
        said = TROUBLES.get(row["phase"], row["phase"])
        yield ""
        yield f"{paint.bad(row['service'] + f' {said}:')} {first}"
        yield from (f"  {line}" for line in more)
        yield from (f"  {paint.dim('|')} {plain(line)}" for line in row["log_tail"])
    for row in summary["services"]:
        yield from wrong_lines(row["service"], row.get("wrong_servers", []), paint)
    busy = [row for row in summary["services"] if row["phase"] in ("starting", "backoff")]
    late = [row["service"] for row in busy if not needs_attention(row)]
    if late:
        yield ""
        yield (
            f"{paint.attention('not ready in time:')} {', '.join(late)}; "
            "it goes on in the background, `devinit status` shows how far it is"
        )


def wrong_lines(service: str, servers: Sequence[Mapping[str, Any]], paint: Paint) -> Iterator[str]:
    """Yield the servers that a service uses instead of its project's own, and advice."""
    for wrong in servers:
        yield ""
        yield paint.bad(f"{one_line(service)} is {one_line(wrong['text'])}")
        yield from (f"  {plain(line)}" for line in wrong["advice"])


def needs_attention(row: Json) -> bool:
    """Whether the user has to fix a service: it failed, is unhealthy, or its output shows why it cannot start."""
    stuck = row["phase"] == "starting" and bool(row["log_tail"])
    return stuck or row["phase"] in ("failed", "unhealthy")


def advice(summary: Json) -> str:
    """Return the commands that the user may need next."""
    rows = summary["services"]
    if summary["exit_code"] == 0:
        return "`devinit logs -f` follows the output, `devinit stop` ends everything"
    missing = [row for row in rows if row["phase"] not in NO_ATTENTION]
    culprit = next((row["service"] for row in sorted(missing, key=needs_attention, reverse=True)), "SERVICE")
    up = "what is up stays up, `devinit stop` ends it; " if any(map(is_up, rows)) else ""
    return f"\n{up}`devinit why {culprit}` and `devinit logs {culprit}` tell more"
