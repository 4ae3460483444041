"""A finding of `devinit doctor`: what is wrong, why it matters, and how to fix it."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct


class Cure(Struct, frozen=True):
    """An action that fixes a finding, once the user agrees."""

    offer: str
    """The action, to follow "may I": "end them"."""
    carry_out: Callable[[], str]
    """Perform the action and return a report of it; raises DevinitError if it fails."""


class Finding(Struct, frozen=True, kw_only=True):
    """One problem that a check found."""

    check: str
    """The name of the check: "leftovers"."""
    problem: str
    advice: str = ""
    """What the developer can do; empty if the cure is all that is needed."""
    cure: Cure | None = None
    harmless: bool = False
    """Whether it is worth knowing but no reason for a failure exit code."""
