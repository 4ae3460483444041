"""The applications in an ecosystem file of PM2, with their names and folders.

PM2 starts builds for production, so the development script of each folder runs instead. The file is read and
never executed.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from devinit.sources.source import Found
    from devinit.system.bounds import Bounds

APPLICATIONS: tuple[str, ...] = ("ecosystem.config.js of PM2: the dev scripts of the folders that it names",)
DATABASES: tuple[str, ...] = ()
FILES = (
    "ecosystem.config.js", "ecosystem.config.cjs", "ecosystem.config.mjs", "ecosystem.config.json",
    "ecosystem.json", "pm2.config.js", "pm2.config.cjs", "pm2.json",
)  # fmt: skip


def claims(folder: str | os.PathLike[str]) -> bool:
    """Return whether a folder has an ecosystem file."""
    paths = (os.path.join(folder, name) for name in FILES)  # noqa: PTH118 - loads os alone
    return any(map(os.path.isfile, paths))


def read(bounds: Bounds) -> Found:
    """Return the applications that it lists."""
    from devinit.sources.pm2.services import found_in  # only where there is something to read

    return found_in(bounds, FILES)
