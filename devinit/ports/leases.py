"""Leases: one file for each port of the machine, so that two projects never take the same one.

The truth is the BSD lock on the file, never its content. The locked descriptor is passed into the
service, so that a lease lives while the supervisor or any process of the service's tree holds a
copy, and ends by itself when the last one is gone: no pid files, no guesses about staleness. That
is why a lease is only closed: LOCK_UN through one copy would unlock it for all of them. The exception is
a copy that a program inherited in which a person works, such as tmux (`Lease.withhold`).

The content names the owner and outlives the lock. What a record means once its service is stopped is
its `Claim`: most ports are free for the next project that wants them, a few are kept for the one that
is stopped. Files are never unlinked, since a lock on an unlinked file locks nothing for the next one.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from devinit.errors import StateFileError
from devinit.model.port import LeaseOwner
from devinit.model.process import ProcessIdentity
from devinit.system.descriptors import descriptors
from devinit.system.limits import cure_of_limit
from devinit.system.open_files import openers_of
from devinit.system.regular import open_regular

_SUFFIX = ".lock"
_LONGEST_RECORD = 8192
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
LAPSE_SECONDS = 14 * 24 * 3600.0
"""How long after its stop a project's record counts: then a kept port is free for every project."""
_RETRIES = 40
_RETRY_SECONDS = 0.0005


def root_name(root: str | os.PathLike[str]) -> str:
    """Return how a checkout is called in lease files: the same however it was reached."""
    # A path that is not UTF-8 cannot be written as JSON; marked, it is at least the same each time.
    return os.fsencode(os.path.realpath(root)).decode(errors="replace")


class Claim(StrEnum):
    """What a port is to the service that had it last, while that service is stopped."""

    NONE = "none"
    """Nothing: the service was never ready on it."""
    USED = "used"
    """The service was ready on it. The next project that wants the port gets it, with a note."""
    KEPT = "kept"
    """The same, and the port is kept: the service moved there or was given it by hand, or its project keeps
    all of its ports. Only what `over_reservation` of `LeaseStore.take` stands for gets it."""


class Record(LeaseOwner, frozen=True, kw_only=True):
    """The content of a lease file."""

    reserved: bool = True
    """False once the owner gave the port up, while a stubborn process may still hold the lock."""
    taken_from: str = ""
    """The checkout whose port it was until its owner took it over."""
    claim: Claim = Claim.USED
    """Missing in files of versions that kept every port for a month: none of those is kept any longer."""


class Taken(Struct, frozen=True):
    """A port that cannot be leased: another service has it, or it is kept for a stopped one."""

    owner: LeaseOwner | None
    """None when the file is locked and its content says nothing readable."""
    live: bool
    """A process holds the lock; otherwise the owner is stopped and the port is kept for it."""
    taken_over: bool = False
    """The owner took it over from the checkout that asks now."""


class Before(NamedTuple):
    """What was on record before a port was leased."""

    record: Record
    written_at: float
    """Unix time from which the record lapses: what is written back lapses as if nothing had happened."""


class Displaced(Struct, frozen=True):
    """The stopped service of another checkout that had a port before it was leased to us."""

    owner: LeaseOwner
    kept: bool
    """The port was kept for it, and made way."""


class Entry(NamedTuple):
    """One port in the list of all projects."""

    port: int
    owner: LeaseOwner
    live: bool
    """A process holds the lock."""
    kept: bool
    """It is kept for its service when that is stopped."""


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
        return Displaced(_owner(record), kept=record.claim is Claim.KEPT)

    def claim(self, claim: Claim) -> None:
        """Put on record what the port is to its service from now on."""
        if claim is self.owner.claim or self._descriptor is None:
            return
        self.owner = replace(self.owner, claim=claim)
        try:
            _write(self._descriptor, self.owner)
        except OSError as error:
            raise _unusable(self._path, error) from error

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

    def withhold(self) -> None:
        """Unlock it for all copies when it is closed, if only programs have one in which a person works.

        They inherited it from the service, run on when it is stopped, and would keep the port for weeks.
        """
        if _are_all_apart(openers_of(self._path)):
            self._end = _unlock_and_close

    def give_back(self) -> None:
        """Undo the taking: what was on record before is as it was."""
        if self._descriptor is None:
            return
        if self._before is not None:
            _write_back(self._descriptor, self._before)
        else:  # no other process ever had the descriptor, so there is none to be told
            os.ftruncate(self._descriptor, 0)
        self._let_go()

    def _close(self, record: Record) -> None:
        if self._descriptor is None:
            return
        try:
            if record != self.owner:
                _write(self._descriptor, record)
            else:
                os.utime(self._descriptor)  # it lapses LAPSE_SECONDS from now
        finally:
            self._let_go()

    def _let_go(self) -> None:
        if self._descriptor is not None:
            self._end(self._descriptor)
            self._descriptor = None


