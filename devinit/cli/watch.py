"""The progress of a start: its events, and its result."""

from __future__ import annotations

import sys

from devinit.cli import summary
from devinit.cli.output import print_json
from devinit.cli.progress import Progress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, TypeAlias

    from devinit.control.wire import Json

    Shown: TypeAlias = Literal["events", "summary"] | None
    """What is printed as JSON; None: what a person reads is printed."""


class Scope:
    """Which services a start or a restart is about, as far as its events have said so."""

    def __init__(self) -> None:
        self.starting: list[str] | None = None
        """What it brings up; None before that is decided."""
        self.stopped: set[str] = set()
        """Services that a restart has stopped, or is stopping: they ran before it."""

    def see(self, event: Json) -> None:
        """Take an event in."""
        match event["type"]:
            case "plan":
                self.starting = event["starting"]
            case "phase" if self.starting is None and event["phase"] in ("stopping", "stopped"):
                self.stopped.add(event["service"])


class Watch:
    """What has been seen of a start so far."""

    def __init__(self, as_json: Shown) -> None:
        # The table on standard output takes the place of the lines, if it goes to a terminal as well.
        self.progress = Progress(sys.stderr, silent=as_json is not None, vanishes=sys.stdout.isatty())
        self.scope = Scope()
        self.summary: Json | None = None
        """What it came to, once that is known."""
        self._as_json = as_json

    def see(self, event: Json) -> None:
        """Take an event in."""
        self.scope.see(event)
        if self._as_json == "events" or (self._as_json == "summary" and event["type"] == "summary"):
            print_json(event)
        if event["type"] == "summary":
            self.summary = event
        self.progress.see(event)

    def tick(self) -> None:
        """Take in that time has passed."""
        self.progress.tick()

    def print_summary(self, *, of_changes: bool) -> None:
        """Print what it came to, to a person. A restart of what changed, where nothing did, was told so."""
        if self.summary is None or self._as_json or (of_changes and not self.summary["services"]):
            return
        summary.print_summary(self.summary, self.scope.starting or [])
