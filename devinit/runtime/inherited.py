"""The environment of a shell that has loaded another checkout's `.env.runtime`: its values are left out.

Most of it is replaced anyway, name by name. What this checkout has no name for would get through: a
service here would talk to the other one's Redis and never notice.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from devinit.errors import DevinitError
from devinit.model.names import ENVIRONMENT_FILE
from devinit.system.paths import other_checkout

KEPT = frozenset({"HOME", "LANG", "PATH", "SHELL", "TERM", "TMPDIR", "USER"})
"""Names that a project may set, and that no program does without."""


def own_environment(caller: Mapping[str, str], root: str | os.PathLike[str]) -> dict[str, str]:
    """Return an environment without what another checkout's runtime environment has put into it."""
    foreign = inherited_names(caller, root)
    return {name: value for name, value in caller.items() if name not in foreign}


def inherited_names(caller: Mapping[str, str], root: str | os.PathLike[str]) -> set[str]:
    """Return the names that another checkout has given to the shell that this was called in; normally none."""
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
    """Say that names were left out, and whose they are."""
    return (
        f"{', '.join(sorted(names))} ignored: inherited from the environment of another checkout, "
        f"{caller['DEVINIT_PROJECT']}"
    )
