"""The ports of this project: taken together, kept through restarts, given back at the end."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec.structs import replace

from devinit.errors import PortConflict
from devinit.model.names import is_extra, service_of
from devinit.model.port import ConflictPolicy, GrantedPort, PortRequest
from devinit.model.process import ProcessIdentity
from devinit.model.service import Project, Service
from devinit.ports.granting.grants import Grant, adopt, grant
from devinit.ports.granting.overrides import Overrides, overrides
from devinit.ports.hold import Refusal
from devinit.ports.holder.verdict import brief
from devinit.ports.leases import Claim, LeaseStore, root_name, services_leased
from devinit.ports.remembered import by_hand, ports_file
from devinit.supervisor.project.port_wishes import PortWishes, is_for_now, is_refused, without_questions
from devinit.supervisor.project.reuse import Asking, without_ports_of_used_servers
from devinit.system.listeners import tcp_listeners
from devinit.system.paths import state_directory

Say = Callable[[str], None]


class ProjectPorts:
    """The grants of a project, by the name of their request: a service, or `service.name` for an extra port."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._store = LeaseStore(state_directory() / "leases")
        self._grants: dict[str, Grant] = {}
        self._extra: dict[str, None] = {}
        """Names of all extra ports ever granted, in order. They are few, while there may be 200 services."""
        self._exclusive: set[str] = set()
        """Services that cannot bind over our hold; this is learned once, then not tried again."""
        self._not_remembered: set[str] = set()
        """Ports that are only for this start and not remembered: from the environment, or out of the range."""
        self._ahead: dict[str, tuple[Grant, bool]] = {}
        """Grants for the next `take`, made before services were stopped; whether each is for one start only."""
        self._for_once: set[str] = set()
        """Names of not remembered ports that the service will not ask for at its next start."""
        self._chosen: dict[str, int] = {}
        """Remembered ports that were chosen by hand, as of the last start."""
        self._taken: dict[str, None] = {}
        """Names of ports that were taken or asked for since the last write, in order."""
        self._unusable: dict[int, str] = {}
        """Ports that can be bound but are useless → the reason."""

    def take(
        self, services: Iterable[Service], project: Project, asked: PortWishes, say: Say
    ) -> list[GrantedPort]:
        """Take every port that these services need and do not have. Blocking.

        Raise ConflictsFound when the user has to decide, PortConflict or PortsExhausted; then nothing is taken.
        """
        services = [service for service in services if service.external_url is None]
        requests = [request for service in services for request in service.port_requests]
        remembered = {**ports_file.read(self._root), **asked.used}
        stated = self._stated(services, asked)
        missing = []
        for request in requests:
            name = request.service
            if name in self._ahead:
                # It moves to another port, and does not come back.
                self._close(name, keep_reservation=False)
                continue
            if name not in stated.ports and self._keeps(request, remembered.get(name)):
                self._taken[name] = None
                continue
            self._close(name)
            used_until_now = name in asked.used
            missing.append(replace(request, policy=ConflictPolicy.REUSE) if used_until_now else request)
        found = self._grant(missing, services, project, asked, say)
        found += [self._ahead.pop(each.service) for each in requests if each.service in self._ahead]
        taken = without_ports_of_used_servers(each for each, _ in found)
        self._add(each for each in taken if not each.granted.uses)
        for_once = {each.service for each, for_now in found if for_now and each in taken}
        self._not_remembered |= for_once
        self._for_once |= for_once
        return [each.granted for each in taken]

    def take_ahead(
        self,
        services: Iterable[Service],
        stopping: Collection[str],
        project: Project,
        asked: PortWishes,
        say: Say,
    ) -> None:
        """Take the ports that services will move to, while the services in `stopping` still run. Blocking.

        The next `take` uses them. It also decides about the ports that these services have, or leave to one
        another, since no process can take those meanwhile. Raise the errors of `take`; then nothing is taken.
        """
        services = [service for service in services if service.external_url is None]
        remembered, stated = ports_file.read(self._root), self._stated(services, asked)
        root, leaving = root_name(self._root), {each.port for name in stopping for each in self._of(name)}
        moving = []
        for request in (request for service in services for request in service.port_requests):
            named = stated.ports.get(request.service)
            wanted = named.port if named else self._wanted(request, remembered.get(request.service))
            if wanted is None or wanted == self.port_of(request.service) or wanted in leaving:
                continue
            # A service that moved away from it by itself keeps its lease until it ends.
            if not self._store.is_leased_to(stopping, root, wanted):
                moving.append(request)
        self._ahead = {
            each.service: (each, for_now)
            for each, for_now in self._grant(moving, services, project, asked, say)
        }

    @contextmanager
    def given_back_ahead(self) -> Iterator[None]:
        """Give back at the end the ports that were taken ahead but not used."""
        try:
            yield
        finally:
            while self._ahead:
                found, _ = self._ahead.popitem()[1]
                found.close()

    def _stated(self, services: Iterable[Service], asked: PortWishes) -> Overrides:
        """Return the ports that the caller's environment sets for services."""
        services = list(services)
        return overrides(
            asked.environ,
            [request.service for service in services for request in service.port_requests],
            root=self._root,
            aliases={service.name: service.port_env for service in services},
        )

    def _grant(
        self,
        missing: list[PortRequest],
        services: list[Service],
        project: Project,
        asked: PortWishes,
        say: Say,
    ) -> list[tuple[Grant, bool]]:
        """Return a grant for each request, and whether it is for this start only."""
        ask_running = Asking(services)
        stated = self._stated(services, asked)
        remembered = {**ports_file.read(self._root), **asked.used}
        self._chosen = by_hand.chosen(self._root, remembered)
        grants = grant(
            missing if asked.can_answer else [without_questions(each) for each in missing],
            root=self._root,
            project=project.name,
            environ=asked.environ,
            remembered=remembered,
            policy=asked.policy,
            store=self._store,
            resolutions=asked.resolutions,
            protected=asked.protected,
            aliases={service.name: service.port_env for service in services},
            chosen=self._chosen,
            ask_running=ask_running,
            say=say,
        )
        return [(each, is_for_now(each.granted, ask_running.asked, stated)) for each in grants]

    def is_unusable(self, service: str) -> bool:
        """Return whether the port of a service is useless."""
        return self.port_of(service) in self._unusable

    def avoid(self, port: int, reason: str) -> None:
        """Move no service to this port from now on, although it can be bound."""
        self._unusable[port] = reason

    def move(self, service: Service, project: Project, reason: str) -> GrantedPort:
        """Give up a service's port, which another process holds, and take the next one. Blocking."""
        lost = self._grants.get(service.name)
        if service.port is None or lost is None:
            raise PortConflict(f"a port of {service.name} was lost: {reason}", hint="start it again")
        if service.port.strict:
            fixed = f"its port is fixed ({service.port.why_fixed})"
            raise PortConflict(
                f"port {lost.port} for {service.name} was lost: {reason}",
                hint=f"{fixed}: stop the holder, or {service.port.how_to_move}",
            )
        self._close(service.name, keep_reservation=False)
        [found] = grant(
            [replace(service.port, policy=None)],
            root=self._root,
            project=project.name,
            environ={},
            remembered={**ports_file.read(self._root), service.name: lost.port},
            policy=ConflictPolicy.MOVE,
            store=self._store,
            unusable=self._unusable,
        )
        self._add([found])
        return found.granted

    def follow(self, request: PortRequest, port: int, project: Project, say: Say) -> GrantedPort:
        """Adopt the port that a service listens on by its own choice. Blocking."""
        old = self._grants.pop(request.service, None)
        granted = GrantedPort(
            service=request.service,
            port=port,
            preferred=request.preferred,
            moved_from=old.port if old else None,
            reason="the service chose it by itself",
        )
        if old is not None:
            old.close(keep_reservation=False)
        found = adopt(
            granted,
            root=self._root,
            project=project.name,
            store=self._store,
            over_reservation=True,
            say=say,
        )
        # Its processes inherited the leases of its former ports, and keep them when it moves away.
        if found.lease_fd is None and not found.take_back():
            taken = self._store.look(port) or Refusal.TAKEN
            reason = f"{request.service} listens on {port}, which is {brief(taken, root_name(self._root))}"
            raise PortConflict(reason, hint="its command must use ${PORT}")
        self._add([found])
        if request.recall(port) is None:
            self._not_remembered.add(request.service)
        return granted

    def came_up(self, name: str, *, keep_all: bool) -> None:
        """Record the claims of a service, which is ready now, to its ports after it is stopped.

        It keeps ports that it will ask for again although another project may prefer them: one that it moved to,
        and one that was chosen by hand. With `keep_all`, it keeps the preferred ones, too.
        """
        for each in self._of(name):
            stays = each.port != each.granted.preferred or each.port == self._chosen.get(each.service)
            passing = each.service in self._for_once
            each.claim(Claim.KEPT if (stays or keep_all) and not passing else Claim.USED)

    def adopt(self, ports: Iterable[GrantedPort], project: str) -> None:
        """Take over the ports of a service that runs already."""
        self._take_over([adopt(each, root=self._root, project=project, store=self._store) for each in ports])

    def make_ready(self, name: str) -> bool:
        """Complete lease and hold before a service starts; return False if another process has a port of it."""
        complete = [
            each.retake() for each in self._of(name) if not (each.is_held and each.lease_fd is not None)
        ]
        if name in self._exclusive:
            self.release_hold(name)
        return all(complete)

    def lost_extra_ports(self, name: str) -> list[Grant]:
        """Return the extra ports that another process has, for which `make_ready` failed."""
        taken = [each for each in self._of(name) if each.lease_fd is None or tcp_listeners(each.port)]
        return [each for each in taken if each.service != name]

    def release_hold(self, name: str) -> bool:
        """Let a service bind that cannot do so over our hold; return False if that was tried before."""
        learnt = name not in self._exclusive
        self._exclusive.add(name)
        for each in self._of(name):
            each.release_hold()
        return learnt

    def has_to_itself(self, name: str) -> bool:
        """Return whether only our hold can keep a service from binding its port."""
        return all(each.is_held and not tcp_listeners(each.port) for each in self._of(name))

    def give_back(self, name: str, spared: Collection[ProcessIdentity] = ()) -> None:
        """Give back a stopped service's ports; `came_up` has recorded its claims to them.

        `spared`: processes that its end left running. They may have copies of the leases without a right to them.
        """
        for each in self._of(name):
            if spared:
                each.withhold_lease()
            self._close(each.service)

    def rest(self, name: str) -> None:
        """Release the ports of a service that is down, and may be started again, to other projects.

        Raise StateFileError when that cannot be recorded.
        """
        for each in self._of(name):
            each.rest()

    def orphaned(self) -> set[str]:
        """Return the services of this checkout with a live lease that devinit took and that is not ours.

        A lease held only by programs in which a user works (tmux) does not count as a running service.
        """
        ours = {each.port for each in (*self._grants.values(), *(ahead for ahead, _ in self._ahead.values()))}
        root = root_name(self._root)
        found = {
            service_of(service)
            for service, port in services_leased(self._store.owners(), root)
            if port not in ours
        }
        return {name for name in found if not self._store.is_only_kept_apart(root, name)}

    def keepers(self, name: str) -> list[ProcessIdentity]:
        """Return the processes that hold the leases which a supervisor of this checkout took for a service."""
        return self._store.keepers(root_name(self._root), name)

    def port_of(self, name: str) -> int | None:
        """Return the port that a service has now."""
        found = self._grants.get(name)
        return found.port if found else None

    def granted(self, name: str) -> GrantedPort | None:
        """Return the grant of a service's port, with the reason for its number."""
        found = self._grants.get(name)
        return found.granted if found else None

    def granted_to(self, name: str) -> tuple[GrantedPort, ...]:
        """Return all ports of a service, including extra ones."""
        return tuple(each.granted for each in self._of(name))

    def extra_ports_of(self, name: str) -> tuple[int, ...]:
        """Return the extra ports of a service."""
        return tuple(each.port for each in self._of(name) if each.service != name)

    def lease_descriptors(self, name: str) -> tuple[int, ...]:
        """Return the locked descriptors that a service's processes inherit, so that its leases live with them."""
        return tuple(each.lease_fd for each in self._of(name) if each.lease_fd is not None)

    def ahead(self) -> dict[str, int]:
        """Return the ports that were taken ahead for the next `take`."""
        return {name: each.port for name, (each, _) in self._ahead.items()}

    def try_to_lease(self) -> None:
        """Raise StateFileError when a lease could not be recorded; change nothing."""
        self._store.try_to_write(str(self._root))

    def try_to_remember(self) -> None:
        """Raise the error that `remember` would raise after the next `take`; change nothing."""
        lasting = {name: each.port for name, (each, for_now) in self._ahead.items() if not for_now}
        ports_file.try_to_remember(self._root, lasting)

    def remember(self) -> None:
        """Write to `.ports.json` the ports that were taken or asked for since the last write.

        Ports of services that run on are not written: they may have been removed from the file meanwhile (`devinit
        ports reset`), for the next start.
        """
        names = tuple(self._taken)
        taken = {name: self._grants[name].port for name in names if name in self._grants}
        ports_file.write(
            self._root, {name: port for name, port in taken.items() if name not in self._not_remembered}
        )
        for name in names:
            self._taken.pop(name, None)

    def _keeps(self, request: PortRequest, remembered: int | None) -> bool:
        """Return whether the present grant is the wanted one and usable.

        If a port that would be remembered is not, it was forgotten on purpose (`devinit ports reset`).
        """
        port, wanted = self.port_of(request.service), self._wanted(request, remembered)
        return port is not None and wanted in (None, port) and self.make_ready(request.service)

    def is_refused(self, request: PortRequest, remembered: int | None) -> bool:
        """Return whether the server on the port that a service would ask for did not let it in."""
        name = request.service
        return name in self._for_once and is_refused(self.granted(name), request, remembered)

    def _wanted(self, request: PortRequest, remembered: int | None) -> int | None:
        """Return the port that a start would try first; None when any present port will do."""
        has_port = request.service in self._grants
        is_forgotten = request.recall(remembered) is None and request.service not in self._not_remembered
        if request.strict or is_forgotten or not has_port:
            return request.expected(remembered)
        return None if self.is_refused(request, remembered) else request.recall(remembered)

    def _of(self, name: str) -> list[Grant]:
        prefix = f"{name}."
        # Copies: while one service moves, in a thread, others are asked for theirs.
        names = [name, *(extra for extra in tuple(self._extra) if extra.startswith(prefix))]
        return [found for each in names if (found := self._grants.get(each)) is not None]

    def _take_over(self, grants: Iterable[Grant]) -> None:
        for each in grants:
            self._grants[each.service] = each
            if is_extra(each.service):
                self._extra[each.service] = None

    def _add(self, grants: Iterable[Grant]) -> None:
        grants = list(grants)
        self._take_over(grants)
        self._taken.update(dict.fromkeys(each.service for each in grants))

    def _close(self, name: str, *, keep_reservation: bool = True) -> None:
        found = self._grants.pop(name, None)
        self._not_remembered.discard(name)
        self._for_once.discard(name)
        if found is not None:
            found.close(keep_reservation=keep_reservation)
