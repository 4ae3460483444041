"""The front door: ports for all services of a project at once, leased and held, or nothing taken at all."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from devinit.model.port import ConflictPolicy, GrantedPort, LeaseOwner, PortRequest, Resolution
from devinit.ports.granting.conflicts import ConflictsFound
from devinit.ports.granting.displaced import notes_about
from devinit.ports.granting.overrides import overrides
from devinit.ports.granting.reuse import AskRunning
from devinit.ports.granting.search import Search
from devinit.ports.granting.wanted import Wanted, moves_from_constant
from devinit.ports.hold import Hold, hold
from devinit.ports.holder.pm2 import applications
from devinit.ports.leases import Claim, Lease, LeaseStore, root_name
from devinit.ports.remembered import ports_file

if TYPE_CHECKING:
    from devinit.ports.ending.release import Say

__all__ = ["ConflictsFound", "Grant", "adopt", "grant"]


class Grant:
    """A port that a service may use: leased for it, and held until the service has bound it and beyond."""

    def __init__(
        self,
        granted: GrantedPort,
        owner: LeaseOwner,
        store: LeaseStore,
        lease: Lease | None,
        held: Hold | None,
    ) -> None:
        self.granted, self.owner = granted, owner
        self._store, self._lease, self._hold = store, lease, held

    @property
    def service(self) -> str:
        """The service, or `service.name` for an extra port."""
        return self.granted.service

    @property
    def port(self) -> int:
        """The port."""
        return self.granted.port

    @property
    def lease_fd(self) -> int | None:
        """The descriptor to pass into the service (`spawn(keep=…)`); None when an adopted one has its own."""
        return self._lease.fd if self._lease else None

    @property
    def is_held(self) -> bool:
        """Whether strangers are kept out at this moment."""
        return self._hold is not None

    def release_hold(self) -> None:
        """Let a service bind that does so without SO_REUSEADDR; the lease stays."""
        if self._hold is not None:
            self._hold.close()
            self._hold = None

    def retake(self) -> bool:
        """Take what is missing of lease and hold; return whether the service can be started on the port.

        False while any process listens on it, the service itself included.
        """
        if self._lease is None:
            taken = self._store.take(self.port, self.owner)
            self._lease = taken if isinstance(taken, Lease) else None
        if self._lease is not None and self._hold is None:
            held = hold(self.port)
            self._hold = held if isinstance(held, Hold) else None
        return self._lease is not None and self._hold is not None

    def rest(self) -> None:
        """Let other projects have the port while the service is down; `retake` completes it before a start.

        A port that is kept for a stopped service stays reserved. As long as a process of the service lives, the
        lease does too.
        """
        self.release_hold()
        lease, self._lease = self._lease, None
        if lease is not None:
            lease.rest()

    def take_back(self) -> bool:
        """Put the port on record again for a service whose processes kept its lease; return whether they did."""
        return self._store.take_back(self.port, self.owner)

    def claim(self, claim: Claim) -> None:
        """Put on record what the port is to the service, which is ready on it, once that is stopped."""
        if self._lease is not None:
            self._lease.claim(claim)
        else:
            self._store.claim(self.port, self.owner, claim)

    def withhold_lease(self) -> None:
        """Let the lease end with `close`, although programs in which a person works have a copy of it."""
        if self._lease is not None:
            self._lease.withhold()

    def close(self, *, keep_reservation: bool = True) -> None:
        """Let the port go; as long as the service's tree lives, the lease does too."""
        self.release_hold()
        if self._lease is None and isinstance(own := self._store.take(self.port, self.owner), Lease):
            self._lease = own  # an adopted service had it, and has ended
        if self._lease is not None:
            self._lease.release(keep_reservation=keep_reservation)
            self._lease = None


