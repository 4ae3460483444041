"""Turn the processes of a Procfile into services, with their folders and ports."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from devinit.sources.commands.process import Process
from devinit.sources.commands.services import Listing, add
from devinit.sources.files import read
from devinit.sources.procfile.choosing import Choice, chosen
from devinit.sources.procfile.lines import processes
from devinit.sources.procfile.numbering import numbering
from devinit.sources.source import Found
from devinit.sources.unreadable import problem_of_text
from devinit.system.bounds import Bounds, not_read


def found_in(bounds: Bounds, names: tuple[str, str], below: Sequence[str]) -> Found:
    """Return the processes in the project's Procfile.

    `names` are its names for development and for deployment; `below` are the subfolders with a Procfile of their
    own. A single one of those counts as the project's Procfile when the project's folder has none.
    """
    folder = bounds.root
    choice = chosen(bounds, folder, *names)
    others = [each for each in below if bounds.holds(folder / each)]
    if choice is None and len(others) == 1:
        folder, others = folder / others[0], []
        choice = chosen(bounds, folder, *names)
    found = _found(choice, folder, bounds) if choice is not None else Found()
    further = (_not_read_below(name, names, bounds) for name in others)
    return replace(found, notes=(*found.notes, *further))


def _not_read_below(name: str, names: tuple[str, str], bounds: Bounds) -> str:
    file = next(each for each in names if (bounds.root / name / each).is_file())
    return (
        f"{name}/{file} lists processes, too, and is not read; `devinit -C {name} start` starts them as a project "
        f'of their own, and a [services.NAME] with `directory = "{name}"` in devinit.toml as a part of this one'
    )


def _found(choice: Choice, folder: Path, bounds: Bounds) -> Found:
    """Return the processes of the chosen file."""
    path, notes = choice.path, choice.passed_over
    if path == folder:
        return Found(origin="a Procfile", notes=notes)
    origin = str(path.relative_to(bounds.root))
    if target := bounds.target_beyond(path):
        return Found(origin=origin, notes=(*notes, not_read(path, bounds.root, target)))
    if problem := problem_of_text(path, bounds):
        return Found(origin=origin, notes=(*notes, f"{origin} cannot be read: {problem}"))
    listing = Listing(choice.weight, bounds, numbering(bounds, folder), notes=list(notes))
    base = str(folder.relative_to(bounds.root)) if folder != bounds.root else ""
    for each in processes(read(path, bounds), origin):
        match each:
            case Process():
                add(replace(each, folder=base), listing)
            case (line, problem):
                listing.note(f"{origin}, line {line}", problem)
    if not listing.services and not listing.notes:
        listing.notes.append(f"{origin} names no process")
    return listing.found(origin)
