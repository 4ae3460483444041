"""The footer: the keys that apply now; without room for all, the most important ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from textual import events
from textual.app import ComposeResult
from textual.widgets import Footer
from textual.widgets._footer import FooterKey

from devinit.dashboard.keys import in_footer
from devinit.text import width

BETWEEN = 2
"""One space between a key and its label, and one after it."""


class KeyBar(Footer):
    """A footer that drops keys for lack of room, where Textual's would cut them off at the right."""

    def __init__(self, ranked: Callable[[], Mapping[str, int]] = dict) -> None:
        super().__init__(show_command_palette=False, compact=True)
        self._ranked = ranked
        """Returns the current ranks of actions; those of a page are ordered by importance."""
        self._columns = 0
        self._shown: object = None

    async def recompose(self) -> None:
        """Show the current keys if they changed: most updates change none, and each key is a widget to style."""
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
        """Show the keys that fit."""
        keys = [key for key in super().compose() if isinstance(key, FooterKey)]
        entries = [(key.action, width(key.key_display) + width(key.description) + BETWEEN) for key in keys]
        # The last key needs no space after it.
        for number in in_footer(entries, self.app.size.width + 1, self._ranked()):
            yield keys[number]

    def on_resize(self, event: events.Resize) -> None:
        """Adapt to the new size."""
        if self._columns != event.size.width:
            self._columns = event.size.width
            self.call_after_refresh(self.recompose)
