from __future__ import annotations

from typing import Any

import pytest

from devinit.gateway.caddy.routes import WITHDRAWN, Target
from devinit.gateway.withdrawals import WITHDRAWN_SECONDS, Withdrawals

TARGETS = [
    Target(label="shop", service=name, hosts=(f"{name}.localhost",), upstream="127.0.0.1:1", phase="ready")
    for name in ("backend", "backend.admin", "frontend")
]


def status(phase: str, *returning: str) -> Any:  # Any: a part of a status
    return {"services": [{"name": "backend", "phase": phase}], "returning": list(returning)}


@pytest.fixture
def withdrawn() -> Withdrawals:
    """The backend, withdrawn at 100."""
    found = Withdrawals()
    found.begin(["backend"], 100.0)
    return found


def phases(withdrawals: Withdrawals) -> list[str]:
    return [each.phase for each in withdrawals.applied(TARGETS)]


class TestAWithdrawnService:
    def test_is_away_with_its_further_ports_at_once(self, withdrawn: Withdrawals) -> None:
        assert phases(withdrawn) == [WITHDRAWN, WITHDRAWN, "ready"]

    def test_is_away_although_a_status_from_before_the_stop_says_ready(self, withdrawn: Withdrawals) -> None:
        withdrawn.see(status("ready"), 100.01)

        assert phases(withdrawn)[0] == WITHDRAWN

    @pytest.mark.parametrize("phase", ["stopping", "stopped", "waiting", "starting"])
    def test_is_away_until_it_is_ready_again(self, withdrawn: Withdrawals, phase: str) -> None:
        withdrawn.see(status(phase, "backend"), 110.0)
        assert phases(withdrawn)[0] == WITHDRAWN

        withdrawn.see(status("ready"), 111.0)
        assert phases(withdrawn)[0] == "ready"

    def test_is_no_longer_away_when_it_was_never_stopped(self, withdrawn: Withdrawals) -> None:
        withdrawn.see(status("ready"), 100.0 + WITHDRAWN_SECONDS + 0.1)

        assert phases(withdrawn)[0] == "ready"

    def test_is_as_it_is_when_it_does_not_come_back(self, withdrawn: Withdrawals) -> None:
        withdrawn.see(status("failed"), 101.0)

        assert phases(withdrawn)[0] == "ready"  # what the status says is applied before
