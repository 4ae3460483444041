"""Specifies what a program may say about the ports that it wants."""

from __future__ import annotations

from typing import Any

import pytest

from devinit.asked_ports import asked, asked_together, other_variables


class TestAPort:
    def test_may_move_within_a_hundred_without_a_range(self) -> None:
        request = asked("backend", 8000)

        assert (request.first, request.last) == (8000, 8099)

    @pytest.mark.parametrize("limits", [range(8000, 8051), (8000, 8050)])
    def test_may_move_within_a_range_or_from_the_first_to_the_last(self, limits: Any) -> None:
        request = asked("backend", 8010, limits)

        assert (request.preferred, request.first, request.last) == (8010, 8000, 8050)

    @pytest.mark.parametrize("name", ["../shop", "", "a b", "All", "1st", "x" * 41])
    def test_has_a_name_that_can_be_part_of_a_files_name(self, name: str) -> None:
        with pytest.raises(ValueError, match="is no name of a service"):
            asked(name, 8000)

    @pytest.mark.parametrize("port", [0, -4, 70_000])
    def test_is_between_1_and_65535(self, port: int) -> None:
        with pytest.raises(ValueError, match="is no port: ports are 1 to 65535"):
            asked("backend", port)

    @pytest.mark.parametrize("limits", [range(0), range(8000, 8010, 2), (8010, 8000), (0, 9), (1, 70_000)])
    def test_has_a_range_of_ports(self, limits: Any) -> None:
        with pytest.raises(ValueError, match="is no range of ports"):
            asked("backend", 8000, limits)


class TestAGroup:
    def test_prefers_the_port_above_the_others_for_a_name_alone(self) -> None:
        requests = asked_together(["api", ("admin", 8100), "metrics"])

        assert [each.preferred for each in requests] == [8000, 8100, 8101]

    def test_names_no_server_twice(self) -> None:
        with pytest.raises(ValueError, match="api stands twice in the group"):
            asked_together([("api", 8000), ("api", 8001)])


class TestTheVariableOfAnAPI:
    def test_is_the_backends(self) -> None:
        assert other_variables([asked("backend", 8000)]) == {"backend": ("API_PORT",)}

    def test_is_the_apis_where_there_is_one(self) -> None:
        assert other_variables(asked_together(["backend", "api"])) == {}
