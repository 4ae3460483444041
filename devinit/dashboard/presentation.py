"""Content of the main screen: model → pieces of text with the name of a style. Pure, and without Textual."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from devinit.dashboard.state import ALIVE, BUSY, LinkState, Stack, View, counts, is_everything_at_rest
from devinit.model.configuration_words import still_as_before
from devinit.text import cut, one_line, pad, plain, width

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from devinit.dashboard.link import Gone

Piece: TypeAlias = tuple[str, str]
"""A text, and its style: good, bad, attention, busy, dim, strong, link, or none."""
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
"""Every phase has its own shape, for users who cannot distinguish the colours."""
ASKS: Piece = ("▌", "attention")
"""The mark of a service that waits for input, instead of its phase's."""
MARKED = "+"
"""The sign before a service that is marked for the next order."""
BARS = "▁▂▃▄▅▆▇█"
SPARK = 8
SHORTEST_EXTRA = 12
"""The minimum room, in columns, for further ports after the URL."""
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
    """The minimum width of the terminal at which it is shown; the highest is dropped first."""
    cell: Callable[[View, float], Piece]
    """Returns the cell of a service, at a time of the clock of `View.started_at`."""
    right: bool = False
    stays: bool = False
    """Whether it is shown even if it is empty for every service."""


STATE = "STATE"
COLUMNS = (
    Column("SERVICE", 0, lambda view, _: (cut(one_line(view.name), LONGEST_NAME), "strong"), stays=True),
    Column(STATE, 58, lambda view, _: (view.phase, mark_of(view)[1])),
    Column("PORT", 0, lambda view, _: port(view), stays=True),
    Column("PID", 112, lambda view, _: (str(view.pid or ""), "dim"), right=True),
    Column("UP", 60, lambda view, now: (up(view, now), ""), right=True),
    Column("CPU", 66, lambda view, _: cpu(view), right=True),
    # The bars belong to the preceding column.
    Column("", 76, lambda view, _: (sparkline(view.cpu) if view.pid is not None else "", "busy")),
    Column("MEMORY", 70, lambda view, _: (memory(view), ""), right=True),
    Column("↻", 64, lambda view, _: (str(view.restarts or ""), "attention"), right=True),
)
"""All columns but the last, which shows `remark`. A new column needs a row here, and its data in `View`."""


def table(
    stack: Stack,
    columns: int,
    now: float,
    *,
    marked: AbstractSet[str] = frozenset(),
    groups: Mapping[str, str] | None = None,
) -> tuple[list[Piece], list[list[Piece]]]:
    """Return the header and one line for each service, at most as wide as the terminal.

    `marked`: services that are marked for the next order; `groups`: labels before the first service of each group.
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
    """Return the columns that fit next to a URL of this length; all of them if it would be cut anyway."""
    kept = list(shown)
    while room_behind(kept, widths, columns) < longest:
        least = max(kept, key=lambda number: COLUMNS[number].at_least)
        if not COLUMNS[least].at_least:
            return shown
        kept.remove(least)
    return kept


def room_behind(shown: list[int], widths: dict[int, int], columns: int) -> int:
    """Return the room for the last column."""
    return columns - sum(widths[number] + len(GAP) for number in shown) - 3


def mark_of(view: View) -> Piece:
    """Return the mark of a service's phase, and its style."""
    return ASKS if view.prompt else MARKS.get(view.phase, ("?", "attention"))


def up(view: View, now: float) -> str:
    """Return how long a service has been running."""
    return uptime(now - view.started_at) if view.started_at is not None else ""


def cpu(view: View) -> Piece:
    """Return the current CPU usage of a service."""
    if view.pid is None or not view.cpu:
        return "", ""
    return percent(view.cpu[-1]), "attention" if is_hot(view) else ""


def memory(view: View) -> str:
    """Return the memory usage of a service."""
    return size(view.memory) if view.pid is not None and view.memory is not None else ""


def port(view: View) -> Piece:
    """Return the port, and the preferred one if it was moved."""
    if view.port is None:
        return "", ""
    if view.is_moved:
        return f"{view.port} ← {view.preferred_port}", "attention"
    return str(view.port), "" if view.phase in ALIVE else "dim"


def remark(view: View, *, stated: bool) -> list[Piece]:
    """Return the end of a line: the URL of a service, or why it is not available."""
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
    """Whether a column of a line is part of a URL."""
    end = 0
    for text, style in line:
        end += width(text)
        if column < end:
            return style == "link"
    return False


def is_hot(view: View) -> bool:
    """Whether a service has been using most of a CPU for a while; most services do so only while they start."""
    return len(view.cpu) >= 5 and min(view.cpu[-5:]) >= 80  # noqa: PLR2004  ten seconds of 80 %


def sparkline(values: Sequence[float]) -> str:
    """Return the latest measurements as bars; full height is one CPU, or the maximum if that is higher."""
    latest = values[-SPARK:]
    if not latest:
        return ""
    top = max(100.0, *latest)
    return "".join(
        BARS[min(len(BARS) - 1, round(value / top * (len(BARS) - 1) + (value >= 1) * 0.4))]
        for value in latest
    )


def percent(value: float) -> str:
    """Return a CPU usage as text."""
    return f"{value:.1f}%" if value < 9.95 else f"{value:.0f}%"  # noqa: PLR2004  tenths stop to matter


def size(count: int) -> str:
    """Return a memory size as text."""
    megabytes = count / 1_000_000
    if megabytes < 999.5:  # noqa: PLR2004  what is more would be rounded to 1000 MB
        return f"{megabytes:.0f} MB"
    return f"{megabytes / 1000:.1f} GB"


def uptime(seconds: float) -> str:
    """Return a time span as short text: 42s, 12m, 3h 05m, 2d 4h."""
    whole = max(0, int(seconds))
    if whole < 60:  # noqa: PLR2004  a minute
        return f"{whole}s"
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if hours < 1:
        return f"{minutes}m"
    if days < 1:
        return f"{hours}h {minutes % 60:02}m"
    return f"{days}d {hours % 24}h"


def headline(stack: Stack, columns: int, line: LinkState, aside: str = "") -> list[Piece]:
    """Return the first line of the screen: the project, its state, and its folder.

    `aside`: the user's changes to the display.
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
    if line is not LinkState.HELD:
        pieces.append((f"  {line.value}", "bad" if line is LinkState.CUT else "dim"))
    if aside:
        pieces.append((f"  {aside}", "accent"))
    room = columns - sum(width(text) for text, _ in pieces) - 3
    if room >= len(stack.root) / 2:
        pieces.append((fit(cut_left(one_line(stack.root), room), room + 2, right=True), "dim"))
    return pieces


def banner(stack: Stack, gone: Gone | None, out_of_reach: str = "") -> list[Piece]:
    """Return the problem that blocks everything else, with advice.

    `out_of_reach`: the reason why the services cannot be reached from here, if so.
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
    """Return pieces, cut to a number of columns."""
    found: list[Piece] = []
    for text, style in pieces:
        if columns <= 0:
            break
        shown = cut(text, columns)
        found.append((shown, style))
        columns = columns - width(shown) if shown == text else 0
    return found


def cut_left(text: str, columns: int) -> str:
    """Return the end of a path, which distinguishes checkouts, with an ellipsis if it was cut."""
    return text if width(text) <= columns else "…" + text[-(columns - 1) :]


def fit(text: str, columns: int, *, right: bool = False) -> str:
    """Return a text padded to a number of columns."""
    if right:
        return " " * (columns - width(text)) + text
    return pad(text, columns)
