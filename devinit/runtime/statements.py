"""The statements in the text of an `.env` file, parsed in linear time. Pure.

python-dotenv parses the statements, so that a file means the same here as in the application. Two of its patterns
take quadratic time: white space without a comment behind it, which is refused, and `${`, which is parsed here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

MOST_SPACES = 250
"""Spaces and tabs in a row. python-dotenv takes a second for a megabyte of lines with this many."""
MOST_LINES = 50_000
"""Lines of one file. python-dotenv reads this many within a second or two."""
MOST_TEXTS = 64
"""Texts whose statements are cached: all services of a project get the same few files."""

# The lookbehind restricts the match to the start of a long run of spaces.
_TOO_MANY_SPACES = rf"(?<![^\S\r\n])[^\S\r\n]{{{MOST_SPACES + 1}}}"
_NAME_END = re.compile("[:}]")
_OVER_LINES = (
    r"^(?P<name>[ \t]{0,40}(?:export[ \t]{1,10})?[\w.]{1,200}[ \t]{0,40}=[ \t]{0,40})"
    r"`(?P<value>[^`\n]*\n[^`]*)`"
)
"""A value of several lines in backticks, as in Node's dotenv; python-dotenv does not know these quotes."""
_REMARK = re.compile(r"=[ \t]{0,40}#[^\n]{0,200}?\s")
"""`NAME=#what to write here`: no program wants such a value. A colour contains no space."""


class Problem(NamedTuple):
    """The reason why the reading of a text stopped."""

    line: int
    statement: str = ""
    """The statement that python-dotenv cannot parse."""
    too_much: str = ""
    """A limit that the text exceeds, in words."""


class Statement(NamedTuple):
    """A value that a text assigns to a name."""

    name: str
    value: str
    """With its references, not replaced."""
    line: int
    """The line in which it begins, from 1."""


class Statements(NamedTuple):
    """The statements of a text in their order, up to the first problem."""

    values: tuple[Statement, ...]
    problem: Problem | None = None


@lru_cache(maxsize=MOST_TEXTS)
def statements_of(text: str) -> Statements:
    """Return the statements in a text; their references are not replaced."""
    from io import StringIO

    # Imported only for a service that has such a file: it loads logging and tempfile, 9 ms on their own.
    from dotenv.parser import parse_stream

    if text.count("\n") > MOST_LINES:
        return Statements((), Problem(MOST_LINES, too_much=f"more than {MOST_LINES:,} lines"))
    if wide := re.search(_TOO_MANY_SPACES, text):
        line = text.count("\n", 0, wide.start()) + 1
        return Statements((), Problem(line, too_much=f"more than {MOST_SPACES} spaces or tabs in a row"))
    values: list[Statement] = []
    for binding in parse_stream(StringIO(_with_quotes(text))):
        original = binding.original.string
        # The parser counts from the blank lines before the statement.
        blank = original[: len(original) - len(original.lstrip())]
        line = binding.original.line + blank.count("\n")
        if binding.error or "\0" in original:
            return Statements(tuple(values), Problem(line, statement=original))
        if binding.key is not None and binding.value is not None:
            is_remark = binding.value.startswith("#") and _REMARK.search(original.rstrip())
            values.append(Statement(binding.key, "" if is_remark else binding.value, line))
    return Statements(tuple(values))


def _with_quotes(text: str) -> str:
    """Return a text in which values of several lines have single quotes instead of backticks."""
    if "`" not in text:
        return text

    def quoted(found: re.Match[str]) -> str:
        value = found["value"].replace("\\", "\\\\").replace("'", "\\'")
        return f"{found['name']}'{value}'"

    return re.sub(_OVER_LINES, quoted, text, flags=re.MULTILINE)


def replaced(value: str, known: Mapping[str, str]) -> Iterator[str]:
    """Yield the parts of a value, with `${NAME}` and `${NAME:-default}` replaced as in python-dotenv."""
    done = searched = 0
    while (start := value.find("${", searched)) >= 0:
        sign = _NAME_END.search(value, start + 2)
        if sign is None or (end := value.find("}", sign.start())) < 0:
            break  # there is no `}` any more
        if not value.startswith((":-", "}"), sign.start()):
            # A reference that begins before this colon ends at it, too.
            searched = sign.end()
            continue
        yield value[done:start]
        yield known.get(value[start + 2 : sign.start()], value[sign.start() + 2 : end])
        done = searched = end + 1
    yield value[done:]
