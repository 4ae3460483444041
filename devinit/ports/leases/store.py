"""The lease files of a user: they record which service has which port of the machine."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec
from msgspec.structs import replace

from devinit.model.names import service_of
from devinit.model.port import LeaseOwner
from devinit.model.process import ProcessIdentity
from devinit.ports.leases.lease import Lease, are_all_apart
from devinit.ports.leases.locks import is_locked, try_lock, unusable
from devinit.ports.leases.records import (
    Before,
    Claim,
    Entry,
    Record,
    Taken,
    counting_record,
    exists,
    keeping_record,
    kept_for_another,
    owner_of,
    read_record,
    record_of,
    root_name,
    services_leased,
    taken_by,
    write_record,
)
from devinit.system.descriptors import descriptors
from devinit.system.files import try_to_write
from devinit.system.open_files import openers_of
from devinit.system.regular import open_regular

_SUFFIX = ".lock"
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
_RETRIES = 40
_RETRY_SECONDS = 0.0005


class LeaseStore:
    """The lease files of this user, in one directory for all projects."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._prefix = f"{directory}/"
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise unusable(directory, error) from error

    def take(self, port: int, owner: LeaseOwner, *, over_reservation: bool = False) -> Lease | Taken:
        """Lease a port, or return who has it.

        A port that is kept for another checkout is leased only with `over_reservation`. Its previous owner stays
        on record (`Lease.displaced`).
        """
        with self._opened(port) as descriptor:
            if (taken := _lock(descriptor, owner.root, over_reservation=over_reservation)) is not None:
                return taken
            if not _is_still_the_file(descriptor, self._path(port)):
                # The files of the directory were removed by hand.
                return self.take(port, owner, over_reservation=over_reservation)
            counting = counting_record(descriptor)
            before = Before(counting, os.fstat(descriptor).st_mtime) if counting is not None else None
            record = record_of(owner, counting)
            write_record(descriptor, record)
            return Lease(port, record, descriptors.keep(os.dup(descriptor)), self._path(port), before)

    def try_to_write(self, root: str) -> None:
        """Raise StateFileError if the record of a checkout could not be written now; change nothing."""
        owner = LeaseOwner(root=root_name(root), project="", service="", pid=os.getpid(), at=time.time())
        try_to_write(f"{self._prefix}record", msgspec.json.encode(record_of(owner, None)))

    def look(self, port: int) -> Taken | None:
        """Return who has a port leased, or for which service it is kept; change nothing."""
        if not os.path.exists(self._path(port)):  # noqa: PTH110 - see _path
            return None
        with self._opened(port) as descriptor:
            live = is_locked(descriptor)
            record = read_record(descriptor) if live else keeping_record(descriptor)
        if record is None:
            return Taken(None, live) if live else None
        return Taken(owner_of(record), live, down=record.down and not live)

    def is_leased_to(self, services: Collection[str], root: str, port: int) -> bool:
        """Whether processes of one of these services of a checkout hold the lease of a port."""
        found = self.look(port)
        owner = found.owner if found is not None and found.live else None
        if owner is None or owner.by_program:
            return False
        return owner.root == root and service_of(owner.service) in services

    def entries(self) -> list[Entry]:
        """Return every port that is leased, or on which a stopped service was ready; sorted by port."""
        found = []
        for port in self._ports():
            with self._opened(port) as descriptor:
                live = is_locked(descriptor)
                record = read_record(descriptor) if live else counting_record(descriptor)
            if record is not None:
                found.append(Entry(port, owner_of(record), live, kept=record.claim is Claim.KEPT))
        return found

    def owners(self) -> list[tuple[int, LeaseOwner, bool]]:
        """Return the ports of `entries` with their owners, and whether each lock is held."""
        return [(each.port, each.owner, each.live) for each in self.entries()]

    def claim(self, port: int, owner: LeaseOwner, claim: Claim) -> None:
        """Record the claim to a port for a service whose own processes hold the lease."""
        with self._opened(port) as descriptor:
            record = read_record(descriptor)
            if record and _is_of(owner, record) and record.reserved and record.claim is not claim:
                write_record(descriptor, replace(record, claim=claim))

    def take_back(self, port: int, owner: LeaseOwner) -> bool:
        """Restore the record of a port that a service gave up while its processes kept the lease.

        Return whether they hold it.
        """
        with self._opened(port) as descriptor:
            record = read_record(descriptor)
            if record is None or not _is_of(owner, record) or not is_locked(descriptor):
                return False
            if not record.reserved:
                write_record(descriptor, replace(record, reserved=True))
            return True

    def keepers(self, root: str, service: str) -> list[ProcessIdentity]:
        """Return the processes that keep the live leases of a service, including those of its extra ports.

        A program that has leased a port for itself does not count, even under the name of the service.
        """
        ports = [port for name, port in services_leased(self.owners(), root) if service_of(name) == service]
        return [keeper for port in ports for keeper in openers_of(self._path(port))]

    def is_only_kept_apart(self, root: str, service: str) -> bool:
        """Return whether only interactive programs keep a service's live leases."""
        keepers = self.keepers(root, service)
        return bool(keepers) and are_all_apart(keepers)

    def forget_vanished(self) -> list[int]:
        """Drop the records of checkouts that no longer exist, unless their lock is held; return the ports."""
        return self._drop(lambda _port, record: not exists(record.root))

    def forget(self, root: str, services: Mapping[str, int | None]) -> list[int]:
        """Drop the records of stopped services of a checkout, except the given port of each; return the ports.

        A port whose lock is held stays unchanged.
        """
        return self._drop(
            lambda port, record: record.root == root and services.get(record.service, port) != port
        )

    def forget_checkout(self, root: str) -> list[int]:
        """Drop all records of a checkout whose lock is not held; return the ports."""
        return self._drop(lambda _port, record: record.root == root)

    def _drop(self, concerns: Callable[[int, Record], bool]) -> list[int]:
        dropped = []
        for port in self._ports():
            with self._opened(port) as descriptor:
                record = read_record(descriptor)
                if record is None or not concerns(port, record):
                    continue
                if try_lock(descriptor, fcntl.LOCK_EX) and read_record(descriptor) == record:
                    os.ftruncate(descriptor, 0)
                    dropped.append(port)
        return dropped

    def _ports(self) -> list[int]:
        """Return the ports whose file has content, so that thousands of given-up ports cost one stat each."""
        try:
            with os.scandir(self.directory) as entries:
                return sorted(
                    int(name)
                    for entry in entries
                    if (name := entry.name.removesuffix(_SUFFIX)).isdecimal() and entry.stat().st_size
                )
        except OSError as error:
            raise unusable(self.directory, error) from error

    @contextmanager
    def _opened(self, port: int) -> Iterator[int]:
        """Open a lease file; closing it releases a lock taken through it, unless the descriptor was duplicated."""
        try:
            # Opened with O_CLOEXEC: a lease reaches a service only if it is passed on explicitly.
            descriptor = open_regular(self._path(port), _FLAGS)
            try:
                yield descriptor
            finally:
                os.close(descriptor)
        except OSError as error:
            raise unusable(self._path(port), error) from error

    def _path(self, port: int) -> str:
        # A text, not a Path: a search of 100 ports calls this 100 times, and creating a
        # Path takes as long as open().
        return f"{self._prefix}{port}{_SUFFIX}"


def _is_of(owner: LeaseOwner, record: Record) -> bool:
    """Whether a record names this service of this checkout."""
    return (record.root, record.service) == (owner.root, owner.service)


def _lock(descriptor: int, root: str, *, over_reservation: bool) -> Taken | None:
    """Lock a lease file for us, or return who has it.

    A port that is kept for another checkout is only read, never locked: its owner would otherwise mistake our lock
    of a microsecond for a service that still runs.
    """
    for _ in range(_RETRIES):
        if not over_reservation and (record := kept_for_another(descriptor, root)) is not None:
            return taken_by(record, root, live=is_locked(descriptor))
        if try_lock(descriptor, fcntl.LOCK_EX):
            # The record may have been written between the read and the lock.
            record = None if over_reservation else kept_for_another(descriptor, root)
            return taken_by(record, root, live=False) if record else None
        if is_locked(descriptor):
            break
        # No process has the exclusive lock: another one is just checking, as `is_locked` does.
        time.sleep(_RETRY_SECONDS)
    return taken_by(read_record(descriptor), root, live=True)


def _is_still_the_file(descriptor: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))  # noqa: PTH116 - see _path
    except FileNotFoundError:
        return False
