"""The footer: the keys that work now; where there is no room for all, the most important ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from textual import events
from textual.app import ComposeResult
from textual.widgets import Footer
from textual.widgets._footer import FooterKey

from devinit.dashboard.keys import in_footer
from devinit.text import width

BETWEEN = 2
"""A space between a key and what it does, and one behind."""


class KeyBar(Footer):
    """Textual's footer, which would let keys fall off at the right, without what has no room."""

    def __init__(self, ranked: Callable[[], Mapping[str, int]] = dict) -> None:
        super().__init__(show_command_palette=False, compact=True)
        self._ranked = ranked
        """Returns the ranks of actions now; those of a page stand in the order of their importance."""
        self._columns = 0
        self._shown: object = None

    async def recompose(self) -> None:
        """Show the keys that count now; most changes leave them as they are, and each key is a widget to style."""
        if not self.is_attached:
            return
        bindings = [
            (binding, enabled, tooltip)
            for _, binding, enabled, tooltip in self.screen.active_bindings.values()
            if binding.show
        ]
        shown = (bindings, self.app.size.width, dict(self._ranked()))
        if shown != self._shown:
            self._shown = shown
            await super().recompose()

    def compose(self) -> ComposeResult:
        """Show the keys that have room."""
        keys = [key for key in super().compose() if isinstance(key, FooterKey)]
        entries = [(key.action, width(key.key_display) + width(key.description) + BETWEEN) for key in keys]
        # Nothing has to stand behind the last one.
        for number in in_footer(entries, self.app.size.width + 1, self._ranked()):
            yield keys[number]

    def on_resize(self, event: events.Resize) -> None:
        """Use the room that there is now."""
        if self._columns != event.size.width:
            self._columns = event.size.width
            self.call_after_refresh(self.recompose)
