"""Variables from a shell that has loaded another checkout's `.env.runtime`: devinit leaves them out.

Most of them are replaced anyway, name by name. A name that this checkout does not set would get through: a service
here would use the Redis of the other checkout without any sign of it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from devinit.errors import DevinitError
from devinit.model.names import ENVIRONMENT_FILE
from devinit.system.paths import other_checkout

KEPT = frozenset({"HOME", "LANG", "PATH", "SHELL", "TERM", "TMPDIR", "USER"})
"""Names that a project may set, but that every program needs."""


def own_environment(caller: Mapping[str, str], root: str | os.PathLike[str]) -> dict[str, str]:
    """Return an environment without the variables of another checkout's runtime environment."""
    foreign = inherited_names(caller, root)
    return {name: value for name, value in caller.items() if name not in foreign}


def inherited_names(caller: Mapping[str, str], root: str | os.PathLike[str]) -> set[str]:
    """Return the names that the calling shell has from another checkout; normally none."""
    other = other_checkout(caller, root)
    if other is None:
        return set()
    from devinit.runtime.dotenv import read_env_files  # only such a shell pays for it

    try:
        names = read_env_files((Path(other) / ENVIRONMENT_FILE,), caller={})
    except DevinitError:
        return set()  # deleted, or another user's: nothing is known then
    return names.keys() & caller.keys() - KEPT


def describe(names: set[str], caller: Mapping[str, str]) -> str:
    """Return a message that names were left out, and from which checkout they come."""
    return (
        f"{', '.join(sorted(names))} ignored: inherited from the environment of another checkout, "
        f"{caller['DEVINIT_PROJECT']}"
    )
