"""One search for the ports of a project: it applies the policy and the user's answers to taken ports.

`allocate` determines the order of the candidates; this module decides about each of them.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NoReturn, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from devinit.errors import PortConflict, PortsExhausted
from devinit.model.port import (
    Conflict,
    ConflictPolicy,
    GrantedPort,
    LeaseOwner,
    PortReport,
    PortRequest,
    Resolution,
    ResolutionKind,
    VerdictKind,
)
from devinit.model.process import ProcessIdentity
from devinit.ports.granting.allocate import (
    NAMED_IN_ERRORS,
    Lost,
    Outcome,
    Ungranted,
    allocate,
    exhausted,
    with_reasons,
)
from devinit.ports.granting.avoid import BROWSER_UNSAFE_PORTS, reason_to_avoid
from devinit.ports.granting.conflicts import ConflictsFound, conflict_of
from devinit.ports.granting.overrides import Overrides
from devinit.ports.granting.reuse import AskRunning, in_words, refusal
from devinit.ports.granting.takings import Takings
from devinit.ports.granting.wanted import Wanted, hint_for, with_what_fixes
from devinit.ports.hold import Hold, Refusal, assigned_port
from devinit.ports.holder.leftover import started_by_us
from devinit.ports.holder.lookup import counted, holders_of_port, holders_of_ports
from devinit.ports.holder.pm2 import Application
from devinit.ports.holder.port_use import PortHolders
from devinit.ports.holder.verdict import Obstruction, brief, judge
from devinit.ports.leases import Lease, LeaseStore, Taken
from devinit.system.listeners import ephemeral_range

if TYPE_CHECKING:
    from devinit.ports.ending.release import Say

Taking: TypeAlias = tuple[GrantedPort, Lease | None, Hold | None]
"""A port that was taken, with its lease and hold; both are None if the service uses another server."""
_ASSIGNED = 20
"""How many ports the kernel is asked for when no other port is left."""
_REPLACED = "another process holds it now, so none was ended"
_SELF_EXPLAINING = frozenset(
    {
        VerdictKind.OURS,
        VerdictKind.PROGRAM,
        VerdictKind.NEIGHBOUR,
        VerdictKind.RESERVED,
        VerdictKind.ASSIGNED,
    }
)
"""Verdicts whose summary needs no further explanation."""


class Unanswered(Struct, frozen=True):
    """A question that is still open."""

    problem: str = ""
    """Why the given answer could not be carried out."""
    failed: tuple[ResolutionKind, ...] = ()
    """That answer, if giving it again is pointless."""


class Search:
    """The state of one `grant` call: the ports taken so far, and the conflicts."""

    def __init__(
        self,
        wanted: Mapping[str, Wanted],
        *,
        owner: LeaseOwner,
        store: LeaseStore,
        resolutions: Sequence[Resolution],
        protected: tuple[int, ...],
        stated: Overrides,
        applications: Mapping[int, Application],
        ask_running: AskRunning,
        unusable: Mapping[int, str],
        say: Say,
    ) -> None:
        self.wanted, self.owner, self.store, self.protected, self.say = wanted, owner, store, protected, say
        self.takings = Takings(owner, store, applications, protected=protected, say=say)
        self.debug, self.timeout_seconds = stated.debug, stated.timeout_seconds
        self.deadline = time.monotonic() + (stated.timeout_seconds or float("inf"))
        self.resolutions = {(each.service, each.port): each for each in resolutions}
        self.ask_running, self.unusable = ask_running, unusable
        self.ephemeral = ephemeral_range()
        self.assigned: set[int] = set()
        """Ports that the kernel chose as a last resort; those are not avoided for being in its range."""
        self.used: dict[str, str] = {}
        """Services that use the server on their port, with that server in words."""
        self.obstructions: dict[int, Obstruction] = {}
        self.notes: dict[int, str] = {}
        """Why a holder was not, or could not be, ended or used."""
        self.asked: dict[str, int] = {}
        """The port about which each service has been asked; the question is answered or in `open`."""
        self.open: dict[str, Unanswered] = {}
        """Services whose question is unanswered, or whose answer could not be carried out."""
        self.kinds: dict[int, VerdictKind] = {}
        """The kinds of holders, by port."""

    def run(self, absent: Mapping[int, str]) -> list[Taking]:
        """Allocate ports; return what was taken, or raise the most important error."""
        outcomes = allocate(
            [each.request for each in self.wanted.values()],
            wishes={service: each.wishes for service, each in self.wanted.items()},
            attempt=self.attempt,
            avoid=self.avoid,
            absent=absent,
            settle=self.settle,
            seed=self.owner.root,
            assigned=self.assign,
            tell=self.tell,
        )
        found, reasons = self.explain(outcomes)
        outcomes = {service: with_reasons(outcome, reasons) for service, outcome in outcomes.items()}
        ungranted = [each for each in outcomes.values() if isinstance(each, Ungranted)]
        if refused := [
            each for each in ungranted if each.request.strict and each.request.service not in self.open
        ]:
            self.refuse(refused, found)
        if self.open:
            raise ConflictsFound(
                tuple(self.conflict(service, outcomes[service], found) for service in self.open)
            )
        if ungranted:
            raise exhausted(ungranted[0])
        return [self.hand_over(outcome) for outcome in outcomes.values() if isinstance(outcome, GrantedPort)]

    def attempt(self, request: PortRequest, port: int) -> str | None:
        """Take a port, or plan to end its holder; return why it is unavailable."""
        if time.monotonic() > self.deadline:
            raise PortsExhausted(
                f"no port for {request.service} was found within {self.timeout_seconds:g} s",
                hint="PORT_DISCOVERY_TIMEOUT (milliseconds) limits the whole search",
            )
        insists = port in self.wanted[request.service].insisted
        obstruction = self.takings.take(request.service, port, over_reservation=insists)
        if obstruction is None:
            return None
        self.obstructions[port] = obstruction
        if port in self.wanted[request.service].wishes:
            return self.contest(self.wanted[request.service], port, obstruction)
        return self.brief(port, obstruction)

    def contest(self, wanted: Wanted, port: int, obstruction: Obstruction) -> str | None:
        """Apply the policy, or the user's answer, to a port that was requested by number."""
        service, reason = wanted.request.service, self.brief(port, obstruction)
        if wanted.policy is ConflictPolicy.KILL:
            return self.end_holders(service, port, obstruction)
        if wanted.policy is ConflictPolicy.REUSE and self.use(service, port):
            return None
        fails = wanted.policy is ConflictPolicy.FAIL
        if wanted.override and wanted.override.port == port and not fails:
            reason = self.brief(port, obstruction, holders_of_port(port, protected=self.protected))
            self.say(f"{wanted.override.variable}={port} cannot be used: the port is {reason}; searching on")
            return reason
        if wanted.policy is not ConflictPolicy.ASK or service in self.asked:
            return reason
        self.asked[service] = port
        answer = self.resolutions.get((service, port))
        match answer.kind if answer else None:
            case ResolutionKind.KILL if answer:
                return self.end_holders(service, port, obstruction, answer.holders)
            case ResolutionKind.TAKE:
                return self.take_over(service, port)
            case ResolutionKind.REUSE if answer:
                return self.use_shown(service, port, answer.holders)
            case ResolutionKind.MOVE:
                return reason
            case ResolutionKind.ABORT:
                raise PortConflict(f"port {port} for {service} is {reason}; the start was aborted")
        self.open[service] = Unanswered()
        return reason

    def take_over(self, service: str, port: int) -> str | None:
        """Take a port that is only reserved; the project that loses it gets a note when it starts."""
        obstruction = self.takings.take(service, port, over_reservation=True)
        if obstruction is None:
            self.kinds[port] = VerdictKind.RESERVED
            return None
        self.obstructions[port] = obstruction
        reason = self.brief(port, obstruction, holders_of_port(port, protected=self.protected))
        problem = f"it is not only reserved: it is {reason}"
        self.open[service] = Unanswered(problem, (ResolutionKind.TAKE,))
        return reason

    def use(self, service: str, port: int) -> bool:
        """Use the server on a port if it accepts the service; otherwise note the reason."""
        may, words = self.offer(service, port)
        if may:
            self.used[service] = words
        elif words:
            self.notes[port] = f"not used: {words}"
        return may

    def use_shown(self, service: str, port: int, shown: Collection[ProcessIdentity]) -> str | None:
        """Use the server on a port if it is the one that the user saw; otherwise ask again."""
        found = holders_of_port(port, protected=self.protected)
        if set(found.identities) <= set(shown) and self.use(service, port):
            return None
        problem = self.notes.get(port, "another process listens there now")
        self.open[service] = Unanswered(problem, (ResolutionKind.REUSE,) if port in self.notes else ())
        return self.brief(port, self.obstructions[port], found)

    def offer(self, service: str, port: int) -> tuple[bool, str]:
        """Return whether a service may use the server on a port, and the server or the refusal in words."""
        server = self.ask_running(service, port)
        if server is None:
            return False, ""
        reason = refusal(server, self.obstructions[port], self.owner.root)
        return not reason, reason or in_words(server)

    def end_holders(
        self,
        service: str,
        port: int,
        obstruction: Obstruction,
        shown: Collection[ProcessIdentity] | None = None,
    ) -> str | None:
        """Plan to end the holders of a port; with `shown`, only if they are exactly the ones that the user saw.

        Otherwise no process is signalled, and the question is asked again.
        """
        found = holders_of_port(port, protected=self.protected)
        report = self.judge(service, port, found)
        replaced = shown is not None and not set(found.identities) <= set(shown)
        if not report.killable or replaced:
            # The holder may have ended since the search found it or since the user saw it.
            insists = port in self.wanted[service].insisted
            if self.takings.take(service, port, over_reservation=insists) is None:
                del self.kinds[port]
                return None
            if shown is not None:
                self.open[service] = Unanswered(_REPLACED if replaced else "")
            elif report.kind not in _SELF_EXPLAINING:
                self.notes[port] = f"not ended: {report.advice}"
            return report.summary
        try:
            self.takings.plan_to_end(service, found, obstruction, answered=shown is not None)
        except PortConflict as error:
            return self.not_ended(service, found, error, answered=shown is not None)
        return None

    def settle(self) -> Lost | None:
        """End the planned holders; return the first port that does not become free.

        No process is ended while a question is open.
        """
        while not self.open and (ending := self.takings.next_to_end()) is not None:
            try:
                self.takings.end(ending)
            except PortConflict as error:
                service = ending.owner.service
                reason = self.not_ended(service, ending.found, error, answered=ending.answered)
                return Lost(service, ending.found.port, reason)
        return None

    def not_ended(self, service: str, found: PortHolders, error: PortConflict, *, answered: bool) -> str:
        """Note why holders were not ended, and ask again if the user had chosen it; return who holds the port."""
        self.notes[found.port] = problem = error.hint or error.message
        if answered:
            self.open[service] = Unanswered(problem, (ResolutionKind.KILL,))
        return found.reason

    def avoid(self, request: PortRequest, port: int) -> str | None:
        """Return why a free port is a bad choice, or None."""
        if request.strict and request.browser and port in BROWSER_UNSAFE_PORTS:
            self.say(
                f"{request.service}: browsers refuse to open port {port}; it is used because it is fixed"
            )
        if port in self.unusable:
            return self.unusable[port]
        ephemeral = range(0) if port in self.assigned else self.ephemeral
        return reason_to_avoid(request, port, ephemeral=ephemeral, macos=sys.platform == "darwin")

    def assign(self) -> Iterator[int]:
        """Let the kernel choose ports, one after the other."""
        for _ in range(_ASSIGNED):
            if (port := assigned_port()) is None:
                return
            self.assigned.add(port)
            yield port

    def tell(self, service: str, port: int, reason: str | None) -> None:
        """Report a candidate, for DEBUG_PORT_DISCOVERY."""
        if self.debug:
            self.say(f"{service}: {port} {f'passed over: {reason}' if reason else 'granted'}")

    def brief(self, port: int, obstruction: Obstruction, found: PortHolders | None = None) -> str:
        """Return why a port is unavailable, without its holder, which is looked up later if a message needs it."""
        if self.debug and obstruction is Refusal.TAKEN:
            found = found or holders_of_port(port, protected=self.protected)
        return brief(obstruction, self.owner.root, found)

    def explain(self, outcomes: Mapping[str, Outcome]) -> tuple[dict[int, PortHolders], dict[int, str]]:
        """Look up the holders of all ports that a message names, in one pass."""
        wanted_by = {self.asked[service]: service for service in self.open}
        for service, outcome in outcomes.items():
            named = NAMED_IN_ERRORS if isinstance(outcome, Ungranted) else 1
            for passed in outcome.passed[:named]:
                wanted_by.setdefault(passed.port, service)
        ports = {port for port in wanted_by if port in self.obstructions and port not in self.takings.taken}
        found = holders_of_ports(ports, protected=self.protected) if ports else {}
        reasons = {port: self.judge(wanted_by[port], port, each).summary for port, each in found.items()}
        for port in reasons.keys() & self.notes.keys():
            reasons[port] += f" ({self.notes[port]})"
        return found, reasons

    def conflict(self, service: str, outcome: Outcome, found: Mapping[int, PortHolders]) -> Conflict:
        """Return the question about a service's port, with the port to which the service would move."""
        port, state = self.asked[service], self.open[service]
        reusable, reuse = self.offer(service, port)
        seen = found.get(port, PortHolders(port=port))
        return conflict_of(
            service,
            counted(self.judge(service, port, seen), seen),
            move_to=outcome.port if isinstance(outcome, GrantedPort) else None,
            used_up=outcome.used_up if isinstance(outcome, GrantedPort) else "",
            reusable=reusable,
            reuse=reuse,
            problem=state.problem,
            failed=state.failed,
        )

    def judge(self, service: str, port: int, found: PortHolders) -> PortReport:
        """Judge the holder of a port that a service requested."""
        obstruction = self.obstructions[port]
        owner = obstruction.owner if isinstance(obstruction, Taken) else None
        # A sibling may be supervised, and the leases of this very process belong to its own
        # services. The requested services have no known run, so another process's lease of the same
        # service belongs to an earlier run.
        earlier = owner is not None and owner.service == service and owner.pid != os.getpid()
        root = self.owner.root
        started = started_by_us(found, obstruction, root=root, store=self.store) if earlier else ()
        report = judge(found, obstruction, root=root, looked_after=not earlier, started=started)
        self.kinds[port] = report.kind
        return report

    def refuse(self, ungranted: Sequence[Ungranted], found: Mapping[int, PortHolders]) -> NoReturn:
        """Raise the error for requests that must not move."""
        lines, hints, conflicts = [], [], []
        for each in ungranted:
            wanted, last = self.wanted[each.request.service], each.passed[-1]
            lines.append(f"port {last.port} for {each.request.service} is {last.reason}")
            if last.port in found:
                report = self.judge(wanted.request.service, last.port, found[last.port])
                lines[-1] = lines[-1].removesuffix(f" (not ended: {report.advice})")  # the hint says it
                hints.append(with_what_fixes(report.advice, wanted))
                conflicts.append(conflict_of(wanted.request.service, report, move_to=None))
            hints.append(hint_for(wanted))
        raise PortConflict("; ".join(lines), hint=next(filter(None, hints)), conflicts=conflicts)

    def hand_over(self, outcome: GrantedPort) -> Taking:
        """Return what was taken for a service; `Takings` no longer gives it back."""
        if words := self.used.get(outcome.service):
            return replace(outcome, uses=words), None, None
        lease, held, killed = self.takings.hand_over(outcome.port)
        kind = self.kinds.get(outcome.passed[0].port if outcome.passed else outcome.port)
        return replace(outcome, killed=killed, kind=kind), lease, held
