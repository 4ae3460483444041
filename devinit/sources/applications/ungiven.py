"""Report variables that a server reads and that no file provides: the part that all languages share."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from devinit.sources.applications.tree import Tree, joined
from devinit.sources.applications.unit import Role, Unit, at

SAYING = r"\A\.env|\.env\Z|compose|\A(?:Docker|Proc|Make)file|\.(?:toml|ya?ml)\Z"
"""Files that may set a variable, or that tell a developer to set it."""
_LOCKS = "-lock.json"
_MOST_NAMES = 5


def servers_in(language: str, units: Iterable[Unit]) -> Iterator[str]:
    """Yield the folder of each server in a language, each folder once."""
    yield from dict.fromkeys(
        unit.folder for unit in units if unit.language == language and unit.role is Role.BACKEND
    )


def is_said(tree: Tree, word: re.Pattern[str], saying: re.Pattern[str]) -> bool:
    """Return whether a file whose name matches `saying` contains a word."""
    return any(
        word.search(tree.text(joined(folder, each))) is not None
        for folder, names in tree.files.items()
        for each in names
        if saying.search(each) and not each.endswith(_LOCKS)
    )


def note_of(folder: str, file: str, what: str, names: Sequence[str], env_file: str) -> str:
    """Return the note on variables that a file of a server needs; `what` is `reads` or `requires`."""
    inside = file.removeprefix(f"{folder}/") if folder else file
    more = " …" if len(names) > _MOST_NAMES else ""
    return (
        f"{at(folder)}{inside} {what} {', '.join(names[:_MOST_NAMES])}{more}, which nothing gives: put a value of "
        f"your own into {env_file}"
    )
