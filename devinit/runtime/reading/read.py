"""A variable that code reads, as a reader of one language found it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from devinit.runtime.forms.lists import Separator

ASYNC_DRIVER = "postgresql+asyncpg://"
"""A URL of which only the driver is known. A variable without any other statement gets no decision."""


class Read(Struct, frozen=True, kw_only=True):
    """One place where code reads a variable."""

    name: str
    line: int
    default: str = ""
    """The value that the code uses without the variable, as in an `.env` file; empty if that is not known."""
    is_required: bool = False
    """Whether the code fails without a value."""
    separator: Separator | None = None
    """How the code splits a list; None if the value is no list."""
    is_one_origin: bool = False
    """Whether a server accepts the value as a single origin: a list would match none."""


class Code(Struct, frozen=True, kw_only=True):
    """The environment of the code in one file: the variables and `.env` files that it reads."""

    reads: tuple[Read, ...] = ()
    env_files: tuple[str, ...] = ()
    """Files that the code loads itself, relative to its working directory."""
    overrides_at: int = 0
    """The line in which such a file gets priority over the environment; 0 for none."""


def joined(entries: Sequence[str], separator: Separator) -> str:
    """Return a list in the form of an `.env` file."""
    if separator is Separator.JSON:
        return msgspec.json.encode(list(entries)).decode()
    return separator.value.join(entries)
