"""Read the Node and package manager that a repository requires: `.nvmrc`, `.node-version`, package.json. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from devinit.toolchains.asked import Form, Reader, Stated, first_line, line_of
from devinit.toolchains.node.managers import MANAGERS
from devinit.toolchains.ranges.pins import pinned_version
from devinit.toolchains.versions import Version

TOOLS = ("node", *sorted(MANAGERS))
KEYS = ("engines", "packageManager", "volta")


def of_version_file(text: str) -> Iterator[Stated]:
    """Yield the version in an `.nvmrc` or a `.node-version`."""
    said, line = first_line(text)
    if said:
        yield Stated("node", said, Form.NODE_PIN, line)


def of_package(text: str) -> Iterator[Stated]:
    """Yield the requirements in a package.json: `engines`, `packageManager`, `volta`."""
    if not any(f'"{key}"' in text for key in KEYS):
        return
    try:
        package: Any = msgspec.json.decode(text)  # Any: each value is checked below
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return
    if not isinstance(package, dict):
        return
    manager = package.get("packageManager")
    if isinstance(manager, str) and "@" in manager:
        name, _, version = manager.partition("@")
        if name in MANAGERS and version:
            yield Stated(name, version.partition("+")[0], Form.MAJOR, _line(text, "packageManager"))
    yield from _of_table(text, package, "engines", Form.NPM, Form.NPM)
    yield from _of_table(text, package, "volta", Form.NODE_PIN, Form.MAJOR)


def manager_version(manager: str, text: str) -> Version | None:
    """Return the version of a package manager in the `packageManager` of a package.json; None without one."""
    stated = (each for each in of_package(text) if each.tool == manager and each.form is Form.MAJOR)
    return next((pinned_version(each.wanted) for each in stated), None)


def _of_table(
    text: str, package: dict[str, Any], key: str, of_node: Form, of_manager: Form
) -> Iterator[Stated]:
    table = package.get(key)
    if not isinstance(table, dict):
        return
    for tool in TOOLS:
        wanted = table.get(tool)
        if isinstance(wanted, str):
            yield Stated(tool, wanted, of_node if tool == "node" else of_manager, _line(text, key, tool))


def _line(text: str, *keys: str) -> int:
    """Return the line of a nested key: each key is searched after its parent."""
    position = 0
    for key in keys:
        found = re.compile(rf'"{key}"\s{{0,100}}:').search(text, position)
        position = found.start() if found else position
    return line_of(text, position)


READERS: dict[str, Reader] = {
    ".nvmrc": of_version_file,
    ".node-version": of_version_file,
    "package.json": of_package,
}
