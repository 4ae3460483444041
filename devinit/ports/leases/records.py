"""What lease files say: the owner of a port, and what the port is to it while it is stopped."""

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
"""Bytes that are read of a record."""
LAPSE_SECONDS = 14 * 24 * 3600.0
"""How long after its stop a project's record counts: then a kept port is free for every project."""


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
    down: bool = False
    """The service does not run, and its supervisor does: it asks for the port at its next start."""


class Taken(Struct, frozen=True):
    """A port that cannot be leased: another service has it, or it is kept for a stopped one."""

    owner: LeaseOwner | None
    """None when the file is locked and its content says nothing readable."""
    live: bool
    """A process holds the lock; otherwise the owner is stopped and the port is kept for it."""
    taken_over: bool = False
    """The owner took it over from the checkout that asks now."""
    down: bool = False
    """The owner does not run, and its project does."""


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
    down: bool = False
    """It does not run, and its project does."""


class Entry(NamedTuple):
    """One port in the list of all projects."""

    port: int
    owner: LeaseOwner
    live: bool
    """A process holds the lock."""
    kept: bool
    """It is kept for its service when that is stopped."""


def read_record(descriptor: int) -> Record | None:
    """Return the record, or None when the file is empty, torn or not ours."""
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
    """Return the record of a port that is leased now, with the claim that its service had before."""
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
    """Return the owner that a record names."""
    return LeaseOwner(
        root=record.root,
        project=record.project,
        service=record.service,
        pid=record.pid,
        at=record.at,
        by_program=record.by_program,
    )


def kept_for_another(descriptor: int, root: str) -> Record | None:
    """Return the record if it keeps the port for another checkout than this one."""
    record = keeping_record(descriptor)
    return record if record is not None and record.root != root else None


def keeping_record(descriptor: int) -> Record | None:
    """Return the record if it keeps the port for its service."""
    record = counting_record(descriptor)
    return record if record is not None and record.claim is Claim.KEPT else None


def counting_record(descriptor: int) -> Record | None:
    """Return the record if it still says something about a stopped service.

    It does not when the port was given up, when a stopped service was never ready on it, when the record has
    lapsed, and when the checkout is gone.
    """
    record = read_record(descriptor)
    if record is None or not record.reserved or (record.claim is Claim.NONE and not record.down):
        return None
    if time.time() - os.fstat(descriptor).st_mtime > LAPSE_SECONDS or not exists(record.root):
        return None
    return record


def write_back(descriptor: int, before: Before) -> None:
    """Restore a record with the time from which it lapses."""
    write_record(descriptor, before.record)
    os.utime(descriptor, (before.written_at, before.written_at))


def taken_by(record: Record | None, root: str, *, live: bool) -> Taken:
    """Return the answer for a port that another service has, as the checkout that asks sees it."""
    if record is None:
        return Taken(None, live)
    return Taken(owner_of(record), live, taken_over=record.taken_from == root, down=record.down and not live)


def services_leased(owners: Iterable[tuple[int, LeaseOwner, bool]], root: str) -> list[tuple[str, int]]:
    """Return under which names devinit has which ports leased now for the services of a checkout.

    A service that has moved by itself has its former port leased as well, under the same name.
    """
    return [
        (each.service, port)
        for port, each, live in owners
        if live and each.root == root and not each.by_program
    ]


def programs_leased(owners: Iterable[tuple[int, LeaseOwner, bool]], root: str) -> dict[str, int]:
    """Return the names under which programs have leased ports of a checkout for themselves, with the ports."""
    return {
        each.service: port for port, each, live in owners if live and each.root == root and each.by_program
    }


def _taken_from(before: Record | None, root: str) -> str:
    """Return whose port is taken over, or was earlier by the same checkout."""
    if before is None:
        return ""
    return before.taken_from if before.root == root else before.root


def exists(root: str) -> bool:
    """Whether a checkout is still there, as far as that can be seen."""
    try:
        # As text: a start asks this of every port that any stopped project of the machine keeps.
        return stat.S_ISDIR(os.stat(root).st_mode)  # noqa: PTH116
    except ValueError:
        return False  # no path has a NUL byte
    except OSError as error:
        # Else it cannot be told: a folder that we may not enter is no reason to drop a reservation.
        return error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
