"""A variable that code reads, as one reader of code found it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from devinit.runtime.forms.lists import Separator

ASYNC_DRIVER = "postgresql+asyncpg://"
"""A URL of which only the driver is known: a variable that nothing else reads is none."""


class Read(Struct, frozen=True, kw_only=True):
    """One place where code reads a variable."""

    name: str
    line: int
    default: str = ""
    """What the code uses without a value, as a `.env` file would say it; empty where that is not known."""
    is_required: bool = False
    """Whether the code fails without a value."""
    separator: Separator | None = None
    """How the code takes a list apart; None for what is no list."""
    is_one_origin: bool = False
    """Whether a server lets in what the value says as one origin: a list would match none."""


class Code(Struct, frozen=True, kw_only=True):
    """What the code of one file says about its environment."""

    reads: tuple[Read, ...] = ()
    env_files: tuple[str, ...] = ()
    """Files that it loads by itself, relative to the folder in which it runs."""
    overrides_at: int = 0
    """The line in which it lets such a file count more than the environment; 0 for none."""


def joined(entries: Sequence[str], separator: Separator) -> str:
    """Return a list as a `.env` file says it."""
    if separator is Separator.JSON:
        return msgspec.json.encode(list(entries)).decode()
    return separator.value.join(entries)
