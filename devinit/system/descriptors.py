"""Limits on open files of this process, which needs more than its services where there are hundreds of them.

The soft limit is raised to the hard one, and services are started with the limits of the caller. The kernel
compares a limit with the number of a new descriptor, not with the count of descriptors. Long-lived descriptors are
therefore moved above the caller's limit, so that a start under that limit finds free numbers below it.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from devinit.errors import ServiceError

RESERVED = 64
"""Descriptors that do not grow with services: 15 of the supervisor itself, clients,
files being read, six threads."""
LEAST_AT_ONCE = 4
MOST = 65536
"""Enough for services on every port. Some old programs iterate over all numbers up to the limit."""
MOST_ON_MACOS = 10240
"""The least that macOS allows, although its hard limit is infinite."""
SHARES = 3
"""The free descriptors are divided among probes, commands and the ending of services."""


class Descriptors:
    """The limits and reserves of this process's open files."""

    def __init__(self) -> None:
        self._called_with: tuple[int, int] | None = None
        """The soft and hard limits before they were raised."""
        self._kept = 0

    def make_room(self, kept: int) -> None:
        """Make room for this many long-lived descriptors. Raise ServiceError if the system refuses."""
        self._kept = kept
        self.raise_limit(kept)
        # The reserve is the most that is ever used; with a low limit, a quarter can be kept nevertheless.
        allowed = max(soft_limit() - RESERVED - SHARES * LEAST_AT_ONCE, soft_limit() // 4)
        if kept > allowed:
            import resource  # few projects have so many services

            hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            raise ServiceError(
                f"{kept} files have to be kept open for these services, and the limit of devinit's supervisor "
                f"(pid {os.getpid()}) leaves {allowed}",
                hint=f"it may open {hard} (`ulimit -Hn`), as the shell that started it: after `devinit stop`, a "
                "start in a shell with a higher limit has that; or start fewer services at once",
            )

    def raise_limit(self, kept: int) -> None:
        """Raise the soft limit to the hard one if this many descriptors are a large part of it."""
        if kept <= soft_limit() // 4 or self._called_with is not None:
            return
        import resource  # few projects have so many services

        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        self._raise_to(hard if hard != resource.RLIM_INFINITY else MOST)

    def at_once(self) -> int:
        """Return how many descriptors one kind of work may have open at the same time."""
        called = self._called_with[0] if self._called_with is not None else soft_limit()
        free = (soft_limit() - self._kept - RESERVED) // SHARES
        return max(LEAST_AT_ONCE, min(free, called // 4))

    def keep(self, descriptor: int) -> int:
        """Return a long-lived descriptor for the same file, with a number beyond those of short-lived ones."""
        if self._called_with is None:
            return descriptor
        try:
            moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, self._called_with[0])
        except OSError:  # no number above is free: it stays where it is
            return descriptor
        os.close(descriptor)
        return moved

    @contextmanager
    def as_called(self) -> Iterator[None]:
        """Restore the caller's limits inside the block, which starts programs and must not await anything."""
        if self._called_with is None:
            yield
            return
        import resource  # as above

        raised = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, self._called_with)
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, raised)

    def _raise_to(self, hard: int) -> None:
        import resource  # as above

        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        for limit in (min(hard, MOST), MOST_ON_MACOS):
            if limit <= before[0]:
                return
            with suppress(ValueError, OSError):
                resource.setrlimit(resource.RLIMIT_NOFILE, (limit, before[1]))
                self._called_with = before
                return


descriptors = Descriptors()
"""The descriptors of this process."""


def limits_of(pid: int) -> tuple[int, int] | None:
    """Return the soft and the hard limit of a process of this user; None where they cannot be seen."""
    import resource  # as above

    if not hasattr(resource, "prlimit"):
        return None  # macOS
    try:
        return resource.prlimit(pid, resource.RLIMIT_NOFILE)
    except (OSError, ValueError):
        return None


def soft_limit() -> int:
    """Return how many files this process may currently have open."""
    return os.sysconf("SC_OPEN_MAX")
