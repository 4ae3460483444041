"""Whether an installed version fits the required one, and whether a mismatch is certain to fail. Pure.

Most mismatches are warnings, because most programs run all the same. A start is refused only where the tools of
the project refuse the version themselves (ADR 33).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from msgspec import Struct

from devinit.text import cut, listed, one_line
from devinit.toolchains.asked import Asked, Form
from devinit.toolchains.curing import TITLES, Cure
from devinit.toolchains.ranges import npm
from devinit.toolchains.there import There
from devinit.toolchains.versions import Version, shown

REFUSING = {"uv.lock", "poetry.lock", "pdm.lock", "pyproject.toml"}
"""Files whose installers refuse a Python that `requires-python` excludes. `pip install -r` does not check."""
LONGEST = 60
"""In characters: the part of a range that is shown."""


class Mismatch(Struct, frozen=True, kw_only=True):
    """A tool whose version does not meet the requirements of the repository."""

    there: There
    asked: tuple[Asked, ...]
    refused_by: str = ""
    """The program that refuses to work with it: `uv`, `next 16.0.1`. Empty where it may still work."""
    cure: Cure
    folder: Path
    """The folder in which the cure runs."""

    def problem(self, root: Path) -> str:
        """Return the problem in one line."""
        tool, version = TITLES.get(self.there.tool, self.there.tool), self.there.version
        wants = listed([f"{_wanted(each)} ({_place(each, root)})" for each in self.asked])
        if version is None:
            where = _shown(self.there.path, root)
            return f"{tool} ({where}) does not run: {self.there.complaint}; asked for is {wants}"
        refused = f", and {self.refused_by} refuses it" if self.refused_by else ""
        return f"{tool} {shown(version)} ({_shown(self.there.path, root)}) does not meet {wants}{refused}"

    def advice(self, root: Path) -> str:
        """Return what to do about the problem."""
        if self.cure.is_words:
            return self.cure.command
        where = f" in {_shown(self.folder, root)}" if self.folder != root and self.cure.is_automatic else ""
        after = "" if self.cure.is_automatic else ", and start again from that shell"
        return f"run `{self.cure.command}`{where}{after}"


def unmet(there: There, asked: Iterable[Asked]) -> tuple[Asked, ...]:
    """Return the requirements that a program does not meet.

    A program that does not run meets none; one with an unknown version counts as meeting all.
    """
    about = (each for each in asked if each.stated.tool == there.tool)
    if there.version is None:
        return tuple(about) if there.complaint else ()
    version = there.version
    return tuple(each for each in about if each.allows(version) is False)


def installer_that_refuses(asked: Sequence[Asked], installer_file: str, program: str) -> str:
    """Return the installer that refuses the Python of an environment; "" when it does not refuse."""
    is_required = any(each.stated.form is Form.SPECIFIERS for each in asked)
    return program if is_required and installer_file in REFUSING else ""


def is_too_old(version: Version, engines: str) -> bool:
    """Return whether a framework exits with an error under a Node version, judging by its `engines`.

    The code of next 16, astro 6, @angular/cli 21 and wrangler 4 does. Within a major version, some accept versions
    that their `engines` exclude. Vite, React Router and Nuxt print a warning and continue under any version.
    """
    lowest = npm.lowest(engines)
    return lowest is not None and version[0] < lowest[0]


def _wanted(asked: Asked) -> str:
    return cut(one_line(asked.stated.wanted), LONGEST)


def _place(asked: Asked, root: Path) -> str:
    return f"{_shown(asked.file, root)}:{asked.stated.line}"


def _shown(path: Path, root: Path) -> str:
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
