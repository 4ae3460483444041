"""A choice at the terminal: with the arrow keys, or by number where the cursor cannot move or there is no room."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from devinit.cli.output import Paint, size_of
from devinit.cli.port_facts import folded
from devinit.system import terminal
from devinit.text import one_line, width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from devinit.cli.choices import Choice

NARROWEST = 30
"""In columns. On a narrower terminal, choices are numbered."""
GIVEN_UP = "abort"


def select(question: str, choices: Sequence[Choice], default: str | None = None) -> str:
    """Return the chosen kind, `abort` for q and for the end of the input; Ctrl-C interrupts."""
    question, choices = one_line(question), [(kind, one_line(text)) for kind, text in choices]
    columns, _ = size_of(sys.stderr)
    instruction = "(arrow keys, q to abort)"
    if columns < width(f"? {question} {instruction}"):
        # The library breaks lines within words.
        terminal.write(sys.stderr, folded(question, columns))
        question = "Choose"
    if os.environ.get("TERM") == "dumb" or columns < NARROWEST:
        return select_by_number(question, choices, default)
    return select_by_arrows(question, choices, default, instruction)


def select_by_arrows(question: str, choices: Sequence[Choice], default: str | None, instruction: str) -> str:
    """Ask with a pointer that the arrow keys move."""
    import questionary  # takes 80 ms to load, and TERM=dumb does not need it
    from prompt_toolkit.key_binding import KeyBindings, merge_key_bindings
    from prompt_toolkit.output.defaults import create_output

    from devinit.cli.ended_question import ended_by_signals  # as above, with asyncio

    asking = questionary.select(
        question,
        choices=[questionary.Choice(text, value=kind) for kind, text in choices],
        default=default,
        style=questionary.Style([]) if os.environ.get("NO_COLOR") else None,
        instruction=instruction,
        # Standard output is data and may go elsewhere; messages and questions are on standard error.
        output=create_output(stdout=sys.stderr),
    )
    leaving = KeyBindings()
    for key in ("q", "c-d"):
        leaving.add(key)(lambda event: event.app.exit(result=GIVEN_UP))
    # From `kill -INT` and `timeout -s INT`: the library reads the signal as a key without an effect.
    leaving.add("<sigint>")(lambda event: event.app.exit(exception=KeyboardInterrupt))
    theirs = asking.application.key_bindings or KeyBindings()
    asking.application.key_bindings = merge_key_bindings([theirs, leaving])
    with ended_by_signals(asking.application):
        try:
            answer: str = asking.unsafe_ask()
        except EOFError:
            return GIVEN_UP
    return answer


def select_by_number(question: str, choices: Sequence[Choice], default: str | None = None) -> str:
    """Ask without moving the cursor."""
    kinds = [kind for kind, _ in choices]
    safe = kinds.index(default) + 1 if default in kinds else 1
    paint = Paint(sys.stderr)
    numbered = [f"  {number}) {text}" for number, (_, text) in enumerate(choices, 1)]
    terminal.write(sys.stderr, [paint.bold(question), *numbered])
    while True:
        terminal.prompt(sys.stderr, f"choose 1-{len(choices)}, q to abort [{safe}]: ")
        line = sys.stdin.readline()
        answer = line.strip() or str(safe)
        if not line or answer == "q":
            return GIVEN_UP
        numbers = {str(number): kind for number, kind in enumerate(kinds, 1)}
        if answer in numbers:
            return numbers[answer]
