from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from devinit.errors import PortConflict, PortsExhausted
from devinit.model.port import (
    LAST_RESORT,
    Conflict,
    ConflictPolicy,
    Exhausted,
    GrantedPort,
    LeaseOwner,
    PortRequest,
    Resolution,
    ResolutionKind,
    VerdictKind,
)
from devinit.ports.granting.grants import ConflictsFound, Grant, adopt, grant
from devinit.ports.hold import Hold, hold
from devinit.ports.leases import Claim, Lease, LeaseStore, Taken
from devinit.system.listeners import ephemeral_range
from devinit.system.processes import identity_of
from tests.ports.conftest import LISTEN, Block, Stranger

ASK, KILL, MOVE, FAIL = ConflictPolicy.ASK, ConflictPolicy.KILL, ConflictPolicy.MOVE, ConflictPolicy.FAIL
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="nothing is held on this system")


class Project:
    """A checkout that asks for ports, the way the supervisor does."""

    def __init__(self, root: Path, store: LeaseStore) -> None:
        self.root, self.store = root, store
        self.said: list[str] = []
        self.open: list[Grant] = []

    def asks(
        self,
        *requests: PortRequest,
        policy: ConflictPolicy = MOVE,
        environ: Mapping[str, str] | None = None,
        remembered: Mapping[str, int] | None = None,
        resolutions: Sequence[Resolution] = (),
        aliases: Mapping[str, Sequence[str]] | None = None,
        protected: Sequence[int] = (),
    ) -> list[Grant]:
        grants = grant(
            requests,
            root=self.root,
            project=self.root.name,
            environ=environ or {},
            remembered=remembered or {},
            policy=policy,
            resolutions=resolutions,
            aliases=aliases,
            protected=protected,
            store=self.store,
            say=self.said.append,
        )
        self.open += grants
        return grants

    def asked(self, *requests: PortRequest, resolutions: Sequence[Resolution] = ()) -> tuple[Conflict, ...]:
        with pytest.raises(ConflictsFound) as found:
            self.asks(*requests, policy=ASK, resolutions=resolutions)
        return found.value.conflicts

    def close(self) -> None:
        for each in self.open:
            each.close()


@pytest.fixture
def shop(root: Path, store: LeaseStore) -> Iterator[Project]:
    project = Project(root, store)
    yield project
    project.close()


def wants(
    service: str,
    port: int,
    last: int | None = None,
    *,
    strict: bool = False,
    browser: bool = False,
    policy: ConflictPolicy | None = None,
) -> PortRequest:
    return PortRequest(
        service=service,
        preferred=port,
        first=port,
        last=last or port + 99,
        strict=strict,
        browser=browser,
        policy=policy,
    )


def ports(grants: Sequence[Grant]) -> dict[str, int]:
    return {each.service: each.port for each in grants}


def answer(conflict: Conflict, kind: ResolutionKind) -> Resolution:
    return Resolution(
        service=conflict.service,
        port=conflict.port,
        kind=kind,
        holders=tuple(each.identity for each in conflict.holders),
    )


def is_free(port: int) -> bool:
    held = hold(port)
    if isinstance(held, Hold):
        held.close()
    return isinstance(held, Hold)


def lives(process: subprocess.Popen[str]) -> bool:
    return process.poll() is None


