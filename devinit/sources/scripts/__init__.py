"""The script of package.json that starts several programs: each program becomes a service, the script does not.

Such a script runs others in parallel (`concurrently`, `npm-run-all`, `&`), or one in every package of a workspace
(`turbo dev`, `nx run-many`, `pnpm -r dev`).
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from devinit.sources.source import Found
    from devinit.system.bounds import Bounds

APPLICATIONS: tuple[str, ...] = (
    "package.json: a dev or start script that starts several programs, as with concurrently, turbo or pnpm -r",
)
DATABASES: tuple[str, ...] = ()


def claims(folder: str | os.PathLike[str]) -> bool:
    """Return whether a folder has a package.json."""
    return os.path.isfile(os.path.join(folder, "package.json"))  # noqa: PTH113, PTH118 - loads os alone


def read(bounds: Bounds) -> Found:
    """Return the programs that such a script starts."""
    from devinit.sources.scripts.services import found_in  # only where there is something to read

    return found_in(bounds)
