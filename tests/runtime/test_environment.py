from __future__ import annotations

import json
import time
from pathlib import Path
from types import MappingProxyType

import pytest
from msgspec.structs import replace

from devinit.errors import ConfigError
from devinit.kinds.postgres.kind import PostgresSettings
from devinit.kinds.providers import PROVIDERS
from devinit.kinds.redis.kind import RedisSettings
from devinit.model.port import PortRequest
from devinit.model.service import Endpoint, Project, Service
from devinit.runtime.common import misleading_names
from devinit.runtime.dotenv import HEADER, render
from devinit.runtime.environment import environment, runtime_of, service_environment


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
    POSTGRES_HOST="127.0.0.1",
    POSTGRES_PORT="5433",
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
            "PGHOST=127.0.0.1\n"
            "PGPORT=5433\n"
            "PGUSER=shop\n"
            "PGPASSWORD=secret\n"
            "PGDATABASE=shop\n"
            "PGSSLMODE=disable\n"
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


def database(name: str, port: int, **fields: object) -> tuple[Service, Endpoint]:
    """Return a postgres service of any name, with the endpoint that its provider gives it."""
    service = Service(name=name, provider="postgres", directory=Path("/shop"), **fields)  # type: ignore[arg-type]  # as given
    return service, PROVIDERS["postgres"].endpoint(service, port)


class TestTheCommonNames:
    def test_are_those_of_the_first_postgres_whatever_it_is_called(self) -> None:
        db, at = database("db", 5433)

        names = names_of(project(BACKEND, db), BACKEND_ENDPOINT, at)

        assert names["DATABASE_URL"] == names["POSTGRES_URL"] == names["DB_URL"] == at.url
        assert {name: value for name, value in names.items() if name.startswith("POSTGRES_")} == {
            "POSTGRES_HOST": "127.0.0.1",
            "POSTGRES_PORT": "5433",
            "POSTGRES_USER": "db",
            "POSTGRES_PASSWORD": "",
            "POSTGRES_DB": "db",
            "POSTGRES_URL": at.url,
        }

    def test_are_those_of_the_first_redis_whatever_it_is_called(self) -> None:
        cache = Service(
            name="job-queue", provider="redis", directory=Path("/shop"), settings=RedisSettings(password="s3")
        )
        at = PROVIDERS["redis"].endpoint(cache, 6380)

        names = names_of(project(cache), at)

        assert {name: value for name, value in names.items() if name.startswith("REDIS_")} == {
            "REDIS_HOST": "127.0.0.1",
            "REDIS_PORT": "6380",
            "REDIS_PASSWORD": "s3",
            "REDIS_URL": "redis://default:s3@127.0.0.1:6380/0",
        }
        assert names["JOB_QUEUE_URL"] == names["REDIS_URL"]

    def test_are_the_first_ones_also_where_a_later_one_is_called_postgres(self) -> None:
        (events, first), (postgres, second) = database("events", 5433), database("postgres", 5434)

        names = names_of(project(events, postgres), first, second)

        assert names["DATABASE_URL"] == first.url
        assert names["POSTGRES_URL"] == second.url
        assert (names["EVENTS_PORT"], names["POSTGRES_PORT"], names["PGPORT"]) == ("5433", "5434", "5433")

    def test_have_the_test_database_of_the_first_or_none(self) -> None:
        tests = PostgresSettings(database="a", user="a", password="b", databases=("a_test",))
        (events, first), (postgres, second) = (
            database("events", 5433),
            database("postgres", 5434, settings=tests),
        )
        db, at = database("db", 5435, settings=tests)

        without = names_of(project(events, postgres), first, second)
        alone = names_of(project(db), at)

        assert "TEST_DATABASE_URL" not in without
        assert (
            alone["TEST_DATABASE_URL"]
            == alone["DB_TEST_DATABASE_URL"]
            == "postgresql://a:b@127.0.0.1:5435/a_test"
        )
        assert "POSTGRES_TEST_DATABASE_URL" not in alone

    def test_are_not_taken_from_a_program_that_is_called_so(self) -> None:
        own = Service(name="redis", directory=Path("/shop"), port=request("redis", 7000))
        cache = Service(name="cache", provider="redis", directory=Path("/shop"))

        names = names_of(
            project(own, cache),
            endpoint("redis", 7000, "http://localhost:7000"),
            PROVIDERS["redis"].endpoint(cache, 6379),
        )

        assert (names["REDIS_PORT"], names["CACHE_PORT"]) == ("7000", "6379")


class TestThousandsOfServices:
    def test_are_named_in_a_time_that_grows_with_their_number(self) -> None:
        first = [database(f"db{number}", 5433) for number in range(5_000)]
        caches = [
            Service(name=f"cache{number}", provider="redis", directory=Path("/shop"))
            for number in range(5_000)
        ]
        others = [(cache, PROVIDERS["redis"].endpoint(cache, 6379)) for cache in caches]
        services, endpoints = zip(*first, *others, strict=True)
        begun = time.process_time()

        names = names_of(project(*services), *endpoints)

        # Some tenths of a second; the square took half a minute.
        assert time.process_time() - begun < 4
        assert names["REDIS_URL"] == names["CACHE0_URL"]


