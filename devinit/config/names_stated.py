"""The names of profiles and tasks in a devinit.toml, for shell completion, without checks of the file.

Completion must not report errors: an unreadable file has no names, and a name that a shell would not take as a
word is left out.
"""

from __future__ import annotations

import re

from devinit.errors import StateFileError
from devinit.model.names import CONFIGURATION_FILE
from devinit.system.files import read_text
from devinit.toml import parse_toml

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

OFFERED = re.compile(r"[\w.][\w. +@:/-]*")
"""Names that can be typed plainly or between quotes: a shell takes them for one word."""


def profiles_stated(root: Path) -> list[str]:
    """Return the names of the profiles of a project."""
    return _names(_read(root).get("profiles"))


def tasks_stated(root: Path) -> list[str]:
    """Return the names of the tasks of a project, including those of its profiles."""
    raw = _read(root)
    profiles = raw.get("profiles")
    layers = [raw, *(profiles.values() if isinstance(profiles, dict) else ())]
    found = (name for layer in layers if isinstance(layer, dict) for name in _names(layer.get("tasks")))
    return list(dict.fromkeys(found))


def is_word(name: str) -> bool:
    """Return whether a shell can offer a name."""
    return OFFERED.fullmatch(name) is not None


# Any: the file is unchecked.
def _read(root: Path) -> dict[str, Any]:
    try:
        return parse_toml(read_text(root / CONFIGURATION_FILE) or "")
    except (ValueError, RecursionError, StateFileError):
        return {}


def _names(table: Any) -> list[str]:
    return [name for name in table if is_word(name)] if isinstance(table, dict) else []
