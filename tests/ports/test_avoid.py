from __future__ import annotations

import pytest

from devinit.model.port import PortRequest
from devinit.ports.granting.avoid import reason_to_avoid

EPHEMERAL = range(32768, 61000)


def wants(preferred: int, *, browser: bool = False, strict: bool = False) -> PortRequest:
    return PortRequest(
        service="web", preferred=preferred, first=1, last=65535, browser=browser, strict=strict
    )


class TestAPortThatBrowsersRefuse:
    @pytest.mark.parametrize("port", [2049, 4190, 5060, 6000, 6667, 10080])
    def test_is_avoided_for_a_service_that_a_browser_opens(self, port: int) -> None:
        reason = reason_to_avoid(wants(port, browser=True), port, ephemeral=EPHEMERAL)

        assert reason == "unsafe: browsers refuse to open it"

    def test_does_for_a_database(self) -> None:
        assert reason_to_avoid(wants(6000), 6000, ephemeral=EPHEMERAL) is None

    def test_is_used_when_it_is_fixed(self) -> None:
        assert reason_to_avoid(wants(6000, browser=True, strict=True), 6000, ephemeral=EPHEMERAL) is None


class TestAPortOfTheEphemeralRange:
    def test_is_avoided_by_a_search_that_comes_from_below(self) -> None:
        assert reason_to_avoid(wants(32760), 32768, ephemeral=EPHEMERAL) == (
            "in the kernel's range for outgoing connections"
        )

    @pytest.mark.parametrize("port", [40000, 40001])
    def test_is_used_with_its_neighbours_when_it_is_preferred(self, port: int) -> None:
        assert reason_to_avoid(wants(40000), port, ephemeral=EPHEMERAL) is None


class TestAnAirPlayPort:
    @pytest.mark.parametrize("port", [5000, 7000])
    def test_is_avoided_on_macos_and_nowhere_else(self, port: int) -> None:
        assert reason_to_avoid(wants(port), port, ephemeral=EPHEMERAL, macos=True) is not None
        assert reason_to_avoid(wants(port), port, ephemeral=EPHEMERAL) is None
