from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devinit.model.port import (
    ATTEMPTS,
    LAST_RESORT,
    Exhausted,
    GrantedPort,
    Passed,
    PortRequest,
    PortUse,
    UseState,
)
from devinit.ports.granting.allocate import (
    Lost,
    Outcome,
    Ungranted,
    allocate,
    exhausted,
    last_resort,
    wishes_of,
    with_reasons,
)
from devinit.ports.holder.naming import used


def wants(
    service: str, preferred: int, last: int | None = None, *, first: int | None = None, strict: bool = False
) -> PortRequest:
    return PortRequest(
        service=service,
        preferred=preferred,
        first=first or preferred,
        last=last or preferred + 99,
        strict=strict,
    )


def allocated(
    requests: Sequence[PortRequest],
    taken: Collection[int] = (),
    *,
    remembered: Mapping[str, int] | None = None,
    overrides: Mapping[str, int] | None = None,
    absent: Mapping[int, str] | None = None,
) -> dict[str, Outcome]:
    wishes = {
        each.service: wishes_of(
            each,
            override=(overrides or {}).get(each.service),
            remembered=(remembered or {}).get(each.service),
        )
        for each in requests
    }
    return allocate(
        requests,
        wishes=wishes,
        attempt=lambda _request, port: "taken" if port in taken else None,
        absent=absent,
    )


def goes_anywhere(service: str = "backend", *, strict: bool = False) -> PortRequest:
    """Return the request of a service with two ports and `exhausted = "any"`."""
    return PortRequest(
        service=service, preferred=8000, first=8000, last=8001, strict=strict, exhausted=Exhausted.ANY
    )


def ports(outcomes: Mapping[str, Outcome]) -> dict[str, int | None]:
    return {
        service: each.port if isinstance(each, GrantedPort) else None for service, each in outcomes.items()
    }


class TestTheWishesOfAService:
    def test_are_the_override_then_what_is_remembered_then_what_it_prefers(self) -> None:
        assert wishes_of(wants("backend", 8000), override=9000, remembered=8001) == (9000, 8001, 8000)

    def test_name_each_port_once(self) -> None:
        assert wishes_of(wants("backend", 8000), override=8000, remembered=8000) == (8000,)

    def test_ignore_what_is_remembered_from_outside_of_its_range(self) -> None:
        assert wishes_of(wants("backend", 9000), remembered=8000) == (9000,)

    def test_ignore_what_is_remembered_when_its_port_is_fixed(self) -> None:
        assert wishes_of(wants("backend", 8000, strict=True), override=9000, remembered=8001) == (9000, 8000)


