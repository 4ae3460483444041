"""The history of an input line: the patterns of earlier searches and filters. Pure."""

from __future__ import annotations

MOST = 50


class History:
    """What was typed into one kind of input line, the latest last."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._back = 0
        """How many texts back one looks; 0 for what is being typed."""

    def add(self, text: str) -> None:
        """Keep what was taken, once, as the latest; begin at the end again."""
        self._back = 0
        if not text:
            return
        self._texts = [*(each for each in self._texts if each != text), text][-MOST:]

    def begin(self) -> None:
        """Look back from the end again."""
        self._back = 0

    def older(self) -> str | None:
        """Return the text before the one that is looked at; None when there is none."""
        if self._back == len(self._texts):
            return None
        self._back += 1
        return self._texts[-self._back]

    def newer(self) -> str | None:
        """Return the text after it, "" behind the latest; None when one is not looking back."""
        if self._back == 0:
            return None
        self._back -= 1
        return self._texts[-self._back] if self._back else ""