def adopt(
    granted: GrantedPort,
    *,
    root: Path,
    project: str,
    store: LeaseStore,
    over_reservation: bool = False,
    say: Say = lambda _text: None,
) -> Grant:
    """Return the grant of a service that listens already: after a supervisor died, or where it moved itself.

    It has no hold, and no lease while its tree has that; `retake` completes it before a restart. With
    `over_reservation` it is known to listen there: a port that is reserved for a stopped project makes way.
    """
    owner = _owner(root, project, granted.service)
    taken = store.take(granted.port, owner, over_reservation=over_reservation)
    lease = taken if isinstance(taken, Lease) else None
    if lease is not None and lease.displaced is not None:
        for note in notes_about([(granted.port, lease.displaced)], owner):
            say(note)
    return Grant(granted, owner, store, lease, None)


def grant(
    requests: Sequence[PortRequest],
    *,
    root: Path,
    project: str,
    environ: Mapping[str, str],
    remembered: Mapping[str, int],
    policy: ConflictPolicy,
    store: LeaseStore,
    resolutions: Sequence[Resolution] = (),
    protected: Iterable[int] = (),
    aliases: Mapping[str, Sequence[str]] | None = None,
    chosen: Mapping[str, int] | None = None,
    ask_running: AskRunning = lambda _service, _port: None,
    unusable: Mapping[int, str] | None = None,
    by_program: bool = False,
    say: Say | None = None,
) -> list[Grant]:
    """Grant every request a port, in their order, or raise and take nothing.

    `environ` is the caller's; `remembered` the content of .ports.json, and `chosen` what of that was chosen by
    hand; `aliases` the services' other port variables; `protected` the pids of the caller (they and their
    ancestors are never ended); `ask_running` finds out whether a service can use what runs on a taken port;
    `unusable` are ports that are free and of no use, and why; `by_program`: this process is a program that takes
    them for itself, and no supervisor. The
    grant of a service that does (`granted.uses`) has neither lease nor hold: the port is not ours.
    Raises ConflictsFound (policy ask, unanswered), PortConflict and PortsExhausted.
    """
    say = say or (lambda _text: None)
    services = [request.service for request in requests]
    stated = overrides(environ, services, root=root, aliases=aliases or {})
    for warning in stated.warnings:
        say(warning)
    for text in _ignored(requests, remembered):
        say(text)
    wanted = {each.service: Wanted.of(each, policy, stated, remembered, chosen or {}) for each in requests}
    for text in filter(None, map(moves_from_constant, wanted.values())):
        say(text)
    search = Search(
        wanted,
        owner=replace(_owner(root, project, ""), by_program=by_program),
        store=store,
        resolutions=resolutions,
        protected=tuple(protected),
        stated=stated,
        applications=applications(environ),
        ask_running=ask_running,
        unusable=unusable or {},
        say=say,
    )
    try:
        taken = search.run({port: name for name, port in remembered.items() if name not in services})
    except BaseException:
        search.takings.give_back()
        raise
    grants = [
        Grant(granted, replace(search.owner, service=granted.service), store, lease, held)
        for granted, lease, held in taken
    ]
    displaced = [
        (granted.port, lease.displaced)
        for granted, lease, _ in taken
        if lease is not None and lease.displaced
    ]
    for text in notes_about(displaced, search.owner):
        say(text)
    # What these services had on record elsewhere is theirs no longer; one that uses another's server may come
    # back to its own.
    store.forget(search.owner.root, {each.service: each.port for each in grants if not each.granted.uses})
    return grants


def _ignored(requests: Iterable[PortRequest], remembered: Mapping[str, int]) -> Iterator[str]:
    """Say which remembered ports do not count any more, because the configuration has changed since."""
    for each in requests:
        if problem := ports_file.problem_of(each, remembered.get(each.service)):
            yield problem


def _owner(root: Path, project: str, service: str) -> LeaseOwner:
    return LeaseOwner(root=root_name(root), project=project, service=service, pid=os.getpid(), at=time.time())