class TestOneService:
    def test_gets_the_port_that_it_prefers(self) -> None:
        assert allocated([wants("backend", 8000)])["backend"] == GrantedPort(
            service="backend", port=8000, preferred=8000
        )

    def test_keeps_the_port_of_the_last_start(self) -> None:
        assert ports(allocated([wants("backend", 8000)], remembered={"backend": 8005})) == {"backend": 8005}

    def test_returns_to_the_port_that_it_prefers_when_the_remembered_one_is_taken(self) -> None:
        assert ports(allocated([wants("backend", 8000)], {8005}, remembered={"backend": 8005})) == {
            "backend": 8000
        }

    def test_moves_upwards_and_says_from_where_and_why(self) -> None:
        assert allocated([wants("backend", 8000)], {8000, 8001})["backend"] == GrantedPort(
            service="backend",
            port=8002,
            preferred=8000,
            moved_from=8000,
            attempts=3,
            reason="8000 is taken",
            passed=(Passed(8000, "taken"), Passed(8001, "taken")),
        )

    def test_uses_the_lower_part_of_its_range_last(self) -> None:
        outcome = allocated([wants("backend", 8001, 8002, first=8000)], {8001, 8002})

        assert ports(outcome) == {"backend": 8000}

    def test_stays_within_its_range(self) -> None:
        assert ports(allocated([wants("backend", 8000, 8001)], {8000, 8001})) == {"backend": None}

    def test_is_given_a_wish_outside_its_range(self) -> None:
        assert ports(allocated([wants("backend", 8000, 8001)], overrides={"backend": 9999})) == {
            "backend": 9999
        }

    def test_never_moves_when_its_port_is_fixed(self) -> None:
        outcome = allocated([wants("backend", 8000, strict=True)], {8000})["backend"]

        assert isinstance(outcome, Ungranted)
        assert outcome.passed == (Passed(8000, "taken"),)

    def test_gives_up_after_a_hundred_attempts(self) -> None:
        tried: list[int] = []

        def attempt(_request: PortRequest, port: int) -> str:
            tried.append(port)
            return "taken"

        allocate([wants("backend", 8000, 9999)], wishes={"backend": (8000,)}, attempt=attempt)

        assert tried == list(range(8000, 8000 + ATTEMPTS))

    def test_is_not_tried_on_a_port_that_is_a_bad_choice(self) -> None:
        outcome = allocate(
            [wants("frontend", 6000)],
            wishes={"frontend": (6000,)},
            attempt=lambda _request, _port: None,
            avoid=lambda _request, port: "unsafe" if port == 6000 else None,
        )

        assert ports(outcome) == {"frontend": 6001}

    def test_is_told_each_candidate(self) -> None:
        told: list[tuple[str, int, str | None]] = []

        allocate(
            [wants("backend", 8000)],
            wishes={"backend": (8000,)},
            attempt=lambda _request, port: "taken" if port == 8000 else None,
            tell=lambda service, port, reason: told.append((service, port, reason)),
        )

        assert told == [("backend", 8000, "taken"), ("backend", 8001, None)]


class TestWhatIsOnlyDecided:
    def test_is_settled_when_everybody_has_a_port(self) -> None:
        losses = [Lost("a", 3000, "kept"), None]

        outcome = allocate(
            [wants("a", 3000), wants("b", 3001)],
            wishes={"a": (3000,), "b": (3001,)},
            attempt=lambda _request, _port: None,
            settle=lambda: losses.pop(0),
        )

        assert ports(outcome) == {"a": 3002, "b": 3001}
        assert losses == []

    def test_is_not_done_when_somebody_finds_no_port(self) -> None:
        settled: list[str] = []

        allocate(
            [wants("a", 3000), wants("b", 3001, strict=True)],
            wishes={"a": (3000,), "b": (3001,)},
            attempt=lambda _request, port: "taken" if port == 3001 else None,
            settle=lambda: settled.append("done"),
        )

        assert settled == []


class TestServicesTogether:
    def test_one_that_moves_leaves_the_ports_of_its_siblings_alone(self) -> None:
        requests = [wants("a", 3000), wants("b", 3001), wants("c", 3002)]

        outcome = allocated(requests, {3001})

        assert ports(outcome) == {"a": 3000, "b": 3003, "c": 3002}

    def test_one_that_moves_leaves_a_port_that_a_sibling_prefers_but_cannot_have(self) -> None:
        outcome = allocated(
            [wants("a", 3000), wants("b", 3001)], {3000, 3005}, remembered={"b": 3005}, overrides={"b": 3005}
        )

        assert ports(outcome) == {"a": 3002, "b": 3001}

    def test_of_two_with_the_same_wish_the_first_has_it(self) -> None:
        outcome = allocated([wants("a", 3000), wants("b", 3000)])

        assert ports(outcome) == {"a": 3000, "b": 3001}
        assert outcome["b"].passed == (Passed(3000, "granted to a"),)

    def test_a_fixed_port_is_granted_before_wishes_that_can_move(self) -> None:
        outcome = allocated([wants("a", 3000), wants("b", 4000, strict=True)], remembered={"a": 4000})

        assert ports(outcome) == {"a": 3000, "b": 4000}

    def test_nobody_moves_onto_the_port_of_a_sibling_that_is_not_started(self) -> None:
        outcome = allocated([wants("a", 3000)], {3000}, absent={3001: "b"})

        assert ports(outcome) == {"a": 3002}


