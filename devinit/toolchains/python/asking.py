"""Read the Python that a repository requires: `.python-version`, `requires-python`, Poetry's `python`. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from devinit.toml import parse_toml
from devinit.toolchains.asked import Form, Reader, Stated, first_line, line_of

_REQUIRES = re.compile(r"^[ \t]*[\"']?requires-python[\"']?[ \t]*=", re.MULTILINE)
_OF_POETRY = re.compile(r"^[ \t]*[\"']?python[\"']?[ \t]*=", re.MULTILINE)


def of_version_file(text: str) -> Iterator[Stated]:
    """Yield the version in a `.python-version`; of several, the first counts."""
    said, line = first_line(text)
    if said:
        yield Stated("python", said, Form.PYTHON_PIN, line)


def of_pyproject(text: str) -> Iterator[Stated]:
    """Yield `requires-python`, or Poetry's counterpart."""
    if "requires-python" not in text and "tool.poetry" not in text:
        return  # parsing costs more than a search
    try:
        parsed = parse_toml(text)
    except (ValueError, RecursionError):
        return
    for tables, key, place in (
        (("project",), "requires-python", _REQUIRES),
        (("tool", "poetry", "dependencies"), "python", _OF_POETRY),
    ):
        found: object = parsed
        for name in (*tables, key):
            found = found.get(name) if isinstance(found, dict) else None
        if isinstance(found, str):
            begin = place.search(text, max(text.find(f"[{'.'.join(tables)}]"), 0))
            yield Stated("python", found, Form.SPECIFIERS, line_of(text, begin.start() if begin else 0))
            return


READERS: dict[str, Reader] = {".python-version": of_version_file, "pyproject.toml": of_pyproject}
