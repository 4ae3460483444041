"""What the dashboard's cells say: model → pieces of text with the name of a style. Pure, and free of Textual."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from devinit.dashboard.state import ALIVE, BUSY, Line, Stack, View, counts, is_everything_at_rest
from devinit.model.configuration_words import still_as_before
from devinit.text import cut, one_line, pad, plain, width

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from devinit.dashboard.link import Gone

Piece: TypeAlias = tuple[str, str]
"""A text, and the style that it is shown in: good, bad, attention, busy, dim, strong, link, or none."""
NEWER = "configuration is newer"

MARKS = {
    "stopped": ("○", "dim"),
    "waiting": ("◌", "dim"),
    "starting": ("◐", "busy"),
    "ready": ("●", "good"),
    "unhealthy": ("▲", "attention"),
    "backoff": ("↻", "attention"),
    "stopping": ("◑", "busy"),
    "exited": ("✓", "good"),
    "failed": ("✗", "bad"),
    "orphaned": ("◇", "attention"),
}
"""Every phase has a shape of its own, for users who do not see the colours."""
ASKS: Piece = ("▌", "attention")
"""In place of it: it waits for something to be typed."""
MARKED = "+"
"""Before the sign of a service that was marked for one order."""
BARS = "▁▂▃▄▅▆▇█"
SPARK = 8
SHORTEST_EXTRA = 12
"""Further ports are shown behind the URL where there is room for one."""
LONGEST_NAME = 24
NOTHING_RUNS: list[Piece] = [
    ("Nothing runs. ", ""),
    ("S", "strong"),
    (" starts everything, ", ""),
    ("s", "strong"),
    (" the service.", ""),
]
NO_SERVICES: list[Piece] = [
    ("There are no services yet.", "strong"),
    (" Add a [services.NAME] with a command to devinit.toml, then ", ""),
    ("S", "strong"),
    (" starts them.", ""),
]
GAP = "  "


class Column(NamedTuple):
    """A column of the table."""

    title: str
    at_least: int
    """From which width of the terminal on it is shown; what needs the most is given up first."""
    cell: Callable[[View, float], Piece]
    """What it shows of a service, at a time of the clock that `View.started_at` was read from."""
    right: bool = False
    stays: bool = False
    """It is shown where it is empty for every service, too."""


STATE = "STATE"
COLUMNS = (
    Column("SERVICE", 0, lambda view, _: (cut(one_line(view.name), LONGEST_NAME), "strong"), stays=True),
    Column(STATE, 58, lambda view, _: (view.phase, mark_of(view)[1])),
    Column("PORT", 0, lambda view, _: port(view), stays=True),
    Column("PID", 112, lambda view, _: (str(view.pid or ""), "dim"), right=True),
    Column("UP", 60, lambda view, now: (up(view, now), ""), right=True),
    Column("CPU", 66, lambda view, _: cpu(view), right=True),
    # The bars belong to the column before.
    Column("", 76, lambda view, _: (sparkline(view.cpu) if view.pid is not None else "", "busy")),
    Column("MEMORY", 70, lambda view, _: (memory(view), ""), right=True),
    Column("↻", 64, lambda view, _: (str(view.restarts or ""), "attention"), right=True),
)
"""All but the last one, which has what `remark` says. Another one is a row here, and what it shows in `View`."""


def table(
    stack: Stack,
    columns: int,
    now: float,
    *,
    marked: AbstractSet[str] = frozenset(),
    groups: Mapping[str, str] | None = None,
) -> tuple[list[Piece], list[list[Piece]]]:
    """Return the header and one line for each service, as wide as the terminal and no wider.

    `marked`: services that were marked for one order; `groups`: what stands before the first one of each group.
    """
    first = max(map(len, groups.values())) + 1 if groups else 0
    columns -= first
    shown = [number for number, column in enumerate(COLUMNS) if columns >= column.at_least]
    rows = [[column.cell(view, now) for column in COLUMNS] for view in stack.services.values()]
    widths = {n: max([width(COLUMNS[n].title), *(width(row[n][0]) for row in rows)]) for n in shown}
    shown = [n for n in shown if COLUMNS[n].stays or any(row[n][0] for row in rows)]
    pages = [width(view.url) for view in stack.services.values() if view.url and view.url.startswith("http")]
    wrong = [width(view.wrong_server) for view in stack.services.values()]
    shown = without_cutting(shown, widths, columns, max((*pages, *wrong), default=0))
    stated = any(COLUMNS[n].title == STATE for n in shown)
    last = room_behind(shown, widths, columns)
    header: list[Piece] = [(" " * (first + 3), "")]
    header += [(fit(COLUMNS[n].title, widths[n], right=COLUMNS[n].right) + GAP, "dim") for n in shown]
    if last >= len("URL"):
        header.append(("URL", "dim"))
    lines = []
    for view, row in zip(stack.services.values(), rows, strict=True):
        mark, style = mark_of(view)
        line: list[Piece] = [(pad((groups or {}).get(view.name, ""), first), "dim")] if first else []
        is_marked = view.name in marked
        line += [(MARKED, "accent"), (f"{mark} ", style)] if is_marked else [(f" {mark} ", style)]
        line += [(fit(row[n][0], widths[n], right=COLUMNS[n].right) + GAP, row[n][1]) for n in shown]
        said = remark(view, stated=stated)
        line += cut_pieces(said, last)
        room = last - sum(width(text) for text, _ in said) - len(GAP)
        if view.extra_ports and said and said[-1][1] == "link" and room >= SHORTEST_EXTRA:
            line.append((GAP + cut(one_line(view.extra_ports), room), "dim"))
        lines.append(line)
    return header, lines


def without_cutting(shown: list[int], widths: dict[int, int], columns: int, longest: int) -> list[int]:
    """Return the columns that can be shown beside a URL so long; all of them if it would be cut anyway."""
    kept = list(shown)
    while room_behind(kept, widths, columns) < longest:
        least = max(kept, key=lambda number: COLUMNS[number].at_least)
        if not COLUMNS[least].at_least:
            return shown
        kept.remove(least)
    return kept


def room_behind(shown: list[int], widths: dict[int, int], columns: int) -> int:
    """Return how wide the last column may be."""
    return columns - sum(widths[number] + len(GAP) for number in shown) - 3


def mark_of(view: View) -> Piece:
    """Return the sign of what a service is doing, and its style."""
    return ASKS if view.prompt else MARKS.get(view.phase, ("?", "attention"))


def up(view: View, now: float) -> str:
    """Return for how long a service has run."""
    return uptime(now - view.started_at) if view.started_at is not None else ""


def cpu(view: View) -> Piece:
    """Return what a service uses of a CPU now."""
    if view.pid is None or not view.cpu:
        return "", ""
    return percent(view.cpu[-1]), "attention" if is_hot(view) else ""


def memory(view: View) -> str:
    """Return what a service uses of the memory."""
    return size(view.memory) if view.pid is not None and view.memory is not None else ""


def port(view: View) -> Piece:
    """Return the port, and the one that it was meant to be."""
    if view.port is None:
        return "", ""
    if view.is_moved:
        return f"{view.port} ← {view.preferred_port}", "attention"
    return str(view.port), "" if view.phase in ALIVE else "dim"


def remark(view: View, *, stated: bool) -> list[Piece]:
    """Return what stands at the end of a line: where to find a service, or why it is not there."""
    reason = one_line((view.reason or "").partition("\n")[0])
    place = [(one_line(view.url), "link")] if view.url else []
    match view.phase:
        case "ready" | "unhealthy" | "starting" if view.prompt:
            return [(f"waits for input at {one_line(view.prompt)}", "attention")]
        case "ready" | "unhealthy" if view.wrong_server:
            return [(one_line(view.wrong_server), "bad")]
        case "ready" if view.changed:
            return [*place, (GAP if place else "", ""), (NEWER, "attention")]
        case "ready" if not view.url:
            return []
        case "ready" | "unhealthy" if not reason:
            return place
        case "stopped" if not view.autostart:
            return [("starts by its name", "dim")]
        case "stopped":
            return [] if stated else [("stopped", "dim")]
    said = reason or (one_line(view.doing) if view.phase in BUSY else "")
    words = said if stated and said else f"{view.phase}: {said}" if said else "" if stated else view.phase
    return [(words, mark_of(view)[1])]


def is_link_at(line: Sequence[Piece], column: int) -> bool:
    """Whether a URL is shown in a column of a line."""
    end = 0
    for text, style in line:
        end += width(text)
        if column < end:
            return style == "link"
    return False


def is_hot(view: View) -> bool:
    """Whether a service has been using most of a CPU for a while: most do only while they start."""
    return len(view.cpu) >= 5 and min(view.cpu[-5:]) >= 80  # noqa: PLR2004  ten seconds of 80 %


def sparkline(values: Sequence[float]) -> str:
    """Return the latest measurements as bars: full height is one CPU, or the most that was measured."""
    latest = values[-SPARK:]
    if not latest:
        return ""
    top = max(100.0, *latest)
    return "".join(
        BARS[min(len(BARS) - 1, round(value / top * (len(BARS) - 1) + (value >= 1) * 0.4))]
        for value in latest
    )


def percent(value: float) -> str:
    """Return a share of a CPU."""
    return f"{value:.1f}%" if value < 9.95 else f"{value:.0f}%"  # noqa: PLR2004  tenths stop to matter


def size(count: int) -> str:
    """Return an amount of memory."""
    megabytes = count / 1_000_000
    if megabytes < 999.5:  # noqa: PLR2004  what is more would be rounded to 1000 MB
        return f"{megabytes:.0f} MB"
    return f"{megabytes / 1000:.1f} GB"


def uptime(seconds: float) -> str:
    """Return a time span in the fewest characters that say it: 42s, 12m, 3h 05m, 2d 4h."""
    whole = max(0, int(seconds))
    if whole < 60:  # noqa: PLR2004  a minute
        return f"{whole}s"
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if hours < 1:
        return f"{minutes}m"
    if days < 1:
        return f"{hours}h {minutes % 60:02}m"
    return f"{days}d {hours % 24}h"


def headline(stack: Stack, columns: int, line: Line, aside: str = "") -> list[Piece]:
    """Return the first line of the screen: which project, how it is, and where.

    `aside`: what the user has changed of the picture.
    """
    ready, finished, total = counts(stack)
    good = ready + finished
    style = "good" if good == total else "dim" if good == 0 else "attention"
    failed = sum(view.phase == "failed" for view in stack.services.values())
    moved = sum(view.is_moved and view.phase in ALIVE for view in stack.services.values())
    pieces: list[Piece] = [(f" {one_line(stack.project)} ", "title")]
    if total:
        pieces.append((f"  {ready} of {total} ready" + (f", {finished} finished" if finished else ""), style))
    if failed:
        pieces.append((f"  {failed} failed", "bad"))
    if moved:
        pieces.append((f"  {moved} moved", "attention"))
    if line is not Line.HELD:
        pieces.append((f"  {line.value}", "bad" if line is Line.CUT else "dim"))
    if aside:
        pieces.append((f"  {aside}", "accent"))
    room = columns - sum(width(text) for text, _ in pieces) - 3
    if room >= len(stack.root) / 2:
        pieces.append((fit(cut_left(one_line(stack.root), room), room + 2, right=True), "dim"))
    return pieces


def banner(stack: Stack, gone: Gone | None, out_of_reach: str = "") -> list[Piece]:
    """Return the problem that blocks everything else, and what to do about it.

    `out_of_reach`: why the services cannot be reached from here, if that is so.
    """
    if gone is None and out_of_reach:
        return [(plain(out_of_reach), "strong")]
    if gone is None and stack.services:
        error = stack.configuration_error
        return [(still_as_before(plain(error)), "strong")] if error else []
    if gone is None:
        return NO_SERVICES
    if stack.services and is_everything_at_rest(stack):
        return NOTHING_RUNS
    said = plain(f"{gone.message}: {gone.hint}" if gone.hint else gone.message)
    return [(f"{said}\n", "strong"), ("Ctrl-R", "strong"), (f" {gone.again}.", "")]


def cut_pieces(pieces: Sequence[Piece], columns: int) -> list[Piece]:
    """Return as much of several pieces as fits."""
    found: list[Piece] = []
    for text, style in pieces:
        if columns <= 0:
            break
        shown = cut(text, columns)
        found.append((shown, style))
        columns = columns - width(shown) if shown == text else 0
    return found


def cut_left(text: str, columns: int) -> str:
    """Return the end of a path, which tells checkouts apart, with a sign when something is missing."""
    return text if width(text) <= columns else "…" + text[-(columns - 1) :]


def fit(text: str, columns: int, *, right: bool = False) -> str:
    """Return a text in so many cells."""
    if right:
        return " " * (columns - width(text)) + text
    return pad(text, columns)
