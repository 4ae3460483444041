"""Show what services print, in the order of time. Reads the log files: it works while nothing runs, too."""

from __future__ import annotations

import re
import select
import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING

from devinit.cli.bounds import LOG_BYTES, add_bound, bound_of
from devinit.cli.log_printer import Printer
from devinit.cli.logged import chosen, log_of, lost_by_running, refuse_another_users_logs
from devinit.cli.output import Paint, print_json, talk
from devinit.cli.project import root_of
from devinit.cli.terminated import Terminable
from devinit.errors import UsageError
from devinit.logs.merge import in_order
from devinit.logs.tail import Tail
from devinit.system import terminal
from devinit.system.descriptors import descriptors

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from devinit.cli.arguments import Arguments
    from devinit.cli.arranged import Arranged
    from devinit.logs.lines import Line
    from devinit.system.matching import Search

EXAMPLE = "devinit logs backend -f --grep 'ERROR|Traceback'"
SWITCHES = {
    "-f": "follow",
    "--follow": "follow",
    "-t": "times",
    "--times": "times",
    "--path": "path",
    "--json": "json",
    "--no-requests": "no_requests",
    "--raw": "raw",
}
NAMES = "services"
DEFAULTS = {"lines": None, "since": None, "grep": None, "level": None, "max_bytes": None}
LINES = 100
"""The number of lines per service without `--lines` or `--since`."""
ALL = sys.maxsize
READER_SECONDS = 1.0
"""The interval of the checks whether the reader has gone, as in `devinit logs -f | grep -m1 ready`."""


