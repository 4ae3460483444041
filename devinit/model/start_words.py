"""The result of a start in one line: the same in the shell and in the dashboard. Pure."""

from __future__ import annotations

from devinit.text import duration

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

AS_BEFORE_SECONDS = 0.5
"""Below this, the services were already running."""


def totals(summary: Mapping[str, Any], starting: Sequence[str]) -> str:
    """Return how many services are ready, and how long that took. Any: a `SummaryEvent` off the wire."""
    rows = summary["services"]
    ready, finished = (sum(row["phase"] == phase for row in rows) for phase in ("ready", "exited"))
    moved = sum(row["port"] != row["preferred"] for row in rows if row["preferred"] is not None)
    noun = "service" if len(rows) == 1 else "services"
    # The command may have waited for an earlier start, or for that of a supervisor which was killed.
    waited = bool(starting) or summary["seconds"] >= AS_BEFORE_SECONDS
    took = f" in {duration(summary['seconds'])}" if waited else ", as before"
    done = f", {finished} finished" if finished else ""
    parts = [f"{ready} of {len(rows)} {noun} ready{done}{took}"]
    if moved:
        parts.append(f"{moved} not on {'its' if moved == 1 else 'their'} preferred port")
    return ", ".join(parts)
