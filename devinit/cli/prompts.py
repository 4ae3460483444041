"""Ask a person about a taken port. The facts come from the supervisor; what is decided here goes back to it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from devinit.cli.output import Paint
from devinit.errors import PortConflict

if TYPE_CHECKING:
    from devinit.control.client import Json

Choice = tuple[str, str]
"""A kind of resolution, and how it is offered."""


def ask(conflict: Json) -> Json:
    """Return the resolution of one conflict. Raise PortConflict when the person gives up."""
    say_who_holds(conflict)
    choices = choices_of(conflict)
    kind = select(f"Port {conflict['port']} for {conflict['service']} is taken.", choices)
    if kind == "abort":
        raise PortConflict(
            f"port {conflict['port']} for {conflict['service']} is taken, and the start was aborted",
            hint="nothing was started or ended by it",
        )
    return {
        "service": conflict["service"],
        "port": conflict["port"],
        "kind": kind,
        "holders": [holder["identity"] for holder in conflict["holders"]],
    }


def say_who_holds(conflict: Json) -> None:
    """Show the facts: who it is, where, whose, for how long."""
    paint = Paint(sys.stderr)
    sys.stderr.write(f"\n{paint.bold('port ' + str(conflict['port']))} is {conflict['obstacle']}\n")
    for holder in conflict["holders"]:
        sys.stderr.write(f"  {title_of(holder)} (pid {holder['identity']['pid']}, user {holder['user']})\n")
        if holder["directory"]:
            sys.stderr.write(f"  in {holder['directory']}\n")
    owner = conflict["owner"]
    if owner is not None:
        sys.stderr.write(f"  {owner['service']} of {owner['project']} ({owner['root']})\n")
    if conflict["protection"]:
        sys.stderr.write(f"  {paint.attention(conflict['protection'])}\n")


def choices_of(conflict: Json) -> list[Choice]:
    """Return what can be done, the safe default first."""
    choices: list[Choice] = []
    if conflict["move_to"] is not None:
        choices.append(("move", f"move to {conflict['move_to']}"))
    if conflict["killable"]:
        [*_, last] = conflict["holders"]
        more = f" and {len(conflict['holders']) - 1} more" if len(conflict["holders"]) > 1 else ""
        choices.append(("kill", f"kill {last['identity']['pid']} ({title_of(last)}){more}"))
    choices.append(("retry", "try again"))
    choices.append(("abort", "abort"))
    return choices


def title_of(holder: Json) -> str:
    """Return a process's command, or its name."""
    return " ".join(holder["command"]) or str(holder["name"])


def select(question: str, choices: list[Choice]) -> str:
    """Let the person choose; Ctrl-C interrupts."""
    if os.environ.get("TERM") == "dumb":
        return select_by_number(question, choices)
    import questionary  # takes 80 ms to load, and TERM=dumb does without it

    options = [questionary.Choice(text, value=kind) for kind, text in choices]
    answer: str = questionary.select(question, choices=options).unsafe_ask()
    return answer


def select_by_number(question: str, choices: list[Choice]) -> str:
    """Ask without moving the cursor, for terminals that cannot."""
    sys.stderr.write(question + "\n")
    for number, (_, text) in enumerate(choices, 1):
        sys.stderr.write(f"  {number}) {text}\n")
    while True:
        sys.stderr.write(f"choose 1-{len(choices)} [1]: ")
        sys.stderr.flush()
        line = sys.stdin.readline()
        if not line:
            return "abort"
        answer = line.strip() or "1"
        if answer.isdecimal() and 1 <= int(answer) <= len(choices):
            return choices[int(answer) - 1][0]
