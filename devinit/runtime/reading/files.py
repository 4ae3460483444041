"""The files of a folder that may read variables from their environment. Loads nothing but `os`."""

# ruff: noqa: PTH118, PTH119, PTH122 - names by the thousand
from __future__ import annotations

import os
import time

from devinit.system.walking import walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

DEEPEST = 6
MOST_NAMES, MOST_FILES = 4000, 400
MOST_SECONDS, LONGEST_WAIT_SECONDS = 0.3, 3.0
"""Limits of CPU time and elapsed time: once for listing a folder, and once for reading its files.

A file that is not read by then counts as reading no variable. CPU time does not depend on the load of the machine.
"""
PYTHON = (".py",)
JAVASCRIPT = (".js", ".jsx", ".ts", ".tsx", ".mjs", ".mts", ".vue", ".svelte", ".astro")
SPRING = ("application", "application-dev", "application-local")
_OF_SPRING = frozenset(f"{name}.{suffix}" for name in SPRING for suffix in ("properties", "yml", "yaml"))
_SUFFIXES = frozenset((*PYTHON, *JAVASCRIPT))
_SKIPPED = frozenset(
    {
        "node_modules", "site-packages", "__pycache__", "venv", "env", "virtualenv", "dist", "build", "out",
        "vendor", "tests", "test", "__tests__", "e2e", "fixtures", "mocks", "__mocks__", "docs", "examples",
        "example", "demo", "versions", "static", "public", "coverage", "target", "stories", "tools",
    }
)  # fmt: skip
_TELLING = (
    "application",
    "settings",
    "config",
    "env",
    "constants",
    "api",
    "client",
    "http",
    "axios",
    "database",
    "db",
    "celery",
)
"""Words in names of files that are read first."""


class Patience:
    """The limits of CPU time and elapsed time for one reading; they count from its creation."""

    def __init__(self) -> None:
        self._processor = time.thread_time() + MOST_SECONDS
        self._clock = time.monotonic() + LONGEST_WAIT_SECONDS

    def is_over(self) -> bool:
        """Whether a limit is reached."""
        return time.thread_time() > self._processor or time.monotonic() > self._clock


def code_files(folder: str | os.PathLike[str], left_out: Collection[str] = ()) -> list[str]:
    """Return the absolute paths of the files of a folder that may read variables, the likeliest first.

    `left_out`: folders below it that contain the code of another application.
    """
    found = []
    for name in _files(folder, left_out, Patience()):
        found.append(name)
        if len(found) == MOST_NAMES:
            break
    return sorted(found, key=_order)[:MOST_FILES]


def _files(folder: str | os.PathLike[str], left_out: Collection[str], patience: Patience) -> Iterator[str]:
    for place, folders, names in walk(folder, deepest=DEEPEST):
        if patience.is_over():
            return
        folders[:] = [
            name
            for name in folders
            if name not in _SKIPPED and not name.startswith(".") and os.path.join(place, name) not in left_out
        ]
        for name in names:
            stem, suffix = os.path.splitext(name)
            if (suffix in _SUFFIXES and not _is_of_tests(stem)) or name in _OF_SPRING:
                yield os.path.join(place, name)


def _order(name: str) -> tuple[bool, int, str]:
    stem = os.path.basename(name).lower()
    return not any(word in stem for word in _TELLING), name.count(os.sep), name


def _is_of_tests(stem: str) -> bool:
    plain = stem.lower()
    endings = ("_test", ".test", ".spec", ".stories", ".mock", ".d")
    return plain.startswith("test_") or plain.endswith(endings) or plain in ("conftest", "setup")
