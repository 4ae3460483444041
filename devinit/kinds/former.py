"""The data of a server whose service was renamed: it moves to the new name, with a note.

Only the name connects data with its service. Without this, a renamed server would start empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import count
from pathlib import Path

from devinit.errors import ProviderError
from devinit.kinds.occupants import is_occupied, refuse_use_elsewhere
from devinit.kinds.programs import unusable
from devinit.kinds.provider import Notes, Place
from devinit.model.service import Service

ASIDE = "unused"
"""The suffix for a folder without data that is in the way."""


def take_over(
    service: Service, folders: Sequence[tuple[Path, Path]], data: Iterable[Path], title: str
) -> Notes:
    """Move the folders of a former name to those of the service, and return a note.

    `folders`: pairs of old and new place; the last pair contains the password and the chosen
    program. `data`: the data directories of servers in them. Raise ProviderError when a server works
    there, or a folder cannot be moved.
    """
    for each in data:
        refuse_use_elsewhere(each, title)
        if is_occupied(each):
            raise ProviderError(
                f"{service.name} was not started: its data is that of {service.data_of}, which still runs",
                hint="`devinit stop` ends it; then start again",
            )
    # The data comes first: a crash in between loses at most a password, which is created again.
    for before, now in folders:
        _move(before, now)
    whose = f"it has the data of {service.data_of} now, which no service is called any more"
    where = f"it was moved to {folders[-1][1]}; with both names in devinit.toml there are two databases"
    return (f"{whose}: {where}",)


def left_behind(service: Service, place: Place) -> Notes:
    """Return a note for a service that begins empty, about data of its kind that no service has any more."""
    folders = ", ".join(str(place.data / name) for name in service.data_left)
    if not folders:
        return ()
    left = f"it begins empty; {folders} is left, which no service is called now"
    return (f"{left}: a service of that name has it again",)


def _move(before: Path, now: Path) -> None:
    try:
        if not before.exists():
            return
        if now.exists():
            names = (now.with_name(f"{now.name}.{ASIDE}{number or ''}") for number in count())
            now.rename(next(name for name in names if not name.exists()))
        before.rename(now)
    except OSError as error:
        raise unusable(before, error) from error
