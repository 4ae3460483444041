"""Show what services print. Reads the log files: it works while nothing runs, too."""

from __future__ import annotations

import os
import re
import sys

from devinit.cli.output import Paint, print_json, talk
from devinit.cli.project import root_of
from devinit.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterator
    from pathlib import Path

EXAMPLE = "devinit logs backend -f --grep 'ERROR|Traceback'"
BLOCK = 64 * 1024
COLOURS = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
"""CSI sequences (ECMA-48 §5.4); what is searched and what goes into JSON has none."""


def configure(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument(
        "services", nargs="*", metavar="SERVICE", help="whose output; none or `all`: everybody's"
    )
    parser.add_argument("-f", "--follow", action="store_true", help="go on as more is printed")
    parser.add_argument(
        "-n", "--lines", type=int, default=100, metavar="N", help="begin with the last N lines of each (100)"
    )
    parser.add_argument("--grep", metavar="RE", help="only lines that match a regular expression")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")


def run(arguments: Namespace) -> int:
    """Print the end of the logs, and follow them if asked to."""
    root = root_of(arguments)
    folder = root / ".devinit" / "logs"
    names = chosen(arguments.services, folder, root)
    printer = Printer(names, pattern_of(arguments.grep), as_json=arguments.json)
    tails = [Tail(name, folder / f"{name}.log") for name in names]
    for tail in tails:
        for line in tail.last(arguments.lines, printer.matches):
            printer.show(tail.name, line)
    sys.stdout.flush()
    if not tails:
        talk("nothing has been printed yet")
    elif arguments.follow:
        follow(tails, printer)
    return 0


def chosen(names: list[str], folder: Path, root: Path) -> list[str]:
    """Return the services whose logs are meant; refuse a name that is none."""
    written = sorted(path.stem for path in folder.glob("*.log"))
    if not names or names == ["all"]:
        return written
    unknown = [name for name in names if name not in written]
    if unknown:
        refuse_unknown(unknown[0], root)
    return list(dict.fromkeys(names))


def refuse_unknown(name: str, root: Path) -> None:
    """Raise UsageError unless the project has such a service, which has only printed nothing yet."""
    from devinit.config.load import load  # only a name without a log needs the configuration

    services = load(root).services
    if name not in services:
        raise UsageError(f"there is no service {name!r}", hint=f"services: {', '.join(services)}")


def pattern_of(text: str | None) -> re.Pattern[str] | None:
    """Compile what the user wants to see."""
    try:
        return re.compile(text) if text is not None else None
    except re.error as error:
        raise UsageError(f"--grep {text!r} is not a regular expression: {error}") from error


class Printer:
    """How lines are shown: with the service's name before them when there are several."""

    def __init__(self, names: list[str], pattern: re.Pattern[str] | None, *, as_json: bool) -> None:
        paint = Paint(sys.stdout)
        width = max(map(len, names), default=0)
        several = len(names) > 1
        self._before = {name: paint.dim(f"{name:<{width}} | ") if several else "" for name in names}
        self._pattern = pattern
        self._as_json = as_json
        self._plain = not sys.stdout.isatty()

    def matches(self, line: str) -> bool:
        """Whether a line is wanted."""
        return self._pattern is None or self._pattern.search(COLOURS.sub("", line)) is not None

    def show(self, name: str, line: str) -> None:
        """Print a line of a service."""
        if self._as_json:
            print_json({"service": name, "line": COLOURS.sub("", line)})
            return
        text = COLOURS.sub("", line) if self._plain else line
        sys.stdout.write(f"{self._before[name]}{text}\n")


class Tail:
    """The end of one log file, also when the file is replaced by a new one."""

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self.path = path
        self._offset = 0
        self._inode = 0
        self._rest = b""

    def last(self, count: int, matches: object) -> list[str]:
        """Return the last lines that are wanted, and remember where the file ends now."""
        try:
            with self.path.open("rb") as file:
                self._inode = os.fstat(file.fileno()).st_ino
                self._offset = file.seek(0, os.SEEK_END)
                found: list[str] = []
                for line in backwards(file.fileno(), self._offset):
                    if len(found) >= count:
                        break
                    if callable(matches) and matches(line):
                        found.append(line)
                return found[::-1]
        except FileNotFoundError:
            return []

    def more(self) -> Iterator[str]:
        """Yield the lines that have come since."""
        try:
            with self.path.open("rb") as file:
                facts = os.fstat(file.fileno())
                if facts.st_ino != self._inode or facts.st_size < self._offset:
                    # Another file stands there now, or this one was emptied: it begins anew.
                    self._inode, self._offset = facts.st_ino, 0
                file.seek(self._offset)
                while block := file.read(BLOCK):
                    self._offset += len(block)
                    *lines, self._rest = (self._rest + block).split(b"\n")
                    for line in lines:
                        yield line.decode(errors="replace").rstrip("\r")
        except FileNotFoundError:
            return


def backwards(descriptor: int, end: int) -> Iterator[str]:
    """Yield the lines of a file from its end to its beginning, a block at a time."""
    rest = b""
    position = end
    first = True
    while position > 0:
        size = min(BLOCK, position)
        position -= size
        *lines, _ = parts = (os.pread(descriptor, size, position) + rest).split(b"\n")
        rest = lines[0] if lines else parts[0]
        complete = parts[1:]
        if first and complete and not complete[-1]:
            complete = complete[:-1]  # what follows the last line break is no line
        first = first and not complete
        for line in reversed(complete):
            yield line.decode(errors="replace").rstrip("\r")
    if rest:
        yield rest.decode(errors="replace").rstrip("\r")


def follow(tails: list[Tail], printer: Printer) -> None:
    """Print lines as they come, until interrupted."""
    from devinit.system.watch import FileWatch  # only who follows needs it

    with FileWatch([tail.path for tail in tails]) as watch:
        while True:
            for tail in tails:
                for line in tail.more():
                    if printer.matches(line):
                        printer.show(tail.name, line)
            sys.stdout.flush()
            watch.wait()
