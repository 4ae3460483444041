"""Specifies `once = true`: a one-shot that runs once on the same data."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from devinit.model.service import Project, Service
from devinit.supervisor.service.once import is_same_data, servers_of
from tests.kinds.conftest import embedded_postgres, system_postgres
from tests.places import state_of
from tests.supervisor.conftest import wait_until

if TYPE_CHECKING:
    from tests.supervisor.conftest import Shop

needs_postgres = pytest.mark.skipif(
    not (system_postgres() or embedded_postgres()), reason="needs a PostgreSQL server"
)
SERVERS = {"db": "postgres", "cache": "redis", "backend": "process", "other": "postgres"}
STAYS_UP_SECONDS = 1.5
"""More than a process without a port has to stay up to be called ready."""
COUNT = "sh -c 'echo ran >> runs; exit ${CODE:-0}'"


def runs(shop: Shop) -> int:
    path = shop.root / "runs"
    return len(path.read_text().splitlines()) if path.exists() else 0


def why(shop: Shop, name: str) -> str:
    return str(json.loads(shop("why", name, "--json").stdout)["reason"])


class TestAOneShotWithoutAServerOfData:
    @pytest.fixture
    def seeded(self, shop: Shop) -> Shop:
        shop.service("seed", command=COUNT, once=True)
        shop.service("web", "never", ready={"after": 0}, depends_on={"seed": "completed"})
        return shop

    def test_runs_once_however_often_the_project_is_started(self, seeded: Shop) -> None:
        for _ in range(3):
            assert seeded("start").returncode == 0
            assert seeded.status()["web"]["phase"] == "ready"
            assert seeded("stop").returncode == 0

        assert runs(seeded) == 1

    def test_says_when_it_ran(self, seeded: Shop) -> None:
        assert seeded("start").returncode == 0
        first = seeded("status").stdout
        seeded("stop")
        assert seeded("start").returncode == 0

        assert first.splitlines()[0] == "Seed: ✓ Finished"
        assert "Seed: ✓ Finished: ran on 20" in seeded("status").stdout
        assert ", once" in why(seeded, "seed")
        assert "`devinit restart seed` runs it again" in why(seeded, "seed")

    def test_runs_again_when_a_restart_names_it(self, seeded: Shop) -> None:
        assert seeded("start").returncode == 0

        assert seeded("restart", "seed").returncode == 0
        assert runs(seeded) == 2
        assert seeded("restart").returncode == 0
        assert seeded("start", "seed").returncode == 0

        assert runs(seeded) == 2

    def test_that_failed_is_not_done(self, seeded: Shop) -> None:
        assert seeded("start", CODE="3").returncode == 1
        assert seeded("start").returncode == 0
        assert runs(seeded) == 2
        seeded("stop")
        assert seeded("start").returncode == 0

        assert runs(seeded) == 2

    def test_that_fails_when_it_is_ordered_again_is_not_done_any_more(self, seeded: Shop) -> None:
        assert seeded("start").returncode == 0
        assert seeded("restart", "seed", CODE="3").returncode == 1
        seeded("stop")

        assert seeded("start").returncode == 0

        assert runs(seeded) == 3

    def test_is_what_it_was_for_the_next_supervisor(self, seeded: Shop) -> None:
        assert seeded("start").returncode == 0
        seeded.kill_supervisor()
        assert seeded("start").returncode == 0

        assert runs(seeded) == 1

    def test_whose_record_is_unreadable_runs(self, seeded: Shop) -> None:
        assert seeded("start").returncode == 0
        seeded("stop")
        (state_of(seeded.root) / "once" / "seed.json").write_text("{")

        assert seeded("start").returncode == 0

        assert runs(seeded) == 2


class TestAOneShotThatNothingWaitsFor:
    """It takes longer than a service without a port takes to be called ready."""

    @pytest.fixture
    def seeded(self, shop: Shop) -> Shop:
        os.mkfifo(shop.root / "gate")
        shop.service("seed", command="sh -c 'echo ran >> runs; exit $(cat gate)'", once=True)
        return shop

    def test_is_waited_for(self, seeded: Shop) -> None:
        start = seeded.begin("start")
        start.until(type="phase", service="seed", phase="starting")
        wait_until(lambda: runs(seeded) == 1, seeded.root)
        time.sleep(STAYS_UP_SECONDS)
        assert seeded.status()["seed"]["phase"] == "starting"

        (seeded.root / "gate").write_text("0")

        assert start.finish() == 0
        assert seeded.status()["seed"]["phase"] == "exited"

    def test_that_fails_is_not_run_again_by_itself(self, seeded: Shop) -> None:
        start = seeded.begin("start")
        wait_until(lambda: runs(seeded) == 1, seeded.root)
        time.sleep(STAYS_UP_SECONDS)

        (seeded.root / "gate").write_text("3")

        assert start.finish() == 1
        assert seeded.status()["seed"]["phase"] == "failed"
        assert runs(seeded) == 1

    def test_whose_supervisor_was_killed_is_not_run_again_by_itself(self, seeded: Shop) -> None:
        seeded.begin("start")
        wait_until(lambda: seeded.recorded_pids() != [], seeded.root, state_of(seeded.root))
        seeded.kill_supervisor()
        seeded("why", "seed")  # a supervisor takes it over
        time.sleep(STAYS_UP_SECONDS)

        (seeded.root / "gate").write_text("0")

        assert seeded("wait", "seed").returncode == 1
        assert runs(seeded) == 1
        assert "its exit code is not known" in why(seeded, "seed")
        assert "`devinit start` runs it again" in why(seeded, "seed")


@needs_postgres
class TestAOneShotOnADatabase:
    """Of a PostgreSQL that really runs."""

    @pytest.fixture
    def seeded(self, shop: Shop, port: int) -> Shop:
        (shop.root / "devinit.toml").write_text(
            f"""
