"""Specifies services that use a server which somebody else runs on their port, with real servers."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from devinit.control.client import RemoteError
from devinit.control.launch import connect_or_start
from tests.kinds.conftest import (
    Bench,
    Server,
    binaries_of,
    embedded_postgres,
    system_postgres,
)
from tests.places import state_of

if TYPE_CHECKING:
    from tests.supervisor.conftest import Command, Event, MakeShop, Redis, RunRedis, Shop, Stranger

REUSE = ("--on-conflict", "reuse")
NOT_OURS = "was left alone: devinit did not start it, and does not stop it"


@pytest.fixture
def redis(shop: Shop, port: int, run_redis: RunRedis) -> Redis:
    """A Redis of somebody else on the port that the shop's own wants, and a service that needs it."""
    shop.server("redis", provider="redis", port=port, health={"every": 0.1, "failures": 1})
    shop.service("backend", "note=notes", port=port + 5, depends_on=["redis"])
    return run_redis(port)


@pytest.fixture(params=["system", "embedded"])
def postgres(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """A PostgreSQL that somebody else runs; a role and a database of the shop's are in it."""
    found = system_postgres() if request.param == "system" else embedded_postgres()
    if found is None:
        pytest.skip(f"there is no {request.param} PostgreSQL on this machine")
    root = tmp_path / "elsewhere"
    root.mkdir()
    bench = Bench(root)
    yield bench.start(bench.postgres(found, password="it's a secret"))
    bench.finish()


def wanting(shop: Shop, server: Server, **keys: object) -> None:
    """Let a shop want the port of a PostgreSQL that runs, and log in there unless `keys` say otherwise."""
    login = {"database": "shop", "user": "shop", "password": "it's a secret"}
    shop.server("postgres", **{"provider": "postgres", "port": server.port, **login, **keys})


def events(command: Command, kind: str, service: str) -> list[Event]:
    return [each for each in command.seen if each["type"] == kind and each["service"] == service]


def row_of(command: Command, service: str) -> Event:
    rows: list[Event] = command.seen[-1]["services"]
    return next(row for row in rows if row["service"] == service)


class TestAPostgresThatKnowsTheProject:
    def test_is_used_through_the_projects_own_url(self, shop: Shop, postgres: Server) -> None:
        wanting(shop, postgres)

        shop.up(*REUSE)
        url = shop.environment()["DATABASE_URL"]
        write = "CREATE TABLE guests (name text); INSERT INTO guests VALUES ('Ada')"
        subprocess.run([binaries_of(postgres.service) / "psql", "-X", "-q", url, "-c", write], check=True)

        assert postgres.rows("SELECT name FROM guests") == ["Ada"]

    def test_is_told_as_somebody_elses(self, shop: Shop, postgres: Server) -> None:
        wanting(shop, postgres)

        command = shop.up(*REUSE)

        version = postgres.rows("SHOW server_version")[0].split()[0]
        [decided] = events(command, "port", "postgres")
        assert (decided["port"], decided["uses"]) == (postgres.port, f"PostgreSQL {version}, database shop")
        [announced] = events(command, "port_info", "postgres")
        assert (announced["mode"], announced["port"]) == ("external", postgres.port)
        assert row_of(command, "postgres")["mode"] == "external"
        assert "secret" not in decided["uses"] + str(events(command, "note", "postgres"))
        status = shop.status()["postgres"]
        assert (status["phase"], status["mode"], status["pid"]) == ("ready", "external", None)
        assert "Running (external)" in shop("status").stdout
        assert "devinit never stops it" in shop("why", "postgres").stdout

    def test_is_neither_leased_nor_given_data_nor_stopped(self, shop: Shop, postgres: Server) -> None:
        wanting(shop, postgres)
        shop.up(*REUSE)

        assert shop.leases() == []
        assert not (state_of(shop.root) / "data").exists()

        stopped = shop("stop")

        assert f"postgres {NOT_OURS}" in stopped.stderr
        assert postgres.rows("SELECT 1") == ["1"]
        shop.expect_nothing_left()


class TestAPostgresThatDoesNotKnowTheProject:
    @pytest.mark.parametrize(
        ("login", "reason"),
        [
            ({"password": "wrong"}, "PostgreSQL answers, but role shop cannot log in"),
            ({"user": "baker"}, "PostgreSQL answers, but role baker cannot log in"),
            ({"database": "bakery"}, "PostgreSQL answers, but it has no database bakery"),
        ],
    )
    def test_refuses_a_fixed_port_with_the_reason(
        self, shop: Shop, postgres: Server, login: dict[str, str], reason: str
    ) -> None:
        wanting(shop, postgres, strict_port=True, **login)

        answer = shop("start", *REUSE)

        assert answer.returncode == 3
        assert f"(not used: {reason})" in answer.stderr
        assert "secret" not in answer.stderr

    def test_is_left_alone_and_the_project_gets_its_own(self, shop: Shop, postgres: Server) -> None:
        wanting(shop, postgres, password="wrong")

        command = shop.up(*REUSE)

        [decided] = events(command, "port", "postgres")
        assert decided["port"] > postgres.port
        assert "not used: PostgreSQL answers, but role shop cannot log in" in decided["reason"]
        assert shop.status()["postgres"]["mode"] == "moved"
        shop("stop")

    def test_leaves_the_projects_own_on_its_port_over_restarts(self, shop: Shop, postgres: Server) -> None:
        wanting(shop, postgres, password="wrong", on_conflict="reuse")
        # It had that port for itself before, and the last start is remembered.
        (shop.root / ".ports.json").write_text(f'{{"postgres": {postgres.port}}}')
        [decided] = events(shop.up(), "port", "postgres")

        for _ in range(2):
            shop("restart", "postgres")

            row = shop.status()["postgres"]
            assert (row["port"], row["next_port"]) == (decided["port"], None)

    def test_is_asked_again_the_next_time(self, shop: Shop, postgres: Server) -> None:
        wanting(shop, postgres, password="wrong", on_conflict="reuse")
        shop.up()
        shop("stop")
        wanting(shop, postgres, on_conflict="reuse")

        shop.up()

        assert shop.status()["postgres"]["mode"] == "external"


class TestAFixedPort:
    def test_is_the_one_of_the_server_that_is_used(self, shop: Shop, redis: Redis, port: int) -> None:
        shop.server("redis", provider="redis", port=port, strict_port=True, on_conflict="reuse")

        shop.up()

        assert (shop.status()["redis"]["port"], shop.status()["redis"]["mode"]) == (port, "external")


class TestSomethingElseOnThePort:
    def test_is_not_used(self, shop: Shop, port: int, stranger: Stranger) -> None:
        stranger(port)
        shop.server("redis", provider="redis", port=port)

        command = shop.up(*REUSE)

        [decided] = events(command, "port", "redis")
        assert (decided["moved_from"], decided["uses"]) == (port, None)
        assert "not used: what listens there does not answer within 1 s" in decided["reason"]

    def test_is_not_used_when_it_has_the_other_address_family(
        self, shop: Shop, redis: Redis, port: int, stranger: Stranger
    ) -> None:
        stranger(port, "::1")

        command = shop.up(*REUSE)

        [decided] = events(command, "port", "redis")
        assert "answers on 127.0.0.1, another server on ::1" in decided["reason"]
        assert decided["moved_from"] == port

    def test_is_nothing_that_a_service_with_web_pages_could_use(
        self, shop: Shop, port: int, stranger: Stranger
    ) -> None:
        stranger(port)
        shop.service("web", port=port)

        shop.up(*REUSE)

        assert shop.status()["web"]["port"] == port + 1
        assert shop.ports() == {"web": port + 1}


class TestAUsedServer:
    def test_stays_somebody_elses_when_the_supervisor_is_killed(
        self, shop: Shop, redis: Redis, port: int
    ) -> None:
        shop.up(*REUSE)
        url = shop.environment()["REDIS_URL"]
        shop.kill_supervisor()

        shop.up()

        status = shop.status()["redis"]
        assert (status["phase"], status["mode"], status["port"]) == ("ready", "external", port)
        assert shop.environment()["REDIS_URL"] == url
        assert f"redis {NOT_OURS}" in shop("stop").stderr
        assert redis.poll() is None
        shop.expect_nothing_left()

    def test_is_used_on_by_a_second_start(self, shop: Shop, redis: Redis, port: int) -> None:
        shop.up(*REUSE)

        command = shop.up()

        assert command.seen[0]["starting"] == []
        assert shop.status()["redis"]["mode"] == "external"
        assert "as it was configured before" not in str(command.seen)

    def test_is_used_on_by_a_restart(self, shop: Shop, redis: Redis) -> None:
        shop.up(*REUSE)

        assert shop("restart").returncode == 0

        assert shop.status()["redis"]["mode"] == "external"
        assert redis.poll() is None

    def test_is_used_on_when_a_restart_had_a_question_in_between(
        self, shop: Shop, redis: Redis, port: int, stranger: Stranger
    ) -> None:
        shop.up(*REUSE)
        stranger(port + 4)
        shop.service("backend", port=port + 4, depends_on=["redis"])
        assert shop("ports", "set", "backend", str(port + 4)).returncode == 0
        client = connect_or_start(str(shop.root))
        asking = {"environ": dict(os.environ), "can_answer": True, "on_conflict": "ask"}
        try:
            with pytest.raises(RemoteError) as raised:
                client.call("restart", asking)
            [conflict] = raised.value.data["conflicts"]
            move = {"service": "backend", "port": port + 4, "kind": "move"}

            client.call("restart", {**asking, "resolutions": [move]})
        finally:
            client.close()

        assert conflict["service"] == "backend"
        assert shop.status()["redis"]["mode"] == "external"

    def test_is_decided_about_anew_after_a_stop(self, shop: Shop, redis: Redis, port: int) -> None:
        shop.up(*REUSE)
        assert shop.ports() == {"backend": port + 5}
        shop("stop")

        shop.up()

        assert shop.status()["redis"]["mode"] == "moved"

    def test_that_goes_away_is_told_and_so_is_its_return(
        self, shop: Shop, redis: Redis, port: int, run_redis: RunRedis
    ) -> None:
        shop.up(*REUSE)
        with shop.subscribe() as subscription:
            redis.terminate()
            gone = subscription.until(type="phase", service="redis", phase="unhealthy")
            assert "nothing listens" in gone["reason"]
            assert "Unhealthy: nothing listens" in shop("status").stdout

            run_redis(port)

            subscription.until(type="phase", service="redis", phase="ready")

    def test_that_went_away_is_replaced_by_a_restart(self, shop: Shop, redis: Redis, port: int) -> None:
        shop.up(*REUSE)
        with shop.subscribe() as subscription:
            redis.terminate()
            subscription.until(type="phase", service="redis", phase="unhealthy")

        command = shop.begin("restart")
        assert command.finish() == 0

        # On a machine with other accounts it says, too, that its own one has no password.
        messages = [note["message"] for note in events(command, "note", "redis")]
        assert f"redis used the server on {port} until now; it gets one of its own" in messages
        assert shop.status()["redis"]["mode"] == "preferred"
        assert shop.leases() == [port, port + 5]


class TestTheQuestion:
    """What a client that can ask somebody is told, and what it can answer."""

    def ask(self, shop: Shop, **params: object) -> Any:
        client = connect_or_start(str(shop.root))
        try:
            return client.call("start", {"environ": {}, "can_answer": True, "on_conflict": "ask", **params})
        finally:
            client.close()

    def conflict(self, shop: Shop) -> dict[str, Any]:
        with pytest.raises(RemoteError) as raised:
            self.ask(shop)
        [conflict] = raised.value.data["conflicts"]
        return dict(conflict)

    def answer(self, conflict: dict[str, Any]) -> dict[str, object]:
        holders = [holder["identity"] for holder in conflict["holders"]]
        return {"service": "redis", "port": conflict["port"], "kind": "reuse", "holders": holders}

    def test_offers_a_server_that_lets_the_project_in(self, shop: Shop, redis: Redis) -> None:
        conflict = self.conflict(shop)

        assert "reuse" in conflict["choices"]
        assert conflict["reuse"].endswith(", 0 keys in database 0")

    def test_says_why_a_server_is_not_offered(self, shop: Shop, port: int, run_redis: RunRedis) -> None:
        shop.server("redis", provider="redis", port=port)
        run_redis(port, "--requirepass", "secret")

        conflict = self.conflict(shop)

        assert "reuse" not in conflict["choices"]
        assert conflict["reuse"] == "Redis answers, but it wants a password, and the project has none"

    def test_is_obeyed(self, shop: Shop, redis: Redis) -> None:
        self.ask(shop, resolutions=[self.answer(self.conflict(shop))])

        assert shop.status()["redis"]["mode"] == "external"

    def test_is_asked_again_when_somebody_else_listens_meanwhile(
        self, shop: Shop, redis: Redis, port: int, run_redis: RunRedis
    ) -> None:
        answer = self.answer(self.conflict(shop))
        redis.terminate()
        redis.wait()
        run_redis(port)

        with pytest.raises(RemoteError) as raised:
            self.ask(shop, resolutions=[answer])

        [conflict] = raised.value.data["conflicts"]
        assert conflict["problem"] == "another process listens there now"
        assert "reuse" in conflict["choices"]

    def test_is_asked_again_when_the_server_does_not_let_it_in_any_more(
        self, shop: Shop, redis: Redis, port: int
    ) -> None:
        answer = self.answer(self.conflict(shop))
        redis.send_signal(signal.SIGSTOP)
        try:
            with pytest.raises(RemoteError) as raised:
                self.ask(shop, resolutions=[answer])
        finally:
            redis.send_signal(signal.SIGCONT)

        [conflict] = raised.value.data["conflicts"]
        assert "does not answer within 1 s" in conflict["problem"]
        assert "reuse" not in conflict["choices"]


class TestANeighboursServer:
    def test_is_not_used_when_it_lets_everybody_in(self, make_shop: MakeShop, port: int) -> None:
        first, second = make_shop("first"), make_shop("second")
        for shop in (first, second):
            shop.server("redis", provider="redis", port=port)
        first.up()

        command = second.up(*REUSE)

        [decided] = events(command, "port", "redis")
        assert decided["moved_from"] == port
        assert "but it is redis of first and lets every client in" in decided["reason"]

    def test_is_used_when_both_have_the_same_password(self, make_shop: MakeShop, port: int) -> None:
        first, second = make_shop("first"), make_shop("second")
        login = {"database": "shop", "user": "shop", "password": "the same"}
        for shop in (first, second):
            shop.server("postgres", provider="postgres", port=port, **login)
        first.up()

        second.up(*REUSE)

        assert second.status()["postgres"]["mode"] == "external"
        second("stop")
        assert first.status()["postgres"]["phase"] == "ready"
