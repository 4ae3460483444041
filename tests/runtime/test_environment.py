from __future__ import annotations

import json
from pathlib import Path

import pytest

from devinit.errors import ConfigError
from devinit.model.port import PortRequest
from devinit.model.service import Endpoint, Project, Service
from devinit.runtime.dotenv import HEADER, render
from devinit.runtime.environment import environment, service_environment


def request(name: str, port: int) -> PortRequest:
    return PortRequest(service=name, preferred=port, first=port, last=port + 99)


POSTGRES = Service(
    name="postgres", provider="postgres", directory=Path("/shop"), port=request("postgres", 5432)
)
REDIS = Service(name="redis", provider="redis", directory=Path("/shop"), port=request("redis", 6379))
BACKEND = Service(
    name="backend",
    directory=Path("/shop/backend"),
    port=request("backend", 8000),
    depends_on=("postgres", "redis"),
)
FRONTEND = Service(
    name="frontend", directory=Path("/shop/frontend"), port=request("frontend", 3000), depends_on=("backend",)
)
WORKER = Service(name="worker", directory=Path("/shop/backend"))

DATABASE_URL = "postgresql://shop:secret@127.0.0.1:5433/shop"


def endpoint(name: str, port: int | None, url: str | None, *aliases: str, **variables: str) -> Endpoint:
    return Endpoint(service=name, host="127.0.0.1", port=port, url=url, aliases=aliases, variables=variables)


POSTGRES_ENDPOINT = endpoint(
    "postgres",
    5433,
    DATABASE_URL,
    POSTGRES_USER="shop",
    POSTGRES_PASSWORD="secret",
    POSTGRES_DB="shop",
    DATABASE_URL=DATABASE_URL,
)
REDIS_ENDPOINT = endpoint("redis", 6379, "redis://127.0.0.1:6379/0")
BACKEND_ENDPOINT = endpoint("backend", 8001, "http://localhost:8001", "API_PORT")
FRONTEND_ENDPOINT = endpoint("frontend", 3000, "http://localhost:3000")
WORKER_ENDPOINT = endpoint("worker", None, None)

STANDARD = (POSTGRES_ENDPOINT, REDIS_ENDPOINT, BACKEND_ENDPOINT, FRONTEND_ENDPOINT)


def project(*services: Service, **own: str) -> Project:
    return Project(name="shop", root=Path("/shop"), services={s.name: s for s in services}, environment=own)


def names_of(subject: Project, *endpoints: Endpoint, **base: str) -> dict[str, str]:
    return environment(subject, {e.service: e for e in endpoints}, base=base)


def of_standard_stack(**own: str) -> dict[str, str]:
    return names_of(project(POSTGRES, REDIS, BACKEND, FRONTEND, **own), *STANDARD, HOME="/home/dev", PORT="9")


class TestTheStandardStack:
    def test_gets_the_names_that_applications_know(self) -> None:
        assert render(of_standard_stack()) == HEADER + (
            "DEVINIT_PROJECT=/shop\n"
            "POSTGRES_HOST=127.0.0.1\n"
            "POSTGRES_PORT=5433\n"
            "POSTGRES_URL=postgresql://shop:secret@127.0.0.1:5433/shop\n"
            "POSTGRES_USER=shop\n"
            "POSTGRES_PASSWORD=secret\n"
            "POSTGRES_DB=shop\n"
            "DATABASE_URL=postgresql://shop:secret@127.0.0.1:5433/shop\n"
            "REDIS_HOST=127.0.0.1\n"
            "REDIS_PORT=6379\n"
            "REDIS_URL=redis://127.0.0.1:6379/0\n"
            "BACKEND_HOST=127.0.0.1\n"
            "BACKEND_PORT=8001\n"
            "BACKEND_URL=http://localhost:8001\n"
            "FRONTEND_HOST=127.0.0.1\n"
            "FRONTEND_PORT=3000\n"
            "FRONTEND_URL=http://localhost:3000\n"
            "NEXT_PUBLIC_API_URL=http://localhost:8001\n"
            "VITE_API_URL=http://localhost:8001\n"
            "CORS_ORIGINS=http://localhost:3000,http://127.0.0.1:3000\n"
            "ALLOWED_ORIGINS=http://localhost:3000,http://127.0.0.1:3000\n"
            """CORS_ORIGINS_JSON='["http://localhost:3000","http://127.0.0.1:3000"]'\n"""
            "API_PORT=8001\n"
        )


