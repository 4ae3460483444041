"""A Procfile of foreman, overmind, honcho or Heroku: a line `NAME: COMMAND` for each process.

`Procfile.dev` lists all processes for development, and so does a Procfile that the project's own command names.
Any other Procfile usually lists deployed processes, so applications that are recognised by their code have
priority over it.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from devinit.sources.source import Found
    from devinit.system.bounds import Bounds

APPLICATIONS: tuple[str, ...] = ("Procfile.dev, else Procfile: a line `NAME: COMMAND` for each process",)
DATABASES: tuple[str, ...] = ()
FILES = ("Procfile.dev", "Procfile")
"""For development and for deployment."""
MOST_FOLDERS = 200
"""Limit of the subfolders that are searched for a Procfile."""


def claims(folder: str | os.PathLike[str]) -> bool:
    """Return whether a folder or one of its subfolders has a Procfile."""
    try:
        names = os.listdir(folder)  # noqa: PTH208 - loads os alone
    except OSError:
        return False
    return any(name.startswith(FILES[1]) for name in names) or bool(below(folder))


def below(folder: str | os.PathLike[str]) -> list[str]:
    """Return the subfolders that have a Procfile of their own."""
    try:
        names = sorted(os.listdir(folder))  # noqa: PTH208 - loads os alone
    except OSError:
        return []
    return [
        name
        for name in [each for each in names if not each.startswith(".") and each != "node_modules"][
            :MOST_FOLDERS
        ]
        if any(os.path.isfile(os.path.join(folder, name, file)) for file in FILES)  # noqa: PTH113, PTH118
    ]


def read(bounds: Bounds) -> Found:
    """Return the processes that it lists."""
    from devinit.sources.procfile.services import found_in  # only where there is something to read

    return found_in(bounds, FILES, below(bounds.root))