class TestAServiceWhoseRangeIsUsedUp:
    def test_goes_to_a_port_of_the_last_resort_when_it_may_have_any(self) -> None:
        outcome = allocated([goes_anywhere()], {8000, 8001})["backend"]

        assert isinstance(outcome, GrantedPort)
        assert outcome.port in LAST_RESORT
        assert outcome.used_up == "8000-8001"
        assert outcome.reason == "8000-8001 is used up: 8000 is taken"
        assert outcome.attempts == 3

    def test_stays_in_its_range_while_there_is_a_port(self) -> None:
        outcome = allocated([goes_anywhere()], {8000})["backend"]

        assert isinstance(outcome, GrantedPort)
        assert (outcome.port, outcome.used_up, outcome.reason) == (8001, "", "8000 is taken")

    def test_goes_nowhere_else_when_nothing_is_said(self) -> None:
        assert ports(allocated([wants("backend", 8000, 8001)], {8000, 8001})) == {"backend": None}

    def test_never_moves_when_its_port_is_fixed(self) -> None:
        assert ports(allocated([goes_anywhere(strict=True)], {8000})) == {"backend": None}

    def test_finds_the_same_port_again_and_another_one_than_other_checkouts(self) -> None:
        def place(seed: str, service: str = "backend") -> int:
            return next(last_resort(goes_anywhere(service), seed, tuple))

        assert place("/home/ada/shop") == place("/home/ada/shop")
        assert len({place("/home/ada/shop"), place("/home/ada/blog"), place("/home/ada/shop", "web")}) == 3

    def test_stays_there_at_its_next_start(self) -> None:
        remembered = {"backend": 20007}

        assert ports(allocated([goes_anywhere()], {8000}, remembered=remembered)) == remembered

    def test_takes_what_the_kernel_chooses_when_the_last_resort_is_taken_too(self) -> None:
        outcome = allocate(
            [goes_anywhere()],
            wishes={"backend": (8000,)},
            attempt=lambda _request, port: None if port == 41234 else "taken",
            assigned=lambda: iter((40000, 41234)),
        )["backend"]

        assert isinstance(outcome, GrantedPort)
        assert outcome.port == 41234
        assert outcome.attempts == 2 + ATTEMPTS + 2

    def test_is_told_where_else_was_looked_when_there_is_none(self) -> None:
        outcome = allocate(
            [goes_anywhere()], wishes={"backend": (8000,)}, attempt=lambda _request, _port: "taken"
        )["backend"]

        assert isinstance(outcome, Ungranted)
        assert "no free port for backend in 8000-8001, in 20000-32767 or elsewhere" in str(exhausted(outcome))


LETS_GO = "the kernel lets go of a port within a minute when its connection was closed: try again"


class TestTheErrorOfAnExhaustedRange:
    def test_names_the_range_the_attempts_and_the_first_holders(self) -> None:
        passed = tuple(Passed(8000 + at, f"held by vite (pid {at})") for at in range(5))

        error = exhausted(Ungranted(request=wants("backend", 8000, 8004), passed=passed))

        assert error.message == (
            "no free port for backend in 8000-8004 after 5 attempts: 8000 is held by vite (pid 0); "
            "8001 is held by vite (pid 1); 8002 is held by vite (pid 2) …"
        )

    @pytest.mark.parametrize(
        ("holders", "hint"),
        [
            (
                ("closed", "closed"),
                f'{LETS_GO}, or give backend a wider `range` or `exhausted = "any"`',
            ),
            (
                ("vite", "closed"),
                f'{LETS_GO}, stop one of the other holders, or give backend a wider `range` or `exhausted = "any"`',
            ),
            (
                ("vite", "vite"),
                'stop one of the holders, or give backend a wider `range` or `exhausted = "any"`',
            ),
        ],
    )
    def test_advises_to_stop_only_what_can_be_stopped(self, holders: tuple[str, ...], hint: str) -> None:
        closed = used(PortUse(state=UseState.CLOSED, user="ada", peer="10.0.0.1:443"))
        reasons = {"closed": f"taken: {closed}", "vite": "held by vite (pid 7)"}
        passed = tuple(Passed(8000 + at, reasons[each]) for at, each in enumerate(holders))

        error = exhausted(Ungranted(request=wants("backend", 8000, 8001), passed=passed))

        assert error.hint == hint


