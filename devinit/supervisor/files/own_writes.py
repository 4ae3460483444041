"""Distinguish edits from files that a service itself writes at each start. Pure.

Every edit causes a restart. A service's own writes show a pattern: the same file changes soon after each restart,
and always after the same time, however long that restart was delayed. A user who edits one file repeatedly,
perhaps every two seconds, does not know of our restarts. So some restarts are delayed a little, which moves the
next change closer to the restart if it is an edit, but not if it is the service's own write.

For an own write, each restart waits longer, but it still comes, because the file may be edited, too. If the file
meanwhile changes more often than it ever did after a restart, that is an edit, and the restart comes at once.
Other files restart the service at once in any case. A file that was rewritten with the same content has not
changed.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field
from msgspec.structs import replace

SOON_SECONDS = 3.0
"""A change so soon after the service came up, or before that, may be its own write."""
AT_ONCE = 3
"""So many restarts in a row for the same file are not delayed ..."""
TRIALS = 6
"""... every second one of so many more is delayed, to see whether the next change keeps its distance to it ..."""
TRIAL_SECONDS = 1.2
"""... by so many seconds, or by this part of the time that passes from a restart to the change ..."""
TRIAL_PART = 0.5
DELAYS = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
"""... and the following ones wait so many seconds, as long as the changes keep their distance to the restarts."""
GATHERED_SECONDS = 0.4
"""Maximum age of a change when it is noticed, if nothing delays that."""
STEADY_SECONDS = 0.5
"""Changes keep their distance to the restarts if the distances differ by no more than this ..."""
STEADY_PART = 0.3
"""... or than this part of the time from a restart to the change: a busy machine starts slowly."""
APART_SECONDS = 1.0
"""Changes of a file so far apart count as two, not as one that was written in several steps."""
ANY = ""
"""Stands for any file in place of a path, since a service may write files with new names each time."""
ANY_AT_ONCE = 6
ANY_DELAYS = (1.0, 2.0, 4.0)


class Change(Struct, frozen=True):
    """A change of a file."""

    soon: bool
    """Whether the service was still coming up."""
    digest: bytes | None = None
    """Digest of the content; None when it was not computed."""
    age: float = 0.0
    """Seconds since the change was made."""


class Pending(Struct, frozen=True):
    """A change for which the service has not been restarted yet."""

    change: Change
    at: float
    """Time of the last change (monotonic seconds)."""
    due: float
    """Time of the restart."""
    times: int = 1
    """Number of changes since the last restart."""
    is_edit: bool = False
    """Whether it was certainly edited by a user."""


class History(Struct, frozen=True):
    """The changes after the restarts of a service so far."""

    in_a_row: dict[str, int] = field(default_factory=dict)
    """File → number of the latest restarts in a row after which it changed soon."""
    times: dict[str, int] = field(default_factory=dict)
    """File that changed soon after a restart → maximum number of its changes before the next one."""
    hurried: int = 0
    """Number of the latest restarts in a row after which other files changed soon."""
    restarted_at: float | None = None
    """Time of the last restart (monotonic seconds)."""
    lags: dict[str, tuple[float, ...]] = field(default_factory=dict)
    """File → seconds from each of the latest restarts to its first change, oldest first."""
    digests: dict[str, bytes | None] = field(default_factory=dict)
    """File that changed soon after a restart → its content at the last restart for it."""
    pending: dict[str, Pending] = field(default_factory=dict)
    """Files that have changed since the last restart."""

    @property
    def due(self) -> float | None:
        """The time of the next restart; None when nothing has changed."""
        return min((each.due for each in self.pending.values()), default=None)

    @property
    def own(self) -> dict[str, float]:
        """The files that the service seems to write itself → seconds that a restart for them waits."""
        return {path: delay(self, path) for path in self.in_a_row if is_own(self, path)}


def noticed(history: History, changes: Mapping[str, Change], now: float) -> History:
    """Return the history with newly changed files."""
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
    """Return a file that changed once more while its restart waits; `usual`: its maximum number of changes."""
    times = before.times + (now - before.at >= APART_SECONDS)
    is_edit = times > usual
    return Pending(
        # Only the first change shows whether the service was still coming up.
        change=Change(soon=before.change.soon, digest=change.digest),
        at=now,
        due=now if is_edit else before.due,
        times=times,
        is_edit=is_edit,
    )


def delay(history: History, path: str) -> float:
    """Return how many seconds to delay a restart for a file that changed soon after the last one."""
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
    """Return whether the service seems to write a file itself."""
    return history.in_a_row.get(path, 0) >= AT_ONCE + TRIALS and is_steady(history, path)


def is_steady(history: History, path: str) -> bool:
    """Return whether a file changed equally long after each of the last restarts, however these were delayed."""
    lags = history.lags.get(path, ())
    return max(lags, default=0.0) - min(lags, default=0.0) <= max(
        STEADY_SECONDS, STEADY_PART * max(lags, default=0.0)
    )


def restarted(history: History, now: float) -> History:
    """Return the history after a restart for all pending changes."""
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
    """Return the history of a service that has been up for a while without pending changes: it has no pattern."""
    return History(digests=history.digests)
