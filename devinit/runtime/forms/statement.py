"""What a project itself says about the value of a variable, and what devinit makes of it."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from devinit.runtime.forms.lists import Separator


class Source(StrEnum):
    """The file, or the part of the project, that states it."""

    FILE = "file"
    """A `.env` file that the service is given or loads: its value."""
    CODE = "code"
    """A default in code: the form that the code reads. It has no value of its own."""
    EXAMPLE = "example"
    """`.env.example`: the form alone."""


class Statement(Struct, frozen=True, kw_only=True):
    """One line about a variable."""

    name: str
    value: str
    """Empty for a name that is read without a default."""
    file: str
    """Relative to the project's folder: `backend/.env`."""
    line: int
    source: Source = Source.FILE
    is_required: bool = False
    """Whether the code that reads it cannot do without."""
    separator: Separator | None = None
    """How the code takes a list apart; None where that is not known, or it is none."""
    is_one_origin: bool = False
    """Whether the code takes the value as one origin."""

    @property
    def place(self) -> str:
        """The file and the line: `backend/.env:3`."""
        return f"{self.file}:{self.line}"


class Outcome(StrEnum):
    """What becomes of a value."""

    GIVEN = "given"
    """devinit gives the name, in the project's form."""
    KEPT = "kept"
    """The project's value holds, and is no address of ours, or the right one."""
    REMOTE = "remote"
    """The project's value holds, and leads to another machine."""
    UNSURE = "unsure"
    """The project's value holds, though it may mean one of our servers."""
    LEFT_OUT = "left out"
    """The code does without a value, and must get none."""


class Decision(Struct, frozen=True, kw_only=True):
    """What becomes of one variable of one service."""

    statement: Statement
    outcome: Outcome
    value: str = ""
    """For GIVEN: the value."""
    service: str | None = None
    """The service of the project that it means, or may mean."""
    why: str = ""
    """For REMOTE and UNSURE: in words, without the value, which may hold a secret."""

    @property
    def is_given(self) -> bool:
        """Whether devinit gives a value."""
        return self.outcome is Outcome.GIVEN

    def is_of_another_file(self, value: str) -> bool:
        """Whether the project's own value holds and is another one: that of a file which the program loads."""
        is_kept = self.outcome in (Outcome.KEPT, Outcome.REMOTE, Outcome.UNSURE)
        return is_kept and self.statement.value != value

    @property
    def is_rewritten(self) -> bool:
        """Whether devinit gives another value than the file."""
        return self.outcome is Outcome.GIVEN and self.value != self.statement.value

    @property
    def is_form_only(self) -> bool:
        """Whether the project says how the value is written, and has none."""
        return self.statement.source is not Source.FILE or not self.statement.value
