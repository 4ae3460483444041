"""Specifies `devinit shell`, `devinit psql` and `devinit redis-cli`: programs in the project's surroundings."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from devinit.cli.redis_cli import place_of
from devinit.cli.server_clients import split

if TYPE_CHECKING:
    from tests.cli.conftest import Shop

SHOWN = r"""#!/bin/sh
for each in "$@"; do echo "argument $each"; done
env | grep -E '^(PG|REDISCLI_AUTH)' | sort
exit 7
"""


@pytest.fixture
def databases(shop: Shop, port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A project with two databases and a Redis, none of them up, and client programs that show what they get."""
    shop.service("backend", port=port)
    with (shop.root / "devinit.toml").open("a") as file:
        file.write(
            f"""
[services.postgres]
provider = "postgres"
port = {port + 1}
password = "s3cret-pg"
databases = ["shop_test"]

[services.events]
provider = "postgres"
port = {port + 2}
password = "0ther-pg"

[services.redis]
provider = "redis"
port = {port + 3}
password = "s3cret-redis"
"""
        )
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("psql", "redis-cli"):
        (programs / name).write_text(SHOWN)
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(programs), prepend=":")
    return shop


class TestPsql:
    def test_gets_address_role_and_password_by_its_environment(self, databases: Shop, port: int) -> None:
        done = databases("psql", "-c", "select 1")

        assert done.stdout.splitlines() == [
            "argument -c",
            "argument select 1",
            "PGDATABASE=shop",
            "PGHOST=127.0.0.1",
            "PGPASSWORD=s3cret-pg",
            f"PGPORT={port + 1}",
            "PGSSLMODE=disable",
            "PGUSER=shop",
        ]
        assert done.returncode == 7
        assert "postgres" in done.stderr

    @pytest.mark.parametrize("client", ["psql", "redis-cli"])
    def test_gets_nothing_else_of_the_project_s_environment(self, databases: Shop, client: str) -> None:
        with (databases.root / "devinit.toml").open("a") as file:
            file.write(
                '\n[environment]\nCLOUD_KEY = "k3y"\nPGAPPNAME = "shop"\nREDISCLI_HISTFILE = "/dev/null"\n'
            )
        program = Path(os.environ["PATH"].partition(":")[0], client)
        program.write_text("#!/bin/sh\nenv\n")

        said = databases(client).stdout

        assert "CLOUD_KEY" not in said
        assert ("PGAPPNAME=shop" if client == "psql" else "REDISCLI_HISTFILE=/dev/null") in said

    def test_of_another_server_gets_that_ones(self, databases: Shop, port: int) -> None:
        done = databases("psql", "-s", "events")

        assert f"PGPORT={port + 2}" in done.stdout.splitlines()
        assert "PGPASSWORD=0ther-pg" in done.stdout.splitlines()

    def test_of_a_server_elsewhere_gets_what_its_url_says(self, databases: Shop) -> None:
        text = (databases.root / "devinit.toml").read_text()
        url = "postgresql://ada:p%40ss@db.example:5433/shop"
        elsewhere = f'[services.archive]\nprovider = "postgres"\nurl = "{url}"\n'
        (databases.root / "devinit.toml").write_text(f"{text}\n{elsewhere}")

        done = databases("psql", "-s", "archive")

        assert {"PGHOST=db.example", "PGPORT=5433", "PGUSER=ada", "PGPASSWORD=p@ss", "PGDATABASE=shop"} <= {
            *done.stdout.splitlines()
        }

    def test_of_the_test_database(self, databases: Shop) -> None:
        assert "PGDATABASE=shop_test" in databases("psql", "--test").stdout.splitlines()

    def test_whose_address_is_left_out_reaches_no_other_server(
        self, databases: Shop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("POSTGRES_HOST", "db.another.example")
        text = (databases.root / "devinit.toml").read_text()
        (databases.root / "devinit.toml").write_text(f"{text}\n[environment]\nPOSTGRES_HOST = false\n")

        done = databases("psql")

        assert "another" not in done.stdout
        assert done.returncode == 2
        assert "POSTGRES_HOST is left out" in done.stderr

    def test_of_a_service_that_is_no_database_is_refused(self, databases: Shop) -> None:
        done = databases("psql", "-s", "redis")

        assert done.returncode == 2
        assert "redis is no postgres server of shop" in done.stderr
        assert "those are: postgres, events" in done.stderr

    def test_of_a_project_without_one_is_refused(self, shop: Shop, port: int) -> None:
        shop.service("backend", port=port)

        done = shop("psql")

        assert done.returncode == 2
        assert "shop has no postgres server" in done.stderr


class TestRedisCli:
    def test_gets_the_password_by_its_environment_alone(self, databases: Shop, port: int) -> None:
        done = databases("redis-cli", "get", "x")

        place = ["-h", "127.0.0.1", "-p", str(port + 3), "-n", "0"]
        lines = done.stdout.splitlines()
        assert [line for line in lines if line.startswith("argument")] == [
            f"argument {each}" for each in (*place, "get", "x")
        ]
        assert "REDISCLI_AUTH=s3cret-redis" in lines

    def test_of_a_server_elsewhere_gets_what_its_url_says(self, databases: Shop) -> None:
        text = (databases.root / "devinit.toml").read_text()
        elsewhere = '[services.cache]\nprovider = "redis"\nurl = "redis://:p%40ss@cache.example:6380/3"\n'
        (databases.root / "devinit.toml").write_text(f"{text}\n{elsewhere}")

        lines = databases("redis-cli", "-s", "cache").stdout.splitlines()

        assert lines[:6] == [f"argument {each}" for each in ("-h", "cache.example", "-p", "6380", "-n", "3")]
        assert "REDISCLI_AUTH=p@ss" in lines

    def test_of_a_server_without_a_password_gets_none_of_the_shell(
        self, databases: Shop, port: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("REDISCLI_AUTH", "of-another-server")
        text = (databases.root / "devinit.toml").read_text().replace('password = "s3cret-redis"', "")
        (databases.root / "devinit.toml").write_text(text)

        assert "REDISCLI_AUTH" not in databases("redis-cli", "ping").stdout

    def test_whose_address_is_left_out_is_refused_by_name(self, databases: Shop) -> None:
        text = (databases.root / "devinit.toml").read_text()
        (databases.root / "devinit.toml").write_text(f"{text}\n[environment]\nREDIS_URL = false\n")

        done = databases("redis-cli", "ping")

        assert done.returncode == 2
        assert "REDIS_URL is left out" in done.stderr

    @pytest.mark.parametrize(
        ("url", "words"),
        [
            ("redis://localhost:6380/2", "-h localhost -p 6380 -n 2"),
            ("rediss://ada:p%40ss@cache.example/0", "-h cache.example -p 6379 --user ada -n 0 --tls"),
        ],
    )
    def test_finds_a_server_elsewhere_without_the_password(self, url: str, words: str) -> None:
        assert place_of(urlsplit(url)) == words.split()


class TestOurOwnOptions:
    @pytest.mark.parametrize(
        ("words", "own", "rest"),
        [
            (["-s", "events", "-c", "x"], ["-s", "events"], ["-c", "x"]),
            (["-C", "/p", "--test", "-s"], ["-C", "/p", "--test", "-s"], []),
            (["-c", "x", "-s", "events"], [], ["-c", "x", "-s", "events"]),
            (["--", "-s"], [], ["-s"]),
            (["-h", "somewhere"], [], ["-h", "somewhere"]),
        ],
    )
    def test_stand_first(self, words: list[str], own: list[str], rest: list[str]) -> None:
        assert split(words) == (own, rest)


class TestAShell:
    def test_of_a_service_has_its_folder_and_environment(self, shop: Shop, port: int) -> None:
        (shop.root / "api").mkdir()
        (shop.root / "api" / "service.py").write_text((shop.root / "service.py").read_text())
        shop.service("backend", port=port, directory="api", env={"GREETING": '"hello"'})

        line = shlex.join(["env", "SHELL=/bin/sh", *shop.program("shell", "backend")])
        done = shop.run(["bash", "-c", f"echo 'pwd; echo $PORT $GREETING $DEVINIT_SHELL' | {line}"])

        assert done.stdout.splitlines() == [str(shop.root / "api"), f"{port} hello backend"]
        assert "a shell of backend: `exit` leaves it" in done.stderr

    def test_of_the_project_has_its_environment_where_the_caller_is(self, shop: Shop, port: int) -> None:
        shop.service("backend", port=port)

        line = shlex.join(["env", "SHELL=/bin/sh", sys.executable, "-m", "devinit", "shell"])
        done = shop.run(["bash", "-c", f"mkdir deep; cd deep; echo 'pwd; echo $BACKEND_PORT' | {line}"])

        assert done.stdout.splitlines() == [str(shop.root / "deep"), str(port)]

    def test_within_another_one_is_refused(self, shop: Shop, port: int) -> None:
        shop.service("backend", port=port)

        done = shop("shell", DEVINIT_SHELL="backend")

        assert done.returncode == 2
        assert "this is a shell of devinit already (backend)" in done.stderr
