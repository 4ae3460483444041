"""Specifies the order of lines of several services."""

from __future__ import annotations

from collections.abc import Iterator

from devinit.logs.lines import Line
from devinit.logs.merge import in_order


def lines(*times: float) -> list[Line]:
    return [Line(f"at {time}", time) for time in times]


class TestLinesOfSeveralServices:
    def test_come_in_the_order_of_time(self) -> None:
        merged = in_order({"api": lines(1, 4), "web": lines(2, 3, 5)})

        assert [(service, line.time) for service, line in merged] == [
            ("api", 1),
            ("web", 2),
            ("web", 3),
            ("api", 4),
            ("web", 5),
        ]

    def test_of_one_moment_come_in_the_order_of_services_and_never_change_places(self) -> None:
        merged = in_order({"web": lines(1, 1), "api": lines(1)})

        assert [service for service, _ in merged] == ["web", "web", "api"]

    def test_are_taken_one_at_a_time(self) -> None:
        taken = 0

        def endless() -> Iterator[Line]:
            nonlocal taken
            while True:
                taken += 1
                yield Line("", float(taken))

        merged = in_order({"flood": endless(), "api": lines(2.5)})
        for _ in range(4):
            next(merged)

        assert taken <= 5
