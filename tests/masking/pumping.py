"""Texts that reveal whether a regular expression takes more than linear time: its own pieces, repeated."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable, Iterator
from itertools import product
from re import _constants as kinds  # type: ignore[attr-defined]  # its stubs are for another Python
from re import _parser as parser  # type: ignore[attr-defined]  # as above
from typing import Any

SAMPLES = ["a", "1", "-", " ", *map(chr, range(128))]
"""At least one of these characters is in every class; those in several classes come first."""
SUSPICIOUS = 3_000
"""In characters. A text of this length is tried first."""
SUSPICIOUS_SECONDS = 0.003
"""A shorter time for it is fast: the fastest loop of `re` takes 5 ms for the square of its length."""
SHORT = 4_000
"""In characters. Longer than any bounded repetition of a pattern, so that only unbounded ones count."""
TIMES_LONGER = 4
PATIENCE_SECONDS = 2.0
"""The time limit for a match."""
NOTICEABLE_SECONDS = 0.05
"""A shorter time for the longer text is fast enough, and too short for a comparison."""
MEASUREMENTS = 3
LARGEST_RATIO = 10.0
"""A linear pattern takes 4 times as long for a text of 4 times the length, a quadratic one 16 times."""


class TooLong(Exception):
    """The error that the timer raises."""


def slow_texts(pattern: re.Pattern[str], find: Callable[[re.Pattern[str], str], object]) -> list[str]:
    """Return the repeated texts for which a pattern is slower than linear: pieces, after others, in pairs."""
    known = pieces(pattern)
    pairs = [first + second for first, second in product(known, known)]
    # A piece that is slow by itself, though linear, is equally slow after each of the others.
    quick = [one for one in known if not is_suspicious(pattern, find, "", one)]
    pumps = [("", one) for one in (*known, *pairs)] + list(product(known, quick))
    return [f"{head!r} + {pump!r} * n" for head, pump in pumps if is_slow(pattern, find, head, pump)]


def is_suspicious(
    pattern: re.Pattern[str], find: Callable[[re.Pattern[str], str], object], head: str, pump: str
) -> bool:
    """Return whether a text takes so long that its growth must be measured."""
    count = SUSPICIOUS // len(pump)
    return seconds_for(lambda: find(pattern, head + pump * count)) >= SUSPICIOUS_SECONDS


def is_slow(
    pattern: re.Pattern[str], find: Callable[[re.Pattern[str], str], object], head: str, pump: str
) -> bool:
    """Return whether the time grows faster than the text."""
    # A busy machine spoils one measurement, not all of them.
    return is_suspicious(pattern, find, head, pump) and all(
        grows(pattern, find, head, pump) for _ in range(MEASUREMENTS)
    )


def grows(
    pattern: re.Pattern[str], find: Callable[[re.Pattern[str], str], object], head: str, pump: str
) -> bool:
    """Return whether a long text takes much more time than its length explains, in one measurement."""
    count = SHORT // len(pump)
    long = seconds_for(lambda: find(pattern, head + pump * count * TIMES_LONGER))
    if long < NOTICEABLE_SECONDS:
        return False
    return long >= PATIENCE_SECONDS or long > LARGEST_RATIO * seconds_for(
        lambda: find(pattern, head + pump * count)
    )


def seconds_for(find: Callable[[], object]) -> float:
    """Return the computing time of a match, at most the time limit."""

    def expire(_signal: int, _frame: object) -> None:
        raise TooLong

    before = signal.signal(signal.SIGVTALRM, expire)
    begun = time.process_time()
    try:
        signal.setitimer(signal.ITIMER_VIRTUAL, PATIENCE_SECONDS)
        find()
        return time.process_time() - begun
    except TooLong:
        return PATIENCE_SECONDS
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def pieces(pattern: re.Pattern[str]) -> list[str]:
    """Return a text for each literal and each character class of a pattern."""
    return list(dict.fromkeys(_pieces(parser.parse(pattern.pattern, pattern.flags & ~re.UNICODE))))


def _pieces(tree: Any) -> Iterator[str]:
    literal = ""
    for kind, value in tree:
        if kind is kinds.LITERAL:
            literal += chr(value)
            continue
        if literal:
            yield literal
            literal = ""
        match kind:
            case kinds.ANY:
                yield "a"
            case kinds.NOT_LITERAL:
                yield "a" if value != ord("a") else "b"
            case kinds.IN:
                yield next((each for each in SAMPLES if _holds(value, each)), _first(value))
            case kinds.MAX_REPEAT | kinds.MIN_REPEAT | kinds.POSSESSIVE_REPEAT:
                yield from _pieces(value[2])
            case kinds.SUBPATTERN:
                yield from _pieces(value[3])
            case kinds.ASSERT | kinds.ASSERT_NOT:
                yield from _pieces(value[1])
            case kinds.ATOMIC_GROUP:
                yield from _pieces(value)
            case kinds.BRANCH:
                for branch in value[1]:
                    yield from _pieces(branch)
            case kinds.GROUPREF_EXISTS:
                for branch in filter(None, value[1:]):
                    yield from _pieces(branch)
    if literal:
        yield literal


def _first(members: list[tuple[Any, Any]]) -> str:
    """Return the first character in a class without a sample, which begins with a range or a literal."""
    kind, value = members[0]
    return chr(value[0]) if kind is kinds.RANGE else chr(value) if kind is kinds.LITERAL else ""


def _holds(members: list[tuple[Any, Any]], character: str) -> bool:
    tests = {
        kinds.CATEGORY_DIGIT: character.isdigit(),
        kinds.CATEGORY_SPACE: character.isspace(),
        kinds.CATEGORY_WORD: character.isalnum() or character == "_",
        kinds.CATEGORY_NOT_SPACE: not character.isspace(),
        kinds.CATEGORY_NOT_WORD: not (character.isalnum() or character == "_"),
        kinds.CATEGORY_NOT_DIGIT: not character.isdigit(),
    }
    is_negated = members[0][0] is kinds.NEGATE
    is_member = any(
        (kind is kinds.LITERAL and value == ord(character))
        or (kind is kinds.RANGE and value[0] <= ord(character) <= value[1])
        or (kind is kinds.CATEGORY and tests[value])
        for kind, value in members
    )
    return is_member != is_negated
