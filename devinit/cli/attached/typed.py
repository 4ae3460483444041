"""Input typed at a terminal: edited below the output, with a history, and with hidden passwords.

prompt_toolkit provides the line editor; the questions of `devinit start` need it anyway.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from prompt_toolkit import PromptSession
from prompt_toolkit.application import run_in_terminal
from prompt_toolkit.filters import Condition
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.output import Output as PromptOutput
from prompt_toolkit.output.defaults import create_output
from prompt_toolkit.output.vt100 import Vt100_Output

from devinit.cli.attached.session import pieces_of
from devinit.cli.output import size_of, talk
from devinit.errors import DevinitError
from devinit.system import terminal
from devinit.text import harmless

if TYPE_CHECKING:
    from collections.abc import Sequence

    from prompt_toolkit.key_binding.key_processor import KeyPressEvent

    from devinit.cli.attached.detach_keys import DetachKeys
    from devinit.cli.attached.session import Session


class WithoutPasswords(InMemoryHistory):
    """The history of typed lines for the arrow keys, without passwords."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session

    def append_string(self, string: str) -> None:
        """Keep a line, unless it answers a password prompt."""
        if not is_secret(self._session):
            super().append_string(string)


class Typing:
    """The line editor with which a user at a terminal types into a service."""

    def __init__(self, session: Session, detach_keys: DetachKeys) -> None:
        self._session, self._detach_keys = session, detach_keys
        self._prompt: PromptSession[str | None] = PromptSession(
            message=self._question,
            is_password=Condition(lambda: is_secret(session)),
            history=WithoutPasswords(session),
            key_bindings=self._keys(),
            enable_suspend=True,
            output=without_queries(),
        )

    async def show(self, lines: Sequence[str]) -> None:
        """Print lines above the line editor, and update its prompt."""
        if lines:
            await run_in_terminal(lambda: terminal.write(sys.stdout, lines, str))
        self._prompt.app.invalidate()

    def say(self, text: str) -> None:
        """Print a message above the line editor."""
        run_in_terminal(lambda: talk(text))

    async def until_detached(self) -> None:
        """Send each typed line until a key detaches, the terminal is gone, or the service has ended."""
        while not self._session.is_over.is_set():
            try:
                text = await self._prompt.prompt_async()
            except EOFError:  # the terminal is gone
                return
            if text is None:
                return
            self._session.output.answer()
            # A byte that is not UTF-8, from a paste or an old keyboard, arrives as a lone surrogate.
            sent = text.encode(errors="surrogateescape").decode(errors="replace")
            await self._send(f"{sent}\n")

    def leave(self) -> None:
        """Detach as the detach keys do."""
        if self._prompt.app.is_running and not self._prompt.app.is_done:
            self._prompt.app.exit(result=None)

    async def _send(self, text: str) -> None:
        service = self._session.service
        try:
            for piece in pieces_of(text):
                report = await self._session.send(piece)
                if not report["taken"]:
                    self.say(
                        f"not sent: {service} has not read the last {report['unread']:,} bytes that were typed"
                    )
                    return
        except DevinitError as error:
            self.say(f"not sent: {error.message}" + (f"\n  {error.hint}" if error.hint else ""))

    def _question(self) -> str:
        columns, _ = size_of(sys.stdout)
        # The end of the prompt matters: the cursor follows it.
        return harmless(self._session.output.prompt)[-columns:]

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()
        is_empty = Condition(lambda: not self._prompt.default_buffer.text)

        # Eager: otherwise Ctrl-] would wait for a second key, because the two together search in the line.
        @keys.add(*self._detach_keys.for_a_prompt, eager=True)
        @keys.add("c-c", filter=is_empty)
        @keys.add("c-d", filter=is_empty)
        @keys.add("<sigint>")
        def _detach(event: KeyPressEvent) -> None:
            event.app.exit(result=None)

        @keys.add("c-c", filter=~is_empty)
        def _clear(event: KeyPressEvent) -> None:
            event.current_buffer.reset()

        return keys


def without_queries() -> PromptOutput:
    """Return an output that never queries the cursor position, because some terminals do not answer."""
    output = create_output(stdout=sys.stdout)
    if isinstance(output, Vt100_Output):
        output.enable_cpr = False
    return output


def is_secret(session: Session) -> bool:
    """Whether the typed text must be hidden because the service asks for a password."""
    asked = session.output.asks_for
    return asked is not None and asked.kind == "password"