class TestAService:
    def test_gives_its_names_in_upper_case(self) -> None:
        names = names_of(
            project(Service(name="my-api", directory=Path("/shop"))),
            endpoint("my-api", 8080, "http://localhost:8080"),
        )

        assert names["MY_API_PORT"] == "8080"

    def test_gives_only_the_names_that_exist(self) -> None:
        assert names_of(project(WORKER), WORKER_ENDPOINT) == {"DEVINIT_PROJECT": "/shop"}

    def test_that_others_run_gives_its_address_without_a_port(self) -> None:
        external = Endpoint(service="redis", host="cache.example", port=None, url="redis://cache.example")

        assert names_of(project(REDIS), external) == {
            "DEVINIT_PROJECT": "/shop",
            "REDIS_HOST": "cache.example",
            "REDIS_URL": "redis://cache.example",
        }

    def test_without_an_endpoint_gives_nothing(self) -> None:
        assert names_of(project(BACKEND)) == {"DEVINIT_PROJECT": "/shop"}

    def test_gives_its_extra_ports_under_their_own_names(self) -> None:
        service = Service(
            name="frontend", directory=Path("/shop"), extra_ports=(request("frontend.hot-reload", 24678),)
        )

        names = names_of(project(service), endpoint("frontend.hot-reload", 24679, None))

        assert names["FRONTEND_HOT_RELOAD_PORT"] == "24679"

    def test_of_the_same_kind_as_an_earlier_one_leaves_the_common_names_to_it(self) -> None:
        second = Service(name="analytics", provider="postgres", directory=Path("/shop"))
        other = endpoint("analytics", 5434, "postgresql://analytics", DATABASE_URL="postgresql://analytics")

        names = names_of(project(POSTGRES, second), POSTGRES_ENDPOINT, other)

        assert names["DATABASE_URL"] == DATABASE_URL
        assert names["ANALYTICS_URL"] == "postgresql://analytics"

    def test_is_refused_when_its_names_are_those_of_another(self) -> None:
        services = [Service(name=name, directory=Path("/shop")) for name in ("my-api", "my_api")]

        with pytest.raises(
            ConfigError, match=r"^services\.my_api: MY_API_PORT would be the port of both 'my-api'"
        ):
            names_of(project(*services))


class TestPortAliases:
    def test_name_the_port_again(self) -> None:
        assert of_standard_stack()["API_PORT"] == "8001"

    def test_never_replace_a_standard_name(self) -> None:
        greedy = endpoint("backend", 8001, None, "FRONTEND_PORT")

        assert names_of(project(BACKEND, FRONTEND), greedy, FRONTEND_ENDPOINT)["FRONTEND_PORT"] == "3000"

    def test_do_not_give_one_services_port_to_all(self) -> None:
        assert "PORT" not in names_of(project(BACKEND), endpoint("backend", 8001, None, "PORT"))


class TestTheOriginsThatTheBackendAccepts:
    def test_are_those_of_every_frontend(self) -> None:
        admin = Service(name="admin", directory=Path("/shop"), port=request("admin", 3100))

        names = names_of(
            project(BACKEND, FRONTEND, admin),
            BACKEND_ENDPOINT,
            FRONTEND_ENDPOINT,
            endpoint("admin", 3100, None),
        )

        expected = [f"http://{host}:{port}" for port in (3000, 3100) for host in ("localhost", "127.0.0.1")]
        assert names["CORS_ORIGINS"] == names["ALLOWED_ORIGINS"] == ",".join(expected)
        assert json.loads(names["CORS_ORIGINS_JSON"]) == expected

    def test_are_left_to_its_own_default_without_a_frontend(self) -> None:
        names = names_of(project(BACKEND), BACKEND_ENDPOINT)

        assert not {"CORS_ORIGINS", "ALLOWED_ORIGINS", "CORS_ORIGINS_JSON"} & names.keys()

    def test_are_there_for_a_frontend_alone(self) -> None:
        names = names_of(project(FRONTEND), FRONTEND_ENDPOINT)

        assert "CORS_ORIGINS" in names
        assert "VITE_API_URL" not in names