class TestGrantedPorts:
    def test_are_the_preferred_ones_in_the_order_of_the_requests(self, shop: Project, block: Block) -> None:
        a, b, c = block(3)

        grants = shop.asks(wants("web", c), wants("api", a), wants("api.debugger", b))

        assert [each.granted for each in grants] == [
            GrantedPort(service="web", port=c, preferred=c),
            GrantedPort(service="api", port=a, preferred=a),
            GrantedPort(service="api.debugger", port=b, preferred=b),
        ]

    def test_are_leased_to_the_service(self, shop: Project, port: int) -> None:
        shop.asks(wants("api", port))

        ((leased, owner, live),) = shop.store.owners()

        assert (leased, live) == (port, True)
        assert (owner.root, owner.project, owner.service, owner.pid) == (
            str(shop.root),
            "shop",
            "api",
            os.getpid(),
        )

    @linux_only
    def test_are_held_against_strangers(self, shop: Project, port: int) -> None:
        shop.asks(wants("api", port))

        with socket.socket() as plain, pytest.raises(OSError, match="in use"):
            plain.bind(("127.0.0.1", port))

    def test_that_are_kept_stay_reserved_after_the_service_ended(
        self, shop: Project, port: int, neighbour: LeaseOwner
    ) -> None:
        (api,) = shop.asks(wants("api", port))
        api.claim(Claim.KEPT)

        api.close()

        taken = shop.store.take(port, neighbour)
        assert isinstance(taken, Taken)
        assert not taken.live
        assert is_free(port)

    def test_are_free_for_all_when_the_reservation_is_given_up(
        self, shop: Project, port: int, neighbour: LeaseOwner
    ) -> None:
        (api,) = shop.asks(wants("api", port))

        api.close(keep_reservation=False)

        lease = shop.store.take(port, neighbour)
        assert isinstance(lease, Lease)
        lease.give_back()

    def test_are_those_of_the_last_start(self, shop: Project, block: Block) -> None:
        preferred, other = block(2)

        (api,) = shop.asks(wants("api", preferred), remembered={"api": other})

        assert api.granted == GrantedPort(service="api", port=other, preferred=preferred)

    def test_take_the_place_of_what_the_service_had_reserved_before(
        self, shop: Project, block: Block
    ) -> None:
        preferred, other = block(2)
        (before,) = shop.asks(wants("api", preferred), remembered={"api": other})
        before.close()

        shop.asks(wants("api", preferred))

        assert [(port, owner.service) for port, owner, _ in shop.store.owners()] == [(preferred, "api")]


class TestATakenPort:
    def test_is_left_for_the_next_free_one(self, shop: Project, block: Block, stranger: Stranger) -> None:
        first, second = block(2)
        process = stranger(first)

        (api,) = shop.asks(wants("api", first))

        assert api.port == second
        assert api.granted.moved_from == first
        assert api.granted.attempts == 2
        assert api.granted.reason.startswith(f"{first} is held by ")
        assert api.granted.reason.endswith(f"(pid {process.pid})")
        assert lives(process)

    def test_moves_the_middle_one_of_three_neighbours_past_its_siblings(
        self, shop: Project, block: Block, stranger: Stranger
    ) -> None:
        p = block(4)[0]
        stranger(p + 1)

        grants = shop.asks(wants("a", p), wants("b", p + 1), wants("c", p + 2))

        assert ports(grants) == {"a": p, "b": p + 3, "c": p + 2}

    def test_that_is_remembered_from_outside_of_the_range_is_ignored_and_named(
        self, shop: Project, block: Block
    ) -> None:
        before, preferred = block(2)

        (api,) = shop.asks(wants("api", preferred), remembered={"api": before})

        assert api.port == preferred
        [text] = shop.said
        assert text.startswith(
            f".ports.json says {before}, which is outside of the range of api, {preferred}-"
        )

    def test_of_another_running_project_is_passed_over(
        self, shop: Project, block: Block, neighbour: LeaseOwner
    ) -> None:
        first, second = block(2)
        lease = shop.store.take(first, neighbour)
        assert isinstance(lease, Lease)

        (api,) = shop.asks(wants("api", first))

        assert api.port == second
        assert api.granted.reason == f"{first} is leased by backend of blog ({neighbour.root})"
        lease.give_back()

    def test_that_is_reserved_for_a_stopped_project_is_passed_over(
        self, shop: Project, block: Block, neighbour: LeaseOwner
    ) -> None:
        first, second = block(2)
        lease = shop.store.take(first, neighbour)
        assert isinstance(lease, Lease)
        lease.claim(Claim.KEPT)
        lease.release(keep_reservation=True)

        (api,) = shop.asks(wants("api", first))

        assert api.port == second
        assert "which is stopped" in api.granted.reason

    def test_of_a_sibling_that_is_not_started_is_passed_over(
        self, shop: Project, block: Block, stranger: Stranger
    ) -> None:
        first, second, third = block(3)
        stranger(first)

        (api,) = shop.asks(wants("api", first), remembered={"web": second})

        assert api.port == third

    def test_that_a_browser_refuses_is_passed_over(self, shop: Project) -> None:
        if not is_free(10081):
            pytest.skip("10081 is in use")

        (web,) = shop.asks(wants("web", 10080, browser=True))

        assert web.port == 10081

    def test_of_a_full_range_is_an_error_that_names_the_holders(
        self, shop: Project, block: Block, stranger: Stranger
    ) -> None:
        first, second, free = block(3)
        one, two = stranger(first), stranger(second)

        with pytest.raises(PortsExhausted) as exhausted:
            shop.asks(wants("web", free), wants("api", first, second))

        assert f"no free port for api in {first}-{second} after 2 attempts" in exhausted.value.message
        assert f"(pid {one.pid})" in exhausted.value.message
        assert f"(pid {two.pid})" in exhausted.value.message
        assert is_free(free)
        assert shop.store.owners() == []


