"""Specifies that hiding secrets takes linear time, whatever a line of a log repeats."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from devinit.masking import pairs, patterns, programs, tokens, values
from tests.masking.pumping import slow_texts

SEARCHED = {
    f"{module.__name__}.{name}": value
    for module in (pairs, patterns, programs, tokens)
    for name, value in vars(module).items()
    if isinstance(value, re.Pattern) and name not in vars(values)
} | {
    f"the option of {program}": re.compile(rf"(?<![^\s\"'])(?:{option})")
    for program, option in programs.OPTION_OF.items()
}
MATCHED = {name: value for name, value in vars(values).items() if isinstance(value, re.Pattern)}
"""These are looked for at one place only."""

LINES = {
    "one colour": "\x1b[31m",
    "a colour of 24 bits": "\x1b[38;2;10;20;30m",
    "two colours": "\x1b[0m\x1b[31m",
}
SECONDS = 30
"""Generous: it takes half a second where it is linear, and hours where it is not."""


def count_all(pattern: re.Pattern[str], text: str) -> int:
    """Return how often a pattern is found; the matches are not kept, which would take time of its own."""
    return sum(1 for _ in pattern.finditer(text))


@pytest.mark.parametrize("name", SEARCHED)
def test_a_pattern_finds_everything_in_linear_time(name: str) -> None:
    assert slow_texts(SEARCHED[name], count_all) == []


@pytest.mark.parametrize("name", MATCHED)
def test_a_pattern_matches_a_value_in_linear_time(name: str) -> None:
    assert slow_texts(MATCHED[name], lambda pattern, text: pattern.match(text)) == []


@pytest.mark.timeout(SECONDS + 10)
@pytest.mark.parametrize("line", LINES)
def test_a_line_of_colours_is_masked_in_linear_time(line: str) -> None:
    command = "import sys; from devinit.masking import masked; print(masked(sys.stdin.read()))"

    shown = subprocess.run(
        [sys.executable, "-c", command],
        input=f"error {LINES[line] * 10_000} password=hunter2",
        stdout=subprocess.PIPE,
        text=True,
        timeout=SECONDS,
        check=True,
    ).stdout

    assert shown.endswith(" password=***\n")
