"""The line with the CPU and memory usage of one service over the last minutes. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devinit.dashboard.presentation import BARS, Piece, percent, size, uptime
from devinit.text import one_line, width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from devinit.dashboard.state import View

SHORTEST = 8
"""The minimum number of bars for a chart."""
LONGEST = 90


def usage_line(view: View | None, columns: int) -> list[Piece]:
    """Return the usage of a service; empty before two measurements."""
    if view is None or len(view.usage) < 2:  # noqa: PLR2004  as it says
        return []
    seconds = view.usage[-1].at - view.usage[0].at
    cpu = [each.cpu for each in view.usage]
    memory = [float(each.memory) for each in view.usage]
    name = f" {one_line(view.name)}, last {uptime(seconds)}"
    said = [f"  CPU {percent(cpu[-1])} ", f" most {percent(max(cpu))}"]
    used = [f"   memory {size(int(memory[-1]))} ", f" most {size(int(max(memory)))}"]
    room = columns - width(name) - sum(map(width, (*said, *used))) - 1
    bars = min(room // 2, LONGEST)
    if bars < SHORTEST:
        short: list[Piece] = [(name, "dim"), (said[0], ""), (used[0], "")]
        return short if sum(width(text) for text, _ in short) <= columns else []
    return [
        (name, "dim"),
        (said[0], ""),
        (bars_of(cpu, bars, max(100.0, *cpu)), "busy"),
        (said[1], "dim"),
        (used[0], ""),
        (bars_of(memory, bars, max(memory)), "busy"),
        (used[1], "dim"),
    ]


def bars_of(values: Sequence[float], count: int, top: float) -> str:
    """Return a chart of at most `count` bars, each the maximum of its values."""
    bars = min(count, len(values))
    parts = [
        values[number * len(values) // bars : (number + 1) * len(values) // bars] for number in range(bars)
    ]
    highest = [max(part) for part in parts]
    return "".join(
        BARS[min(len(BARS) - 1, round(value / (top or 1.0) * (len(BARS) - 1)))] for value in highest
    )
