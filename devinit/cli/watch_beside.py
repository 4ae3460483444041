"""The progress of a start that a command has ordered for itself: standard output is left to the command."""

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
    """Says what has failed, and nothing of what has not."""

    def print_summary(self, *, of_changes: bool) -> None:
        """Print why what failed has failed."""
        del of_changes  # it is a start
        if self.summary is not None and self.summary["exit_code"]:
            terminal.write(sys.stderr, explanation(self.summary, Paint(sys.stderr)))
            talk(advice(self.summary))


def watch_beside(_arguments: Arguments) -> Watch:
    """Return what shows such a start."""
    return WatchBeside(None)
