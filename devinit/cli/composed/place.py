"""Find the compose project of a command line: its folder, its files and its name."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from devinit.cli.composed.words import FOLDERS
from devinit.config.find import find_root_as_text
from devinit.errors import UsageError
from devinit.sources.compose import BASES, DEVELOPMENT, nested_in
from devinit.system.files import LARGEST_SETTINGS, read_text
from devinit.system.repository import is_repository, search_of

if TYPE_CHECKING:
    from devinit.cli.composed.words import Spoken

_FILES, _NAME = "COMPOSE_FILE", "COMPOSE_PROJECT_NAME"
_STATED = re.compile(r"""^(COMPOSE_\w+)=["']?([^"'\r\n]*)["']?$""", re.MULTILINE)


class Place(Struct, frozen=True):
    """The folder and the files of a compose project."""

    folder: Path
    """Base of the relative paths in its file."""
    more: tuple[str, ...] = ()
    """Options for a file that compose does not find by itself."""


def root_around(folder: Path) -> Path:
    """Return the project, else the git repository, that contains a folder, else the folder, without detection."""
    if (project := find_root_as_text(str(folder))) is not None:
        return Path(project)
    top = search_of(folder)[0][-1]
    return Path(top) if is_repository(top) else folder


def place_of(spoken: Spoken, start: Path, root: Path, environ: Mapping[str, str]) -> Place:
    """Return the place for a command line that is called in `start`. Raise UsageError if there is no file."""
    files = spoken.values("--file") or stated_beside(start, environ).get(_FILES, "").split(os.pathsep)
    for option in (*spoken.values(*FOLDERS), *(str(Path(each).parent) for each in files[:1] if each)):
        return Place(_absolute(start / option))
    if found := next((each for each in (start, *start.parents) if _has(each, BASES)), None):
        return Place(found)
    name = next((each for each in DEVELOPMENT if os.path.lexists(root / each)), None)
    name = name or next(iter(nested_in(root)), None)
    if name is None:
        raise UsageError(
            f"there is no compose file in {start}",
            hint="compose reads compose.yaml or docker-compose.yml; -f names another: "
            "`devinit compose -- -f FILE up`",
        )
    return Place((root / name).parent, ("--file", str(root / name)))


def stated_beside(folder: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the COMPOSE_ variables of a folder's .env file, overridden by those of the environment."""
    text = read_text(folder / ".env", most=LARGEST_SETTINGS) or ""
    beside = {found[1]: found[2] for found in _STATED.finditer(text)}
    return {**beside, **{name: value for name, value in environ.items() if name.startswith("COMPOSE_")}}


def name_in(place: Place, spoken: Spoken, environ: Mapping[str, str], resolved: object) -> str:
    """Return the name of a compose project: the resolved one, or else the one that 1.29 would use."""
    if isinstance(resolved, str) and resolved:
        return resolved
    stated = [*spoken.values("--project-name")[-1:], stated_beside(place.folder, environ).get(_NAME, "")]
    name = next(filter(None, stated), "") or place.folder.name
    return re.sub(r"[^-_a-z0-9]", "", name.lower()) or "default"


def _has(folder: Path, names: tuple[str, ...]) -> bool:
    return any(os.path.lexists(folder / each) for each in names)


def _absolute(path: Path) -> Path:
    return Path(os.path.normpath(path))
