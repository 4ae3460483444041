"""Tell a person's edits from the files that a service writes itself each time it starts: pure.

Every edit leads to a restart. A service's own writes show a pattern: the same file changes soon after each
restart. For such a file the restart waits longer each time, but it comes: a person may edit that file, too. When
it changes more often meanwhile than it ever did after a restart, that is an edit, and the restart comes at once.
Other files restart the service at once in any case. A file rewritten with the same content has not changed.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field
from msgspec.structs import replace

SOON_SECONDS = 3.0
"""A change so soon after the service came up, or before it did, may be its own work."""
AT_ONCE = 4
"""So many restarts in a row for the same file are not delayed ..."""
DELAYS = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
"""... and those that follow wait so many seconds."""
APART_SECONDS = 1.0
"""Changes of a file so far apart are two, and not one that was written in several steps."""
ANY_AT_ONCE = 10
"""The same for restarts in a row for whatever files: a service may write files with new names each time."""
ANY_DELAYS = (1.0, 2.0, 4.0)


class Change(Struct, frozen=True):
    """What is known of a file that changed."""

    soon: bool
    """Whether the service was only just coming up."""
    digest: bytes | None = None
    """Of its content; None when that was not asked."""


class Pending(Struct, frozen=True):
    """A change that the service has not been restarted for yet."""

    change: Change
    at: float
    """When it changed last (monotonic seconds)."""
    due: float
    """When the service is restarted for it."""
    times: int = 1
    """How often it has changed since the last restart."""
    is_edit: bool = False
    """Whether it was changed by a person for certain."""


class History(Struct, frozen=True):
    """What changed after the restarts of a service so far."""

    in_a_row: dict[str, int] = field(default_factory=dict)
    """Files, and the number of restarts up to the last one that each of them changed soon after."""
    times: dict[str, int] = field(default_factory=dict)
    """Files that changed soon after a restart, and how often they changed at most before the next one."""
    hurried: int = 0
    """Restarts in a row that other files were changed soon after."""
    digests: dict[str, bytes | None] = field(default_factory=dict)
    """Files that changed soon after a restart, and their content when the service was last restarted for them."""
    pending: dict[str, Pending] = field(default_factory=dict)
    """Files that changed since the last restart."""

    @property
    def due(self) -> float | None:
        """When the service is to be restarted; None when nothing has changed."""
        return min((each.due for each in self.pending.values()), default=None)

    @property
    def own(self) -> dict[str, float]:
        """The files that seem to be the service's own work, and how many seconds a restart for them waits."""
        return {path: delay(self, path) for path, count in self.in_a_row.items() if count >= AT_ONCE}


def noticed(history: History, changes: Mapping[str, Change], now: float) -> History:
    """Return the history with files that just changed."""
    pending = dict(history.pending)
    for path, change in changes.items():
        if change.soon and change.digest is not None and change.digest == history.digests.get(path):
            continue
        if (before := pending.get(path)) is not None:
            pending[path] = changed_again(before, change, now, history.times.get(path, 1))
        else:
            pending[path] = Pending(change, now, now + (delay(history, path) if change.soon else 0.0))
    return replace(history, pending=pending)


def changed_again(before: Pending, change: Change, now: float, usual: int) -> Pending:
    """Return a file that changed once more while a restart for it waits; `usual`: how often it does at most."""
    times = before.times + (now - before.at >= APART_SECONDS)
    is_edit = times > usual
    return Pending(
        # Whether the service was only just coming up is known from the first change.
        change=Change(soon=before.change.soon, digest=change.digest),
        at=now,
        due=now if is_edit else before.due,
        times=times,
        is_edit=is_edit,
    )


def delay(history: History, path: str) -> float:
    """Return how many seconds a restart for a file that changed soon after the last restart has to wait."""
    if (own := history.in_a_row.get(path, 0)) >= AT_ONCE:
        return DELAYS[min(own - AT_ONCE, len(DELAYS) - 1)]
    if history.hurried >= ANY_AT_ONCE:
        return ANY_DELAYS[min(history.hurried - ANY_AT_ONCE, len(ANY_DELAYS) - 1)]
    return 0.0


def restarted(history: History) -> History:
    """Return the history after a restart for all that was pending."""
    soon = {path: each for path, each in history.pending.items() if each.change.soon}
    known = {
        path: each.change.digest
        for path, each in history.pending.items()
        if each.change.soon or path in history.digests
    }
    is_explained = any(path in history.own for path in soon)
    return History(
        in_a_row={path: history.in_a_row.get(path, 0) + 1 for path, each in soon.items() if not each.is_edit},
        times=history.times
        | {path: max(each.times, history.times.get(path, 1)) for path, each in soon.items()},
        hurried=history.hurried + 1 if soon and not is_explained else 0,
        digests={**history.digests, **known},
    )


def settled(history: History) -> History:
    """Return the history when the service has been up for a while, and nothing is pending: no pattern."""
    return History(digests=history.digests)
