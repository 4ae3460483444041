"""The part of a log that is shown to a user who answers its prompts: pure.

In the log an answer does not end the line of its prompt, because nothing echoes it: `(Pdb) 42`. On the screen it
does, because the terminal echoes what is typed: what was shown as a prompt is not shown again before its answer.
"""

from __future__ import annotations

from devinit.model.prompts import Prompt, prompt_in
from devinit.text import harmless

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class Output:
    """The output of one service, as finished lines and the prompt that nothing has answered yet."""

    def __init__(self) -> None:
        self.prompt = ""
        """The unfinished line, without what was answered of it."""
        self._answered = ""
        """The beginning of the line that was a prompt when it was answered."""
        self._before = ""

    def take(self, lines: Sequence[str], unfinished: str) -> list[str]:
        """Take in what has come; return the lines to show."""
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
        """Take the prompt for answered: a line was typed."""
        self._answered += self.prompt
        self.prompt = ""

    @property
    def asks_for(self) -> Prompt | None:
        """What the prompt asks for, if there is one."""
        return prompt_in(harmless(self.prompt), harmless(self._before))

    def _without_answered(self, line: str) -> str:
        return line.removeprefix(self._answered)
