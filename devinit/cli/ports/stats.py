"""`devinit ports --stats`: how often ports were granted as they were asked for, and what was in the way."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from devinit.cli.output import Paint, print_json, table, talk
from devinit.cli.project import root_of
from devinit.ports import statistics
from devinit.ports.statistics import Statistics
from devinit.system import terminal
from devinit.text import plain

if TYPE_CHECKING:
    from devinit.cli.arguments import Arguments
    from devinit.control.wire import Json

HEADER = ("PROJECT", "GRANTED", "PREFERRED", "FALLBACK", "REUSED", "FAILED", "ATTEMPTS", "SUCCESS", "SINCE")
CONFLICTS = ("TAKEN BY", "RESOLUTION", "TIMES")


def run(arguments: Arguments) -> int:
    """Print the statistics of the project, or of all."""
    found = statistics.of_all() if arguments.all else [statistics.of(root_of(arguments))]
    found = [each for each in found if each.root]
    if arguments.json:
        print_json({"statistics": [as_json(each) for each in found]})
        return 0
    if not found:
        talk("no port has been asked for yet")
        return 0
    paint = Paint(sys.stdout)
    head, *lines = table([row_of(each) for each in found], header=HEADER)
    terminal.write(sys.stdout, [paint.dim(head), *lines])
    if rows := conflict_rows(found):
        head, *lines = table(rows, header=CONFLICTS)
        terminal.write(sys.stdout, ["", paint.dim(head), *lines])
    return 0


def as_json(found: Statistics) -> Json:
    """Return the statistics of one checkout for programs."""
    return {
        "project": found.project,
        "root": found.root,
        "since": found.since,
        "granted": found.granted,
        "preferred": found.preferred,
        "fallback": found.fallback,
        "used": found.used,
        "failed": found.failed,
        "attempts": found.attempts,
        "success": found.success,
        "conflicts": found.conflicts,
    }


def row_of(found: Statistics) -> tuple[str, ...]:
    """Return one line."""
    success = "-" if found.success is None else f"{found.success:.0%}"
    numbers = (found.granted, found.preferred, found.fallback, found.used, found.failed, found.attempts)
    since = time.strftime("%Y-%m-%d", time.localtime(found.since))
    return (plain(found.project), *map(str, numbers), success, since)


def conflict_rows(found: list[Statistics]) -> list[tuple[str, str, str]]:
    """Return what was in the way, the most frequent first."""
    totals: dict[tuple[str, str], int] = {}
    for each in found:
        for kind, done in each.conflicts.items():
            for resolution, number in done.items():
                totals[kind, resolution] = totals.get((kind, resolution), 0) + number
    return [
        (kind, resolution, str(number))
        for (kind, resolution), number in sorted(totals.items(), key=lambda each: (-each[1], each[0]))
    ]
