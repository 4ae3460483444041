"""Specifies when a server that a service is connected to takes the place of one of its own project."""

from __future__ import annotations

import pytest

from devinit.kinds import KINDS
from devinit.model.port import Container, LeaseOwner
from devinit.model.status import WrongServer
from devinit.supervisor.diagnosis.named_ports import advice_about, best_names, ports_meant
from devinit.supervisor.diagnosis.peers import Own, Server, service_at, wrong_servers

GUESTBOOK = LeaseOwner(root="/work/guestbook", project="guestbook", service="postgres", pid=1, at=0.0)

GIVEN = {
    "POSTGRES_PORT": "5433",
    "POSTGRES_URL": "postgresql://localhost:5433/s",
    "DATABASE_URL": "postgresql://localhost:5433/s",
}


def own(
    kind: str = "postgres",
    name: str = "",
    *,
    port: int = 5433,
    preferred: int = 5432,
    host: str = "127.0.0.1",
) -> Own:
    return Own(name=name or kind, kind=KINDS[kind], host=host, port=port, preferred=preferred)


def elsewhere(port: int, host: str = "localhost", kind: str = "postgres") -> Own:
    return Own(name=kind, kind=KINDS[kind], host=host, port=port, preferred=None, is_elsewhere=True)


def stranger(port: int = 5432, program: str = "postgres", pid: int | None = 812, **more: object) -> Server:
    title = f"{program} (pid {pid})"
    return Server(**{"port": port, "program": program, "pid": pid, "title": title, **more})  # type: ignore[arg-type]  # examples


def neighbour(port: int = 5432, owner: LeaseOwner = GUESTBOOK, program: str = "postgres") -> Server:
    return Server(port=port, owner=owner, program=program, pid=811, title=f"{program} (pid 811)")


def judged(
    *servers: Server, of: tuple[Own, ...] = (own(),), meant: tuple[int, ...] = ()
) -> list[WrongServer]:
    return wrong_servers(servers, of, meant, "shop")


def texts(*servers: Server, of: tuple[Own, ...] = (own(),), meant: tuple[int, ...] = ()) -> list[str]:
    return [each["text"] for each in judged(*servers, of=of, meant=meant)]


class TestAServiceOfTheProject:
    def test_is_the_right_one(self) -> None:
        assert texts(Server(port=5433, service="postgres")) == []

    def test_is_right_where_devinit_does_not_run_it(self) -> None:
        server, external = stranger(5432), (elsewhere(5432),)

        assert service_at(server, external) == "postgres"
        assert texts(server, of=external) == []

    def test_is_another_one_than_a_declared_server_on_another_port(self) -> None:
        [text] = texts(stranger(5432), of=(elsewhere(5434),))

        assert text == "connected to postgres (pid 812) on port 5432, not to its own (5434)"

    def test_is_named_with_its_host_where_it_runs_on_another_machine(self) -> None:
        [text] = texts(stranger(5432), of=(elsewhere(5432, host="db.example.com"),))

        assert text.endswith("not to its own (db.example.com:5432)")


class TestAServiceOfAnotherProject:
    def test_is_named_with_its_project(self) -> None:
        [found] = judged(neighbour())

        assert found["text"] == "connected to guestbook's postgres (port 5432), not to its own (5433)"
        assert (found["project"], found["service"], found["root"]) == (
            "guestbook",
            "postgres",
            "/work/guestbook",
        )
        assert (found["instead_of"], found["own_port"], found["kind"]) == ("postgres", 5433, "postgres")

    def test_is_named_with_its_folder_where_the_project_has_the_same_name(self) -> None:
        worktree = LeaseOwner(root="/work/shop-two", project="shop", service="postgres", pid=1, at=0.0)

        [text] = texts(neighbour(owner=worktree))

        assert text == "connected to postgres of /work/shop-two (port 5432), not to its own (5433)"

    def test_is_its_own_business_where_the_project_has_none_of_the_kind(self) -> None:
        assert texts(neighbour(), of=(own("redis", port=6380, preferred=6379),)) == []

    def test_takes_the_place_of_the_one_that_prefers_its_port(self) -> None:
        first, second = own(name="main", port=5434), own(name="archive", port=5435, preferred=5440)

        [found] = judged(neighbour(5440), of=(first, second))

        assert found["instead_of"] == "archive"
        assert found["text"].endswith("not to this project's archive (5435)")

    def test_that_is_a_program_counts_on_the_port_that_ours_has_left(self) -> None:
        api = LeaseOwner(root="/g", project="guestbook", service="backend", pid=1, at=0.0)
        backend = own("process", "backend", port=8001, preferred=8000)

        [text] = texts(neighbour(8000, api, "python3"), of=(backend,))

        assert text == "connected to guestbook's backend (port 8000), not to this project's backend (8001)"
        assert texts(neighbour(9000, api, "python3"), of=(backend,)) == []


