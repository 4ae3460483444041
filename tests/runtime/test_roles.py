from __future__ import annotations

from pathlib import Path

import pytest

from devinit.model.port import PortRequest
from devinit.model.service import Project, Service
from devinit.runtime.roles import backend_of, frontends_of


def service(name: str, *needs: str, port: bool = True, provider: str = "process") -> Service:
    request = PortRequest(service=name, preferred=8000, first=8000, last=8099) if port else None
    return Service(name=name, provider=provider, directory=Path("/shop"), port=request, depends_on=needs)


def project(*services: Service) -> Project:
    return Project(name="shop", root=Path("/shop"), services={service.name: service for service in services})


def backend_name(*services: Service) -> str | None:
    backend = backend_of(project(*services))
    return backend.name if backend else None


def frontend_names(*services: Service) -> list[str]:
    return [service.name for service in frontends_of(project(*services))]


class TestTheBackend:
    def test_is_the_service_of_that_name(self) -> None:
        assert backend_name(service("api"), service("backend"), service("web", "api")) == "backend"

    def test_is_called_api_or_else_server(self) -> None:
        assert backend_name(service("server"), service("api")) == "api"
        assert backend_name(service("other"), service("server")) == "server"

    def test_is_otherwise_the_first_that_another_web_service_needs(self) -> None:
        assert backend_name(service("auth"), service("orders"), service("shop", "orders")) == "orders"

    def test_is_no_service_without_a_port(self) -> None:
        assert backend_name(service("backend", port=False), service("api")) == "api"

    def test_is_no_database(self) -> None:
        assert backend_name(service("db", provider="postgres"), service("shop", "db")) is None

    def test_is_not_found_by_a_worker_that_needs_it(self) -> None:
        assert backend_name(service("shop"), service("worker", "shop", port=False)) is None


class TestTheFrontends:
    @pytest.mark.parametrize("name", ["frontend", "web", "ui", "client", "app", "site", "admin"])
    def test_are_known_by_their_names(self, name: str) -> None:
        assert frontend_names(service(name), service("backend")) == [name]

    def test_are_all_that_need_the_backend(self) -> None:
        assert frontend_names(
            service("backend"), service("shop", "backend"), service("board", "backend")
        ) == ["shop", "board"]

    def test_may_need_it_through_another_service(self) -> None:
        assert frontend_names(
            service("backend"), service("job", "backend", port=False), service("shop", "job")
        ) == ["shop"]

    def test_are_no_workers(self) -> None:
        assert frontend_names(service("backend"), service("worker", "backend", port=False)) == []

    def test_are_not_the_backend_itself(self) -> None:
        assert frontend_names(service("app"), service("shop", "app")) == ["shop"]

    def test_are_found_without_a_backend(self) -> None:
        assert frontend_names(service("web")) == ["web"]

    def test_are_none_among_databases_and_unrelated_services(self) -> None:
        assert (
            frontend_names(service("backend", "db"), service("db", provider="postgres"), service("mail"))
            == []
        )

    def test_survive_a_circle_of_dependencies(self) -> None:
        # Loading refuses circles; a pure function must still end.
        assert frontend_names(service("a", "b"), service("b", "a"), service("backend")) == []