class TestARangeThatIsUsedUp:
    def anywhere(self, port: int) -> PortRequest:
        return replace(wants("api", port, port + 1), exhausted=Exhausted.ANY)

    def test_leads_to_a_last_resort_when_any_port_will_do(
        self, shop: Project, block: Block, stranger: Stranger
    ) -> None:
        first, second = block(2)
        process = stranger(first)
        stranger(second)

        (api,) = shop.asks(self.anywhere(first))

        assert api.port in LAST_RESORT
        assert [(port, live) for port, _, live in shop.store.owners()] == [(api.port, True)]
        assert api.granted.reason.startswith(f"{first}-{second} is used up: {first} is held by ")
        assert api.granted.reason.endswith(f"(pid {process.pid})")

    def test_is_asked_about_with_the_last_resort_as_the_way_out(
        self, shop: Project, block: Block, stranger: Stranger
    ) -> None:
        first, second = block(2)
        stranger(first)
        stranger(second)

        (conflict,) = shop.asked(self.anywhere(first))

        assert conflict.move_to in LAST_RESORT
        assert conflict.used_up == f"{first}-{second}"

    @linux_only
    def test_leads_to_the_kernel_s_choice_when_the_last_resort_is_taken_too(
        self, shop: Project, block: Block, stranger: Stranger, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first, second, last = block(3)
        for port in (first, second, last):
            stranger(port)
        monkeypatch.setattr("devinit.ports.granting.allocate.LAST_RESORT", range(last, last + 1))

        (api,) = shop.asks(self.anywhere(first))

        assert api.port in ephemeral_range()
        assert [(port, live) for port, _, live in shop.store.owners()] == [(api.port, True)]


class TestAFixedPort:
    def test_that_is_taken_is_refused_with_the_facts_of_its_holder(
        self, shop: Project, block: Block, stranger: Stranger
    ) -> None:
        free, taken = block(2)
        process = stranger(taken)

        with pytest.raises(PortConflict, match=rf"port {taken} for web is held by .*\(pid {process.pid}\)"):
            shop.asks(wants("api", free), wants("web", taken, strict=True))

        assert is_free(free)
        assert shop.store.owners() == []

    def test_is_asked_about_without_a_port_to_move_to(
        self, shop: Project, port: int, stranger: Stranger
    ) -> None:
        stranger(port)

        (conflict,) = shop.asked(wants("web", port, strict=True))

        assert conflict.move_to is None

    def test_is_freed_by_force(self, shop: Project, port: int, stranger: Stranger) -> None:
        process = stranger(port)

        (web,) = shop.asks(wants("web", port, strict=True), policy=KILL)

        assert web.port == port
        assert process.wait() != 0

    def test_does_not_follow_what_is_remembered(self, shop: Project, block: Block) -> None:
        fixed, other = block(2)

        (web,) = shop.asks(wants("web", fixed, strict=True), remembered={"web": other})

        assert web.port == fixed


class TestAsking:
    def test_collects_every_conflict_and_takes_nothing(
        self, shop: Project, block: Block, stranger: Stranger
    ) -> None:
        a, b, c, d, e = block(5)
        one, two = stranger(a), stranger(b)

        conflicts = shop.asked(wants("api", a), wants("web", b), wants("db", c))

        assert [(each.service, each.port, each.move_to) for each in conflicts] == [
            ("api", a, d),
            ("web", b, e),
        ]
        assert [each.holders[0].identity for each in conflicts] == [
            identity_of(one.pid),
            identity_of(two.pid),
        ]
        assert all(each.killable and each.kind is VerdictKind.STRANGER for each in conflicts)
        assert all(is_free(port) for port in (c, d, e))
        assert shop.store.owners() == []

    def test_is_not_needed_when_everything_is_free(self, shop: Project, port: int) -> None:
        assert ports(shop.asks(wants("api", port), policy=ASK)) == {"api": port}

    def test_tells_which_project_has_the_port(
        self, shop: Project, block: Block, neighbour: LeaseOwner
    ) -> None:
        first, second = block(2)
        lease = shop.store.take(first, neighbour)
        assert isinstance(lease, Lease)

        (conflict,) = shop.asked(wants("api", first))

        assert (conflict.kind, conflict.owner, conflict.killable) == (VerdictKind.NEIGHBOUR, neighbour, False)
        assert conflict.move_to == second
        lease.give_back()

    def test_can_be_answered_with_moving(self, shop: Project, block: Block, stranger: Stranger) -> None:
        first, second = block(2)
        process = stranger(first)
        (conflict,) = shop.asked(wants("api", first))

        (api,) = shop.asks(
            wants("api", first), policy=ASK, resolutions=[answer(conflict, ResolutionKind.MOVE)]
        )

        assert api.port == conflict.move_to == second
        assert lives(process)

    def test_can_be_answered_with_killing(self, shop: Project, port: int, stranger: Stranger) -> None:
        process = stranger(port)
        (conflict,) = shop.asked(wants("api", port))

        (api,) = shop.asks(
            wants("api", port), policy=ASK, resolutions=[answer(conflict, ResolutionKind.KILL)]
        )

        assert api.port == port
        assert len(api.granted.killed) == 1
        assert process.wait() != 0

    def test_can_be_answered_with_trying_again(self, shop: Project, port: int, stranger: Stranger) -> None:
        process = stranger(port)
        (conflict,) = shop.asked(wants("api", port))
        retry = [answer(conflict, ResolutionKind.RETRY)]
        (again,) = shop.asked(wants("api", port), resolutions=retry)
        assert again.holders[0].identity == conflict.holders[0].identity
        process.kill()
        process.wait()

        (api,) = shop.asks(wants("api", port), policy=ASK, resolutions=retry)

        assert api.port == port

    def test_can_be_answered_with_aborting(self, shop: Project, port: int, stranger: Stranger) -> None:
        process = stranger(port)
        (conflict,) = shop.asked(wants("api", port))

        with pytest.raises(PortConflict, match="aborted"):
            shop.asks(wants("api", port), policy=ASK, resolutions=[answer(conflict, ResolutionKind.ABORT)])
        assert lives(process)

    def test_is_repeated_when_the_holder_was_replaced_and_nobody_is_killed(
        self, shop: Project, port: int, stranger: Stranger
    ) -> None:
        first = stranger(port)
        (conflict,) = shop.asked(wants("api", port))
        first.kill()
        first.wait()
        second = stranger(port)

        (again,) = shop.asked(wants("api", port), resolutions=[answer(conflict, ResolutionKind.KILL)])

        assert again.holders[0].identity == identity_of(second.pid)
        assert again.killable
        assert again.problem == "another process holds it now, so none was ended"
        assert lives(second)

    def test_needs_no_kill_when_the_holder_has_gone(
        self, shop: Project, port: int, stranger: Stranger
    ) -> None:
        process = stranger(port)
        (conflict,) = shop.asked(wants("api", port))
        process.kill()
        process.wait()

        (api,) = shop.asks(
            wants("api", port), policy=ASK, resolutions=[answer(conflict, ResolutionKind.KILL)]
        )

        assert (api.port, api.granted.killed) == (port, ())

    def test_about_one_service_keeps_the_answers_of_the_others(
        self, shop: Project, block: Block, stranger: Stranger
    ) -> None:
        a, b, c = block(3)
        stranger(a)
        stranger(b)
        first, _ = shop.asked(wants("api", a), wants("web", b))

        (left,) = shop.asked(
            wants("api", a), wants("web", b), resolutions=[answer(first, ResolutionKind.MOVE)]
        )

        assert left.service == "web"
        assert left.move_to not in (a, b, c)

    def test_ends_nobody_before_every_question_is_answered(
        self, shop: Project, block: Block, stranger: Stranger
    ) -> None:
        a, b, c = block(3)
        doomed, left = stranger(a), stranger(b)
        first, second = shop.asked(wants("api", a), wants("web", b))
        kill, retry = answer(first, ResolutionKind.KILL), answer(second, ResolutionKind.RETRY)

        (open_one,) = shop.asked(wants("api", a), wants("web", b), resolutions=[kill, retry])

        assert (open_one.service, open_one.move_to) == ("web", c)
        assert lives(doomed)
        assert shop.said == []

        move = answer(open_one, ResolutionKind.MOVE)
        api, web = shop.asks(wants("api", a), wants("web", b), policy=ASK, resolutions=[kill, move])
        assert (api.port, web.port) == (a, c)
        assert doomed.wait() != 0
        assert lives(left)

    def test_ends_nobody_when_another_service_is_aborted(
        self, shop: Project, block: Block, stranger: Stranger
    ) -> None:
        a, b = block(2)
        spared = stranger(a)
        stranger(b)
        first, second = shop.asked(wants("api", a), wants("web", b))

        with pytest.raises(PortConflict, match="aborted"):
            shop.asks(
                wants("api", a),
                wants("web", b),
                policy=ASK,
                resolutions=[answer(first, ResolutionKind.KILL), answer(second, ResolutionKind.ABORT)],
            )

        assert lives(spared)
        assert not is_free(a)


class TestForce:
    def test_ends_a_stranger_and_uses_its_port(self, shop: Project, port: int, stranger: Stranger) -> None:
        process = stranger(port)

        (api,) = shop.asks(wants("api", port), policy=KILL)

        assert api.port == port
        assert api.granted.moved_from is None
        assert api.granted.killed[0].endswith(f"(pid {process.pid})")
        assert process.wait() != 0

    def test_moves_when_the_holder_is_protected(
        self, shop: Project, block: Block, stranger: Stranger
    ) -> None:
        first, second = block(2)
        process = stranger(first)

        (api,) = shop.asks(wants("api", first), policy=KILL, protected=[process.pid])

        assert api.port == second
        assert "(not ended: devinit itself runs in" in api.granted.reason
        assert lives(process)

    def test_never_ends_another_project_s_service(
        self, shop: Project, block: Block, stranger: Stranger, neighbour: LeaseOwner
    ) -> None:
        first, second = block(2)
        lease = shop.store.take(first, neighbour)
        assert isinstance(lease, Lease)
        process = stranger(first)

        (api,) = shop.asks(wants("api", first), policy=KILL)

        assert api.port == second
        assert lives(process)
        lease.give_back()

    def test_ends_nobody_further_up_in_the_range(
        self, shop: Project, block: Block, stranger: Stranger
    ) -> None:
        first, second, third = block(3)
        spared, bystander = stranger(first), stranger(second)

        (api,) = shop.asks(wants("api", first), policy=KILL, protected=[spared.pid])

        assert api.port == third
        assert lives(bystander)

    def test_ends_what_an_earlier_run_of_the_service_left_over(
        self, shop: Project, port: int, stranger: Stranger
    ) -> None:
        orphan = left_over(shop, port)

        (api,) = shop.asks(wants("api", port), policy=KILL)

        assert api.port == port
        assert api.lease_fd is not None
        orphan.communicate()

    def test_leaves_alone_what_would_be_started_again_and_says_how_to_end_it(
        self, shop: Project, block: Block, tmp_path: Path, stranger: Stranger
    ) -> None:
        first, second = block(2)
        runner = tmp_path / "honcho"
        runner.write_text(RUN)
        manager = stranger(first, program=f"import os, sys; {EXECUTE.format(runner=runner)}")

        (api,) = shop.asks(wants("api", first), policy=KILL)

        assert (api.port, api.granted.kind) == (second, VerdictKind.SUPERVISED)
        assert api.granted.reason.endswith(
            f"(not ended: honcho would start it again: `kill {manager.pid}` ends it)"
        )
        assert lives(manager)

    def test_ends_nobody_for_a_start_that_is_refused(
        self, shop: Project, block: Block, stranger: Stranger
    ) -> None:
        a, b = block(2)
        spared = stranger(a)
        stranger(b)

        with pytest.raises(PortConflict, match=rf"port {b} for web"):
            shop.asks(wants("api", a), wants("web", b, policy=FAIL), policy=KILL)

        assert lives(spared)

    def test_moves_to_what_no_sibling_took_when_the_holder_does_not_end(
        self, shop: Project, block: Block, stranger: Stranger
    ) -> None:
        a, b, c = block(3)
        stranger(a, "127.0.0.1", "immortal")

        api, web = shop.asks(wants("api", a), wants("web", b), policy=KILL)

        assert (api.port, web.port) == (c, b)
        assert "it is never killed" in api.granted.reason

    def test_says_what_it_ended(self, shop: Project, port: int, stranger: Stranger) -> None:
        process = stranger(port, directory=shop.root)

        (api,) = shop.asks(wants("api", port), policy=KILL)

        assert (api.port, api.granted.kind) == (port, VerdictKind.STRAY)
        assert [text.rpartition(" ")[2] for text in api.granted.killed] == [f"{process.pid})"]

    def test_of_one_service_is_its_own(self, shop: Project, block: Block, stranger: Stranger) -> None:
        a, b, c = block(3)
        kept, ended = stranger(a), stranger(b)

        grants = shop.asks(wants("api", a), wants("web", b, policy=KILL))

        assert ports(grants) == {"api": c, "web": b}
        assert lives(kept)
        assert ended.wait() != 0


class TestAServiceOfOurOwn:
    def test_that_a_dead_supervisor_left_over_is_reported_as_ours(self, shop: Project, port: int) -> None:
        orphan = left_over(shop, port)

        (conflict,) = shop.asked(wants("api", port))

        assert conflict.kind is VerdictKind.ORPHAN
        assert conflict.owner is not None
        assert (conflict.owner.root, conflict.owner.service) == (str(shop.root), "api")
        assert [each.identity.pid for each in conflict.holders] == [orphan.pid]
        assert conflict.killable
        orphan.kill()
        orphan.communicate()

    def test_that_is_supervised_is_not_ended_by_force(self, shop: Project, block: Block) -> None:
        first, second = block(2)
        shop.asks(wants("api", first))

        (again,) = shop.asks(wants("api", first), policy=KILL)

        assert again.port == second


class TestRefusing:
    def test_names_every_taken_port(self, shop: Project, block: Block, stranger: Stranger) -> None:
        a, b = block(2)
        stranger(a)
        stranger(b)

        with pytest.raises(PortConflict) as refused:
            shop.asks(wants("api", a), wants("web", b), policy=FAIL)

        assert f"port {a} for api is held by" in refused.value.message
        assert f"port {b} for web is held by" in refused.value.message
        assert 'on_conflict = "move"' in str(refused.value.hint)

    def test_does_not_fall_back_to_the_preferred_port(
        self, shop: Project, block: Block, stranger: Stranger
    ) -> None:
        preferred, remembered = block(2)
        stranger(remembered)

        with pytest.raises(PortConflict, match=str(remembered)):
            shop.asks(wants("api", preferred), policy=FAIL, remembered={"api": remembered})

    def test_can_be_one_service_s_own_policy(self, shop: Project, port: int, stranger: Stranger) -> None:
        stranger(port)

        with pytest.raises(PortConflict):
            shop.asks(wants("api", port, policy=FAIL), policy=KILL)


class TestTheEnvironment:
    def test_chooses_a_port(self, shop: Project, block: Block) -> None:
        preferred, chosen = block(2)

        (api,) = shop.asks(wants("api", preferred), environ={"API_PORT": str(chosen)})

        assert api.port == chosen

    def test_chooses_a_port_under_another_name(self, shop: Project, block: Block) -> None:
        preferred, chosen = block(2)

        (api,) = shop.asks(
            wants("api", preferred), environ={"HTTP_PORT": str(chosen)}, aliases={"api": ["HTTP_PORT"]}
        )

        assert api.port == chosen

    @pytest.mark.parametrize("policy", [MOVE, ASK])
    def test_is_passed_over_with_a_warning_when_its_port_is_taken(
        self, policy: ConflictPolicy, shop: Project, block: Block, stranger: Stranger
    ) -> None:
        preferred, chosen = block(2)
        process = stranger(chosen)

        (api,) = shop.asks(wants("api", preferred), environ={"API_PORT": str(chosen)}, policy=policy)

        assert api.port == preferred
        (warning,) = shop.said
        assert warning.startswith(f"API_PORT={chosen} cannot be used: the port is held by ")
        assert f"(pid {process.pid})" in warning

    def test_is_asked_about_when_it_says_what_is_preferred_anyway(
        self, shop: Project, port: int, stranger: Stranger
    ) -> None:
        stranger(port)

        with pytest.raises(ConflictsFound):
            shop.asks(wants("api", port), environ={"API_PORT": str(port)}, policy=ASK)

    def test_that_is_no_number_is_said(self, shop: Project, port: int) -> None:
        (api,) = shop.asks(wants("api", port), environ={"API_PORT": "many"})

        assert api.port == port
        assert shop.said == ["API_PORT=many ignored: it is not a port number between 1 and 65535"]

    def test_of_another_checkout_changes_nothing(self, shop: Project, block: Block) -> None:
        preferred, theirs = block(2)

        (api,) = shop.asks(
            wants("api", preferred), environ={"DEVINIT_PROJECT": "/home/me/blog", "API_PORT": str(theirs)}
        )

        assert api.port == preferred
        assert "another checkout, /home/me/blog" in shop.said[0]

    def test_can_forbid_to_search(self, shop: Project, port: int, stranger: Stranger) -> None:
        stranger(port)

        with pytest.raises(PortConflict):
            shop.asks(wants("api", port), environ={"SKIP_PORT_DISCOVERY": "true"}, policy=KILL)

    def test_without_search_ignores_what_is_remembered(self, shop: Project, block: Block) -> None:
        preferred, remembered = block(2)

        (api,) = shop.asks(
            wants("api", preferred),
            environ={"SKIP_PORT_DISCOVERY": "true"},
            remembered={"api": remembered},
        )

        assert api.port == preferred

    def test_can_have_each_candidate_told(self, shop: Project, block: Block, stranger: Stranger) -> None:
        first, second = block(2)
        process = stranger(first)

        shop.asks(wants("api", first), environ={"DEBUG_PORT_DISCOVERY": "true"})

        passed_over, granted = shop.said
        assert passed_over.startswith(f"api: {first} passed over: held by ")
        assert f"(pid {process.pid})" in passed_over
        assert granted == f"api: {second} granted"

    def test_can_limit_the_time(self, shop: Project, block: Block, stranger: Stranger) -> None:
        first, second = block(2)
        stranger(first)

        with pytest.raises(PortsExhausted, match=r"no port for web was found within 0\.001 s"):
            # Ending a process takes longer than the whole search may here.
            shop.asks(
                wants("api", first),
                wants("web", second),
                environ={"PORT_DISCOVERY_TIMEOUT": "1"},
                policy=KILL,
            )


class TestAGrant:
    @linux_only
    def test_lets_a_server_without_reuseaddr_bind_when_its_hold_is_released(
        self, shop: Project, port: int, stranger: Stranger
    ) -> None:
        (api,) = shop.asks(wants("api", port))

        api.release_hold()

        assert not api.is_held
        service = stranger(port, "127.0.0.1", "plain")
        assert not api.retake()
        service.kill()
        service.wait()
        assert api.retake()
        assert api.is_held

    def test_is_kept_by_the_service_alone_after_it_was_closed(
        self, shop: Project, port: int, neighbour: LeaseOwner
    ) -> None:
        (api,) = shop.asks(wants("api", port))
        assert api.lease_fd is not None
        with subprocess.Popen(["cat"], stdin=subprocess.PIPE, pass_fds=[api.lease_fd]) as service:
            api.close()

            taken = shop.store.take(port, neighbour)
            service.communicate()

        assert isinstance(taken, Taken)
        assert taken.live

    def test_of_an_adopted_service_has_no_lease_until_it_ended(self, shop: Project, port: int) -> None:
        orphan = left_over(shop, port)
        granted = GrantedPort(service="api", port=port, preferred=port)

        api = adopt(granted, root=shop.root, project="shop", store=shop.store)

        assert api.lease_fd is None
        assert not api.retake()
        orphan.kill()
        orphan.communicate()
        assert api.retake()
        assert api.lease_fd is not None
        api.close()


ORPHAN = """
import os, sys
from pathlib import Path
from devinit.model.port import ConflictPolicy, PortRequest
from devinit.ports.granting.grants import grant
from devinit.ports.leases import LeaseStore
root, leases, port, program = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
(api,) = grant(
    [PortRequest(service="api", preferred=port, first=port, last=port)],
    root=root, project="shop", environ={}, remembered={}, policy=ConflictPolicy.FAIL, store=LeaseStore(leases),
)
if os.fork():
    os._exit(0)
os.set_inheritable(api.lease_fd, True)
os.execv(sys.executable, [sys.executable, "-S", "-c", program, str(port), "127.0.0.1"])
"""


class Orphan:
    """A service whose supervisor is gone; it is the child of whoever adopts orphans."""

    def __init__(self, pid: int, output: subprocess.Popen[str]) -> None:
        self.pid, self._output = pid, output

    def kill(self) -> None:
        os.kill(self.pid, 9)

    def communicate(self) -> None:
        """Wait for its end: it has the pipe's last copy."""
        self._output.communicate()


EXECUTE = "os.execv(sys.executable, [sys.executable, '-S', '{runner}', *sys.argv[1:]])"
RUN = f"""
import subprocess, sys
sys.exit(subprocess.call([sys.executable, "-S", "-c", {LISTEN!r}, *sys.argv[1:]]))
"""
"""A runner of processes, as far as one can see from outside."""


def left_over(project: Project, port: int) -> Orphan:
    supervisor = subprocess.Popen(
        [sys.executable, "-c", ORPHAN, str(project.root), str(project.store.directory), str(port), LISTEN],
        stdout=subprocess.PIPE,
        text=True,
        cwd=project.root,  # as a service's own processes: that proves whose it is
    )
    assert supervisor.stdout is not None
    return Orphan(int(supervisor.stdout.readline().split()[1]), supervisor)
