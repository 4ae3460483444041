"""Specifies `devinit.model.at_rest`: the row of a service that does not run."""

from __future__ import annotations

from pathlib import Path
from typing import get_type_hints

from devinit.model.at_rest import mode_at_rest, row_at_rest
from devinit.model.named import PagesByName
from devinit.model.port import PortRequest
from devinit.model.service import Service
from devinit.model.status import ServiceStatus

WEB = PortRequest(service="web", preferred=8000, first=8000, last=8099)
ADMIN = PortRequest(service="web.admin", preferred=9000, first=9000, last=9099)
SERVICE = Service(name="web", directory=Path("/shop"), port=WEB, extra_ports=(ADMIN,), autostart=False)


class TestARowAtRest:
    def test_has_every_field_that_the_row_of_a_service_that_runs_has(self) -> None:
        fields = get_type_hints(ServiceStatus).keys() - get_type_hints(PagesByName).keys()

        assert row_at_rest(SERVICE, {}, has_pages=True).keys() == fields

    def test_shows_the_ports_that_the_next_start_asks_for(self) -> None:
        row = row_at_rest(SERVICE, {"web": 8003, "web.admin": 9004}, ["added"], has_pages=True)

        assert (row["phase"], row["port"], row["preferred_port"], row["mode"]) == (
            "stopped",
            8003,
            8000,
            "moved",
        )
        assert row["extra_ports"] == [
            {"name": "web.admin", "port": 9004, "preferred_port": 9000, "url": None}
        ]
        assert (row["autostart"], row["changed"]) == (False, ["added"])

    def test_shows_a_server_that_runs_elsewhere_as_external(self) -> None:
        service = Service(
            name="db", directory=Path("/"), provider="postgres", external_url="postgres://db/shop"
        )

        assert mode_at_rest(service, None) == "external"
        assert row_at_rest(service, {}, has_pages=True)["port"] is None
