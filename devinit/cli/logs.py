"""Show what services print. Reads the log files: it works while nothing runs, too."""

from __future__ import annotations

import re
import select
import sys
from typing import TYPE_CHECKING

from devinit.cli.output import Paint, print_json, talk, wants_color
from devinit.cli.project import root_of
from devinit.cli.tail import Tail
from devinit.errors import ConfigError, StateFileError, UsageError
from devinit.text import coloured, last_state, plain

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Iterable
    from pathlib import Path

    from devinit.cli.arguments import Arguments

EXAMPLE = "devinit logs backend -f --grep 'ERROR|Traceback'"
MARKER = "--- devinit: "
"""How the lines begin with which each run starts."""
READER_SECONDS = 1.0
"""How often we look whether `devinit logs -f | grep -m1 ready` has had enough, while nothing is printed."""


def configure(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    from devinit.cli.parser import count

    parser.add_argument(
        "services", nargs="*", metavar="SERVICE", help="whose output; none or `all`: everybody's"
    )
    parser.add_argument(
        "-f", "--follow", action="store_true", help="go on as more is printed, until Ctrl-C (exit code 130)"
    )
    parser.add_argument(
        "-n",
        "--lines",
        type=count,
        default=100,
        metavar="N",
        help="begin with the last N lines of each (100)",
    )
    parser.add_argument("--grep", metavar="RE", help="only lines that match a regular expression")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")


def run(arguments: Arguments) -> int:
    """Print the end of the logs, and follow them if asked to."""
    root = root_of(arguments)
    names = chosen(arguments.services, root, everybody=arguments.follow)
    printer = Printer(names, pattern_of(arguments.grep), as_json=arguments.json)
    tails = [Tail(name, root / ".devinit" / "logs" / f"{name}.log") for name in names]
    said = False
    for tail in tails:
        lines = tail.last(arguments.lines, printer.matches, follow=arguments.follow)
        printer.show(tail.name, lines)
        said = said or bool(lines)
    if arguments.follow:
        follow(tails, printer)
    elif not said and arguments.lines:
        talk("no line matches" if arguments.grep else "nothing has been printed yet")
    return 0


def chosen(names: list[str], root: Path, *, everybody: bool) -> list[str]:
    """Return the services whose logs are meant; refuse a name that is none.

    With `everybody` those count that have printed nothing yet: they may, while we follow.
    """
    try:
        written = sorted(path.stem for path in (root / ".devinit" / "logs").glob("*.log"))
    except PermissionError as error:
        raise StateFileError(
            f"{error.filename} cannot be read: {error.strerror}", hint="it belongs to whoever started devinit"
        ) from error
    if not names or names == ["all"]:
        return (
            [*written, *(name for name in configured(root) if name not in written)] if everybody else written
        )
    if not set(names) <= set(written):
        refuse_unknown(names, root)
    return list(dict.fromkeys(names))


def configured(root: Path) -> list[str]:
    """Return the services of the configuration; none when it is broken, which is no reason to show no logs."""
    from devinit.config.load import (
        load,
    )  # takes longer than the rest of this command, which often needs it not

    try:
        return list(load(root).services)
    except ConfigError as error:
        talk(f"{error.message}: only services that have printed something are followed")
        return []


def refuse_unknown(names: list[str], root: Path) -> None:
    """Raise UsageError unless the project has all these services, of which one has only printed nothing yet."""
    from difflib import get_close_matches

    from devinit.config.load import load  # as above

    project = load(root)
    for name in names:
        if name not in project.services:
            near = get_close_matches(name, project.services, n=1)
            known = f"services: {', '.join(project.services) or 'none'}"
            hint = f"did you mean {near[0]}? {known}" if near else known
            raise UsageError(f"there is no service {name!r} in {project.name}", hint=hint)


def pattern_of(text: str | None) -> re.Pattern[str] | None:
    """Compile what the user wants to see."""
    try:
        return re.compile(text) if text is not None else None
    except re.error as error:
        raise UsageError(f"--grep {text!r} is not a regular expression: {error}") from error


class Printer:
    """How lines are shown: with the service's name before them when there are several."""

    def __init__(self, names: list[str], pattern: re.Pattern[str] | None, *, as_json: bool) -> None:
        self._paint = Paint(sys.stdout)
        width = max(map(len, names), default=0)
        several = len(names) > 1
        self._before = {name: self._paint.dim(f"{name:<{width}} | ") if several else "" for name in names}
        self._pattern = pattern
        self._as_json = as_json
        self._coloured = wants_color(sys.stdout)

    def matches(self, line: str) -> bool:
        """Whether a line is wanted: what counts is what one would see of it."""
        return self._pattern is None or self._pattern.search(plain(last_state(line))) is not None

    def show(self, name: str, lines: Iterable[str]) -> None:
        """Print the lines of a service that are wanted."""
        for line in lines:
            text = last_state(line)
            if self._as_json:
                print_json({"service": name, "line": plain(text)})
            elif self._coloured:
                shown = self._paint.dim(plain(text)) if text.startswith(MARKER) else coloured(text)
                sys.stdout.write(f"{self._before[name]}{shown}\n")
            else:
                sys.stdout.write(f"{self._before[name]}{plain(text)}\n")
        sys.stdout.flush()


def follow(tails: list[Tail], printer: Printer) -> None:
    """Print lines as they come, until interrupted."""
    from devinit.system.watch import FileWatch  # only who follows needs it

    with FileWatch([tail.path for tail in tails]) as watch:
        while True:
            for tail in tails:
                printer.show(tail.name, filter(printer.matches, tail.more()))
            while not watch.wait(READER_SECONDS):
                if is_reader_gone():
                    raise BrokenPipeError


def is_reader_gone() -> bool:
    """Whether standard output is a pipe that nobody reads any more."""
    poll = select.poll()
    poll.register(sys.stdout.fileno(), 0)
    return any(event & select.POLLERR for _, event in poll.poll(0))
