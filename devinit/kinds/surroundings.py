"""Places of a checkout in which programs fail, or run code of another checkout, without an error."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from shlex import quote

from devinit.errors import StateFileError
from devinit.kinds import kind_of
from devinit.kinds.process.versions import mismatches_of
from devinit.kinds.provider import Place
from devinit.model.service import Service
from devinit.system.files import LARGEST_SETTINGS, read_text
from devinit.toolchains.python.installers import installer_of
from devinit.toolchains.python.language import VENV_FOLDERS
from devinit.toolchains.reading import text_of

_ASSIGNMENT = "VIRTUAL_ENV="
ODD = {"\n": "a line break", "\r": "a carriage return", ":": "a colon"}
"""Characters that end a path in other formats: first lines of scripts, lists of lines, PATH."""


def warnings_about(services: Iterable[Service], root: Path) -> Iterator[str]:
    """Yield warnings for the developer before these services start."""
    services = [each for each in services if kind_of(each).runs_a_command and each.external_url is None]
    folders = dict.fromkeys([root, *(each.directory for each in services)])
    for folder in folders:
        yield from _warning_about_name(folder)
    for folder in folders:
        for name in VENV_FOLDERS:
            if (original := original_of(folder / name)) is not None:
                yield _warning_about_copy(folder / name, original, services)


def tool_warnings(services: Iterable[Service], place: Place) -> list[str]:
    """Return warnings about the tools of these services, one line for each. Blocking.

    Problems that prevent a start are left out: the refused service reports them.
    """
    lines = (
        f"{each.problem(place.root)}; {each.advice(place.root)}"
        for service in services
        if kind_of(service).runs_a_command
        for each in mismatches_of(service, place)
        if not each.refused_by
    )
    return list(dict.fromkeys(lines))


def original_of(environment: Path) -> Path | None:
    """Return the original of a copied virtual environment: the copy's programs run its Python and code.

    None for one that was only moved: its programs do not start, and report that.
    """
    for path in _places_named_by(environment):
        with suppress(OSError):
            if (path / "bin").is_dir() and not path.samefile(environment):
                return path
    return None


def _places_named_by(environment: Path) -> Iterator[Path]:
    """Yield the places at which an environment was created; venv, virtualenv and uv write them for shells."""
    with suppress(StateFileError):
        for line in (read_text(environment / "bin" / "activate", most=LARGEST_SETTINGS) or "").splitlines():
            words = line.strip().removeprefix("export ")
            value = words.removeprefix(_ASSIGNMENT).strip("\"'")
            if words.startswith(_ASSIGNMENT) and value.startswith("/"):
                yield Path(value)


def _warning_about_copy(environment: Path, original: Path, services: Iterable[Service]) -> str:
    folder = environment.parent
    remove = f"`rm -r {quote(str(environment))}`"
    if any(each.setup for each in services if each.directory == folder):
        way = f"{remove}, and the next start makes a new one by `setup`"
    else:
        made = installer_of(
            [folder], lambda at, name: (at / name).exists(), lambda at, name: text_of(at / name)
        )
        way = f"{remove}, then `{made[1].command}` in {folder}" if made else f"{remove}, and make a new one"
    return (
        f"{environment} is a copy of {original}: its programs run the Python and the code of that one; {way}"
    )


def _warning_about_name(folder: Path) -> Iterator[str]:
    for character, name in ODD.items():
        if character in str(folder):
            shown = str(folder).encode("unicode_escape").decode()
            yield f"the path {shown} contains {name}: virtual environments and many programs fail there; rename it"
