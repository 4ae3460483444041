"""Restart a service that cannot reload itself when one of its files changes; stop when it changes them itself.

watchfiles is loaded only when a service asks for it (docs/adr: files are watched by watchfiles).
"""

from __future__ import annotations

import asyncio
import logging
import re
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

from msgspec import Struct

log = logging.getLogger(__name__)

IGNORED = frozenset({".git", "node_modules", ".venv", "venv", "__pycache__", ".devinit"})
DEBOUNCE_MILLISECONDS = 400
"""How long changes may go on before they count: an editor writes a file in several steps, git many files."""
STEP_MILLISECONDS = 100
"""How often watchfiles looks whether its thread was told something; a watched service wakes us so often."""
SOON_SECONDS = 3.0
"""A change so soon after the service was started again may be its own work ..."""
MOST_IN_A_ROW = 4
"""... and it is, when that happens so often in a row."""


class History(Struct, frozen=True):
    """When a service was started again for its files."""

    restarted_at: float | None = None
    soon: int = 0
    """Changes in a row that came soon after a restart."""


def decide(history: History, now: float) -> tuple[History, bool]:
    """Return the history with a change of now, and whether the service makes these changes itself."""
    at_once = history.restarted_at is not None and now - history.restarted_at < SOON_SECONDS
    soon = history.soon + 1 if at_once else 0
    return History(restarted_at=now, soon=soon), soon >= MOST_IN_A_ROW


def matcher(patterns: Iterable[str]) -> Callable[[str], bool]:
    """Return what tells whether a path, relative to the service's folder, is meant by one of the patterns."""
    expressions = [re.compile(expression_of(pattern)) for pattern in patterns]

    def matches(path: str) -> bool:
        if IGNORED.intersection(path.split("/")):
            return False
        return any(expression.fullmatch(path) for expression in expressions)

    return matches


def expression_of(pattern: str) -> str:
    """Return a pattern as a regular expression: `*` and `?` stay within a folder, `**` goes through all."""
    found = ""
    for part in re.split(r"(\*\*/|\*\*|\*|\?)", pattern.removeprefix("./")):
        found += {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}.get(part) or re.escape(part)
    return found


def folder_of(pattern: str, directory: Path) -> Path:
    """Return the folder that has to be watched for a pattern: the deepest that is there and has no wildcard."""
    folder = directory
    for part in Path(pattern).parts[:-1]:
        if re.search(r"[*?]", part) or not (folder / part).is_dir():
            break
        folder /= part
    return folder


def describe(paths: list[str]) -> str:
    """Say which files changed."""
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    return f"{paths[0]}{more} changed"


async def watch(
    directory: Path,
    patterns: tuple[str, ...],
    changed: Callable[[str], Awaitable[None]],
    note: Callable[[str], None],
) -> None:
    """Report changes of a service's files until this is cancelled, or until it turns out to make them itself."""
    # 0.1 s, for those who watch; the services of the others go on starting meanwhile.
    awatch = await asyncio.to_thread(load_watcher)
    matches, history = matcher(patterns), History()
    folders = sorted({folder_of(pattern, directory) for pattern in patterns})
    clock = asyncio.get_running_loop().time
    try:
        async for changes in awatch(
            *folders,
            watch_filter=lambda _change, path: matches(relative(path, directory)),
            debounce=DEBOUNCE_MILLISECONDS,
            step=STEP_MILLISECONDS,
        ):
            paths = sorted({relative(path, directory) for _, path in changes})
            history, own_work = decide(history, clock())
            if own_work:
                note(
                    f"{paths[0]} changes each time the service starts: its files are not watched any more; "
                    "leave out of `watch` what it writes itself"
                )
                return
            await changed(describe(paths))
            history = History(restarted_at=clock(), soon=history.soon)
    except (OSError, RuntimeError) as error:
        # The user's watches are used up (fs.inotify.max_user_watches), or the folder has gone.
        log.warning("%s: %s", directory, error)
        note(f"its files cannot be watched: {error}")


def load_watcher() -> Callable[..., AsyncGenerator[set[tuple[Any, str]], None]]:
    """Import watchfiles' `awatch`. Any: its kind of change, which is of no interest."""
    # What was kept away from our own start (`boot`), anyio needs.
    for name in [name for name, module in sys.modules.items() if module is None]:
        del sys.modules[name]
    from watchfiles import awatch

    return awatch


def relative(path: str, directory: Path) -> str:
    """Return a path as patterns see it."""
    return path.removeprefix(f"{directory}/")
