"""Specifies `devinit.ports.remembered.choosing` for ports that cannot move."""

from __future__ import annotations

from pathlib import Path

import pytest

from devinit.errors import PortsExhausted, UsageError
from devinit.model.port import PortRequest
from devinit.ports.remembered.choosing import choose, next_free

CONSTANT = PortRequest(
    service="backend",
    preferred=8000,
    first=8000,
    last=8000,
    strict=True,
    fixed_by="frontend/src/api.ts, line 3",
)
STATED = PortRequest(service="backend", preferred=8000, first=8000, last=8000, strict=True)
WAY_OUT = (
    "change the number in that line, or let it read the port from the environment; "
    "a `port` in devinit.toml moves backend alone"
)


class TestAPortThatTheCodeHasAsAConstant:
    def test_is_refused_with_the_line_that_fixes_it_and_what_to_do(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError) as refused:
            choose(tmp_path, {"backend": CONSTANT}, "backend", 9000)

        assert refused.value.message == (
            "the port of backend is fixed to 8000: frontend/src/api.ts, line 3 has it as a constant"
        )
        assert refused.value.hint == WAY_OUT

    def test_has_no_next_one_for_the_same_reason(self, tmp_path: Path) -> None:
        with pytest.raises(PortsExhausted) as refused:
            next_free(tmp_path, CONSTANT, after=8000, avoided=())

        assert refused.value.message == (
            "backend has no other port to move to: frontend/src/api.ts, line 3 has 8000 as a constant"
        )
        assert refused.value.hint == WAY_OUT

    def test_passes_over_another_remembered_one_with_the_line(self) -> None:
        assert CONSTANT.objection(9000) == (
            "is not the fixed port of backend, 8000 (frontend/src/api.ts, line 3 has it as a constant)"
        )


class TestAStrictPort:
    def test_is_refused_with_the_key_that_fixes_it(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError) as refused:
            choose(tmp_path, {"backend": STATED}, "backend", 9000)

        assert refused.value.message == "the port of backend is fixed to 8000 (strict_port)"
        assert refused.value.hint == "change `port` in devinit.toml"
