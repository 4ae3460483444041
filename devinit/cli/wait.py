"""Wait until services are live, for scripts and agents: after a start in the background, or after a change.

Exit code 0 when each service is live, 1 when one cannot become so by itself, with the cause, 4 when the time is
over. With --after, what a service was before that time does not count: a reloader is given the time to notice a
file that was saved then, and to load it.
"""

from __future__ import annotations

import sys
import time

from devinit.cli.output import Paint, print_json, symbol
from devinit.cli.project import root_as_text
from devinit.cli.reach import answered, mention_configuration, nothing_runs, require_reach
from devinit.control import api
from devinit.control.launch import connect_to_running
from devinit.system import terminal
from devinit.text import one_line, pad, plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Iterator

    from devinit.cli.arguments import Arguments
    from devinit.control.client import Client
    from devinit.model.status import Awaited, WaitReport

EXAMPLE = "devinit wait backend --after $saved --timeout 30"
SECONDS = 60.0
START_SECONDS = 5.0
"""The time for another program to begin the start, because no supervisor runs before."""
LOOK_SECONDS = 0.1


def configure(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    from devinit.cli.bounds import STATUS_BYTES, add_text_bound
    from devinit.cli.parser import seconds

    parser.add_argument(
        "services", nargs="*", metavar="SERVICE", help="what to wait for; none: all that are not stopped"
    )
    parser.add_argument(
        "--after",
        metavar="TIME",
        help="only what a service is since then counts: 10s, 10:30 or a Unix time",
    )
    parser.add_argument(
        "--timeout",
        type=seconds,
        default=SECONDS,
        metavar="S",
        help=f"give up after so many seconds ({SECONDS:g})",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_text_bound(parser, STATUS_BYTES)


def run(arguments: Arguments) -> int:
    """Wait, and print the outcome."""
    from devinit.cli.bounds import STATUS_BYTES, bound_of, rows_within, size_as_json

    after = after_of(arguments.after)
    began = time.monotonic()
    names = [] if "all" in arguments.services else arguments.services
    root = root_as_text(arguments)
    client = connected(root, names, began, arguments.timeout)

    def ask(client: Client) -> WaitReport:
        seconds = max(0.0, arguments.timeout - (time.monotonic() - began))
        return api.wait(client, names, after=after, seconds=seconds)

    _, report = answered(client, root, ask)
    mention_configuration(report)
    rows = report["services"]
    wide = max((len(each["service"]) for each in rows), default=0)

    def size_of(rows: list[Awaited]) -> int:
        lines = (line for each in rows for line in lines_of(each, wide, Paint(sys.stdout)))
        return sum(len(line.encode(errors="replace")) + 1 for line in lines)

    if most := bound_of(arguments.max_bytes, STATUS_BYTES):
        rows = rows_within(rows, most, size_as_json if arguments.json else size_of)
    if arguments.json:
        print_json({**report, "services": rows})
    else:
        for each in rows:
            terminal.write(sys.stdout, lines_of(each, wide, Paint(sys.stdout)))
    return report["exit_code"]


def after_of(text: str | None) -> float | None:
    """Return the Unix time of `--after`."""
    if text is None:
        return None
    from datetime import UTC, datetime  # only a stated time needs it

    from devinit.cli.since import moment

    return moment(text, datetime.now(UTC).astimezone(), "--after")


def connected(root: str, names: list[str], began: float, seconds: float) -> Client:
    """Return a client of the supervisor, which another program may be about to start.

    Raise an error if no supervisor appears: UsageError if the project has no service of one of these names.
    """
    while True:
        client = connect_to_running(root)
        if client is not None:
            return require_reach(client)
        if time.monotonic() - began > min(seconds, START_SECONDS):
            raise nothing_runs(root, names)
        time.sleep(LOOK_SECONDS)


def lines_of(awaited: Awaited, wide: int, paint: Paint) -> Iterator[str]:
    """Yield the outcome for one service; if it is not live, with the reason and its last lines."""
    name = pad(one_line(awaited["service"]), wide)
    if awaited["outcome"] == "live":
        # The URL of a database contains its password.
        url = awaited["url"] or ""
        where = f"  {paint.dim(one_line(url))}" if url.startswith("http") else ""
        said = "finished" if awaited["phase"] == "exited" else "live"
        yield f"{paint.good(symbol('✓', '+', sys.stdout))} {name}  {said}{where}"
        return
    first, *more = plain(awaited["reason"] or "for an unknown reason").splitlines()
    colour = paint.bad if awaited["outcome"] == "failed" else paint.attention
    yield f"{colour(symbol('✗', 'x', sys.stdout))} {name}  {awaited['outcome']}: {first}"
    yield from (f"  {line}" for line in more)
    yield from (f"  {paint.dim('|')} {plain(line)}" for line in awaited["log_tail"])
