"""Measure devinit against its budgets and print a table."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path

import example
import flooding
import holding
import lightly
import opening
import printing
import searching
import storm
from measuring import Row
from peers import comparing, measures

SUBJECTS: dict[str, Callable[[int], list[Row]]] = {
    "example": example.second_start,
    "chain": lightly.chain,
    "status": lightly.status,
    "crash": lightly.crash,
    "many": lightly.many,
    "search": searching.search,
    "printing": printing.printing,
    "storm": storm.storm,
    "holders": holding.holders,
    "flooding": flooding.flooding,
    "opening": opening.opening,
}
RUNS = 11


def main() -> int:
    """Run the selected measurements."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument(
        "subjects", nargs="*", metavar="SUBJECT", help=f"of {', '.join(SUBJECTS)}; default: all"
    )
    parser.add_argument(
        "--runs", type=int, default=RUNS, metavar="N", help=f"of each measurement (default {RUNS})"
    )
    parser.add_argument(
        "--peers",
        action="store_true",
        help=f"compare devinit with other process managers; subjects: {', '.join(measures.SUBJECTS)}",
    )
    parser.add_argument(
        "--output", type=Path, metavar="DIR", help="with --peers: write peers.json and peers.svg there"
    )
    arguments = parser.parse_args()
    known = measures.SUBJECTS if arguments.peers else SUBJECTS
    unknown = set(arguments.subjects) - known.keys()
    if unknown:
        parser.error(f"unknown subject {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    if arguments.peers:
        print(about(arguments.runs))
        comparing.compare(arguments.subjects, arguments.runs, about(arguments.runs), arguments.output)
        return 0
    print(about(arguments.runs))
    print("| what | measured | reference | budget | |\n|---|---|---|---|---|", flush=True)
    for name in arguments.subjects or SUBJECTS:
        for row in SUBJECTS[name](arguments.runs):
            print(line(row), flush=True)
    return 0


def about(runs: int) -> str:
    """Describe the machine, its load and the number of runs."""
    load = os.getloadavg()[0]
    python = platform.python_version()
    system = f"{platform.system()} {platform.release()}, {os.cpu_count()} cores, Python {python}"
    return (
        f"{time.strftime('%Y-%m-%d')}, {system}, load {load:.1f} before; "
        f"medians of {runs} runs (in brackets the middle half)\n"
    )


def line(row: Row) -> str:
    """Return a row as Markdown."""
    verdict = {True: "✓", False: "✗", None: ""}[row.kept]
    return f"| {row.what} | {row.measured} | {row.reference} | {row.budget} | {verdict} |"


if __name__ == "__main__":
    sys.exit(main())
