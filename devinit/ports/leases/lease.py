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
    """A port of ours: close it, or pass its descriptor on and then close it."""

    def __init__(self, port: int, owner: Record, descriptor: int, path: str, before: Before | None) -> None:
        self.port, self.owner = port, owner
        self._path, self._before = path, before
        self._descriptor: int | None = descriptor
        self._end: Callable[[int], None] = os.close

    @property
    def fd(self) -> int:
        """The locked descriptor, for `spawn(keep=…)`; it is close-on-exec otherwise."""
        if self._descriptor is None:
            raise ValueError(f"the lease of port {self.port} is closed")
        return self._descriptor

    @property
    def displaced(self) -> Displaced | None:
        """The stopped service of another checkout whose port it was until now, if there is one."""
        record = self._before.record if self._before is not None else None
        if record is None or record.root == self.owner.root:
            return None
        return Displaced(owner_of(record), kept=record.claim is Claim.KEPT, down=record.down)

    def claim(self, claim: Claim) -> None:
        """Put on record what the port is to its service from now on."""
        if claim is self.owner.claim or self._descriptor is None:
            return
        self.owner = replace(self.owner, claim=claim)
        try:
            write_record(self._descriptor, self.owner)
        except OSError as error:
            raise unusable(self._path, error) from error

    def release(self, *, keep_reservation: bool) -> None:
        """Let go of our copy of the lock; a service that still runs keeps the port leased.

        A service that was never ready on the port has no claim to it: what another checkout had on record
        before counts again.
        """
        if keep_reservation and self.owner.claim is not Claim.NONE:
            self._close(self.owner)
            return
        given_up = replace(self.owner, reserved=False)
        self._close(given_up)
        if self.owner.claim is Claim.NONE and self._before is not None and self.displaced is not None:
            _reinstate(self._path, given_up, self._before)

    def rest(self) -> None:
        """Let go of our copy of the lock for a service that is down: its project asks for the port again.

        What another checkout had on record before counts again when the service was never ready on the port.
        """
        if self.owner.claim is Claim.NONE and self.displaced is not None:
            self.release(keep_reservation=False)
        else:
            self._close(replace(self.owner, down=True))

    def withhold(self) -> None:
        """Unlock it for all copies when it is closed, if only programs have one in which a person works.

        They inherited it from the service, run on when it is stopped, and would keep the port for weeks.
        """
        if are_all_apart(openers_of(self._path)):
            self._end = _unlock_and_close

    def give_back(self) -> None:
        """Undo the taking: what was on record before is as it was."""
        if self._descriptor is None:
            return
        if self._before is not None:
            write_back(self._descriptor, self._before)
        else:  # no other process ever had the descriptor, so there is none to be told
            os.ftruncate(self._descriptor, 0)
        self._let_go()

    def _close(self, record: Record) -> None:
        if self._descriptor is None:
            return
        try:
            if record != self.owner:
                write_record(self._descriptor, record)
            else:
                os.utime(self._descriptor)  # it lapses LAPSE_SECONDS from now
        finally:
            self._let_go()

    def _let_go(self) -> None:
        if self._descriptor is not None:
            self._end(self._descriptor)
            self._descriptor = None


def are_all_apart(keepers: list[ProcessIdentity]) -> bool:
    """Whether a person works in every one of these processes, as in tmux: a stop leaves them running."""
    from devinit.system.processes import ProcessTable  # for what a stop left running only

    return set(keepers) == ProcessTable().are_apart(keepers)


def _unlock_and_close(descriptor: int) -> None:
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    os.close(descriptor)


def _reinstate(path: str, ours: Record, before: Before) -> None:
    """Write back what another checkout had on record, if nothing holds the port or has taken it meanwhile."""
    descriptor = open_regular(path, os.O_RDWR | os.O_NOFOLLOW)
    try:
        if try_lock(descriptor, fcntl.LOCK_EX) and read_record(descriptor) == ours:
            write_back(descriptor, before)
    finally:
        os.close(descriptor)
