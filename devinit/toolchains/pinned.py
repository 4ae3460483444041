"""Read the files of version managers for all languages: `.tool-versions` of asdf, `mise.toml`. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from devinit.toml import parse_toml
from devinit.toolchains.asked import PINS, Form, Reader, Stated, line_of

_NAMES = {
    "nodejs": "node", "node": "node", "python": "python", "golang": "go", "go": "go", "ruby": "ruby",
    "pnpm": "pnpm", "yarn": "yarn", "bun": "bun",
}  # fmt: skip
"""Plug-in or tool → its name in devinit."""


def of_tool_versions(text: str) -> Iterator[Stated]:
    """Yield the versions in a `.tool-versions`; of several for a tool, the first counts."""
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.partition("#")[0].split()
        if len(words) > 1 and words[0] in _NAMES:
            yield _pin(words[0], words[1], number)


def of_mise(text: str) -> Iterator[Stated]:
    """Yield the versions in the `[tools]` of a mise.toml."""
    try:
        tools = parse_toml(text).get("tools")
    except (ValueError, RecursionError):
        return
    for name, value in tools.items() if isinstance(tools, dict) else ():
        wanted = _first_version(value)
        if name in _NAMES and wanted:
            found = re.compile(rf"^[ \t]*[\"']?{name}[\"']?[ \t]*=", re.MULTILINE).search(text)
            yield _pin(name, wanted, line_of(text, found.start() if found else 0))


def _first_version(value: Any) -> str | None:  # Any: the value is unchecked
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, dict):
        value = value.get("version")
    return str(value) if isinstance(value, str | int | float) else None


def _pin(name: str, wanted: str, line: int) -> Stated:
    tool = _NAMES[name]
    return Stated(tool, wanted, PINS.get(tool, Form.MAJOR), line)


READERS: dict[str, Reader] = {
    ".tool-versions": of_tool_versions,
    "mise.toml": of_mise,
    ".mise.toml": of_mise,
}
