"""Leases: one file for each port of the machine, so that two projects never take the same one.

The truth is the BSD lock on the file, never its content. The locked descriptor is passed into the
service, so that a lease lives while the supervisor or any process of the service's tree holds a
copy, and ends by itself when the last one is gone: no pid files, no guesses about staleness. That
is why a lease is only closed: LOCK_UN through one copy would unlock it for all of them. The exception is
a copy that a program inherited in which a person works, such as tmux (`Lease.withhold`).

The content says who it is, and outlives the lock as a reservation: the project will want the port
again. Files are never unlinked, since a lock on an unlinked file locks nothing for the next one.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from devinit.errors import StateFileError
from devinit.model.port import LeaseOwner
from devinit.model.process import ProcessIdentity
from devinit.system.open_files import openers_of

_SUFFIX = ".lock"
_LONGEST_RECORD = 8192
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
LAPSE_SECONDS = 30 * 24 * 3600.0
"""How long a stopped project's port is kept for it: after a month of rest others may pass by the reservation."""
_RETRIES = 40
_RETRY_SECONDS = 0.0005


def root_name(root: str | os.PathLike[str]) -> str:
    """Return how a checkout is called in lease files: the same however it was reached."""
    # A path that is not UTF-8 cannot be written as JSON; marked, it is at least the same each time.
    return os.fsencode(os.path.realpath(root)).decode(errors="replace")


class Record(LeaseOwner, frozen=True, kw_only=True):
    """The content of a lease file."""

    reserved: bool = True
    """False once the owner gave the port up, while a stubborn process may still hold the lock."""
    taken_from: str = ""
    """The checkout that had it reserved until its owner took it over, because a person said so."""


class Taken(Struct, frozen=True):
    """A port that is leased to, or reserved by, somebody."""

    owner: LeaseOwner | None
    """None when the file is locked and its content says nothing readable."""
    live: bool
    """A process holds the lock; otherwise the owner is stopped and has the port reserved."""
    taken_over: bool = False
    """The owner took it over from whoever asks now."""


class Lease:
    """A port of ours: close it, or pass its descriptor on and then close it."""

    def __init__(self, port: int, owner: Record, descriptor: int, before: Record | None, path: str) -> None:
        self.port, self.owner = port, owner
        self._before, self._path = before, path
        self._descriptor: int | None = descriptor
        self._end: Callable[[int], None] = os.close

    @property
    def fd(self) -> int:
        """The locked descriptor, for `spawn(keep=…)`; it is close-on-exec otherwise."""
        if self._descriptor is None:
            raise ValueError(f"the lease of port {self.port} is closed")
        return self._descriptor

    def release(self, *, keep_reservation: bool) -> None:
        """Let go of our copy of the lock; a service that still runs keeps the port leased."""
        self._close(self.owner if keep_reservation else replace(self.owner, reserved=False))

    def withhold(self) -> None:
        """Unlock it for all copies when it is closed, if only programs have one in which a person works.

        They inherited it from the service, run on when it is stopped, and would keep the port for weeks.
        """
        if _are_all_apart(openers_of(self._path)):
            self._end = _unlock_and_close

    def give_back(self) -> None:
        """Undo the taking: a reservation that was there before is as it was."""
        self._close(self._before)

    def _close(self, record: Record | None) -> None:
        if self._descriptor is None:
            return
        try:
            if record is None:  # nobody else ever had the descriptor, so there is nobody to tell about
                os.ftruncate(self._descriptor, 0)
            elif record != self.owner:
                _write(self._descriptor, record)
            else:
                os.utime(self._descriptor)  # the reservation lapses a month from now
        finally:
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

        A reservation of the same checkout is ours to take; another one's only with `over_reservation`,
        and then it is on record whose it was.
        """
        with self._opened(port) as descriptor:
            if (taken := _lock(descriptor, owner.root, over_reservation=over_reservation)) is not None:
                return taken
            if not _is_still_the_file(descriptor, self._path(port)):
                # Somebody removed the directory's files by hand.
                return self.take(port, owner, over_reservation=over_reservation)
            before = _reserving(descriptor)
            record = _record(owner, taken_from=_taken_from(before, owner.root))
            _write(descriptor, record)
            return Lease(port, record, os.dup(descriptor), before, self._path(port))

    def look(self, port: int) -> Taken | None:
        """Return who has a port leased or reserved, and leave everything as it is."""
        if not os.path.exists(self._path(port)):  # noqa: PTH110 - see _path
            return None
        with self._opened(port) as descriptor:
            live = _is_locked(descriptor)
            record = _read(descriptor) if live else _reserving(descriptor)
        return Taken(_owner(record) if record else None, live=live) if live or record else None

    def owners(self) -> list[tuple[int, LeaseOwner, bool]]:
        """Return every leased or reserved port, its owner, and whether its lock is held; by port."""
        found = []
        for port in self._ports():
            with self._opened(port) as descriptor:
                live = _is_locked(descriptor)
                record = _read(descriptor) if live else _reserving(descriptor)
            if record is not None:
                found.append((port, _owner(record), live))
        return found

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
        """Give up what checkouts that no longer exist have reserved; return the ports."""
        forgotten = []
        for port in self._ports():
            with self._opened(port) as descriptor:
                record = _read(descriptor)
                if record is None or _exists(record.root) or not _try_lock(descriptor, fcntl.LOCK_EX):
                    continue
                if _read(descriptor) == record:
                    os.ftruncate(descriptor, 0)
                    forgotten.append(port)
        return forgotten

    def forget(self, root: str, services: Mapping[str, int | None]) -> list[int]:
        """Give up what stopped services of a checkout have reserved, except the port named for each.

        Returns the ports that were given up. A port whose lock is held is left as it is.
        """
        forgotten = []
        for port in self._ports():
            with self._opened(port) as descriptor:
                record = _read(descriptor)
                if record is None or record.root != root or services.get(record.service, port) == port:
                    continue
                if _try_lock(descriptor, fcntl.LOCK_EX) and _read(descriptor) == record:
                    os.ftruncate(descriptor, 0)
                    forgotten.append(port)
        return forgotten

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
            # Python opens with O_CLOEXEC: a lease reaches a service only when it is passed on explicitly.
            descriptor = os.open(self._path(port), _FLAGS, 0o600)
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

    Another checkout's reservation is only looked at, never locked: its owner would otherwise take
    our lock of a microsecond for a service that still runs.
    """
    for _ in range(_RETRIES):
        if not over_reservation and (record := _reserved_for_another(descriptor, root)) is not None:
            return _taken(record, root, live=_is_locked(descriptor))
        if _try_lock(descriptor, fcntl.LOCK_EX):
            # It may have been reserved between our look and the lock.
            record = None if over_reservation else _reserved_for_another(descriptor, root)
            return _taken(record, root, live=False) if record else None
        if _is_locked(descriptor):
            break
        # Nobody has it exclusively: somebody is just looking, as `_is_locked` does.
        time.sleep(_RETRY_SECONDS)
    return _taken(_read(descriptor), root, live=True)


