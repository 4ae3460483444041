"""Specifies `devinit.supervisor.project.graph`: who starts after whom."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from devinit.supervisor.project.graph import dependants, start_order, with_dependencies

SHOP = {
    "frontend": ("backend",),
    "backend": ("postgres", "redis"),
    "postgres": (),
    "redis": (),
    "worker": ("redis",),
}


class TestTheStartOrder:
    def test_has_each_service_after_what_it_depends_on(self) -> None:
        assert start_order(SHOP) == ["postgres", "redis", "backend", "frontend", "worker"]

    def test_keeps_the_order_of_the_file_where_nothing_else_decides(self) -> None:
        assert start_order({"c": (), "a": (), "b": ()}) == ["c", "a", "b"]

    def test_names_a_service_once_that_two_depend_on(self) -> None:
        assert start_order({"a": ("c",), "b": ("c",), "c": ()}) == ["c", "a", "b"]

    def test_is_found_for_a_row_of_thousands(self) -> None:
        row = {str(number): (str(number + 1),) for number in range(5000)}

        assert start_order({**row, "5000": ()})[0] == "5000"

    @given(
        st.integers(0, 12).flatmap(
            lambda size: st.lists(st.sets(st.integers(0, 11)), min_size=size, max_size=size)
        )
    )
    def test_holds_for_every_project(self, needs: list[set[int]]) -> None:
        dependencies = {
            str(number): tuple(str(each) for each in sorted(wanted) if each < number)
            for number, wanted in reversed(list(enumerate(needs)))
        }

        order = start_order(dependencies)

        assert sorted(order) == sorted(dependencies)
        for name, wanted in dependencies.items():
            assert all(order.index(each) < order.index(name) for each in wanted)


class TestNamingAService:
    def test_means_all_that_it_needs_too(self) -> None:
        assert with_dependencies(["backend"], SHOP) == ["postgres", "redis", "backend"]

    def test_means_nothing_that_needs_it(self) -> None:
        assert with_dependencies(["redis"], SHOP) == ["redis"]

    def test_twice_means_it_once(self) -> None:
        assert with_dependencies(["worker", "redis", "worker"], SHOP) == ["redis", "worker"]


class TestDependants:
    def test_are_those_that_name_it_directly(self) -> None:
        assert dependants("redis", SHOP) == ["backend", "worker"]
        assert dependants("frontend", SHOP) == []