[project]
name = "shop"
[services.db]
provider = "postgres"
port = {port}
[services.seed]
command = '''{COUNT}'''
once = true
depends_on = ["db"]
[services.web]
command = "sleep 1000"
ready = {{ after = 0 }}
depends_on = {{ seed = "completed" }}
"""
        )
        assert shop("start").returncode == 0
        assert shop("restart").returncode == 0
        assert runs(shop) == 1
        return shop

    def test_runs_again_on_a_database_that_was_dropped_and_made_again(self, seeded: Shop) -> None:
        for line in ('DROP DATABASE "shop" WITH (FORCE)', 'CREATE DATABASE "shop"'):
            done = seeded("run", "--", "psql", "-d", "template1", "-c", line)
            assert done.returncode == 0, done.stderr

        assert seeded("restart").returncode == 0
        assert runs(seeded) == 2
        assert seeded("restart").returncode == 0

        assert runs(seeded) == 2

    def test_runs_again_when_the_data_was_deleted(self, seeded: Shop) -> None:
        assert seeded("stop").returncode == 0
        shutil.rmtree(state_of(seeded.root) / "data" / "db")

        assert seeded("start").returncode == 0

        assert runs(seeded) == 2


class TestTheDataOfAOneShot:
    @pytest.mark.parametrize(
        ("depends_on", "left_out", "servers"),
        [
            (("db",), (), ["db"]),
            (("backend",), (), ["db"]),
            (("cache",), (), ["cache"]),
            ((), (), ["db", "other"]),
            ((), ("db", "other"), ["cache"]),
            ((), ("db", "other", "cache"), []),
        ],
    )
    def test_is_that_of_the_databases_it_depends_on(
        self, depends_on: tuple[str, ...], left_out: tuple[str, ...], servers: list[str]
    ) -> None:
        root = Path("/shop")
        waits = {"backend": tuple(name for name in ("db", "cache") if name not in left_out)}
        services = {
            name: Service(name=name, provider=kind, directory=root, depends_on=waits.get(name, ()))
            for name, kind in SERVERS.items()
            if name not in left_out
        }
        seed = Service(name="seed", command="x", directory=root, depends_on=depends_on, once=True)
        project = Project(name="shop", root=root, services={**services, "seed": seed})

        assert servers_of(seed, project) == servers

    @pytest.mark.parametrize(
        ("before", "now", "same"),
        [
            ({}, {}, True),
            ({}, {"db": "1"}, False),
            ({"db": "1"}, {"db": "1", "new": "7"}, True),
            ({"db": "1"}, {"db": "2"}, False),
            ({"db": "1"}, {"db": None}, True),
            ({"db": "1"}, {}, False),
        ],
    )
    def test_is_the_same(self, before: dict[str, str], now: dict[str, str | None], same: bool) -> None:
        assert is_same_data(before, now) is same
