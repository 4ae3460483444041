"""The origin of each variable of a service, in words. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from devinit.runtime.forms.statement import Decision


EVERYWHERE = frozenset({"HOST", "PORT"})
"""Names for which each service has its own value, whatever the project states."""


class Said(StrEnum):
    """The kind of origin of a value."""

    DEVINIT = "devinit"
    """devinit sets the variable, and the project does not mention it."""
    REPLACED = "devinit, over"
    """devinit sets its own value in place of one in a file."""
    REWRITTEN = "rewritten from"
    """devinit has put its address into the value from a file."""
    FORM = "devinit, in the form of"
    """devinit sets a value in the form that an example or the code shows."""
    FILE = "from"
    """The value comes from an `.env` file."""
    STATED = "stated in"
    """The value is in devinit.toml."""


class Origin(NamedTuple):
    """The origin of a value: its kind and its place."""

    said: Said
    place: str = ""
    """The file with the line, or the table of devinit.toml."""

    @property
    def text(self) -> str:
        """The origin in words: `rewritten from backend/.env:3`."""
        return f"{self.said} {self.place}".rstrip()

    @property
    def is_set_over(self) -> bool:
        """Whether devinit has set the variable although the project mentions it."""
        return self.said in (Said.REPLACED, Said.REWRITTEN, Said.FORM)


def origin_of(
    name: str,
    value: str,
    *,
    files: Mapping[str, tuple[str, str]],
    decided: Mapping[str, Decision],
    explicit: Mapping[str, str],
) -> Origin:
    """Return the origin of the value of one variable.

    `files`: values in `.env` files, with their places. `explicit`: tables of devinit.toml by variable name.
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
    """Return messages about names in `words` that devinit has set over the project's own values."""
    import re  # only for a failure

    spoken = set(re.findall(r"\w{3,80}", words))
    # pydantic reports its field, in lower case. A name of one word, such as PORT, would match any message then.
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