class LeaseStore:
    """The lease files of this user, in one directory for all projects."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._prefix = f"{directory}/"
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise _unusable(directory, error) from error

    def take(self, port: int, owner: LeaseOwner, *, over_reservation: bool = False) -> Lease | Taken:
        """Lease a port, or say who has it.

        A port that is kept for another checkout is ours only with `over_reservation`. Whose port it was is on
        record, and `Lease.displaced` says so.
        """
        with self._opened(port) as descriptor:
            if (taken := _lock(descriptor, owner.root, over_reservation=over_reservation)) is not None:
                return taken
            if not _is_still_the_file(descriptor, self._path(port)):
                # The directory's files were removed by hand.
                return self.take(port, owner, over_reservation=over_reservation)
            counting = _counting(descriptor)
            before = Before(counting, os.fstat(descriptor).st_mtime) if counting is not None else None
            record = _record(owner, counting)
            _write(descriptor, record)
            return Lease(port, record, descriptors.keep(os.dup(descriptor)), self._path(port), before)

    def look(self, port: int) -> Taken | None:
        """Return who has a port leased, or for whom it is kept, and leave everything as it is."""
        if not os.path.exists(self._path(port)):  # noqa: PTH110 - see _path
            return None
        with self._opened(port) as descriptor:
            live = _is_locked(descriptor)
            record = _read(descriptor) if live else _keeping(descriptor)
        return Taken(_owner(record) if record else None, live=live) if live or record else None

    def entries(self) -> list[Entry]:
        """Return every port that is leased, or that a stopped service was ready on; by port."""
        found = []
        for port in self._ports():
            with self._opened(port) as descriptor:
                live = _is_locked(descriptor)
                record = _read(descriptor) if live else _counting(descriptor)
            if record is not None:
                found.append(Entry(port, _owner(record), live, kept=record.claim is Claim.KEPT))
        return found

    def owners(self) -> list[tuple[int, LeaseOwner, bool]]:
        """Return the ports of `entries` with their owners, and whether each lock is held."""
        return [(each.port, each.owner, each.live) for each in self.entries()]

    def claim(self, port: int, owner: LeaseOwner, claim: Claim) -> None:
        """Put on record what a port is to a service whose own processes have the lease."""
        with self._opened(port) as descriptor:
            record = _read(descriptor)
            ours = record is not None and (record.root, record.service) == (owner.root, owner.service)
            if record is not None and ours and record.reserved and record.claim is not claim:
                _write(descriptor, replace(record, claim=claim))

    def keepers(self, root: str, service: str) -> list[ProcessIdentity]:
        """Return the processes that keep the live leases of a service, its extra ports included."""
        ports = [
            port
            for port, owner, live in self.owners()
            if live and owner.root == root and owner.service.partition(".")[0] == service
        ]
        return [keeper for port in ports for keeper in openers_of(self._path(port))]

    def is_only_kept_apart(self, root: str, service: str) -> bool:
        """Tell whether only programs in which a person works keep a service's live leases."""
        keepers = self.keepers(root, service)
        return bool(keepers) and _are_all_apart(keepers)

    def forget_vanished(self) -> list[int]:
        """Drop the records of checkouts that no longer exist, except of what still runs; return the ports."""
        return self._drop(lambda _port, record: not _exists(record.root))

    def forget(self, root: str, services: Mapping[str, int | None]) -> list[int]:
        """Drop the records of stopped services of a checkout, except the port named for each.

        Returns the ports. A port whose lock is held is left as it is.
        """
        return self._drop(
            lambda port, record: record.root == root and services.get(record.service, port) != port
        )

    def forget_checkout(self, root: str) -> list[int]:
        """Drop every record of a checkout whose lock is not held; return the ports."""
        return self._drop(lambda _port, record: record.root == root)

    def _drop(self, concerns: Callable[[int, Record], bool]) -> list[int]:
        dropped = []
        for port in self._ports():
            with self._opened(port) as descriptor:
                record = _read(descriptor)
                if record is None or not concerns(port, record):
                    continue
                if _try_lock(descriptor, fcntl.LOCK_EX) and _read(descriptor) == record:
                    os.ftruncate(descriptor, 0)
                    dropped.append(port)
        return dropped

    def _ports(self) -> list[int]:
        """Return the ports whose file has content, so that thousands of given-up ones cost one stat each."""
        try:
            with os.scandir(self.directory) as entries:
                return sorted(
                    int(name)
                    for entry in entries
                    if (name := entry.name.removesuffix(_SUFFIX)).isdecimal() and entry.stat().st_size
                )
        except OSError as error:
            raise _unusable(self.directory, error) from error

    @contextmanager
    def _opened(self, port: int) -> Iterator[int]:
        """Open a lease file; closing it ends what was locked through it, unless it was duplicated."""
        try:
            # It is opened with O_CLOEXEC: a lease reaches a service only when it is passed on explicitly.
            descriptor = open_regular(self._path(port), _FLAGS)
            try:
                yield descriptor
            finally:
                os.close(descriptor)
        except OSError as error:
            raise _unusable(self._path(port), error) from error

    def _path(self, port: int) -> str:
        # Text, not Path: a search of 100 ports asks for it 100 times, and Path takes as long as open().
        return f"{self._prefix}{port}{_SUFFIX}"


