"""Read the Ruby that a repository requires: `.ruby-version`, and the `ruby` line of a Gemfile. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from devinit.toolchains.asked import Form, Reader, Stated, first_line, line_of

_RUBY = re.compile(
    r"^[ \t]{0,40}ruby[ \t(]{1,10}((?:['\"][<>=~! \d.]{1,40}['\"][ \t]{0,10},?[ \t]{0,10}){1,4})",
    re.MULTILINE,
)
_QUOTED = re.compile(r"['\"]([^'\"]{1,40})['\"]")


def of_version_file(text: str) -> Iterator[Stated]:
    """Yield the version in a `.ruby-version`."""
    said, line = first_line(text)
    if said:
        yield Stated("ruby", said, Form.RUBY_PIN, line)


def of_gemfile(text: str) -> Iterator[Stated]:
    """Yield the requirement in a Gemfile. `ruby file: ".ruby-version"` leaves it to that file."""
    if (found := _RUBY.search(text)) is not None:
        yield Stated("ruby", ", ".join(_QUOTED.findall(found[1])), Form.GEM, line_of(text, found.start()))


READERS: dict[str, Reader] = {".ruby-version": of_version_file, "Gemfile": of_gemfile}
