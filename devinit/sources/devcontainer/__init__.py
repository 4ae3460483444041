"""The ports and the setup commands of a devcontainer.json, shown where no application was found.

The commands are written for a container: they are read and never run.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from devinit.sources.source import Found
    from devinit.system.bounds import Bounds

FILES = (".devcontainer/devcontainer.json", ".devcontainer.json")
APPLICATIONS: tuple[str, ...] = ("devcontainer.json: only its ports and commands, named and not run",)
DATABASES: tuple[str, ...] = ()


def claims(folder: str | os.PathLike[str]) -> bool:
    """Return whether a folder has a devcontainer.json."""
    paths = (os.path.join(folder, name) for name in FILES)  # noqa: PTH118 - loads os alone
    return any(map(os.path.isfile, paths))


def read(bounds: Bounds) -> Found:
    """Return its ports and commands as hints."""
    from devinit.sources.devcontainer.reading import found_in  # only where there is something to read

    return found_in(bounds, FILES)
