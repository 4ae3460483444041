"""Ranges of npm, as in `engines`: `>=18 <23`, `^20.9.0`, `20.x`, `18 || >=20`, `18 - 20`. Pure.

The grammar is that of node-semver (https://github.com/npm/node-semver#ranges). A prerelease of an interpreter
counts as the release that it precedes.
"""

from __future__ import annotations

import re

from devinit.toolchains.versions import LONGEST, Version, padded, whatever_the_rest

Bound = tuple[Version, Version | None]
"""Lowest version, and the first version above; None for no upper end."""
ANY: Bound = ((0, 0, 0), None)
_PARTIAL = r"[v=\s]{0,5}(\d{1,9}|[xX*])(?:\.(\d{1,9}|[xX*]))?(?:\.(\d{1,9}|[xX*]))?(?:[-+][\w.+-]{1,60})?"
_HYPHEN = re.compile(rf"\s{{0,20}}{_PARTIAL}\s{{1,20}}-\s{{1,20}}{_PARTIAL}\s{{0,20}}")
_COMPARATOR = re.compile(rf"\s{{0,20}}(>=|<=|>|<|~>|~|\^|=)?\s{{0,20}}{_PARTIAL}(?=[\s,]|\Z),?")


def allows(wanted: str, version: Version) -> bool | None:
    """Return whether a range allows a version; None when it cannot be decided."""
    sets = bounds_of(wanted)
    if sets is None:
        return None
    return whatever_the_rest(version, lambda each: any(_is_within(each, bounds) for bounds in sets))


def bounds_of(wanted: str) -> list[list[Bound]] | None:
    """Return the alternatives of a range, each a list of bounds that must all hold; None for invalid syntax."""
    if len(wanted) > LONGEST:
        return None
    alternatives = [_all_of(part) for part in wanted.split("||")]
    understood = [each for each in alternatives if each is not None]
    return understood if len(understood) == len(alternatives) else None


def lowest(wanted: str) -> Version | None:
    """Return the lowest version in a range; None for a range without a lower end."""
    sets = bounds_of(wanted)
    if not sets:
        return None
    begin = min(max((bound[0] for bound in bounds), default=(0, 0, 0)) for bounds in sets)
    return begin if any(begin) else None


def _is_within(version: Version, bounds: list[Bound]) -> bool:
    return all(low <= version and (high is None or version < high) for low, high in bounds)


def _all_of(text: str) -> list[Bound] | None:
    if not text.strip():
        return [ANY]
    if (found := _HYPHEN.fullmatch(text)) is not None:
        numbers = found.groups()
        low, high = _numbers(numbers[:3]), _numbers(numbers[3:])
        return [(padded(low), _after(high))]
    bounds: list[Bound] = []
    position = 0
    while text[position:].strip():
        found = _COMPARATOR.match(text, position)
        if found is None:
            return None
        bounds.append(_bound(found[1] or "", _numbers(found.groups()[1:])))
        position = found.end()
    return bounds


def _numbers(parts: tuple[str | None, ...]) -> Version:
    """Return the numbers before the first wildcard."""
    numbers: list[int] = []
    for part in parts:
        if part is None or not part.isdigit():
            break
        numbers.append(int(part))
    return tuple(numbers)


def _after(numbers: Version) -> Version | None:
    """Return the first version above all that begin with these numbers."""
    return padded((*numbers[:-1], numbers[-1] + 1)) if numbers else None


def _bound(operator: str, numbers: Version) -> Bound:
    low, after = padded(numbers), _after(numbers)
    match operator:
        case ">=":
            return low, None
        case ">":
            return (after, None) if after is not None else ((0, 0, 0), (0, 0, 0))
        case "<":
            return (0, 0, 0), low
        case "<=":
            return (0, 0, 0), after
        case "^":
            return low, _after(_significant(numbers))
        case "~" | "~>":
            return low, _after(numbers[:2])
        case _:
            return low, after


def _significant(numbers: Version) -> Version:
    """Return the numbers that `^` keeps: up to the first nonzero one."""
    for count, number in enumerate(numbers, start=1):
        if number:
            return numbers[:count]
    return numbers
