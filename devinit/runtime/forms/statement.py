"""A value that a project states for a variable, and the decision of devinit about it."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from devinit.runtime.forms.lists import Separator


class Source(StrEnum):
    """The part of the project that contains the statement."""

    FILE = "file"
    """An `.env` file that the service gets or loads: it states a value."""
    CODE = "code"
    """A default in code: it shows the form that the code reads, and is not a value of its own."""
    EXAMPLE = "example"
    """`.env.example`: it shows only the form."""


class Statement(Struct, frozen=True, kw_only=True):
    """One line that states a variable."""

    name: str
    value: str
    """Empty for a name that the code reads without a default."""
    file: str
    """Relative to the project's folder: `backend/.env`."""
    line: int
    source: Source = Source.FILE
    is_required: bool = False
    """Whether the code that reads it fails without a value."""
    separator: Separator | None = None
    """How the code splits a list; None if that is unknown, or the value is no list."""
    is_one_origin: bool = False
    """Whether the code takes the value as one origin."""

    @property
    def place(self) -> str:
        """The file and the line: `backend/.env:3`."""
        return f"{self.file}:{self.line}"


class Outcome(StrEnum):
    """What devinit does with a value."""

    GIVEN = "given"
    """devinit sets the variable, in the project's form."""
    KEPT = "kept"
    """The project's value stays: it is not an address of ours, or it is right already."""
    REMOTE = "remote"
    """The project's value stays: it leads to another machine."""
    UNSURE = "unsure"
    """The project's value stays, although it may mean one of our servers."""
    LEFT_OUT = "left out"
    """The variable is left unset, because the code must not get a value."""


class Decision(Struct, frozen=True, kw_only=True):
    """The outcome for one variable of one service."""

    statement: Statement
    outcome: Outcome
    value: str = ""
    """The new value, for GIVEN."""
    service: str | None = None
    """The service of the project that the value means, or may mean."""
    why: str = ""
    """The reason for REMOTE and UNSURE, without the value, which may contain a secret."""

    @property
    def is_given(self) -> bool:
        """Whether devinit sets the variable."""
        return self.outcome is Outcome.GIVEN

    def is_of_another_file(self, value: str) -> bool:
        """Whether the project's value stays and differs from `value`: the program loads it from a file."""
        is_kept = self.outcome in (Outcome.KEPT, Outcome.REMOTE, Outcome.UNSURE)
        return is_kept and self.statement.value != value

    @property
    def is_rewritten(self) -> bool:
        """Whether devinit sets a value other than the one in the file."""
        return self.outcome is Outcome.GIVEN and self.value != self.statement.value

    @property
    def is_form_only(self) -> bool:
        """Whether the project shows how the value is written, but states none."""
        return self.statement.source is not Source.FILE or not self.statement.value
