"""Services in other files of a repository, for a table in devinit.toml that lacks a command. Pure."""

from __future__ import annotations

from devinit.model.evidence import Evidence
from devinit.model.service import Project
from devinit.text import listed, nearest

USUAL_ADVICE = "say what starts the service, or choose a built-in provider"


def advice_without_command(name: str, found: Project | None) -> str:
    """Return advice that names the detected services and the key to write, for a service without a command.

    `found`: the project that was detected beneath the file; None if the file has `detect = false`.
    """
    if found is None:
        return f"{USUAL_ADVICE}; `detect = false` keeps devinit from looking for it in the repository"
    write = f"write `command`, which starts {name}"
    left_out = next((note for note in found.notes if f": {name} is left out" in note), None)
    if left_out is not None:
        return f"{left_out}; {write}"
    if not found.services:
        return f"{USUAL_ADVICE}; no other file of the repository describes one"
    near = nearest(name, found.services)
    meant = f"did you mean {near}? " if near else ""
    offers = listed([f"{each}{_place(found.evidence.get(each, ()))}" for each in found.services])
    return f"{meant}found are {offers}: give the table the name of one of them, or {write}"


def _place(lines: tuple[Evidence, ...]) -> str:
    place = next((line.place for line in lines if line.about in ("command", "provider")), None)
    return f" ({place})" if place else ""