class TestTheNamesOfLibpq:
    def of(self, subject: Project, service: Service, *endpoints: Endpoint) -> dict[str, str]:
        by_name = {each.service: each for each in endpoints}
        runtime = environment(subject, by_name, base={})
        found = runtime_of(subject, by_name, service, runtime)
        return {name: value for name, value in found.items() if name.startswith("PG")}

    def test_are_set_for_a_service_that_uses_the_database(self) -> None:
        worker = Service(name="worker", directory=Path("/shop"), depends_on=("backend",))

        names = self.of(project(POSTGRES, BACKEND, worker), worker, POSTGRES_ENDPOINT, BACKEND_ENDPOINT)

        assert names == {
            "PGHOST": "127.0.0.1",
            "PGPORT": "5433",
            "PGUSER": "shop",
            "PGPASSWORD": "secret",
            "PGDATABASE": "shop",
            "PGSSLMODE": "disable",
        }

    def test_are_left_to_a_service_that_uses_none(self) -> None:
        assert self.of(project(POSTGRES, WORKER), WORKER, POSTGRES_ENDPOINT) == {}

    def test_are_those_of_the_database_that_a_service_uses(self) -> None:
        (first, at), (events, other) = database("db", 5433), database("events", 5434)
        reader = Service(name="reader", directory=Path("/shop"), depends_on=("events",))

        names = self.of(project(first, events, reader), reader, at, other)

        assert (names["PGPORT"], names["PGUSER"]) == ("5434", "events")

    def test_may_be_chosen_by_the_project(self) -> None:
        names = self.of(project(POSTGRES, BACKEND, PGDATABASE="own"), BACKEND, POSTGRES_ENDPOINT)

        assert (names["PGDATABASE"], names["PGUSER"]) == ("own", "shop")

    @pytest.mark.parametrize(
        ("query", "mode"), [("", None), ("?application_name=x&sslmode=require", "require")]
    )
    def test_leave_the_encryption_of_a_server_elsewhere_to_its_url(
        self, query: str, mode: str | None
    ) -> None:
        db, at = database("db", 5432, external_url=f"postgresql://ann:x@db.example/blog{query}")

        names = names_of(project(db), at)

        assert (names["PGHOST"], names["PGDATABASE"]) == ("db.example", "blog")
        assert names.get("PGSSLMODE") == mode


class TestNamesThatLeadLibpqElsewhere:
    """With PGHOSTADDR libpq connects there whatever PGHOST, or the host of a URL, says: with our password."""

    ELSEWHERE = MappingProxyType(
        {"PGHOSTADDR": "10.9.9.9", "PGSERVICE": "prod", "PGCHANNELBINDING": "require"}
    )

    def of(self, service: Service, *services: Service, files: dict[str, str] | None = None) -> set[str]:
        subject, endpoints = project(service, *services), {each.service: each for each in STANDARD}
        values = service_environment(
            service,
            None,
            runtime_of(subject, endpoints, service, environment(subject, endpoints, base={})),
            caller={**self.ELSEWHERE, "PGOPTIONS": "-c work_mem=1MB"},
            files=files or {},
            misleading=misleading_names(subject, endpoints, service),
        )
        return {name for name, value in values.items() if name.startswith("PG") and value in self.callers}

    callers = frozenset({*ELSEWHERE.values(), "-c work_mem=1MB"})

    def test_are_not_taken_from_the_caller_by_a_service_that_uses_the_database(self) -> None:
        assert self.of(BACKEND, POSTGRES, REDIS) == {"PGOPTIONS"}

    def test_are_left_to_a_service_that_uses_none(self) -> None:
        assert self.of(WORKER, POSTGRES) == {*self.ELSEWHERE, "PGOPTIONS"}

    def test_count_in_a_file_of_the_project(self) -> None:
        assert "PGHOSTADDR" in self.of(BACKEND, POSTGRES, REDIS, files={"PGHOSTADDR": "10.9.9.9"})

    def test_leave_what_a_server_elsewhere_asks_for_to_the_caller(self) -> None:
        """Channel binding protects a password from whom TLS does not keep away."""
        elsewhere = replace(POSTGRES, port=None, external_url="postgresql://ann:x@db.example/blog")

        assert self.of(BACKEND, elsewhere, REDIS) == {"PGCHANNELBINDING", "PGOPTIONS"}

    def test_are_those_of_all_servers_for_a_command_beside_the_services(self) -> None:
        subject, endpoints = project(POSTGRES, BACKEND), {each.service: each for each in STANDARD}

        assert misleading_names(subject, endpoints) >= self.ELSEWHERE.keys()

    def test_are_left_to_who_leaves_out_the_names_of_libpq(self) -> None:
        libpq = ("PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE", "PGSSLMODE")

        assert self.of(replace(BACKEND, left_out=libpq), POSTGRES, REDIS) == {*self.ELSEWHERE, "PGOPTIONS"}


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

    def test_and_its_addresses_leave_out_the_usual_port_as_browsers_do(self) -> None:
        names = names_of(
            project(BACKEND, FRONTEND),
            BACKEND_ENDPOINT,
            endpoint("frontend", 80, "http://localhost:80"),
        )

        assert names["CORS_ORIGINS"] == names["ALLOWED_ORIGINS"] == "http://localhost,http://127.0.0.1"
        assert json.loads(names["CORS_ORIGINS_JSON"]) == ["http://localhost", "http://127.0.0.1"]
        assert (names["FRONTEND_URL"], names["FRONTEND_PORT"]) == ("http://localhost", "80")

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