class TestAServerThatDevinitDoesNotRun:
    def test_is_named_with_its_process(self) -> None:
        assert texts(stranger()) == ["connected to postgres (pid 812) on port 5432, not to its own (5433)"]

    def test_counts_on_any_port(self) -> None:
        assert len(texts(stranger(15432))) == 1

    @pytest.mark.parametrize("program", ["redis-server", "valkey-server"])
    def test_is_recognised_by_its_program(self, program: str) -> None:
        assert len(texts(stranger(7000, program), of=(own("redis", port=6380, preferred=6379),))) == 1

    @pytest.mark.parametrize("program", ["ssh", "python3", "code", "chrome"])
    def test_is_silent_about_another_program(self, program: str) -> None:
        assert texts(stranger(5432, program), stranger(9229, program)) == []

    def test_that_is_hidden_counts_by_its_user_or_its_usual_port(self) -> None:
        hidden = {"program": "", "pid": None}

        assert len(texts(stranger(5440, user="postgres", **hidden))) == 1  # type: ignore[arg-type]  # as above
        assert len(texts(stranger(5432, user="mallory", **hidden))) == 1  # type: ignore[arg-type]  # as above
        assert texts(stranger(5440, user="mallory", **hidden)) == []  # type: ignore[arg-type]  # as above

    def test_in_a_container_counts_by_its_image(self) -> None:
        image = Container(engine="docker", id="1", name="db-1", image="postgres:16")
        other = Container(engine="docker", id="2", name="mail-1", image="mailpit")

        assert len(texts(stranger(5440, "docker-proxy", container=image))) == 1
        assert texts(stranger(5440, "docker-proxy", container=other)) == []

    def test_at_a_unix_socket_is_named_with_its_path(self) -> None:
        [found] = judged(stranger(path="/tmp/.s.PGSQL.5432"))

        assert (
            found["text"]
            == "connected to postgres (pid 812) on socket /tmp/.s.PGSQL.5432, not to its own (5433)"
        )
        assert found["socket"] == "/tmp/.s.PGSQL.5432"

    def test_with_the_number_of_our_port_at_another_address_is_another_one(self) -> None:
        backend = own("process", "backend", port=8000, preferred=8000)

        assert len(texts(stranger(5432), of=(own(port=5432),), meant=(5432,))) == 1
        assert len(texts(stranger(8000, "python3"), of=(backend,))) == 1


class TestAnAddressThatIsMeant:
    def test_is_no_fault(self) -> None:
        assert texts(neighbour(), stranger(5440), meant=(5432, 5440)) == []

    def test_is_one_that_a_variable_names(self) -> None:
        values = {
            "REPORTS_URL": "postgresql://r:x@localhost:5432/reports",
            "REMOTE": "postgresql://db.example.com:5439/x",
            "LEGACY_DB_PORT": "5440",
            "WORKERS": "5441",
            "HOST_AND_PORT": "127.0.0.1:5442",
            "DEVINIT_PORT": "5443",
        }

        assert ports_meant(values) == {5432, 5440, 5442}


class TestTheAdvice:
    def test_names_the_usual_variable_first(self) -> None:
        assert best_names(GIVEN, 5433) == ["DATABASE_URL", "POSTGRES_URL"]

    def test_says_where_the_address_stands_and_where_to_read_the_right_one(self) -> None:
        [wrong] = judged(neighbour())

        assert advice_about(
            "backend", wrong, GIVEN, ["alembic.ini:3 names localhost:5432; nothing tells it 5433"]
        ) == [
            "alembic.ini:3 names localhost:5432; nothing tells it 5433",
            "read the address from DATABASE_URL or POSTGRES_URL, which devinit sets",
            "if it is meant: name it in services.backend.env of devinit.toml",
        ]

    def test_names_no_variable_where_there_is_none(self) -> None:
        [wrong] = judged(neighbour())

        assert advice_about("backend", wrong, {}, []) == [
            "if it is meant: name it in services.backend.env of devinit.toml"
        ]
