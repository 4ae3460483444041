"""Python version specifiers of PEP 440 (`>=3.11,<3.14`) and of Poetry (`^3.11`, `~3.11`). Pure.

`packaging` would handle PEP 440. It takes 11 ms to import (measured with Python 3.11), which would slow down every
start; versions of interpreters need neither epochs nor local parts.
"""

from __future__ import annotations

import re

from devinit.toolchains.ranges import npm
from devinit.toolchains.versions import LONGEST, Version, padded, whatever_the_rest

_CLAUSE = re.compile(
    r"\s{0,20}(===|==|!=|~=|<=|>=|<|>|\^|~)?\s{0,20}v?(\d{1,9}(?:\.\d{1,9}){0,3})((?:\.\*)?)"
    r"(?:(?:a|b|rc)\d{1,4}|\.?dev\d{1,4})?\s{0,20}"
)
_COMPATIBLE = 2
"""Minimum number of parts for `~=`."""


def allows(wanted: str, version: Version) -> bool | None:
    """Return whether specifiers allow a version; None when it cannot be decided."""
    if len(wanted) > LONGEST or not wanted.strip():
        return None
    sets = [_all_of(part) for part in re.split(r"\|\|?", wanted)]
    understood = [each for each in sets if each is not None]
    if len(understood) != len(sets):
        return None
    return whatever_the_rest(
        version, lambda each: any(all(_holds(each, clause) for clause in clauses) for clauses in understood)
    )


def _all_of(text: str) -> list[tuple[str, Version, bool]] | None:
    """Return the clauses of a text, each with whether it ends with a star; None for invalid syntax."""
    clauses: list[tuple[str, Version, bool]] = []
    for part in text.strip().rstrip(",").split(","):
        if part.strip() == "*":
            continue
        found = _CLAUSE.fullmatch(part)
        if found is None:
            return None
        numbers = tuple(map(int, found[2].split(".")))
        if found[1] == "~=" and len(numbers) < _COMPATIBLE:
            return None
        clauses.append((found[1] or "==", numbers, bool(found[3])))
    return clauses


def _holds(version: Version, clause: tuple[str, Version, bool]) -> bool:
    operator, numbers, is_open = clause
    same = version[: len(numbers)] == numbers if is_open else version == padded(numbers)
    match operator:
        case "==" | "===":
            return same
        case "!=":
            return not same
        case ">=":
            return version >= padded(numbers)
        case "<=":
            return version <= padded(numbers)
        case ">":
            return version > padded(numbers)
        case "<":
            return version < padded(numbers)
        case "~=":
            return version >= padded(numbers) and version[: len(numbers) - 1] == numbers[:-1]
        case _:
            # Poetry's operators are npm's.
            return bool(npm.allows(f"{operator}{'.'.join(map(str, numbers[:3]))}", version))
