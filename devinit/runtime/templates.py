"""The only syntax for references: `${NAME}`, `${NAME:-default}` and `$$`, as in a shell.

A `$` before any character other than `{` and `$` stays unchanged, because commands
contain such words for their shell.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import TypeAlias

from msgspec import Struct

from devinit.errors import ConfigError

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789./:@%+,=_-")
LONGEST_VALUE = 2**17 - 1
"""Bytes in one environment value on Linux. Without the limit, sixty lines that each name the previous one twice
would fill the memory."""
MOST_TOGETHER = 2**21
"""Characters of all values in one reading: the limit of Linux for environment and arguments of a program, with the
default stack limit. Without it, thousands of lines that each name one long value would fill the memory."""
DEEPEST = 50
"""Levels of defaults within defaults, and of values that refer to values; more would exceed
Python's recursion limit."""


class Reference(Struct, frozen=True):
    """`${NAME}` or `${NAME:-default}` in a template."""

    name: str
    default: tuple[Piece, ...] | None
    text: str
    """The reference as it is written."""


Piece: TypeAlias = str | Reference
Lookup: TypeAlias = Callable[[str], str | None]


def joined(parts: Iterable[str], *, key: str) -> str:
    """Return the joined parts. Raise ConfigError as soon as the value is too long for any program."""
    kept, length = [], 0
    for part in parts:
        length += len(part)
        if length > LONGEST_VALUE:
            raise ConfigError(
                f"{key} has more than {LONGEST_VALUE} characters when its references are replaced",
                hint="no program can be given so much in one variable or argument: put it into a file",
            )
        kept.append(part)
    return "".join(kept)


def check_together(length: int, *, key: str) -> None:
    """Raise ConfigError if all values together are too long; `key` is the value that exceeds the limit."""
    if length > MOST_TOGETHER:
        raise ConfigError(
            f"{key}: all values together have more than {MOST_TOGETHER:,} characters "
            "when their references are replaced",
            hint="no program can be given so much: name a long value in fewer places, or put it into a file",
        )


def expand_together(templates: Mapping[str, str], outer: Mapping[str, str], *, key: str) -> dict[str, str]:
    """Expand templates that may refer to each other in any order, and to the names around them.

    A template that refers to its own name gets the outer value, so that `CORS_ORIGINS =
    "${CORS_ORIGINS},https://preview.example"` extends it.
    """
    finished: dict[str, str] = {}
    underway: list[str] = []
    length = 0
    known = outer.keys() | templates.keys()

    def look_up(name: str) -> str | None:
        if name not in templates or name == underway[-1]:
            return outer.get(name)
        return value_of(name)

    def value_of(name: str) -> str:
        nonlocal length
        if name in underway:
            raise _cycle(key, [*underway[underway.index(name) :], name])
        if name not in finished:
            underway.append(name)
            here = f"{key}.{name}"
            if len(underway) > DEEPEST:
                raise _too_deep(here)
            pieces = parse(templates[name], key=here)
            finished[name] = joined((_filled(piece, look_up, known, here) for piece in pieces), key=here)
            length += len(finished[name])
            check_together(length, key=here)
            underway.pop()
        return finished[name]

    return {name: value_of(name) for name in templates}


def expand_command(command: str, names: Mapping[str, str], *, key: str = "command") -> str:
    """Return the command with its references replaced and quoted as a shell would have read them.

    Outside of quotes a value is split into words, inside of quotes it stays one word; whatever it contains, it
    never becomes syntax. The result means the same to `shlex.split` and to `sh -c`.
    """
    return joined(_parts_of_command(command, names, key), key=key)


def _parts_of_command(command: str, names: Mapping[str, str], key: str) -> Iterator[str]:
    quotes = _Quotes()
    for piece in parse(command, key=key):
        if isinstance(piece, str):
            quotes.pass_over(piece)
            yield piece
        elif quotes.escaped:
            quotes.pass_over(piece.text)
            yield piece.text
        else:
            yield quotes.embed(_filled(piece, names.get, names, key))


