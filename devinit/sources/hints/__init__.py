"""Commands of Makefiles and scripts that seem to start a project, shown where no application was found.

They are read and never run: such a target may install, migrate or start containers before it serves.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from devinit.sources.source import Found
    from devinit.system.bounds import Bounds

FILES = ("Makefile", "makefile", "GNUmakefile", "justfile", "Justfile", "Taskfile.yml", "Taskfile.yaml")
SCRIPTS = ("bin/dev", "start.sh", "dev.sh", "run.sh", "scripts/dev", "scripts/dev.sh", "scripts/start.sh")
APPLICATIONS: tuple[str, ...] = ("Makefile, justfile, Taskfile.yml, bin/dev, start.sh: only named, not run",)
DATABASES: tuple[str, ...] = ()


def claims(folder: str | os.PathLike[str]) -> bool:
    """Return whether a folder has a file with such commands."""
    paths = (os.path.join(folder, name) for name in (*FILES, *SCRIPTS))  # noqa: PTH118 - loads os alone
    return any(map(os.path.isfile, paths))


def read(bounds: Bounds) -> Found:
    """Return the commands as hints."""
    from devinit.sources.hints.commands import found_in  # only where there is something to read

    return found_in(bounds, FILES, SCRIPTS)
