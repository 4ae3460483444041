"""The services of a Procfile: which of its processes can be started, where, and on which port."""

from __future__ import annotations

import os.path

from devinit.sources.commands.process import Process
from devinit.sources.commands.services import Listing, add
from devinit.sources.files import read
from devinit.sources.procfile.lines import processes
from devinit.sources.procfile.numbering import numbering
from devinit.sources.source import Found, Weight
from devinit.sources.unreadable import problem_of_text
from devinit.system.bounds import Bounds, not_read


def found_in(bounds: Bounds, for_development: str, for_deployment: str) -> Found:
    """Return the processes that the project's Procfile lists, whose names these are; the first one wins."""
    names = (for_development, for_deployment)
    origin = next((name for name in names if os.path.lexists(bounds.root / name)), None)
    if origin is None:
        return Found()
    path = bounds.root / origin
    if target := bounds.target_beyond(path):
        return Found(origin=origin, notes=(not_read(path, bounds.root, target),))
    if problem := problem_of_text(path, bounds):
        return Found(origin=origin, notes=(f"{origin} cannot be read: {problem}",))
    weight = Weight.PROCESSES if origin == for_development else Weight.PRODUCTION
    listing = Listing(origin, weight, bounds, numbering(bounds))
    for each in processes(read(path, bounds), origin):
        match each:
            case Process():
                add(each, listing)
            case (line, problem):
                listing.note(line, problem)
    if not listing.services and not listing.notes:
        listing.notes.append(f"{origin} names no process")
    return listing.found()
