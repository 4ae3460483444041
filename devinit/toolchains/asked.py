"""What a repository requires: a version of a tool, and the line that states it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias

from msgspec import Struct

from devinit.toolchains.ranges import npm, pins, python
from devinit.toolchains.versions import Version


class Form(StrEnum):
    """The form in which a version is written, which decides how versions are compared with it."""

    NPM = "npm"
    """A range of npm: `engines`."""
    SPECIFIERS = "specifiers"
    """`requires-python`."""
    NODE_PIN = "node pin"
    PYTHON_PIN = "python pin"
    RUBY_PIN = "ruby pin"
    GEM = "gem"
    """The `ruby` line of a Gemfile."""
    AT_LEAST = "at least"
    """The `go` line of go.mod."""
    MAJOR = "major"
    """`packageManager`."""


_ALLOWS: dict[Form, Callable[[str, Version], bool | None]] = {
    Form.NPM: npm.allows,
    Form.SPECIFIERS: python.allows,
    Form.NODE_PIN: pins.node_allows,
    Form.PYTHON_PIN: pins.python_allows,
    Form.RUBY_PIN: pins.ruby_allows,
    Form.GEM: pins.gem_allows,
    Form.AT_LEAST: pins.at_least,
    Form.MAJOR: pins.same_major,
}
PINS = {"python": Form.PYTHON_PIN, "node": Form.NODE_PIN, "ruby": Form.RUBY_PIN, "go": Form.AT_LEAST}
"""Tool → form of its pin in a version manager's file; package managers of Node are pinned by major version."""


class Stated(Struct, frozen=True):
    """A requirement in one line of a file."""

    tool: str
    """`python`, `node`, `go`, `ruby`, or a package manager of Node."""
    wanted: str
    """The requirement as it is written."""
    form: Form
    line: int
    """Counted from 1."""


Reader: TypeAlias = Callable[[str], Iterator[Stated]]
"""Reads the text of one file. It never raises an error."""


class Asked(Struct, frozen=True):
    """A requirement, with the file that states it."""

    file: Path
    stated: Stated

    def allows(self, version: Version) -> bool | None:
        """Return whether a version fits a requirement; None where that is unknown."""
        return _ALLOWS[self.stated.form](self.stated.wanted, version)


def line_of(text: str, position: int) -> int:
    """Return the number of the line in which a position lies."""
    return text.count("\n", 0, max(position, 0)) + 1


def first_line(text: str) -> tuple[str, int]:
    """Return the first line with text other than a comment, and its number; "" and 0 without one."""
    for number, line in enumerate(text.splitlines(), start=1):
        if said := line.partition("#")[0].strip():
            return said, number
    return "", 0
