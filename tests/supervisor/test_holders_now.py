"""Specifies what `why` says of a holder that has gone since a service could not have its port."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from devinit.model.port import GrantedPort, Passed, PortReport, VerdictKind
from devinit.model.status import Phase
from devinit.supervisor.lifecycle import Failure, LifecycleState
from devinit.supervisor.reporting.holders_now import reasons_now

if TYPE_CHECKING:
    from tests.supervisor.conftest import Shop, Stranger

READY = LifecycleState(phase=Phase.READY)
MOVED = GrantedPort(
    service="web",
    port=8001,
    preferred=8000,
    moved_from=8000,
    reason="8000 is held by vite (pid 4242)",
    kind=VerdictKind.STRANGER,
    passed=(Passed(8000, "held by vite (pid 4242)"),),
)


def nobody(_port: int) -> PortReport | None:
    return None


class TestAPortThatWasTaken:
    def test_and_is_free_now_is_said_to_be_with_the_way_back(self) -> None:
        assert reasons_now("web", READY, MOVED, nobody).moved == (
            "8000 was held by vite (pid 4242)\n"
            "8000 is free now: `devinit ports reset web` and `devinit restart web` return to it"
        )

    def test_that_another_service_prefers_needs_no_look(self) -> None:
        moved = GrantedPort(
            service="web", port=8001, preferred=8000, moved_from=8000, reason="8000 is preferred by api"
        )

        assert reasons_now("web", READY, moved, nobody).moved == "8000 is preferred by api"

    def test_and_failed_a_service_is_said_to_be_free_now(self) -> None:
        reason = "it asks for port 8000 instead of 8001, and that is held by vite (pid 4242): use ${PORT}"
        failed = LifecycleState(phase=Phase.FAILED, failure=Failure.PORT, reason=reason)

        assert reasons_now("web", failed, None, nobody).failed == (
            "it asks for port 8000 instead of 8001, and that was held by vite (pid 4242): use ${PORT}\n"
            "port 8000 is free now: `devinit start web` tries again"
        )

    def test_is_looked_up_when_somebody_asks_why(self, shop: Shop, port: int, stranger: Stranger) -> None:
        holder = stranger(port)
        shop.service("web", port=port)
        shop.up()

        def reason() -> str:
            told: str = json.loads(shop("why", "web", "--json").stdout)["port_reason"]
            return told

        assert reason().startswith(f"{port} is held by ")
        shop.end_process(holder)
        assert reason().startswith(f"{port} was held by ")
        assert f"{port} is free now" in reason()
