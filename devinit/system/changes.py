"""A bounded check which files in some folders have changed since a moment, for recent events."""

from __future__ import annotations

import os
from pathlib import PurePosixPath

from devinit.system.walking import walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

MOST_ENTRIES = 20_000
"""How many files are checked; this takes about 50 ms."""
PASSED_OVER = frozenset({"__pycache__", "node_modules", "venv"})
"""Output of programs, and code of third parties. Folders whose names begin with a dot are skipped, too."""
DEEPEST = 30


def have_changed_since(at: float, folders: Iterable[str], patterns: Sequence[str]) -> bool:
    """Whether a file whose path matches one of the patterns was written, replaced or renamed after a Unix time.

    Without patterns, every file matches.
    """
    return any(changed > at for changed in _times_in(folders, patterns))


def latest_change_since(at: float, folders: Iterable[str]) -> float | None:
    """Return the Unix time of the latest change after `at`; None without one."""
    return max((changed for changed in _times_in(folders, ()) if changed > at), default=None)


def _times_in(folders: Iterable[str], patterns: Sequence[str]) -> Iterator[float]:
    left = MOST_ENTRIES
    for top in folders:
        for folder, below, files in walk(top, deepest=DEEPEST):
            below[:] = [name for name in below if name not in PASSED_OVER and not name.startswith(".")]
            for name in files[:left]:
                if _fits(folder, name, patterns):
                    yield _changed_at(os.path.join(folder, name))
            left -= len(files)
            if left <= 0:
                return


def _fits(folder: str, name: str, patterns: Sequence[str]) -> bool:
    return not patterns or any(PurePosixPath(folder, name).match(pattern) for pattern in patterns)


def _changed_at(path: str) -> float:
    """Return when a file changed; a file that was moved here may have an older modification time."""
    try:
        found = os.lstat(path)
    except OSError:
        return 0.0
    return max(found.st_mtime, found.st_ctime)
