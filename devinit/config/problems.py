"""The mistakes in devinit.toml, collected, so that one message shows everything to fix."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeAlias

from msgspec import Struct

from devinit.errors import ConfigError
from devinit.text import listed, nearest

Key: TypeAlias = tuple[str | int, ...]
"""The path to a value: ("services", "backend", "depends_on", 0)."""

Raw: TypeAlias = dict[str, Any]
"""A table as tomllib returns it; Any, because nothing has been checked yet."""


MOST_PROBLEMS = 100


class Problem(Struct, frozen=True):
    """One mistake, with advice."""

    key: Key
    text: str
    hint: str | None = None


class Problems:
    """The problems of one file."""

    def __init__(self, path: Path, *, profile: str | None = None, overrides: Raw | None = None) -> None:
        self.path = path
        self._found: list[Problem] = []
        self._profile = profile
        self._overrides = overrides or {}

    def at(self, *key: str | int) -> Place:
        """Return the place of a key, at which problems are reported."""
        return Place(self, key)

    def add(self, problem: Problem) -> None:
        """Add a problem, under the key of the profile if the profile sets the value.

        Raise ConfigError when there are MOST_PROBLEMS, because each costs a search for similar names.
        """
        key = problem.key
        if self._profile is not None and _is_set(self._overrides, key):
            key = ("profiles", self._profile, *key)
        self._found.append(Problem(key, problem.text, problem.hint))
        if len(self._found) == MOST_PROBLEMS:
            self.raise_if_any()

    def raise_if_any(self) -> None:
        """Raise one error for all problems, if there are any."""
        match self._found:
            case []:
                return
            case [problem]:
                raise ConfigError(f"{self.path}: {dotted(problem.key)}: {problem.text}", hint=problem.hint)
            case problems:
                lines = [f"  {dotted(each.key)}: {each.text}{_bracketed(each.hint)}" for each in problems]
                more = " or more" if len(lines) == MOST_PROBLEMS else ""
                raise ConfigError("\n".join([f"{self.path} has {len(lines)} problems{more}:", *lines]))


class Place(Struct, frozen=True):
    """A key of the file at which problems are reported."""

    problems: Problems
    key: Key

    def at(self, *key: str | int) -> Place:
        """Return a place below this one."""
        return Place(self.problems, (*self.key, *key))

    def add(self, text: str, hint: str | None = None) -> None:
        """Report a problem at this place."""
        self.problems.add(Problem(self.key, text, hint))


def dotted(key: Key) -> str:
    """Return a key in TOML notation: services."my api".depends_on[0]."""
    text = ""
    for part in key:
        if isinstance(part, int):
            text += f"[{part}]"
            continue
        quoted = part if re.fullmatch(r"[A-Za-z0-9_-]+", part) else '"' + part.replace('"', '\\"') + '"'
        text += f".{quoted}" if text else quoted
    return text or "the file"


def choose(name: str, known: Iterable[str], *, what: str) -> str:
    """Return advice with the name that was probably meant, or with all known names."""
    names = list(known)
    close = nearest(name, names)
    if close is not None:
        return f'did you mean "{close}"?'
    return f"{what}: {listed(names)}" if names else f"{what}: none"


def _bracketed(hint: str | None) -> str:
    return f" ({hint})" if hint else ""


def _is_set(table: Raw, key: Key) -> bool:
    value: Any = table  # walks through tables that have not been checked
    for part in key:
        if not isinstance(value, dict) or part not in value:
            return False
        value = value[part]
    return bool(key)
