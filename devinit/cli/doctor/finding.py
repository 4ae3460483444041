"""A finding of `devinit doctor`: what is wrong, why it matters, and how to fix it."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct


class Cure(Struct, frozen=True):
    """Something that the command can do about a finding, once the user agrees."""

    offer: str
    """What would be done, to follow "may I": "end them"."""
    carry_out: Callable[[], str]
    """Do it and say what was done; raises DevinitError when it cannot be done."""


class Finding(Struct, frozen=True, kw_only=True):
    """One thing that should not be as it is."""

    check: str
    """The check that found it: "leftovers"."""
    problem: str
    advice: str = ""
    """What the developer can do; empty when the cure is all that is needed."""
    cure: Cure | None = None
    harmless: bool = False
    """Good to know, and no reason to fail."""
