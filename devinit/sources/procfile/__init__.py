"""A Procfile of foreman, overmind, honcho or Heroku: a line `NAME: COMMAND` for each process.

`Procfile.dev` lists the processes for development, all of them. A Procfile alone is a list of what is deployed, as
a rule: applications that are recognised by their code count more.
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
"""For development, and for deployment. The first one that is there is read."""


def claims(folder: str | os.PathLike[str]) -> bool:
    """Tell whether a folder has one."""
    return any(os.path.lexists(os.path.join(folder, name)) for name in FILES)  # noqa: PTH118 - loads os alone


def read(bounds: Bounds) -> Found:
    """Return the processes that it lists."""
    from devinit.sources.procfile.services import found_in  # only where there is something to read

    return found_in(bounds, *FILES)
