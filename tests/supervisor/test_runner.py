"""Specifies `devinit.supervisor.service.runner` where no process is needed."""

from __future__ import annotations

from devinit.errors import ServiceError
from devinit.supervisor.service.coming_up import explain


class TestAnError:
    def test_is_told_with_what_to_do(self) -> None:
        assert explain(ServiceError("it broke", hint="mend it")) == "it broke\nmend it"
        assert explain(ServiceError("it broke")) == "it broke"
