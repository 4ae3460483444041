"""The possible answers about taken ports, as text: the choices for one port, and an overview of all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devinit.cli.output import table
from devinit.cli.port_facts import INDENT, NARROW, paragraph
from devinit.model.port_answer import ALWAYS_TEXT, LASTING, ONLY_NOW_TEXT, lasting_kinds
from devinit.model.port_words import accept_text, answer_text, has_suggestion, suggestion, who_has
from devinit.text import cut, width

if TYPE_CHECKING:
    from collections.abc import Iterator

    from devinit.cli.output import Paint
    from devinit.control.wire import Json

Choice = tuple[str, str]
"""The kind of an answer, and the text that offers it."""
ACCEPT, EACH, DETAILS, ALWAYS, BACK = "accept", "each", "details", "always", "back"
"""Answers that only navigate this screen; the others are kinds of resolutions."""
ABORTING = "abort: nothing is ended, nothing is started"
LEAST_ROOM = 20
"""The minimum width of the holder's column, in columns."""
POINTER = 5
"""The columns of the pointer before a choice, and a free one: a choice that wraps looks like two."""


def choices_of(conflict: Json, columns: int, *, has_details: bool) -> list[Choice]:
    """Return the possible answers to one conflict, in the order in which they are offered."""
    offered = [kind for kind in conflict["choices"] if kind != "abort"]
    choices = [(kind, answer_text(kind, conflict, columns - POINTER)) for kind in offered]
    if lasting_kinds(conflict):
        choices.append((ALWAYS, ALWAYS_TEXT))
    if has_details:
        choices.append((DETAILS, "show all details"))
    return [*choices, ("abort", abort_text(columns))]


def lasting_choices(conflict: Json, columns: int) -> list[Choice]:
    """Return the possible answers that are kept for later starts."""
    kinds = lasting_kinds(conflict)
    return [*((kind, cut(LASTING[kind], columns - POINTER)) for kind in kinds), (BACK, ONLY_NOW_TEXT)]


def abort_text(columns: int) -> str:
    """Return the text of the choice to do nothing."""
    return ABORTING if width(ABORTING) <= columns - POINTER else "abort"


def overview(conflicts: list[Json], paint: Paint, columns: int) -> Iterator[str]:
    """Yield an overview of all conflicts: the holder of each port, and the suggested answer."""
    yield paint.bold(f"{len(conflicts)} ports are taken:")
    yield ""
    header = ("SERVICE", "PORT", "WHO HAS IT", "SUGGESTION")
    suggestions = [suggestion(each) for each in conflicts]
    services = max(len(header[0]), *(width(each["service"]) for each in conflicts))
    # Two spaces before the table and between its columns; a port takes five.
    room = columns - services - max(len(header[3]), *map(width, suggestions)) - 14
    if columns < NARROW or room < LEAST_ROOM:
        for each in conflicts:
            yield from paragraph(f"{each['service']} {each['port']}: {who_has(each, columns)}", columns)
            yield from (INDENT + line for line in paragraph(suggestion(each), columns - len(INDENT)))
        return
    cells = [
        (each["service"], str(each["port"]), who_has(each, room), said)
        for each, said in zip(conflicts, suggestions, strict=True)
    ]
    head, *lines = table(cells, header=header)
    yield paint.dim(INDENT + head)
    yield from (INDENT + line for line in lines)


def first_choices(conflicts: list[Json], columns: int) -> list[Choice]:
    """Return the possible answers to several conflicts at once."""
    texts = [(EACH, "decide one by one"), ("abort", abort_text(columns))]
    if any(map(has_suggestion, conflicts)):
        texts.insert(0, (ACCEPT, accept_text(conflicts, columns - POINTER)))
    return [(kind, cut(text, columns - POINTER)) for kind, text in texts]