def _reserved_for_another(descriptor: int, root: str) -> Record | None:
    record = _reserving(descriptor)
    return record if record is not None and record.root != root else None


def _reserving(descriptor: int) -> Record | None:
    """Return the record if it reserves the port: not given up, not lapsed, and its checkout is there."""
    record = _read(descriptor)
    if record is None or not record.reserved:
        return None
    if time.time() - os.fstat(descriptor).st_mtime > LAPSE_SECONDS or not _exists(record.root):
        return None
    return record


def _taken(record: Record | None, root: str, *, live: bool) -> Taken:
    if record is None:
        return Taken(None, live)
    return Taken(_owner(record), live, taken_over=record.taken_from == root)


def _taken_from(before: Record | None, root: str) -> str:
    """Return whose reservation is taken over with a port, or was earlier by the same checkout."""
    if before is None:
        return ""
    return before.taken_from if before.root == root else before.root


def _exists(root: str) -> bool:
    try:
        return Path(root).is_dir()
    except OSError:
        return True  # it cannot be told: a folder that we may not enter is no reason to drop a reservation


def _is_locked(descriptor: int) -> bool:
    """Tell whether somebody holds the lock exclusively, without ever standing in the way of another look."""
    if not _try_lock(descriptor, fcntl.LOCK_SH):
        return True
    # Safe here and only here: this descriptor was opened for the look and nobody has a copy of it.
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
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _write(descriptor: int, record: Record) -> None:
    text = msgspec.json.encode(record) + b"\n"
    os.pwrite(descriptor, text, 0)
    os.ftruncate(descriptor, len(text))


def _record(owner: LeaseOwner, *, taken_from: str) -> Record:
    return Record(
        root=owner.root,
        project=owner.project,
        service=owner.service,
        pid=owner.pid,
        at=owner.at,
        taken_from=taken_from,
    )


def _owner(record: Record) -> LeaseOwner:
    return LeaseOwner(
        root=record.root, project=record.project, service=record.service, pid=record.pid, at=record.at
    )


def _unusable(path: Path | str, error: OSError) -> StateFileError:
    hint = (
        "free some space and start again"
        if error.errno == errno.ENOSPC
        else ("port leases need a local directory that you may write; XDG_STATE_HOME chooses another place")
    )
    return StateFileError(f"{path} cannot be used: {error.strerror}", hint=hint)
