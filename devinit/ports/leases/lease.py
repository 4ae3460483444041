"""One leased port."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable

from msgspec.structs import replace

from devinit.model.process import ProcessIdentity
from devinit.ports.leases.locks import try_lock, unusable
from devinit.ports.leases.records import (
    Before,
    Claim,
    Displaced,
    Record,
    owner_of,
    read_record,
    write_back,
    write_record,
)
from devinit.system.open_files import openers_of
from devinit.system.regular import open_regular


class Lease:
    """A leased port: close it, or pass its descriptor on and then close it."""

    def __init__(self, port: int, owner: Record, descriptor: int, path: str, before: Before | None) -> None:
        self.port, self.owner = port, owner
        self._path, self._before = path, before
        self._descriptor: int | None = descriptor
        self._end: Callable[[int], None] = os.close

    @property
    def fd(self) -> int:
        """The locked descriptor, for `spawn(keep=…)`; otherwise it is close-on-exec."""
        if self._descriptor is None:
            raise ValueError(f"the lease of port {self.port} is closed")
        return self._descriptor

    @property
    def displaced(self) -> Displaced | None:
        """The stopped service of another checkout that had the port before, if any."""
        record = self._before.record if self._before is not None else None
        if record is None or record.root == self.owner.root:
            return None
        return Displaced(owner_of(record), kept=record.claim is Claim.KEPT, down=record.down)

    def claim(self, claim: Claim) -> None:
        """Record what the port means to its service from now on."""
        if claim is self.owner.claim or self._descriptor is None:
            return
        self.owner = replace(self.owner, claim=claim)
        try:
            write_record(self._descriptor, self.owner)
        except OSError as error:
            raise unusable(self._path, error) from error

    def release(self, *, keep_reservation: bool) -> None:
        """Close our copy of the lock; a service that still runs keeps the port leased.

        A service that was never ready on the port has no claim to it: the previous record of
        another checkout is restored.
        """
        if keep_reservation and self.owner.claim is not Claim.NONE:
            self._close(self.owner)
            return
        given_up = replace(self.owner, reserved=False)
        self._close(given_up)
        if self.owner.claim is Claim.NONE and self._before is not None and self.displaced is not None:
            _reinstate(self._path, given_up, self._before)

    def rest(self) -> None:
        """Close our copy of the lock for a service that is down; its project requests the port again later.

        If the service was never ready on the port, the previous record of another checkout is restored.
        """
        if self.owner.claim is Claim.NONE and self.displaced is not None:
            self.release(keep_reservation=False)
        else:
            self._close(replace(self.owner, down=True))

    def withhold(self) -> None:
        """Make the close unlock the lease for all copies, if only interactive programs still have one.

        They inherited it from the service, keep running when it stops, and would keep the port for weeks.
        """
        if are_all_apart(openers_of(self._path)):
            self._end = _unlock_and_close

    def give_back(self) -> None:
        """Undo the taking: restore the previous record."""
        if self._descriptor is None:
            return
        if self._before is not None:
            write_back(self._descriptor, self._before)
        else:  # no other process ever had the descriptor, so there is no copy that this would affect
            os.ftruncate(self._descriptor, 0)
        self._let_go()

    def _close(self, record: Record) -> None:
        if self._descriptor is None:
            return
        try:
            if record != self.owner:
                write_record(self._descriptor, record)
            else:
                os.utime(self._descriptor)  # the record lapses LAPSE_SECONDS from now
        finally:
            self._let_go()

    def _let_go(self) -> None:
        if self._descriptor is not None:
            self._end(self._descriptor)
            self._descriptor = None


def are_all_apart(keepers: list[ProcessIdentity]) -> bool:
    """Whether all of these processes are interactive programs such as tmux, which a stop leaves running."""
    from devinit.system.processes import ProcessTable  # for what a stop left running only

    return set(keepers) == ProcessTable().are_apart(keepers)


def _unlock_and_close(descriptor: int) -> None:
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    os.close(descriptor)


def _reinstate(path: str, ours: Record, before: Before) -> None:
    """Restore the record of another checkout, unless a process holds the port or has taken it meanwhile."""
    descriptor = open_regular(path, os.O_RDWR | os.O_NOFOLLOW)
    try:
        if try_lock(descriptor, fcntl.LOCK_EX) and read_record(descriptor) == ours:
            write_back(descriptor, before)
    finally:
        os.close(descriptor)
