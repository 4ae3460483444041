"""The progress and the result of a start, from its events."""

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
    """The events that are printed as JSON; None for output to a user."""


class Scope:
    """The services that a start or a restart affects, according to its events so far."""

    def __init__(self) -> None:
        self.starting: list[str] | None = None
        """The services that it brings up; None until that is decided."""
        self.stopped: set[str] = set()
        """Services that a restart has stopped or is stopping, so they ran before it."""

    def see(self, event: Json) -> None:
        """Process an event."""
        match event["type"]:
            case "plan":
                self.starting = event["starting"]
            case "phase" if self.starting is None and event["phase"] in ("stopping", "stopped"):
                self.stopped.add(event["service"])


class Watch:
    """The progress of a start, and its summary once there is one."""

    def __init__(self, as_json: Shown) -> None:
        # The table on standard output takes the place of the lines, if it goes to a terminal as well.
        self.progress = Progress(sys.stderr, silent=as_json is not None, vanishes=sys.stdout.isatty())
        self.scope = Scope()
        self.summary: Json | None = None
        """The result of the start, once it is known."""
        self._as_json = as_json

    def see(self, event: Json) -> None:
        """Process an event."""
        self.scope.see(event)
        if self._as_json == "events" or (self._as_json == "summary" and event["type"] == "summary"):
            print_json(event)
        if event["type"] == "summary":
            self.summary = event
        self.progress.see(event)

    def tick(self) -> None:
        """Update the displayed waiting times."""
        self.progress.tick()

    def print_summary(self, *, of_changes: bool) -> None:
        """Print the result to a user, unless a restart of changed services found none: that was reported."""
        if self.summary is None or self._as_json or (of_changes and not self.summary["services"]):
            return
        summary.print_summary(self.summary, self.scope.starting or [])