class TestTheProjectsOwnNames:
    def test_are_filled_in_from_the_standard_ones(self) -> None:
        names = of_standard_stack(
            BACKEND_CORS_ORIGINS="${CORS_ORIGINS_JSON}",
            APP_DATABASE_URL="postgresql+asyncpg://${POSTGRES_USER}@${POSTGRES_HOST}:${POSTGRES_PORT}/${POSTGRES_DB}",
        )

        assert names["BACKEND_CORS_ORIGINS"] == names["CORS_ORIGINS_JSON"]
        assert names["APP_DATABASE_URL"] == "postgresql+asyncpg://shop@127.0.0.1:5433/shop"

    def test_come_last_and_win(self) -> None:
        names = of_standard_stack(VITE_API_URL="/api", API_V1="${VITE_API_URL}/v1")

        assert names["VITE_API_URL"] == "/api"
        assert names["API_V1"] == "/api/v1"
        assert list(names)[-1] == "API_V1"

    def test_may_add_to_a_standard_one(self) -> None:
        names = of_standard_stack(CORS_ORIGINS="${CORS_ORIGINS},https://preview.example")

        assert names["CORS_ORIGINS"] == "http://localhost:3000,http://127.0.0.1:3000,https://preview.example"

    def test_may_refer_to_the_callers_environment_which_is_not_published(self) -> None:
        names = of_standard_stack(CACHE="${HOME}/.cache")

        assert names["CACHE"] == "/home/dev/.cache"
        assert "HOME" not in names

    def test_cannot_mean_the_port_of_one_service(self) -> None:
        with pytest.raises(ConfigError, match=r"^environment\.URL: \$\{PORT\} is not known"):
            of_standard_stack(URL="http://localhost:${PORT}")


class TestTheEnvironmentOfAProcess:
    def environment(self, service: Service = BACKEND, **layers: dict[str, str]) -> dict[str, str]:
        return service_environment(
            service,
            BACKEND_ENDPOINT if service.port else WORKER_ENDPOINT,
            layers.get("runtime", {}),
            caller=layers.get("caller", {}),
            files=layers.get("files", {}),
        )

    def test_is_layered_and_the_later_layer_wins(self) -> None:
        service = Service(name="backend", directory=Path("/shop"), port=BACKEND.port, env={"D": "own"})
        layers = [
            dict.fromkeys(names, value)
            for names, value in (("ABCD", "caller"), ("BCD", "file"), ("CD", "runtime"))
        ]

        environ = self.environment(service, caller=layers[0], files=layers[1], runtime=layers[2])

        assert [environ[name] for name in "ABCD"] == ["caller", "file", "runtime", "own"]

    def test_has_the_services_own_port_and_host(self) -> None:
        environ = self.environment(
            caller={"PORT": "1"}, files={"PORT": "2", "API_PORT": "3"}, runtime={"HOST": "4"}
        )

        assert environ == {"PORT": "8001", "HOST": "127.0.0.1", "API_PORT": "8001"}

    def test_has_no_port_that_the_caller_happened_to_have(self) -> None:
        assert self.environment(WORKER, caller={"PORT": "3000"}) == {}

    def test_has_a_port_that_its_env_file_sets_when_it_has_none(self) -> None:
        assert self.environment(WORKER, files={"PORT": "3000"}) == {"PORT": "3000"}

    def test_leaves_out_what_steered_the_command(self) -> None:
        caller = {
            "DEVINIT_PROFILE": "ci",
            "DEVINIT_PROJECT": "/other",
            "DEVINIT_RUN": "1",
            "FORCE_MODE": "true",
        }

        environ = self.environment(WORKER, caller=caller, runtime={"DEVINIT_PROJECT": "/shop"})

        assert environ == {"DEVINIT_PROJECT": "/shop", "FORCE_MODE": "true"}

    def test_has_its_own_env_filled_in_from_all_the_others(self) -> None:
        service = Service(
            name="backend",
            directory=Path("/shop"),
            port=BACKEND.port,
            env={"SELF": "${BACKEND_URL}:${PORT}/${LEVEL}", "PATH": "/shop/bin:${PATH}", "AGAIN": "${SELF}!"},
        )

        environ = self.environment(
            service, caller={"PATH": "/bin"}, files={"LEVEL": "info"}, runtime={"BACKEND_URL": "http://x"}
        )

        assert environ["SELF"] == "http://x:8001/info"
        assert environ["AGAIN"] == "http://x:8001/info!"
        assert environ["PATH"] == "/shop/bin:/bin"

    def test_names_the_key_of_its_env_that_cannot_be_filled_in(self) -> None:
        service = Service(name="worker", directory=Path("/shop"), env={"A": "${REDIS_ULR}"})

        with pytest.raises(ConfigError, match=r"^services\.worker\.env\.A: \$\{REDIS_ULR\}") as refused:
            self.environment(service, runtime={"REDIS_URL": "redis://"})

        assert refused.value.hint == "did you mean ${REDIS_URL}?"