class TestReasonsFoundLater:
    def test_replace_the_short_ones_everywhere(self) -> None:
        outcome = allocated([wants("backend", 8000)], {8000})["backend"]

        better = with_reasons(outcome, {8000: "held by vite (pid 4242)"})

        assert isinstance(better, GrantedPort)
        assert better.reason == "8000 is held by vite (pid 4242)"
        assert better.passed == (Passed(8000, "held by vite (pid 4242)"),)


NUMBERS = st.integers(3000, 3030)


@st.composite
def projects(draw: st.DrawFn) -> tuple[list[PortRequest], set[int], dict[str, int], dict[str, int]]:
    """Draw services that crowd into thirty ports, strangers among them, memories and overrides."""
    names = draw(st.lists(st.sampled_from("abcdefgh"), unique=True, min_size=1, max_size=8))
    requests = []
    for name in names:
        preferred = draw(NUMBERS)
        requests.append(
            wants(name, preferred, preferred + draw(st.integers(0, 20)), strict=draw(st.booleans()))
        )
    some = st.dictionaries(st.sampled_from(names), NUMBERS)
    return requests, draw(st.sets(NUMBERS, max_size=20)), draw(some), draw(some)


Project = tuple[list[PortRequest], set[int], dict[str, int], dict[str, int]]


class TestEveryAllocation:
    @given(projects())
    def test_gives_distinct_ports_that_were_free(self, project: Project) -> None:
        requests, taken, remembered, overrides = project

        granted = [
            port
            for port in ports(allocated(requests, taken, remembered=remembered, overrides=overrides)).values()
            if port is not None
        ]

        assert len(set(granted)) == len(granted)
        assert not taken & set(granted)

    @given(projects())
    def test_respects_what_siblings_wish_for(self, project: Project) -> None:
        requests, taken, remembered, overrides = project
        wishes = {
            each.service: wishes_of(
                each, override=overrides.get(each.service), remembered=remembered.get(each.service)
            )
            for each in requests
        }
        strict = {each.service for each in requests if each.strict}

        outcome = ports(allocated(requests, taken, remembered=remembered, overrides=overrides))

        for service, port in outcome.items():
            siblings = {wish for other, theirs in wishes.items() if other != service for wish in theirs}
            assert port not in siblings or port == wishes[service][0] or service in strict

    @given(projects())
    def test_is_the_same_for_the_same_input(self, project: Project) -> None:
        requests, taken, remembered, overrides = project

        once = allocated(requests, taken, remembered=remembered, overrides=overrides)
        again = allocated(requests, taken, remembered=remembered, overrides=overrides)

        assert once == again

    @given(projects())
    def test_is_kept_by_the_next_start(self, project: Project) -> None:
        requests, taken, _, _ = project
        movable = [
            PortRequest(service=each.service, preferred=each.preferred, first=each.first, last=each.last)
            for each in requests
        ]
        first = {service: port for service, port in ports(allocated(movable, taken)).items() if port}

        second = ports(
            allocated([each for each in movable if each.service in first], taken, remembered=first)
        )

        assert second == first

    @given(projects())
    def test_leaves_a_fixed_port_as_it_is(self, project: Project) -> None:
        requests, taken, remembered, _ = project

        outcome = ports(allocated(requests, taken, remembered=remembered))

        assert all(outcome[each.service] in (None, each.preferred) for each in requests if each.strict)
