"""The printer of `devinit logs`: lines unchanged for programs, structured lines reformatted for a user."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING

from devinit.cli.bounds import LONGEST_LINE, last_within
from devinit.cli.output import Paint, print_json, wants_color
from devinit.errors import UsageError
from devinit.logs import MARKER
from devinit.logs.secrets import mask_of
from devinit.system import terminal
from devinit.text import harmless, shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from devinit.cli.arranged import Arranged
    from devinit.logs.lines import Line
    from devinit.system.matching import Search


class Printer:
    """A printer of log lines: masks secrets, and prefixes the service's name if there are several services."""

    def __init__(
        self,
        names: list[str],
        pattern: Search | None,
        root: Path,
        *,
        as_json: bool,
        times: bool,
        most: int | None = None,
        shortens: bool = False,
        arranged: Arranged | None = None,
    ) -> None:
        """`most`: the limit for existing lines in bytes; None for no limit. `shortens`: shorten long lines.

        `arranged`: the filter and format of lines; None prints every line unchanged.
        """
        self.has_shown = False
        self._paint = Paint(sys.stdout)
        self._mask = mask_of(root)
        self._before = self._prefixes(names) if len(names) > 1 else dict.fromkeys(names, "")
        self._pattern = pattern
        self._as_json, self._times = as_json, times
        self._most, self._shortens = most, shortens
        self._arranged = arranged
        self._coloured = wants_color(sys.stdout)

    def wants(self, line: Line) -> bool:
        """Whether the visible text of a line matches the pattern."""
        if self._pattern is None:
            return True
        from devinit.system.matching import PatternTooSlow  # loaded by now, because there is a pattern

        try:
            return any(self._pattern.is_found(text) for text in self._seen(line))
        except PatternTooSlow as slow:
            raise UsageError(f"--grep: {slow}") from slow

    def takes(self, service: str, line: Line) -> bool:
        """Whether the next line of a service passes all filters."""
        return (self._arranged is None or self._arranged.keeps(service, line.text)) and self.wants(line)

    def wanted(self, service: str, lines: Iterable[Line]) -> Iterator[Line]:
        """Return an iterator of the lines of a service that pass all filters."""
        return (line for line in lines if self.takes(service, line))

    def backwards(self, service: str) -> Callable[[Iterator[Line]], Iterator[Line]]:
        """Return the filter for lines that are read from the last to the first."""
        if self._arranged is None:
            return iter
        return partial(self._arranged.sieve.backwards, service)

    def _seen(self, line: Line) -> Iterator[str]:
        """Yield a line as it was printed, and as it is shown if that differs."""
        text = self._mask(harmless(line.text))
        yield text
        if self._arranged is not None and (shown := self._arranged.searched(text)) != text:
            yield shown

    def show_last(self, lines: Iterable[tuple[str, Line]]) -> None:
        """Print the last lines within the limit, after a line about the omitted ones."""
        if self._most is None:
            self.show(lines)
            return
        kept, left_out = last_within([*lines], self._most, self._size)
        if left_out:
            said = "1 line is" if left_out == 1 else f"{left_out:,} lines are"
            text = f"{MARKER}{said} left out before this: --max-bytes {self._most} ---"
            if self._as_json:
                at = timestamp(kept[0][1].time)
                nothing = dict.fromkeys(("service", "time", "run", "level"))
                print_json({**nothing, "time": at, "line": text, "truncated": True})
            else:
                terminal.write(sys.stdout, [self._paint.dim(text)])
        self.show(kept)

    def _size(self, each: tuple[str, Line]) -> int:
        """Return the size of a printed line in bytes."""
        if not self._as_json:
            return sum(len(row.encode(errors="replace")) + 1 for row in self._rows(*each))
        from devinit.control import wire  # as `print_json`

        return len(wire.encode(self._as_object(*each)).encode(errors="replace")) + 1

    def show(self, lines: Iterable[tuple[str, Line]]) -> None:
        """Print lines with the services that wrote them."""
        if not self._as_json:
            terminal.write(
                sys.stdout, (row for each in lines for row in self._rows(*each)), self._mask, links=True
            )
            return
        for service, line in lines:
            self.has_shown = True
            print_json(self._as_object(service, line))

    def _rows(self, service: str, line: Line) -> list[str]:
        """Return the rows of a line; several for a structured line with a stack trace."""
        self.has_shown = True
        when = self._paint.dim(f"{clock(line.time)} ") if self._times else ""
        before = f"{when}{self._before[service]}"
        if self._arranged is None:
            return [f"{before}{self._styled(self._fitting(line.text))}"]
        # Secrets are masked first, because not all are recognisable in another format.
        rows = self._arranged.rows(self._mask(harmless(line.text)), with_time=not self._times)
        if rows is None:
            return [f"{before}{self._styled(self._arranged.marked(self._fitting(line.text)))}"]
        return [f"{before}{row}" for row in rows]

    def _fitting(self, text: str) -> str:
        """Return a line within the maximum length. Secrets are masked first: a cut one would not be recognised."""
        if not self._shortens or len(text) <= LONGEST_LINE:
            return text
        return shortened(self._mask(harmless(text)), LONGEST_LINE)

    def _styled(self, text: str) -> str:
        if not self._coloured:
            return harmless(text)
        return self._paint.dim(harmless(text)) if text.startswith(MARKER) else text

    def _as_object(self, service: str, line: Line) -> dict[str, str | bool | None]:
        text = self._mask(harmless(line.text))
        shown = shortened(text, LONGEST_LINE) if self._shortens else text
        return {
            "service": service,
            "time": timestamp(line.time),
            "run": timestamp(line.run) if line.run is not None else None,
            "level": self._arranged.level(text) if self._arranged is not None else None,
            "line": shown,
            **({"truncated": True} if shown != text else {}),
        }

    def _prefixes(self, names: list[str]) -> dict[str, str]:
        """Return the prefix for the lines of each service, in its own colour; all are equally wide."""
        wide = max(map(len, names), default=0)
        return {name: self._paint.distinct(f"{name:<{wide}} | ", number) for number, name in enumerate(names)}


def timestamp(time: float) -> str:
    """Return a time for a program: ISO 8601 in UTC, with milliseconds."""
    from datetime import UTC, datetime  # only `--times` needs it

    return f"{datetime.fromtimestamp(time, UTC):%Y-%m-%dT%H:%M:%S}.{int(time % 1 * 1000):03d}Z"


def clock(time: float) -> str:
    """Return a time for a user: the local time of day, with the date unless it was today."""
    from datetime import UTC, datetime, timedelta  # as above

    then, now = datetime.fromtimestamp(time, UTC).astimezone(), datetime.now(UTC).astimezone()
    day = f"{then:%Y-%m-%d} " if now - then > timedelta(days=1) or then.date() != now.date() else ""
    return f"{day}{then:%H:%M:%S}.{int(time % 1 * 1000):03d}"
