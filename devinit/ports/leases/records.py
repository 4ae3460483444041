"""The content of lease files: the owner of a port, and its claim to the port while it is stopped."""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

import msgspec
from msgspec import Struct

from devinit.model.port import LeaseOwner

LONGEST_RECORD = 8192
"""Bytes of a record that are read."""
LAPSE_SECONDS = 14 * 24 * 3600.0
"""How long the record of a project counts after its stop. Then even a kept port is free for every project."""


def root_name(root: str | os.PathLike[str]) -> str:
    """Return the name of a checkout in lease files; it is independent of the path by which it was reached."""
    # A path that is not UTF-8 cannot be written as JSON. With replacement characters it
    # is at least always the same.
    return os.fsencode(os.path.realpath(root)).decode(errors="replace")


class Claim(StrEnum):
    """What a port means to the service that last had it, while that service is stopped."""

    NONE = "none"
    """The service was never ready on the port."""
    USED = "used"
    """The service was ready on the port. The next project that wants the port gets it, with a note."""
    KEPT = "kept"
    """Like USED, but the port is kept: the service moved there, the user chose it, or the project keeps all of its
    ports. Only a request with `over_reservation` (`LeaseStore.take`) gets it."""


class Record(LeaseOwner, frozen=True, kw_only=True):
    """The content of a lease file."""

    reserved: bool = True
    """False once the owner gave the port up, while a remaining process may still hold the lock."""
    taken_from: str = ""
    """The checkout that had the port before its owner took it over."""
    claim: Claim = Claim.USED
    """Missing in files of versions that kept every port for a month; those ports are not kept any longer."""
    down: bool = False
    """The service does not run, but its supervisor does: it requests the port at the next start of the service."""


class Taken(Struct, frozen=True):
    """A port that cannot be leased: another service has it, or it is kept for a stopped service."""

    owner: LeaseOwner | None
    """None if the file is locked and its content is unreadable."""
    live: bool
    """Whether a process holds the lock; otherwise the owner is stopped and the port is kept for it."""
    taken_over: bool = False
    """Whether the owner took it over from the requesting checkout."""
    down: bool = False
    """Whether the owner does not run while its project does."""


class Before(NamedTuple):
    """The record of a port before it was leased."""

    record: Record
    written_at: float
    """Unix time from which the lapse counts; a restored record lapses as if nothing had happened."""


class Displaced(Struct, frozen=True):
    """The stopped service of another checkout that had a port before it was leased to us."""

    owner: LeaseOwner
    kept: bool
    """Whether the port was kept for it and was taken nevertheless."""
    down: bool = False
    """Whether it does not run while its project does."""


class Entry(NamedTuple):
    """A port in the list of all projects."""

    port: int
    owner: LeaseOwner
    live: bool
    """Whether a process holds the lock."""
    kept: bool
    """Whether the port is kept for its service while that is stopped."""


def read_record(descriptor: int) -> Record | None:
    """Return the record, or None if the file is empty, truncated or not ours."""
    try:
        return msgspec.json.decode(os.pread(descriptor, LONGEST_RECORD, 0), type=Record)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def write_record(descriptor: int, record: Record) -> None:
    """Replace the record of an open lease file."""
    text = msgspec.json.encode(record) + b"\n"
    os.pwrite(descriptor, text, 0)
    os.ftruncate(descriptor, len(text))


def record_of(owner: LeaseOwner, before: Record | None) -> Record:
    """Return the record of a newly leased port, with the former claim of the same service."""
    same = before is not None and (before.root, before.service) == (owner.root, owner.service)
    return Record(
        root=owner.root,
        project=owner.project,
        service=owner.service,
        pid=owner.pid,
        at=owner.at,
        by_program=owner.by_program,
        taken_from=_taken_from(before, owner.root),
        claim=before.claim if before is not None and same else Claim.NONE,
    )


def owner_of(record: Record) -> LeaseOwner:
    """Return the owner in a record."""
    return LeaseOwner(
        root=record.root,
        project=record.project,
        service=record.service,
        pid=record.pid,
        at=record.at,
        by_program=record.by_program,
    )


def kept_for_another(descriptor: int, root: str) -> Record | None:
    """Return the record if it keeps the port for a checkout other than this one."""
    record = keeping_record(descriptor)
    return record if record is not None and record.root != root else None


def keeping_record(descriptor: int) -> Record | None:
    """Return the record if it keeps the port for its service."""
    record = counting_record(descriptor)
    return record if record is not None and record.claim is Claim.KEPT else None


def counting_record(descriptor: int) -> Record | None:
    """Return the record if it still counts for a stopped service.

    It does not count if the port was given up, if a stopped service was never ready on it, if the record has
    lapsed, or if the checkout no longer exists.
    """
    record = read_record(descriptor)
    if record is None or not record.reserved or (record.claim is Claim.NONE and not record.down):
        return None
    if time.time() - os.fstat(descriptor).st_mtime > LAPSE_SECONDS or not exists(record.root):
        return None
    return record


def write_back(descriptor: int, before: Before) -> None:
    """Restore a record, with the time from which its lapse counts."""
    write_record(descriptor, before.record)
    os.utime(descriptor, (before.written_at, before.written_at))


def taken_by(record: Record | None, root: str, *, live: bool) -> Taken:
    """Return the answer for a port that another service has, from the viewpoint of the requesting checkout."""
    if record is None:
        return Taken(None, live)
    return Taken(owner_of(record), live, taken_over=record.taken_from == root, down=record.down and not live)


def services_leased(owners: Iterable[tuple[int, LeaseOwner, bool]], root: str) -> list[tuple[str, int]]:
    """Return the names and ports that devinit currently has leased for the services of a checkout.

    A service that moved by itself also has its former port leased, under the same name.
    """
    return [
        (each.service, port)
        for port, each, live in owners
        if live and each.root == root and not each.by_program
    ]


def programs_leased(owners: Iterable[tuple[int, LeaseOwner, bool]], root: str) -> dict[str, int]:
    """Return the ports that programs have leased for themselves in a checkout, by name."""
    return {
        each.service: port for port, each, live in owners if live and each.root == root and each.by_program
    }


def _taken_from(before: Record | None, root: str) -> str:
    """Return the checkout from which the port is taken over, or was taken over before by the same checkout."""
    if before is None:
        return ""
    return before.taken_from if before.root == root else before.root


def exists(root: str) -> bool:
    """Whether a checkout still exists, as far as that can be seen."""
    try:
        # A text, not a Path: each start checks every port that any stopped project of the machine keeps.
        return stat.S_ISDIR(os.stat(root).st_mode)  # noqa: PTH116
    except ValueError:
        return False  # no path has a NUL byte
    except OSError as error:
        # Other errors leave it open: a folder that this user cannot enter is no reason to drop a reservation.
        return error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
