"""The part of a log that a user sees who answers prompts: pure.

In the log, an answer does not end the line of its prompt, because nothing echoes it: `(Pdb) 42`. On the screen it
does, because the terminal echoes typed text. A prompt on the screen is therefore not shown again with its answer.
"""

from __future__ import annotations

from devinit.model.prompts import Prompt, prompt_in
from devinit.text import harmless

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class Output:
    """The output of one service: finished lines, and the prompt that is still unanswered."""

    def __init__(self) -> None:
        self.prompt = ""
        """The unfinished line, without the part that has been answered."""
        self._answered = ""
        """The beginning of the current line: the prompts in it that have been answered."""
        self._before = ""

    def take(self, lines: Sequence[str], unfinished: str) -> list[str]:
        """Process new output; return the lines to show."""
        shown = []
        for line in lines:
            rest = self._without_answered(line)
            if rest or not self._answered:
                shown.append(rest)
            self._answered = ""
        if lines:
            self._before = lines[-1]
        self.prompt = self._without_answered(unfinished)
        if self.prompt == unfinished:
            self._answered = ""
        return shown

    def answer(self) -> None:
        """Mark the prompt as answered: a line was typed."""
        self._answered += self.prompt
        self.prompt = ""

    @property
    def asks_for(self) -> Prompt | None:
        """The kind of answer that the prompt asks for, if there is a prompt."""
        return prompt_in(harmless(self.prompt), harmless(self._before))

    def _without_answered(self, line: str) -> str:
        return line.removeprefix(self._answered)
