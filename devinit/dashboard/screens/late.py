"""A question that appears some time after the key that led to it: keys that were typed before do not answer it."""

from __future__ import annotations

from textual.message import Message


class Late:
    """A part of such a dialogue."""

    is_late = True
    """Whether nothing on the screen announced it; one that follows another question takes what is typed ahead."""
    _shown_at = float("inf")

    def on_mount(self) -> None:
        """Take keys from now on."""
        self._shown_at = Message().time

    def takes(self, typed: Message) -> bool:
        """Whether what was typed may be for this dialogue."""
        return not self.is_late or typed.time >= self._shown_at
