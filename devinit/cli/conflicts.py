"""Ask the user about all taken ports at once, before any process is ended or started.

The facts come from the supervisor, and the answers go back to it.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from devinit.cli.choices import (
    ACCEPT,
    BACK,
    Choice,
    choices_of,
    first_choices,
    lasting_choices,
    overview,
)
from devinit.cli.output import Paint, size_of
from devinit.cli.port_facts import facts_of, heading, paragraph
from devinit.cli.prompts import select
from devinit.control.conversation import accepted, given_up
from devinit.model.port_answer import UNPINNED, PortAnswer, lasting_question
from devinit.system import terminal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from devinit.control.wire import Json


class GivenUp(Exception):
    """The user's decision to leave the questions without an answer."""


def decide(conflicts: list[Json], *, can_pin: bool, again: bool = False) -> list[PortAnswer]:
    """Ask about every conflict. Raise PortConflict when the user gives up.

    `can_pin`: a devinit.toml exists in which an answer can be kept. `again`: earlier answers were sent already,
    and may have been carried out.
    """
    try:
        return decide_all(conflicts, can_pin=can_pin)
    except GivenUp:
        raise given_up(conflicts, again=again) from None


def decide_all(conflicts: list[Json], *, can_pin: bool) -> list[PortAnswer]:
    """Ask about all conflicts at once if there are several, then about each remaining one."""
    answers: list[PortAnswer] = []
    if len(conflicts) > 1:
        say(["", *overview(conflicts, Paint(sys.stderr), columns())])
        say([""])
        kind = asked("What about them?", first_choices(conflicts, columns()))
        if kind == ACCEPT:
            answers, conflicts = accepted(conflicts)
    return answers + [decide_one(each, can_pin=can_pin) for each in conflicts]


def decide_one(conflict: Json, *, can_pin: bool) -> PortAnswer:
    """Show the facts about one port, and ask about it."""
    few, all_of_it = (screen_of(conflict, in_full=in_full) for in_full in (False, True))
    say(few)
    more = few != all_of_it
    while True:
        choices = choices_of(conflict, columns(), has_details=more)
        match asked(question_of(conflict), choices, conflict["default"]):
            case "details":
                say(all_of_it)
                more = False
            case "always" if not can_pin:
                say(["", *paragraph(UNPINNED, columns()), ""])
            case "always":
                kind = asked(lasting_question(conflict), lasting_choices(conflict, columns()))
                if kind != BACK:
                    return PortAnswer(conflict, kind, always=True)
            case kind:
                return PortAnswer(conflict, kind)


def asked(question: str, choices: list[Choice], default: str | None = None) -> str:
    """Return the chosen answer; raise GivenUp when the user aborts."""
    kind = select(question, choices, default)
    if kind == "abort":
        raise GivenUp
    return kind


def question_of(conflict: Json) -> str:
    """Return the question about one port."""
    return f"What about port {conflict['port']} for {conflict['service']}?"


def screen_of(conflict: Json, *, in_full: bool) -> list[str]:
    """Return the lines above the question about one port."""
    paint = Paint(sys.stderr)
    facts = facts_of(conflict, paint, columns(), in_full=in_full)
    return ["", *heading(conflict, paint, columns()), *facts, ""]


def columns() -> int:
    """Return the current width of the terminal."""
    return size_of(sys.stderr)[0]


def say(lines: Iterable[str]) -> None:
    """Write lines to standard error."""
    terminal.write(sys.stderr, lines)
