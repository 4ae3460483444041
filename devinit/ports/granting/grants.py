"""The entry point of the package: ports for all services of a project at once, leased and held, or none at all."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from devinit.errors import PortError
from devinit.model.port import ConflictPolicy, GrantedPort, LeaseOwner, PortRequest, Resolution
from devinit.ports import statistics
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
    """A port for a service: leased for it, and held from before the service binds it."""

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
        """The descriptor to pass into the service (`spawn(keep=…)`); None if an adopted service has its own."""
        return self._lease.fd if self._lease else None

    @property
    def descriptors(self) -> tuple[int, ...]:
        """What keeps lease and hold, for a program that this process becomes."""
        held = self._hold.fd if self._hold is not None else None
        return tuple(each for each in (self.lease_fd, held) if each is not None)

    @property
    def is_held(self) -> bool:
        """Whether the hold currently keeps other programs out."""
        return self._hold is not None

    def release_hold(self) -> None:
        """Close the hold, so that a service without SO_REUSEADDR can bind; the lease stays."""
        if self._hold is not None:
            self._hold.close()
            self._hold = None

    def retake(self) -> bool:
        """Take the lease and the hold where missing; return whether the service can be started on the port.

        Return False while any process listens on the port, including the service itself.
        """
        if self._lease is None:
            taken = self._store.take(self.port, self.owner)
            self._lease = taken if isinstance(taken, Lease) else None
        if self._lease is not None and self._hold is None:
            held = hold(self.port)
            self._hold = held if isinstance(held, Hold) else None
        return self._lease is not None and self._hold is not None

    def rest(self) -> None:
        """Release the port while the service is down, so that other projects can get it; `retake` restores it.

        A port that is kept for a stopped service stays reserved. While a process of the
        service lives, so does the lease.
        """
        self.release_hold()
        lease, self._lease = self._lease, None
        if lease is not None:
            lease.rest()

    def take_back(self) -> bool:
        """Restore the record of a service whose processes kept the lease; return whether they did."""
        return self._store.take_back(self.port, self.owner)

    def claim(self, claim: Claim) -> None:
        """Record the claim that the service, which is ready on the port, keeps after it stops."""
        if self._lease is not None:
            self._lease.claim(claim)
        else:
            self._store.claim(self.port, self.owner, claim)

    def withhold_lease(self) -> None:
        """Make `close` end the lease, even if interactive programs have inherited a copy of it."""
        if self._lease is not None:
            self._lease.withhold()

    def close(self, *, keep_reservation: bool = True) -> None:
        """Release the port; the lease lives on while the service's process tree does."""
        self.release_hold()
        if self._lease is None and isinstance(own := self._store.take(self.port, self.owner), Lease):
            self._lease = own  # an adopted service had it and has ended
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
    """Return the grant for a service that already listens: a supervisor crashed, or the service moved itself.

    It has no hold, and no lease while the service's process tree has it; `retake` adds both before a restart. With
    `over_reservation`, the service is known to listen there: a port reserved for a stopped project is taken over.
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
    """Grant every request a port, in their order, or raise an error and take nothing.

    `environ`: the environment of the caller. `remembered`: the content of .ports.json; `chosen`: the part of it
    that the user chose. `aliases`: other port variables of the services. `protected`: pids of the caller, which
    are never ended, nor are their ancestors. `ask_running`: checks whether a service can use the server on a taken
    port. `unusable`: ports that are free but of no use, with the reasons. `by_program`: this process is a program
    that takes the ports for itself, not a supervisor.

    A service that uses a running server (`granted.uses`) gets a grant without lease and hold: the port is not
    ours. Raise ConflictsFound (policy ask, unanswered), PortConflict and PortsExhausted.
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
        others = {port: name for name, port in remembered.items() if name not in services}
        taken = search.run(others | _of_containers(store, search.owner.root, services))
    except BaseException as error:
        search.takings.give_back()
        if isinstance(error, PortError):
            statistics.count(root, project, (), failed=True)
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
    # Former records of these services no longer apply, except for a service that uses another server: it may
    # return to its own port.
    store.forget(search.owner.root, {each.service: each.port for each in grants if not each.granted.uses})
    statistics.count(root, project, [each.granted for each in grants])
    return grants


def _of_containers(store: LeaseStore, root: str, services: Collection[str]) -> dict[int, str]:
    """Return the ports that containers of compose have in this checkout, also while they are stopped."""
    return {
        each.port: each.owner.service
        for each in store.entries()
        if each.owner.by_program and each.owner.root == root and each.owner.service not in services
    }


def _ignored(requests: Iterable[PortRequest], remembered: Mapping[str, int]) -> Iterator[str]:
    """Yield messages about remembered ports that no longer apply because the configuration has changed."""
    for each in requests:
        if problem := ports_file.problem_of(each, remembered.get(each.service)):
            yield problem


def _owner(root: Path, project: str, service: str) -> LeaseOwner:
    return LeaseOwner(root=root_name(root), project=project, service=service, pid=os.getpid(), at=time.time())