def configure(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    from devinit.cli.parser import count  # only a command with options needs a parser

    parser.add_argument(
        "services",
        nargs="*",
        metavar="SERVICE",
        help="whose output; none or `all`: that of every service of devinit.toml",
    )
    parser.add_argument(
        "-f",
        "--follow",
        action="store_true",
        help="go on as more is printed, until Ctrl-C (exit code 130) or SIGTERM (143)",
    )
    parser.add_argument(
        "-n",
        "--lines",
        type=count,
        metavar="N",
        help=f"begin with the last N lines of each ({LINES}; with --since all of them)",
    )
    parser.add_argument(
        "--since",
        metavar="TIME",
        help="only what was printed since then: 5m, 1h30m, 10:30, 2026-11-02 or 2026-11-02T10:30",
    )
    parser.add_argument("--grep", metavar="RE", help="only lines that match a regular expression")
    parser.add_argument(
        "--level",
        type=level,
        metavar="LEVEL",
        help="only lines of this level or a higher one: trace, debug, info, warning, error or fatal",
    )
    parser.add_argument(
        "--no-requests",
        action="store_true",
        help="without the lines in which servers log each request, but for those that failed (5xx)",
    )
    parser.add_argument("-t", "--times", action="store_true", help="show when each line was printed")
    parser.add_argument(
        "--raw",
        action="store_true",
        help="structured lines (JSON, logfmt) as they were printed, also at a terminal",
    )
    add_bound(parser, LOG_BYTES)
    parser.add_argument("--path", action="store_true", help="print where the log files lie instead")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")


def level(word: str) -> str:
    """Return the name of a level; raise ArgumentTypeError if there is no such level."""
    from argparse import ArgumentTypeError  # as above

    from devinit.logs.levels import LEVELS  # only `--level` needs it

    if word.lower() not in LEVELS:
        raise ArgumentTypeError(f"{word!r} is no level: trace, debug, info, warning, error or fatal")
    return word.lower()


def run(arguments: Arguments) -> int:
    """Print the end of the logs, and follow them if asked to."""
    root = root_of(arguments)
    pattern, since = pattern_of(arguments.grep), since_of(arguments.since)
    names = chosen(arguments.services, root, silent_too=arguments.follow)
    refuse_another_users_logs(root, names)
    if arguments.path:
        show_paths(names, root, as_json=arguments.json)
        return 0
    with pattern or nullcontext():
        return show(arguments, names, root, pattern, since)


def show(
    arguments: Arguments, names: list[str], root: Path, pattern: Search | None, since: float | None
) -> int:
    """Print the selected lines of the services, and follow them if asked to."""
    printer = Printer(
        names,
        pattern,
        root,
        as_json=arguments.json,
        times=arguments.times,
        arranged=arranged_by(arguments),
        # With `-f`, all new lines are printed; only the existing ones may be limited.
        most=bound_of(arguments.max_bytes, 0 if arguments.follow else LOG_BYTES),
        shortens=bound_of(arguments.max_bytes, LOG_BYTES) is not None,
    )
    mention_elsewhere(root)
    descriptors.raise_limit(len(names))
    tails = [Tail(name, log_of(root, name)) for name in names]
    lost = [] if any(log_of(root, name).exists() for name in names) else lost_by_running(root, names)
    if lost:
        talk(f"the logs of {', '.join(lost)} were deleted while they run, and what they print is lost")
        talk(f"`devinit restart {' '.join(lost)}` begins new ones")
    if arguments.follow:
        follow(tails, printer, arguments.lines, since)
    printer.show_last(begin(tails, printer, arguments.lines, since, follow=False))
    if not printer.has_shown and arguments.lines != 0 and not lost:
        talk(nothing_of(arguments))
    return 0


def arranged_by(arguments: Arguments) -> Arranged | None:
    """Return the filter and format of lines; None if every line is printed unchanged."""
    is_whole = not (arguments.level or arguments.no_requests or arguments.json)
    if is_whole and (arguments.raw or not sys.stdout.isatty()):
        return None
    from devinit.cli.arranged import arranged_for  # a pipe does not need it

    return arranged_for(arguments, Paint(sys.stdout))


def mention_elsewhere(root: Path) -> None:
    """Report that the services run in another container. The supervisor is not queried, because it may hang."""
    from devinit.control.waking import visible_supervisor_of  # --path does not need it

    if visible_supervisor_of(root) == 0:
        from devinit.control.elsewhere import OUT_OF_REACH  # rarely needed

        talk(f"{root} {OUT_OF_REACH}")


def show_paths(names: list[str], root: Path, *, as_json: bool) -> None:
    """Print the path of each service's log file, even if the file does not exist yet."""
    for name in names:
        path = str(log_of(root, name))
        if as_json:
            print_json({"service": name, "path": path})
        else:
            terminal.data(f"{path}\n")


def begin(
    tails: list[Tail], printer: Printer, lines: int | None, since: float | None, *, follow: bool
) -> Iterable[tuple[str, Line]]:
    """Return the existing lines to show, in the order of time."""
    found: Mapping[str, Iterable[Line]]
    if since is not None and lines is None:
        # There may be very many lines, so they are read while they are shown.
        found = {tail.name: printer.wanted(tail.name, tail.since(since, follow=follow)) for tail in tails}
    else:
        count = LINES if lines is None else lines
        found = {
            tail.name: tail.last(
                count, printer.wants, since=since, follow=follow, among=printer.backwards(tail.name)
            )
            for tail in tails
        }
    return in_order(found)


def follow(tails: list[Tail], printer: Printer, lines: int | None, since: float | None) -> None:
    """Print lines as they arrive, until Ctrl-C or SIGTERM."""
    from devinit.logs.follow import Follower  # only `-f` needs it

    with Terminable(), Follower(tails, complain=talk) as follower:
        printer.show_last(begin(tails, printer, lines, since, follow=True))
        while True:
            printer.show(each for each in follower.lines() if printer.takes(*each))
            while not follower.wait(READER_SECONDS):
                if is_reader_gone():
                    raise BrokenPipeError


def pattern_of(text: str | None) -> Search | None:
    """Compile the pattern of `--grep`. Raise UsageError if it is invalid."""
    if text is None:
        return None
    from devinit.system.matching import Search  # it loads threading, which nothing else here needs

    try:
        return Search(re.compile(text))
    except re.error as error:
        raise UsageError(f"--grep is not a regular expression: {error.msg}", hint=pointed(error)) from error


def pointed(error: re.error) -> str:
    """Return a pattern with a mark under the error."""
    pattern = str(error.pattern)
    if error.pos is None or not pattern.isprintable():
        return f"it is {pattern!r}"
    return f"{pattern}\n{' ' * error.pos}^ here; a \\ before a character takes it as it is"


def since_of(text: str | None) -> float | None:
    """Return the Unix time of `--since`."""
    if text is None:
        return None
    from datetime import UTC, datetime  # only a stated time needs it

    from devinit.cli.since import moment

    return moment(text, datetime.now(UTC).astimezone())


def nothing_of(arguments: Arguments) -> str:
    """Return the reason why no line was shown."""
    if arguments.grep:
        return "no line matches"
    return f"nothing has been printed {f'since {arguments.since}' if arguments.since else 'yet'}"


def is_reader_gone() -> bool:
    """Whether standard output is a pipe whose reader has gone."""
    poll = select.poll()
    poll.register(sys.stdout.fileno(), 0)
    return any(event & select.POLLERR for _, event in poll.poll(0))
