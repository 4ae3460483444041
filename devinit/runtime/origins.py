"""Where the value of each variable of a service comes from, in words. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from devinit.runtime.forms.statement import Decision


EVERYWHERE = frozenset({"HOST", "PORT"})
"""Names that each service has its own of, and that the project's own value does not stand for."""


class Said(StrEnum):
    """What said the value."""

    DEVINIT = "devinit"
    """devinit gives the name, and the project says nothing about it."""
    REPLACED = "devinit, over"
    """devinit gives its own value in the place of one in a file."""
    REWRITTEN = "rewritten from"
    """devinit has put its address into the value of a file."""
    FORM = "devinit, in the form of"
    """An example, or the code, says how the value is written."""
    FILE = "from"
    """A `.env` file."""
    STATED = "stated in"
    """devinit.toml."""


class Origin(NamedTuple):
    """Where a value comes from."""

    said: Said
    place: str = ""
    """The file with the line, or the table of devinit.toml."""

    @property
    def text(self) -> str:
        """The same for a person: `rewritten from backend/.env:3`."""
        return f"{self.said} {self.place}".rstrip()

    @property
    def is_set_over(self) -> bool:
        """Whether devinit has set the name although the project says something about it."""
        return self.said in (Said.REPLACED, Said.REWRITTEN, Said.FORM)


def origin_of(
    name: str,
    value: str,
    *,
    files: Mapping[str, tuple[str, str]],
    decided: Mapping[str, Decision],
    explicit: Mapping[str, str],
) -> Origin:
    """Return where the value of one variable comes from.

    `files`: what `.env` files say, and where. `explicit`: names in devinit.toml → the table.
    """
    if name in explicit:
        return Origin(Said.STATED, explicit[name])
    decision = decided.get(name)
    if decision is not None and decision.is_given and value == decision.value:
        if decision.is_form_only:
            return Origin(Said.FORM, decision.statement.place)
        said = Said.REWRITTEN if decision.is_rewritten else Said.FILE
        return Origin(said, decision.statement.place)
    if name in files:
        stated, place = files[name]
        return Origin(Said.FILE if stated == value else Said.REPLACED, place)
    return Origin(Said.DEVINIT)


def set_over(origins: Mapping[str, Origin], words: str) -> list[str]:
    """Return what to say about names in some words that devinit has set over the project's own."""
    import re  # only for a failure

    spoken = set(re.findall(r"\w{3,80}", words))
    # pydantic names its field, in small letters. A name of one word, as PORT, is a word of any message then.
    spoken |= {word.upper() for word in spoken if "_" in word}
    told = {
        Said.REPLACED: "was set by devinit over",
        Said.REWRITTEN: "was set by devinit over",
        Said.FORM: "was set by devinit in the form of",
    }
    return [
        f"{name} {told[origin.said]} {origin.place}"
        for name, origin in origins.items()
        if origin.is_set_over and name not in EVERYWHERE and name.upper() in spoken
    ]