def parse(template: str, *, key: str) -> tuple[Piece, ...]:
    """Split a template into plain text and references."""
    pieces, end = _parse(template, 0, key, depth=0)
    assert end == len(template)  # noqa: S101 - only a nested template ends before its text does
    return pieces


def _parse(template: str, start: int, key: str, *, depth: int) -> tuple[tuple[Piece, ...], int]:
    pieces: list[Piece] = []
    position = start
    while position < len(template):
        two = template[position : position + 2]
        if two == "$$":
            pieces.append("$")
            position += 2
        elif two == "${":
            reference, position = _parse_reference(template, position, key, depth)
            pieces.append(reference)
        elif depth and two[0] == "}":
            break
        else:
            pieces.append(two[0])
            position += 1
    return tuple(pieces), position


def _parse_reference(template: str, start: int, key: str, depth: int) -> tuple[Reference, int]:
    name = _NAME.match(template, start + 2)
    end = name.end() if name else start + 2
    default: tuple[Piece, ...] | None = None
    if name and template.startswith(":-", end):
        if depth == DEEPEST:
            raise _too_deep(key)
        default, end = _parse(template, end + 2, key, depth=depth + 1)
    if not name or not template.startswith("}", end):
        raise ConfigError(
            f"{key}: cannot read {template[start:]!r}",
            hint="write ${NAME} or ${NAME:-default}; $$ is a plain $",
        )
    return Reference(name[0], default, template[start : end + 1]), end + 1


def _filled(piece: Piece, look_up: Lookup, known: Collection[str], key: str) -> str:
    if isinstance(piece, str):
        return piece
    value = look_up(piece.name)
    if piece.default is not None:
        # As in a shell, the colon means that the default also replaces an empty value.
        return value or joined((_filled(part, look_up, known, key) for part in piece.default), key=key)
    if value is None:
        raise _unknown(piece.name, known, key)
    return value


def _unknown(name: str, known: Collection[str], key: str) -> ConfigError:
    from difflib import get_close_matches  # only an error needs it

    if key.rpartition(".")[2] == name:
        return ConfigError(f"{key}: ${{{name}}} refers to itself, and has no value around it")
    spelt = {candidate.upper(): candidate for candidate in known}
    nearest = get_close_matches(name.upper(), spelt, n=1)
    return ConfigError(
        f"{key}: ${{{name}}} is not known",
        hint=f"did you mean ${{{spelt[nearest[0]]}}}?"
        if nearest
        else "`devinit env` shows the names; ${NAME:-default} gives a default, $$ is a plain $",
    )


def _too_deep(key: str) -> ConfigError:
    return ConfigError(
        f"{key} has more than {DEEPEST} references within each other", hint="write some of them out"
    )


def _cycle(key: str, names: list[str]) -> ConfigError:
    return ConfigError(f"{key}: {' → '.join(names)} refer to each other", hint="write one of them out")


class _Quotes:
    """The state of the quotes at a position in a shell command: none, or the kind of the open ones."""

    def __init__(self) -> None:
        self.open = ""
        self.escaped = False

    def pass_over(self, text: str) -> None:
        for character in text:
            if self.escaped:
                self.escaped = False
            elif character == "\\" and self.open != "'":
                self.escaped = True
            elif character == self.open:
                self.open = ""
            elif character in "'\"" and not self.open:
                self.open = character

    def embed(self, value: str) -> str:
        """Return the value quoted so that it stands for itself at this position."""
        if _PLAIN.issuperset(value):
            return value
        if self.open:
            # Close the quotes and reopen them: shlex knows no escape for $ and ` inside of double quotes.
            return f"{self.open}{shlex.quote(value)}{self.open}"
        one_line = re.sub(r"[ \t\n]+", " ", value)
        return re.sub(r"[^ ]+", lambda word: shlex.quote(word[0]), one_line)