def _are_all_apart(keepers: list[ProcessIdentity]) -> bool:
    from devinit.system.processes import ProcessTable  # for what a stop left running only

    return set(keepers) == ProcessTable().are_apart(keepers)


def _unlock_and_close(descriptor: int) -> None:
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    os.close(descriptor)


def _lock(descriptor: int, root: str, *, over_reservation: bool) -> Taken | None:
    """Lock a lease file for us, or say who has it.

    A port that is kept for another checkout is only looked at, never locked: its owner would otherwise take
    our lock of a microsecond for a service that still runs.
    """
    for _ in range(_RETRIES):
        if not over_reservation and (record := _kept_for_another(descriptor, root)) is not None:
            return _taken(record, root, live=_is_locked(descriptor))
        if _try_lock(descriptor, fcntl.LOCK_EX):
            # It may have been put on record between our look and the lock.
            record = None if over_reservation else _kept_for_another(descriptor, root)
            return _taken(record, root, live=False) if record else None
        if _is_locked(descriptor):
            break
        # No process has it exclusively: one is just looking, as `_is_locked` does.
        time.sleep(_RETRY_SECONDS)
    return _taken(_read(descriptor), root, live=True)


def _kept_for_another(descriptor: int, root: str) -> Record | None:
    record = _keeping(descriptor)
    return record if record is not None and record.root != root else None


def _keeping(descriptor: int) -> Record | None:
    """Return the record if it keeps the port for its service."""
    record = _counting(descriptor)
    return record if record is not None and record.claim is Claim.KEPT else None


def _counting(descriptor: int) -> Record | None:
    """Return the record if it still says something about a stopped service.

    It does not when the port was given up, when the service was never ready on it, when the record has lapsed,
    and when the checkout is gone.
    """
    record = _read(descriptor)
    if record is None or not record.reserved or record.claim is Claim.NONE:
        return None
    if time.time() - os.fstat(descriptor).st_mtime > LAPSE_SECONDS or not _exists(record.root):
        return None
    return record


def _reinstate(path: str, ours: Record, before: Before) -> None:
    """Write back what another checkout had on record, if nothing holds the port or has taken it meanwhile."""
    descriptor = open_regular(path, os.O_RDWR | os.O_NOFOLLOW)
    try:
        if _try_lock(descriptor, fcntl.LOCK_EX) and _read(descriptor) == ours:
            _write_back(descriptor, before)
    finally:
        os.close(descriptor)


def _write_back(descriptor: int, before: Before) -> None:
    _write(descriptor, before.record)
    os.utime(descriptor, (before.written_at, before.written_at))


def _taken(record: Record | None, root: str, *, live: bool) -> Taken:
    if record is None:
        return Taken(None, live)
    return Taken(_owner(record), live, taken_over=record.taken_from == root)


def _taken_from(before: Record | None, root: str) -> str:
    """Return whose port is taken over, or was earlier by the same checkout."""
    if before is None:
        return ""
    return before.taken_from if before.root == root else before.root


def _exists(root: str) -> bool:
    try:
        return Path(root).is_dir()
    except OSError:
        return True  # it cannot be told: a folder that we may not enter is no reason to drop a reservation


def _is_locked(descriptor: int) -> bool:
    """Tell whether a process holds the lock exclusively, without ever standing in the way of another look."""
    if not _try_lock(descriptor, fcntl.LOCK_SH):
        return True
    # Safe here and only here: this descriptor was opened for the look and no other process has a copy of it.
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    return False


def _try_lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_still_the_file(descriptor: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))  # noqa: PTH116 - see _path
    except FileNotFoundError:
        return False


def _read(descriptor: int) -> Record | None:
    """Return the record, or None when the file is empty, torn or not ours."""
    try:
        return msgspec.json.decode(os.pread(descriptor, _LONGEST_RECORD, 0), type=Record)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _write(descriptor: int, record: Record) -> None:
    text = msgspec.json.encode(record) + b"\n"
    os.pwrite(descriptor, text, 0)
    os.ftruncate(descriptor, len(text))


def _record(owner: LeaseOwner, before: Record | None) -> Record:
    """Return the record of a port that is leased now, with the claim that its service had before."""
    same = before is not None and (before.root, before.service) == (owner.root, owner.service)
    return Record(
        root=owner.root,
        project=owner.project,
        service=owner.service,
        pid=owner.pid,
        at=owner.at,
        taken_from=_taken_from(before, owner.root),
        claim=before.claim if before is not None and same else Claim.NONE,
    )


def _owner(record: Record) -> LeaseOwner:
    return LeaseOwner(
        root=record.root, project=record.project, service=record.service, pid=record.pid, at=record.at
    )


def _unusable(path: Path | str, error: OSError) -> StateFileError:
    hint = "port leases need a local directory that you may write; XDG_STATE_HOME chooses another place"
    if (cure := cure_of_limit(error)) is not None:
        hint = cure
    elif isinstance(error, PermissionError):
        from devinit.system.permissions import cure_of  # for an error only

        hint = cure_of(str(path), error, otherwise=hint)
    return StateFileError(f"{path} cannot be used: {error.strerror}", hint=hint)
