"""Tell edits from the files that a service writes itself each time it starts: pure.

Every edit leads to a restart. A service's own writes show a pattern: the same file changes soon after each
restart, and always as long after it, however long that restart was put off. Who edits one file again and again,
every two seconds perhaps, knows nothing of our restarts: so some of these come a moment later, which moves the
next change nearer to the restart when it is an edit, and not when it is the service's own work.

For an own write the restart waits longer each time, but it comes: the file may be edited, too. When it changes
more often meanwhile than it ever did after a restart, that is an edit, and the restart comes at once. Other files
restart the service at once in any case. A file rewritten with the same content has not changed.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field
from msgspec.structs import replace

SOON_SECONDS = 3.0
"""A change so soon after the service came up, or before it did, may be its own work."""
AT_ONCE = 3
"""So many restarts in a row for the same file are not delayed ..."""
TRIALS = 6
"""... so many more are delayed in turns, to see what the next change keeps to ..."""
TRIAL_SECONDS = 1.2
"""... by so much, or by that part of the time that passes from a restart to the change ..."""
TRIAL_PART = 0.5
DELAYS = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
"""... and those that follow wait so many seconds, as long as the changes keep to the restarts."""
GATHERED_SECONDS = 0.4
"""How long ago a change that has just been noticed was made, at most, when nothing is in the way."""
STEADY_SECONDS = 0.5
"""Changes keep to the restarts when they differ by no more than this ..."""
STEADY_PART = 0.3
"""... or than this part of the time that passes from a restart to the change: a busy machine starts slowly."""
APART_SECONDS = 1.0
"""Changes of a file so far apart are two, and not one that was written in several steps."""
ANY = ""
"""In place of a path: of whatever files. A service may write files with new names each time."""
ANY_AT_ONCE = 6
ANY_DELAYS = (1.0, 2.0, 4.0)


class Change(Struct, frozen=True):
    """What is known of a file that changed."""

    soon: bool
    """Whether the service was only just coming up."""
    digest: bytes | None = None
    """Of its content; None when that was not asked."""
    age: float = 0.0
    """How many seconds ago it was made."""


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
    restarted_at: float | None = None
    """When the service was restarted last (monotonic seconds)."""
    lags: dict[str, tuple[float, ...]] = field(default_factory=dict)
    """Files, and how many seconds after the last restarts each of them changed first, oldest first."""
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
        return {path: delay(self, path) for path in self.in_a_row if is_own(self, path)}


def noticed(history: History, changes: Mapping[str, Change], now: float) -> History:
    """Return the history with files that just changed."""
    pending, lags = dict(history.pending), dict(history.lags)
    for path, change in changes.items():
        if change.soon and change.digest is not None and change.digest == history.digests.get(path):
            continue
        if (before := pending.get(path)) is not None:
            pending[path] = changed_again(before, change, now, history.times.get(path, 1))
            continue
        if change.soon and history.restarted_at is not None:
            lag = now - change.age - history.restarted_at
            for key in (path,) if pending else (path, ANY):
                lags[key] = (*lags.get(key, ()), lag)[-TRIALS:]
        waits = delay(replace(history, lags=lags), path) if change.soon else 0.0
        pending[path] = Pending(change, now, now + max(0.0, waits - min(change.age, GATHERED_SECONDS)))
    return replace(history, pending=pending, lags=lags)


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
    count = history.in_a_row.get(path, 0)
    if is_own(history, path):
        return DELAYS[min(count - AT_ONCE - TRIALS, len(DELAYS) - 1)]
    if history.hurried >= ANY_AT_ONCE + TRIALS and is_steady(history, ANY):
        return ANY_DELAYS[min(history.hurried - ANY_AT_ONCE - TRIALS, len(ANY_DELAYS) - 1)]
    trial = max(count - AT_ONCE, history.hurried - ANY_AT_ONCE)
    if trial < 0 or trial % 2:
        return 0.0
    lags = history.lags.get(path if count >= AT_ONCE else ANY, ())
    return max(TRIAL_SECONDS, TRIAL_PART * max(lags, default=0.0))


def is_own(history: History, path: str) -> bool:
    """Whether a file seems to be the service's own work."""
    return history.in_a_row.get(path, 0) >= AT_ONCE + TRIALS and is_steady(history, path)


def is_steady(history: History, path: str) -> bool:
    """Whether a file has changed as long after each of the last restarts, however long these were put off."""
    lags = history.lags.get(path, ())
    return max(lags, default=0.0) - min(lags, default=0.0) <= max(
        STEADY_SECONDS, STEADY_PART * max(lags, default=0.0)
    )


def restarted(history: History, now: float) -> History:
    """Return the history after a restart for all that was pending."""
    soon = {path: each for path, each in history.pending.items() if each.change.soon}
    known = {
        path: each.change.digest
        for path, each in history.pending.items()
        if each.change.soon or path in history.digests
    }
    is_explained = any(path in history.own for path in soon)
    in_a_row = {path: history.in_a_row.get(path, 0) + 1 for path, each in soon.items() if not each.is_edit}
    return History(
        in_a_row=in_a_row,
        times=history.times
        | {path: max(each.times, history.times.get(path, 1)) for path, each in soon.items()},
        hurried=history.hurried + 1 if soon and not is_explained else 0,
        restarted_at=now,
        lags={
            path: lags for path, lags in history.lags.items() if path in in_a_row or (path == ANY and soon)
        },
        digests={**history.digests, **known},
    )


def settled(history: History) -> History:
    """Return the history when the service has been up for a while, and nothing is pending: no pattern."""
    return History(digests=history.digests)
