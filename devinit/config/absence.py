"""Messages for projects without services, or without applications: what devinit looked for, and where.

The fast commands need them as well, so this module loads only the errors and the table of sources.
"""

from __future__ import annotations

import os

from devinit.errors import NoProject, UsageError
from devinit.model.names import CONFIGURATION_FILE
from devinit.sources import SOURCES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

APPLICATIONS = tuple(text for source in SOURCES for text in source.APPLICATIONS)
DATABASES = tuple(text for source in SOURCES for text in source.DATABASES)
FIRST_FILE = "`devinit init` writes a devinit.toml to begin with"
NO_SERVICES = (
    "add a [services.NAME] with a command to devinit.toml; nothing else in the repository shows a service, and "
    "`devinit init --explain` lists what was looked for"
)


def looked_for(*first: str) -> list[str]:
    """Return the list of things that were looked for, one a line: the given ones, then all known to detection."""
    head, *rest = (*first, *APPLICATIONS, *DATABASES)
    return [f"looked for {head}", *(f"  {thing}" for thing in rest)]


def nothing_in(root: str | os.PathLike[str], notes: Iterable[str]) -> NoProject:
    """Return the error for a folder that looked like a project but has nothing to start."""
    lines = (*looked_for(CONFIGURATION_FILE), *notes, FIRST_FILE)
    return NoProject(f"there is nothing to start in {os.fspath(root)}", hint="\n".join(lines))


def no_project(start: str, top: str, above: str | None, notes: Iterable[str] = ()) -> NoProject:
    """Return the error for a folder that is no project, and lies in none.

    `top` is the folder where the search ended. `above` is a project further up that does not know the folder's
    repository. `notes` names the files that were read, and why they contain no service.
    """
    lines = [*notes, *looked_for(f"devinit.toml, in every folder up to {top}")]
    if above is not None:
        lines += [
            f"{above} is a project, and {top} is a git repository of its own:",
            f"  `devinit -C {_quoted(above)} …` works on the project; a service with this repository as its",
            "  `directory` in its devinit.toml makes the repository a part of it",
        ]
    lines.append(FIRST_FILE)
    return NoProject(f"there is no project in {start} or above it", hint="\n".join(lines))


def no_services(path: str | os.PathLike[str]) -> NoProject:
    """Return the error for a start in a project whose devinit.toml describes no service."""
    return NoProject(f"there is nothing to start: {os.fspath(path)} describes no services", hint=NO_SERVICES)


def none_by_itself(names: Iterable[str]) -> UsageError:
    """Return the error for `start all` in a project where every service has `autostart = false`."""
    known = ", ".join(names)
    return UsageError(
        "there is nothing to start: every service has `autostart = false`", hint=f"name one of them: {known}"
    )


def only_databases(root: str | os.PathLike[str], names: Sequence[str]) -> str:
    """Return the note for a project in which detection found databases, but no application that uses them."""
    return (
        f"no application was found in {os.fspath(root)}, only {' and '.join(names)}; looked for "
        f"{'; '.join(APPLICATIONS).replace(';   ', ' ')}; a [services.NAME] in devinit.toml describes any other"
    )


def _quoted(path: str) -> str:
    from shlex import quote  # it loads re, for an error only

    return quote(path)
