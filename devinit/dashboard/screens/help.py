"""The help page with every key."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from devinit.dashboard.keys import Key, shown_key
from devinit.dashboard.presentation import ASKS, MARKS, Piece
from devinit.dashboard.screens.page import Page
from devinit.text import pad

ALWAYS = (
    ("↑ ↓  j k", "choose a service; in the logs, a line"),
    ("Tab", "from the services to the logs, and back"),
    ("Enter", "the whole terminal for the service until Ctrl-]; details of one that does not run"),
    ("Esc", "back; in the logs, follow again"),
    ("Ctrl-P", "the command palette: everything by name"),
    ("Mouse", "choose, open a URL, scroll; what is selected is copied"),
)


class HelpPage(Page):
    """A page with all keys and symbols."""

    def __init__(self, keys: Sequence[Key]) -> None:
        super().__init__()
        self._keys = keys

    def on_mount(self) -> None:
        """Show the keys."""
        self.say("Keys", lines(self._keys))


def lines(keys: Sequence[Key]) -> Iterator[list[Piece]]:
    """Yield every key with its help, by subject."""
    group = ""
    for key in keys:
        if key.group != group:
            if group:
                yield []
            group = key.group
            yield [(group, "strong")]
        yield [("  " + pad(shown_key(key), 10), "busy"), (key.help, "")]
    yield []
    yield [("Everywhere", "strong")]
    for name, said in ALWAYS:
        yield [("  " + pad(name, 10), "busy"), (said, "")]
    yield []
    yield [("Symbols", "strong")]
    for phase, (mark, style) in MARKS.items():
        yield [(f"  {mark} ", style), (phase, "")]
    yield [(f"  {ASKS[0]} ", ASKS[1]), ("waits for input: `devinit attach SERVICE` answers it", "")]
