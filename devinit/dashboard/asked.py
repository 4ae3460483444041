"""The history of an input line: the patterns of earlier searches and filters. Pure."""

from __future__ import annotations

MOST = 50


class History:
    """The texts that were entered into one kind of input line, the latest last."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._back = 0
        """The current position, as the number of texts back; 0 for the text being typed."""

    def add(self, text: str) -> None:
        """Keep an entered text, without duplicates, as the latest; go back to the end."""
        self._back = 0
        if not text:
            return
        self._texts = [*(each for each in self._texts if each != text), text][-MOST:]

    def begin(self) -> None:
        """Go back to the end."""
        self._back = 0

    def older(self) -> str | None:
        """Return the next older text; None if there is none."""
        if self._back == len(self._texts):
            return None
        self._back += 1
        return self._texts[-self._back]

    def newer(self) -> str | None:
        """Return the next newer text, "" after the latest; None if already at the end."""
        if self._back == 0:
            return None
        self._back -= 1
        return self._texts[-self._back] if self._back else ""
