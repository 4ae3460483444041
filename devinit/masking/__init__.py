"""Secrets made unreadable in everything that is shown: `postgresql://shop:***@127.0.0.1`. Pure.

Everything that prints uses `masked`: the command line, JSON included, the dashboard, the supervisor's notes and
reasons. There is one list of names, in `names`. A value that is compared, sent back as proof or given to a program
is never masked, only its display. `devinit env` and `devinit run` give the values themselves: that is their
purpose.

    masked("mysql -uroot -phunter2")               # → "mysql -uroot -p***"
    masked_words(["vite", "--token", "abc"])       # → ["vite", "--token", "***"]
    masked_value("RAILS_MASTER_KEY", "0123")       # → "***"
    masked_data({"command": ["redis-cli", "-a", "pw"], …})     # a copy, for JSON

Most texts hold no secret. They pass without the module of patterns, which takes 5 ms to load.
"""

from __future__ import annotations

from devinit.masking.hints import HIDDEN, SEPARATOR, may_hold_secrets
from devinit.masking.names import SWITCHES, hides

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

__all__ = [
    "HIDDEN",
    "hides",
    "masked",
    "masked_data",
    "masked_line",
    "masked_value",
    "masked_words",
    "may_hold_secrets",
]

PLACES = frozenset({"root", "path", "directory", "log", "worktree", "folder", "home"})
"""Keys of our JSON that hold the place of a file: programs open it, so it stays as it is."""


def masked(text: str) -> str:
    """Return a text in which `***` replaces each password, token and key that is recognised."""
    if not may_hold_secrets(text):
        return text
    from devinit.masking.patterns import without_secrets  # compiles patterns, which few texts need

    return without_secrets(text)


def masked_value(name: str, value: str) -> str:
    """Return the value of a variable as it may be shown."""
    if hides(name) and value.lower() not in SWITCHES:
        return HIDDEN
    return masked(value)


def masked_line(line: str) -> str:
    """Return a line that could not be parsed, with everything after the name of a secret hidden.

    The sign between name and value is what is wrong with the line: `PASSWORD: hunter2`, `PASSWORD hunter2`.
    """
    words = line.strip().split(maxsplit=1)
    name = words[0].strip("\"':=") if words else ""
    for sign in (":", "="):
        name = name.partition(sign)[0]
    return f"{name} {HIDDEN}" if hides(name) else masked(line)


def masked_words(words: Sequence[str]) -> list[str]:
    """Return the words of a command line without its secrets; the number of words stays the same."""
    shown = masked(SEPARATOR.join(words)).split(SEPARATOR)
    # A word may hold the separator itself.
    return shown if len(shown) == len(words) else [masked(word) for word in words]


def masked_data(value: Any, key: str = "") -> Any:
    """Return a copy of what is to be printed as JSON without the secrets in it. Any: JSON's free form."""
    match value:
        case str():
            return value if key in PLACES else masked_value(key, value)
        case dict():
            return {name: masked_data(each, name) for name, each in value.items()}
        case list() | tuple() if value and all(isinstance(each, str) for each in value):
            # A command line: what is secret about a word is said by the one before.
            return [masked_value(key, word) for word in masked_words(value)]
        case list() | tuple():
            return [masked_data(each, key) for each in value]
    return value
