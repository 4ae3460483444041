"""Specifies how programs are called."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devinit.config.tables import SERVICE_NAME
from devinit.model.names import variable_prefix
from devinit.sources.applications.names import named
from devinit.sources.applications.unit import Role, Unit


def unit(role: str, folder: str, suffix: str = "") -> Unit:
    return Unit(folder=folder, role=Role(role), kind="x", command="x", suffix=suffix)


class TestAName:
    @pytest.mark.parametrize(
        ("units", "names"),
        [
            ([("backend", "x/y"), ("frontend", "z")], ["backend", "frontend"]),
            ([("backend", "api"), ("backend", "backend")], ["api", "backend"]),
            ([("backend", ""), ("backend", "services/auth")], ["backend", "auth"]),
            ([("frontend", "apps/web"), ("frontend", "apps/admin")], ["web", "admin"]),
            ([("backend", "a/api"), ("backend", "b/api")], ["api", "b-api"]),
            ([("backend", "my_api"), ("backend", "My.API")], ["my-api", "my-api-backend"]),
            ([("backend", "redis"), ("backend", "x")], ["redis-backend", "x"]),
            ([("backend", "42"), ("backend", "x")], ["backend", "x"]),
        ],
    )
    def test_is_that_of_the_role_or_of_the_folder(
        self, units: list[tuple[str, str]], names: list[str]
    ) -> None:
        assert list(named([unit(*each) for each in units])) == names

    def test_of_a_worker_is_what_it_does(self) -> None:
        units = [unit("worker", "a", "worker"), unit("worker", "b", "worker"), unit("worker", "b", "beat")]

        assert list(named(units)) == ["worker", "b-worker", "beat"]

    @given(st.lists(st.tuples(st.sampled_from(Role), st.text(max_size=60))))
    def test_is_valid_and_shares_its_variables_with_no_other(self, units: list[tuple[Role, str]]) -> None:
        names = list(named([unit(role.value, folder, "worker") for role, folder in units]))

        assert len(names) == len(units)
        assert all(re.fullmatch(SERVICE_NAME, name) and name != "all" for name in names)
        assert len({variable_prefix(name) for name in names}) == len(names)
