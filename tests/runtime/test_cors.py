from __future__ import annotations

import pytest

from devinit.model.service import Endpoint
from devinit.runtime.cors import origins


def endpoint(port: int | None, *own: str) -> Endpoint:
    return Endpoint(service="web", host="127.0.0.1", port=port, url=None, origins=own)


class TestTheOrigins:
    def test_are_localhost_and_its_address_for_each_frontend(self) -> None:
        assert origins([endpoint(3000), endpoint(5173)]) == (
            "http://localhost:3000",
            "http://127.0.0.1:3000",
            "http://localhost:5173",
            "http://127.0.0.1:5173",
        )

    def test_are_those_that_the_endpoint_names_itself(self) -> None:
        assert origins([endpoint(3000, "https://shop.localhost")]) == ("https://shop.localhost",)

    def test_stand_there_once(self) -> None:
        assert origins([endpoint(3000), endpoint(3000)]) == ("http://localhost:3000", "http://127.0.0.1:3000")

    def test_are_none_without_a_port(self) -> None:
        assert origins([endpoint(None)]) == ()

    @pytest.mark.parametrize(
        ("own", "expected"),
        [
            ((), ("http://localhost", "http://127.0.0.1")),
            (
                ("https://localhost:443", "http://localhost:443"),
                ("https://localhost", "http://localhost:443"),
            ),
            (("http://[::1]:80",), ("http://[::1]",)),
        ],
    )
    def test_leave_out_the_usual_port_as_browsers_do(
        self, own: tuple[str, ...], expected: tuple[str, ...]
    ) -> None:
        assert origins([endpoint(80, *own)]) == expected
