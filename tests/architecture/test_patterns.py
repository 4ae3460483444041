"""Specifies that texts of a repository and of services are searched in a time that grows with their length."""

from __future__ import annotations

import re

import pytest

from devinit.kinds.postgres import extensions
from devinit.supervisor.logs.access_lines import request_of
from devinit.supervisor.readiness import scheme_hints

LONG = 100_000
IN_TEXT = {
    "options": (re.compile(scheme_hints.HINTS), "-" * LONG),
    "comments": (re.compile(scheme_hints.COMMENT), "x" + "\n" * LONG + "x"),
    "requests": (request_of(["/health"]), "GET " * (LONG // 20)),
}
IN_BYTES = {
    "calls": (extensions._CALLED, b"enable_extension" + b" " * LONG),
    "prisma": (extensions._PRISMA, b"\nextensions = [" * (LONG // 20)),
    "prisma names": (extensions._PRISMA_NAME, b"a(" * (LONG // 20)),
}
"""The square of these lengths would take minutes."""


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", IN_TEXT)
def test_a_pattern_is_done_with_a_hostile_text_at_once(name: str) -> None:
    pattern, text = IN_TEXT[name]

    assert sum(1 for _ in pattern.finditer(text)) in range(len(text))


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", IN_BYTES)
def test_a_pattern_is_done_with_a_hostile_file_at_once(name: str) -> None:
    pattern, text = IN_BYTES[name]

    assert sum(1 for _ in pattern.finditer(text)) in range(len(text))
