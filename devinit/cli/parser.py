"""An argparse parser with devinit's errors: one line with the problem, a hint, and exit code 2."""

from __future__ import annotations

import math
import re
from argparse import ArgumentParser, ArgumentTypeError
from typing import TYPE_CHECKING, Any, NoReturn

from devinit.errors import UsageError
from devinit.system import terminal

if TYPE_CHECKING:
    from collections.abc import Callable

    from devinit.cli.arguments import Arguments

LONGEST_NUMBER = 18
"""In digits. No option accepts a longer number."""
UNKNOWN = re.compile(r"unrecognized arguments: (?P<words>.*)", re.DOTALL)
MISSING = re.compile(r"the following arguments are required: (?P<names>.*)")
BORROWED = {
    "--tail": "--lines",
    "--number": "--lines",
    "--timestamps": "--times",
    "--filter": "--grep",
    "--detached": "--detach",
    "--daemon": "--detach",
}
"""Options of other programs, with their equivalents in the commands that have these."""
ABOUT = re.compile(r"argument (?P<name>\S+): (?P<what>.*)", re.DOTALL)


class Parser(ArgumentParser):
    """A parser that raises UsageError instead of ending the program."""

    _has_actions = False
    stray: Callable[[str], str] | None = None
    """Returns a hint for a word that the command does not accept."""

    def add_subparsers(self, **options: Any) -> Any:
        """Add subcommands, each with its own parser. Any: as in argparse."""
        self._has_actions = True
        return super().add_subparsers(**options)

    def read(self, words: list[str], arguments: Arguments) -> Arguments:
        """Parse words into arguments; options may stand between names."""
        if self._has_actions:  # argparse cannot mix these
            return self.parse_args(words, arguments)
        return self.parse_intermixed_args(words, arguments)

    def error(self, message: str) -> NoReturn:
        """Raise UsageError with the problem and the option that was probably meant."""
        hint = f"`{self.prog} --help` lists what it understands"
        if match := UNKNOWN.fullmatch(message):
            word = next(iter(match["words"].split()), "")  # an empty word has no parts
            near = self._nearest(word)
            if self.stray is not None and word and not word.startswith("-"):
                raise UsageError(f"`{self.prog}` takes no {word!r}", hint=self.stray(word))
            raise UsageError(
                f"`{self.prog}` has no option {word}" if word.startswith("-") else f"what is {word!r}?",
                hint=f"did you mean {near}? {hint}" if near else hint,
            )
        if match := MISSING.fullmatch(message):
            raise UsageError(f"`{self.prog}` needs {match['names']}", hint=hint)
        if match := ABOUT.fullmatch(message):
            raise UsageError(f"`{self.prog}`: {match['name']}: {match['what']}", hint=hint)
        raise UsageError(f"`{self.prog}`: {message}", hint=hint)

    def _print_message(self, message: str, file: object = None) -> None:
        """Print the help text of argparse."""
        del file  # always standard output, because errors are raised
        terminal.data(message)

    def _nearest(self, word: str) -> str | None:
        from difflib import get_close_matches  # only needed for a mistake

        option = word.partition("=")[0]
        if BORROWED.get(option) in self._option_string_actions:
            return "/".join(self._option_string_actions[BORROWED[option]].option_strings)
        near = get_close_matches(option, self._option_string_actions, n=1)
        return near[0] if near else None


def seconds(text: str) -> float:
    """Parse a number of seconds above 0."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return value


def count(text: str) -> int:
    """Parse a whole number of 0 or more."""
    if not text.isdecimal() or len(text) > LONGEST_NUMBER:
        shown = text if len(text) <= LONGEST_NUMBER else f"{text[:LONGEST_NUMBER]}…"
        raise ArgumentTypeError(f"{shown!r} is not a number of 0 or more")
    return int(text)
