"""The start that opened the dashboard: its progress, its line on the screen, its exit code. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from devinit.dashboard.presentation import Piece, uptime
from devinit.dashboard.state import COMING_UP
from devinit.dashboard.waiting import critical_path, heads_of
from devinit.model.start_words import totals
from devinit.model.status import Phase
from devinit.text import cut, one_line, width

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from devinit.dashboard.state import Stack, View

WELL = frozenset({"ready", "exited"})
UNWELL = frozenset({"failed", "unhealthy"})
SHOWN_SECONDS = 60.0
"""How long the line stays after a successful start."""
TELLING_SECONDS = 1.0
"""Shorter times are not shown."""
FAILED, NOT_READY = 1, 4


class Start(Struct, frozen=True, kw_only=True):
    """The state of a start."""

    began: float
    """The time when it began, on the dashboard's clock."""
    services: tuple[str, ...] = ()
    """The services that it covers, in the order of the configuration."""
    starting: tuple[str, ...] = ()
    """Those of them that did not run before."""
    summary: Mapping[str, Any] | None = None
    """Its result; None until that is known. Any: a `SummaryEvent` from the wire."""
    ended: float = 0.0
    """The time of the result, on the dashboard's clock."""

    @property
    def goes_on(self) -> bool:
        """Whether it has no result yet."""
        return self.summary is None


def after(start: Start, event: Mapping[str, Any], at: float) -> Start:
    """Return a start after an event. Any: each kind of event has its own shape (model.event)."""
    match event["type"]:
        case "plan":
            return replace(start, services=tuple(event["services"]), starting=tuple(event["starting"]))
        case "summary":
            return replace(start, summary=event, ended=at)
    return start


def start_line(start: Start | None, stack: Stack, now: float, columns: int) -> list[Piece]:
    """Return the line about a start; empty if there is nothing more to report."""
    if start is None:
        return []
    if start.goes_on:
        return fitting(going_on(start, stack, now), columns)
    unwell = [view for view in covered(start, stack) if view.phase in UNWELL]
    if start.summary is not None and start.summary["exit_code"] and unwell:
        return fitting(failed(start, unwell), columns)
    if now - start.ended > SHOWN_SECONDS or start.summary is None or not start.summary["services"]:
        return []
    if unwell:
        return []  # it is no longer ready, as its own line shows
    late = [view.name for view in covered(start, stack) if view.phase in COMING_UP]
    if late:
        return fitting([(" … ", "attention"), (f"not ready in time: {', '.join(late)}", "")], columns)
    return fitting([(" ✓ ", "good"), (totals(start.summary, start.starting), "")], columns)


def going_on(start: Start, stack: Stack, now: float) -> list[Piece]:
    """Return the progress of a start, and what it waits for."""
    views = covered(start, stack)
    pieces: list[Piece] = [(" ◐ ", "busy")]
    pieces += [("starting", ""), (waited(now - start.began), "dim")]
    known = {view.name: view for view in views}
    path = critical_path(known)
    if not path:
        return pieces
    head, *behind = path
    doing = one_line((head.reason or head.doing).partition("\n")[0])
    since = waited(now - head.since) if head.since is not None else ""
    detail = f"{since.removeprefix(', ')}{': ' if since and doing else ''}{doing}"
    pieces += [("  waits for ", "dim"), (one_line(head.name), "strong")]
    more = len(heads_of(known)) - 1
    pieces += [(f" → {one_line(view.name)}", "dim") for view in behind]
    pieces += [(f" and {more} more", "dim")] if more else []
    return [*pieces, (f"  {detail}", "")] if detail else pieces


def failed(start: Start, unwell: Sequence[View]) -> list[Piece]:
    """Return the problem after a start, and the keys that help."""
    first = unwell[0]
    more = f" and {len(unwell) - 1} more" if len(unwell) > 1 else ""
    reason = one_line((first.reason or first.phase).partition("\n")[0])
    rows = start.summary["services"] if start.summary is not None else []
    ready = sum(row["phase"] in WELL for row in rows)
    return [
        (" ✗ ", "bad"),
        (f"{ready} of {len(rows)} ready", ""),
        (f"  {one_line(first.name)}{more}: {reason}", "bad"),
        ("  d", "strong"),
        (" tells why, ", "dim"),
        ("r", "strong"),
        (" tries again", "dim"),
    ]


def covered(start: Start, stack: Stack) -> list[View]:
    """Return the known services of a start."""
    return [stack.services[name] for name in start.services if name in stack.services]


def waited(seconds: float) -> str:
    """Return a waiting time as text, if it is long enough to notice."""
    return f", {uptime(seconds)}" if seconds >= TELLING_SECONDS else ""


def fitting(pieces: Sequence[Piece], columns: int) -> list[Piece]:
    """Return pieces cut to fit: the longest are shortened first, so that the keys at the end stay."""
    over = sum(width(text) for text, _ in pieces) - columns
    found = list(pieces)
    while over > 0 and found:
        at = max(range(len(found)), key=lambda number: width(found[number][0]))
        text, style = found[at]
        shorter = cut(text, max(width(text) - over, 8))
        if shorter == text:
            found.pop()
            over -= width(text)
            continue
        over -= width(text) - width(shorter)
        found[at] = shorter, style
    return found


def exit_code(start: Start, stack: Stack) -> int:
    """Return the exit code of a start whose dashboard is left now.

    Services that failed and were then brought up from the dashboard count with their current state. Without a
    result yet, the start has failed if a service has failed; otherwise it was not ready in time.
    """
    views = covered(start, stack)
    if views and len(views) == len(start.services) and all(view.phase in WELL for view in views):
        return 0
    if start.summary is not None:
        code: int = start.summary["exit_code"]
        return code
    return FAILED if any(view.phase == Phase.FAILED for view in views) else NOT_READY


def unwell_rows(start: Start, stack: Stack) -> list[Mapping[str, Any]]:
    """Return the summary's rows of services that had failed and still do. Any: as in `summary`."""
    rows = start.summary["services"] if start.summary is not None else []
    now = {view.name for view in covered(start, stack) if view.phase in UNWELL}
    return [row for row in rows if row["service"] in now and row["phase"] not in WELL]
