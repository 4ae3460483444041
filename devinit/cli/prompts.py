"""Ask a person about a taken port. The facts come from the supervisor; what is decided here goes back to it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from devinit.cli.output import Paint, duration, size_of
from devinit.errors import PortConflict
from devinit.text import cut, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from devinit.control.client import Json

Choice = tuple[str, str]
"""A kind of resolution, and how it is offered."""


def ask(conflict: Json) -> Json:
    """Return the resolution of one conflict. Raise PortConflict when the person gives up."""
    columns, _ = size_of(sys.stderr)
    sys.stderr.write("\n" + "".join(f"{line}\n" for line in facts_of(conflict, Paint(sys.stderr))))
    choices = choices_of(conflict, columns)
    kind = select(f"What about port {conflict['port']} for {conflict['service']}?", choices)
    if kind == "abort":
        raise PortConflict(
            f"port {conflict['port']} for {conflict['service']} is taken, and the start was aborted",
            hint="nothing was started, and nothing was ended",
        )
    return {
        "service": conflict["service"],
        "port": conflict["port"],
        "kind": kind,
        "holders": [holder["identity"] for holder in conflict["holders"]],
    }


def facts_of(conflict: Json, paint: Paint) -> Iterator[str]:
    """Yield who holds the port, where, whose, for how long, and why it must not be ended if so."""
    summary = one_line(conflict["summary"])
    yield f"{paint.bold('Port ' + str(conflict['port']))}, which {conflict['service']} wants, is {summary}:"
    for holder in conflict["holders"]:
        yield f"  {title_of(holder)}"
        where = f", in {one_line(holder['directory'])}" if holder["directory"] else ""
        age = duration(holder["age_seconds"])
        yield paint.dim(f"    pid {holder['identity']['pid']}, user {holder['user']}, for {age}{where}")
    owner = conflict["owner"]
    if owner is not None:
        yield f"  {owner['service']} of {owner['project']} ({one_line(owner['root'])})"
    for said in (conflict["problem"], conflict["advice"]):
        if said:
            yield f"  {paint.attention(one_line(said))}"


def choices_of(conflict: Json, columns: int) -> list[Choice]:
    """Return what can be done, the safe default first."""
    choices: list[Choice] = []
    if conflict["move_to"] is not None:
        choices.append(("move", f"move to {conflict['move_to']}"))
    if conflict["killable"]:
        *others, last = conflict["holders"]
        more = f" and {len(others)} more" if others else ""
        # Before it comes the pointer; a choice that wraps looks like two.
        room = max(columns - len(f"   kill {last['identity']['pid']} (){more} "), 8)
        choices.append(("kill", f"kill {last['identity']['pid']} ({cut(title_of(last), room)}){more}"))
    choices.append(("retry", "try again"))
    choices.append(("abort", "abort"))
    return choices


def title_of(holder: Json) -> str:
    """Return a process's command, or its name, on one line."""
    return one_line(" ".join(holder["command"])) or one_line(str(holder["name"]))


def select(question: str, choices: list[Choice]) -> str:
    """Let the person choose; Ctrl-C interrupts."""
    if os.environ.get("TERM") == "dumb":
        return select_by_number(question, choices)
    import questionary  # takes 80 ms to load, and TERM=dumb does without it
    from prompt_toolkit.output.defaults import create_output

    options = [questionary.Choice(text, value=kind) for kind, text in choices]
    style = questionary.Style([]) if os.environ.get("NO_COLOR") else None
    answer: str = questionary.select(
        question,
        choices=options,
        style=style,
        instruction="(arrow keys)",
        # Standard output is data and may go elsewhere; the talk, and so the question, is on standard error.
        output=create_output(stdout=sys.stderr),
    ).unsafe_ask()
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
