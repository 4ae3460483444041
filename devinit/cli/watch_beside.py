"""The progress of a start on behalf of another command, which keeps standard output."""

from __future__ import annotations

import sys

from devinit.cli.output import Paint, talk
from devinit.cli.summary import advice, explanation
from devinit.cli.watch import Watch
from devinit.system import terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from devinit.cli.arguments import Arguments


class WatchBeside(Watch):
    """The progress of such a start: only failures are reported."""

    def print_summary(self, *, of_changes: bool) -> None:
        """Print the reasons of failures."""
        del of_changes  # it is a start
        if self.summary is not None and self.summary["exit_code"]:
            terminal.write(sys.stderr, explanation(self.summary, Paint(sys.stderr)))
            talk(advice(self.summary))


def watch_beside(_arguments: Arguments) -> Watch:
    """Return the progress of such a start."""
    return WatchBeside(None)
