"""Specifies what helps when a port is taken that the code of the repository fixes."""

from __future__ import annotations

from msgspec.structs import replace

from devinit.model.defaults import preferring
from devinit.model.port import ConflictPolicy
from devinit.ports.granting.overrides import Override, Overrides
from devinit.ports.granting.wanted import Wanted, hint_for, moves_from_constant, with_what_fixes

FIXED = replace(preferring("backend", 8000, browser=False), strict=True, fixed_by="client.js, line 1")
ELSEWHERE = Overrides(ports={"backend": Override(9000, "BACKEND_PORT")})
ADVICE = "devinit itself runs in it: end it by hand, or choose another port"


def wanted(**changes: object) -> Wanted:
    return Wanted.of(replace(FIXED, **changes), ConflictPolicy.MOVE, Overrides(ports={}), {}, {})


class TestTheHint:
    def test_names_the_line_that_fixes_the_port(self) -> None:
        assert hint_for(wanted()) == (
            "its port is fixed (client.js, line 1 has it as a constant): stop the holder, or change that line"
        )

    def test_about_a_holder_that_is_not_ended_names_the_line_as_well(self) -> None:
        assert with_what_fixes(ADVICE, wanted()) == (
            "devinit itself runs in it: end it by hand; client.js, line 1 has it as a constant"
        )

    def test_is_the_advice_where_devinit_toml_fixes_the_port(self) -> None:
        assert with_what_fixes(ADVICE, wanted(fixed_by="")) == ADVICE

    def test_is_said_where_a_variable_moves_the_service(self) -> None:
        moved = Wanted.of(FIXED, ConflictPolicy.MOVE, ELSEWHERE, {}, {})
        by_hand = Wanted.of(replace(FIXED, fixed_by=""), ConflictPolicy.MOVE, ELSEWHERE, {}, {})

        assert moves_from_constant(moved) == (
            "BACKEND_PORT=9000 moves backend away from 8000: client.js, line 1 has it as a constant"
        )
        assert moves_from_constant(by_hand) == ""
