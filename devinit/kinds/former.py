"""The data of a server whose service was renamed: it moves to the new name, with a note.

A name is all that joins data to its service. Without this, a server that is called otherwise would begin empty.
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
"""What the name of a folder without data ends with that is in the way."""


def take_over(
    service: Service, folders: Sequence[tuple[Path, Path]], data: Iterable[Path], title: str
) -> Notes:
    """Move folders of a former name to those of the service, and say so.

    `folders`: from where to where; the last pair is that of the password and of the chosen program. `data`: the
    directories of servers in them. Raise ProviderError when a server works there, or a folder cannot be moved.
    """
    for each in data:
        refuse_use_elsewhere(each, title)
        if is_occupied(each):
            raise ProviderError(
                f"{service.name} was not started: its data is that of {service.data_of}, which still runs",
                hint="`devinit stop` ends it; then start again",
            )
    # What holds the data first: a crash in between loses a password at most, and that is made again.
    for before, now in folders:
        _move(before, now)
    whose = f"it has the data of {service.data_of} now, which no service is called any more"
    where = f"it was moved to {folders[-1][1]}; with both names in devinit.toml there are two databases"
    return (f"{whose}: {where}",)


def left_behind(service: Service, place: Place) -> Notes:
    """Say of a service that begins empty which data of its kind belongs to no service any more."""
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
