from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from devinit.model.port import PortRequest
from devinit.model.project_keys import PageUrls
from devinit.model.service import Endpoint, Project, Service
from devinit.runtime.cors import origins
from devinit.runtime.environment import environment
from devinit.runtime.names import LONGEST_LABEL, Naming, free_label, label_of, named

NAMING = Naming(label="shop", port=7080)


def service(name: str, *needs: str, provider: str = "process", port: int = 8000) -> Service:
    request = PortRequest(service=name, preferred=port, first=port, last=port)
    return Service(name=name, provider=provider, directory=Path("/shop"), port=request, depends_on=needs)


def at(name: str, url: str | None, port: int | None = 8000, host: str = "127.0.0.1") -> Endpoint:
    return Endpoint(service=name, host=host, port=port, url=url)


SHOP = Project(
    name="shop",
    root=Path("/shop"),
    services={
        "postgres": service("postgres", provider="postgres"),
        "backend": service("backend", "postgres"),
        "frontend": service("frontend", "backend"),
    },
)
ENDPOINTS = {
    "postgres": at("postgres", "postgresql://shop:secret@127.0.0.1:5432/shop", 5432),
    "backend": at("backend", "http://localhost:8001", 8001),
    "frontend": at("frontend", "http://localhost:3000/app", 3000),
}


class TestALabel:
    @pytest.mark.parametrize(
        ("text", "label"),
        [
            ("shop", "shop"),
            ("My_Shop v2", "my-shop-v2"),
            ("--", "project"),
            ("feature/login", "feature-login"),
            ("Gästebuch", "g-stebuch"),
            ("店", "project"),
        ],
    )
    def test_has_the_letters_that_a_name_may_have(self, text: str, label: str) -> None:
        assert label_of(text) == label

    def test_is_cut_and_still_another_one_for_each_text(self) -> None:
        labels = {label_of("a" * 70), label_of("a" * 71), label_of("a" * 70 + "b")}

        assert len(labels) == 3
        assert all(len(each) <= LONGEST_LABEL for each in labels)

    def test_is_counted_when_other_checkouts_have_it(self) -> None:
        assert free_label("shop", []) == "shop"
        assert free_label("shop", ["shop", "shop-2"]) == "shop-3"
        assert free_label("a" * 63, ["a" * 63]) not in ("a" * 63, "")

    def test_is_not_that_of_the_gateway_itself(self) -> None:
        assert free_label("devinit", []) == "devinit-2"


class TestPagesByName:
    def test_are_served_under_two_labels_and_the_frontend_under_one_as_well(self) -> None:
        found = named(SHOP, ENDPOINTS, NAMING)

        assert found["backend"].name_url == "http://backend.shop.localhost:7080"
        assert found["backend"].hosts == ("backend.shop.localhost",)
        assert found["frontend"].name_url == "http://frontend.shop.localhost:7080/app"
        assert found["frontend"].hosts == ("frontend.shop.localhost", "shop.localhost")

    def test_are_none_of_a_database_and_of_a_server_elsewhere(self) -> None:
        elsewhere = {**ENDPOINTS, "backend": at("backend", "https://api.example.org", 443, "api.example.org")}

        found = named(SHOP, elsewhere, NAMING)

        assert found["postgres"].name_url is None
        assert found["backend"].name_url is None

    def test_leave_the_usual_port_out(self) -> None:
        found = named(SHOP, ENDPOINTS, replace(NAMING, port=80))

        assert found["backend"].name_url == "http://backend.shop.localhost"

    def test_of_a_further_port_have_one_label_and_yield_to_a_service_of_that_name(self) -> None:
        extra = PortRequest(service="backend.admin", preferred=9000, first=9000, last=9000)
        backend = replace(SHOP.services["backend"], extra_ports=(extra,))
        project = replace(SHOP, services={**SHOP.services, "backend": backend})
        endpoints = {**ENDPOINTS, "backend.admin": at("backend.admin", "http://localhost:9000", 9000)}

        assert named(project, endpoints, NAMING)["backend.admin"].hosts == ("backend-admin.shop.localhost",)

        rival = replace(project, services={**project.services, "backend-admin": service("backend-admin")})
        endpoints["backend-admin"] = at("backend-admin", "http://localhost:9001", 9001)
        assert named(rival, endpoints, NAMING)["backend.admin"].hosts == ()


class TestTheEnvironment:
    def test_has_both_addresses_and_keeps_those_by_port_as_the_main_ones(self) -> None:
        values = environment(SHOP, named(SHOP, ENDPOINTS, NAMING), base={})

        assert values["BACKEND_URL"] == values["VITE_API_URL"] == "http://localhost:8001"
        assert values["BACKEND_NAME_URL"] == "http://backend.shop.localhost:7080"
        assert values["FRONTEND_URL"] == "http://localhost:3000/app"
        assert values["CORS_ORIGINS"].split(",") == [
            "http://localhost:3000",
            "http://127.0.0.1:3000",
            "http://frontend.shop.localhost:7080",
            "http://shop.localhost:7080",
        ]

    def test_has_names_for_browsers_and_ports_for_servers_when_the_project_says_so(self) -> None:
        by_name = replace(SHOP, urls=PageUrls.NAMES)

        values = environment(by_name, named(by_name, ENDPOINTS, NAMING), base={})

        assert values["VITE_API_URL"] == "http://backend.shop.localhost:7080"
        assert values["FRONTEND_URL"] == "http://frontend.shop.localhost:7080/app"
        assert values["BACKEND_URL"] == "http://localhost:8001"
        assert values["CORS_ORIGINS"].startswith("http://frontend.shop.localhost:7080,")
        assert "http://localhost:3000" in values["CORS_ORIGINS"]

    def test_is_as_ever_without_names(self) -> None:
        values = environment(replace(SHOP, urls=PageUrls.NAMES), ENDPOINTS, base={})

        assert values["VITE_API_URL"] == "http://localhost:8001"
        assert not [name for name in values if name.endswith("_NAME_URL")]
        assert not [each for each in origins(ENDPOINTS.values()) if ".localhost" in each]
