"""A mix-in for dialogues that appear some time after their key: keys typed before do not answer them."""

from __future__ import annotations

from textual.message import Message


class Late:
    """A mix-in that ignores input from before the dialogue appeared."""

    is_late = True
    """Whether the dialogue appears unannounced; one that follows another question accepts keys typed ahead."""
    _shown_at = float("inf")

    def on_mount(self) -> None:
        """Accept keys from now on."""
        self._shown_at = Message().time

    def takes(self, typed: Message) -> bool:
        """Whether an input event may be for this dialogue."""
        return not self.is_late or typed.time >= self._shown_at
