"""Specifies `devinit.system.old_layout` where an earlier version of devinit was used between two uses of this one.

A commit that brings it is checked out, and the branch again. What it made lies in `.devinit`, and the state folder is
there with what this version made before.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from devinit.control import checkouts
from devinit.errors import StateFileError
from devinit.model.service import Service
from devinit.supervisor.record.state_file import ServiceRecord, State, encoder
from devinit.system import state_folders
from devinit.system.checkout import claim
from devinit.system.file_lock import FileLock
from devinit.system.paths import SUPERVISOR_LOCK
from devinit.system.processes import boot_id
from tests.kinds.conftest import any_postgres
from tests.places import state_of
from tests.supervisor.conftest import FreePorts, Shop
from tests.supervisor.test_old_layout import forget_writer, keys_of, needs_redis, set_key
from tests.supervisor.test_upgrades import FIRST, looked_after_by

__all__ = ["any_postgres"]


@contextmanager
def earlier_version(shop: Shop) -> Iterator[None]:
    """Let what happens meanwhile be done by a version that keeps everything in `.devinit`."""
    folder, aside = state_of(shop.root), shop.root.parent / "later"
    move_all(folder, aside)
    yield
    forget_writer(shop)
    move_all(folder, shop.root / ".devinit")
    move_all(aside, folder)


def move_all(source: Path, target: Path) -> None:
    target.mkdir(exist_ok=True)
    for path in source.iterdir():
        if path.name != "checkout":
            path.rename(target / path.name)


def stop(shop: Shop) -> None:
    assert shop("stop").returncode == 0
    shop.expect_nothing_left()


@pytest.fixture
def known(shop: Shop, port: int) -> Shop:
    """A project that was started and stopped, and has a state folder."""
    shop.service("web", "say=by-the-later", port=port)
    shop.up()
    stop(shop)
    return shop


@pytest.fixture
def cache(known: Shop, free_ports: FreePorts) -> int:
    """The port of a Redis that was never started."""
    port = free_ports(1)[0]
    known.server("cache", provider="redis", port=port)
    return port


def own_files(shop: Shop) -> set[str]:
    return {path.name for path in (shop.root / ".devinit").iterdir()}


@needs_redis
class TestDataThatOnlyTheEarlierVersionHas:
    def test_moves_over(self, known: Shop, cache: int) -> None:
        with earlier_version(known):
            known.up("cache")
            set_key(cache)
            stop(known)

        known.up("cache")

        assert keys_of(cache) == "row"
        assert own_files(known) == {".gitignore", "identity"}

    def test_moves_over_to_notes_about_data_that_never_came(self, known: Shop, cache: int) -> None:
        notes = state_of(known.root) / "data" / "cache"
        notes.mkdir(parents=True)
        (notes / "password").write_text("of nothing\n")
        with earlier_version(known):
            known.up("cache")
            set_key(cache)
            stop(known)

        known.up("cache")

        assert keys_of(cache) == "row"
        assert own_files(known) == {".gitignore", "identity"}

    def test_is_listed_by_the_doctor_until_then(self, known: Shop, cache: int) -> None:
        with earlier_version(known):
            known.up("cache")
            stop(known)

        examined = known("doctor")

        assert examined.returncode == 0
        assert f"an earlier devinit made {known.root}/.devinit/data/cache" in examined.stdout
        assert f"moves it to {state_of(known.root)}/data/cache" in examined.stdout

    def test_follows_a_checkout_that_was_moved_meanwhile(
        self, known: Shop, cache: int, tmp_path: Path
    ) -> None:
        with earlier_version(known):
            known.up("cache")
            set_key(cache)
            stop(known)
        known.root.rename(tmp_path / "market")

        folder = Path(claim(tmp_path / "market"))

        assert (folder / "data" / "cache").is_dir()
        assert not (tmp_path / "market" / ".devinit" / "data").exists()
        assert "by-the-later" in (folder / "logs" / "web.log").read_text()


@needs_redis
class TestDataInBothPlaces:
    @pytest.fixture
    def both(self, known: Shop, cache: int) -> tuple[Path, Path]:
        """The data of a service that an earlier version made, and the one that this version made."""
        for value in ("later", "earlier"):
            if value == "earlier":
                with earlier_version(known):
                    self.fill(known, cache, value)
            else:
                self.fill(known, cache, value)
        return known.root / ".devinit" / "data" / "cache", state_of(known.root) / "data" / "cache"

    def fill(self, shop: Shop, port: int, value: str) -> None:
        shop.up("cache")
        subprocess.run(["redis-cli", "-p", str(port), "set", "kept", value], check=True, capture_output=True)
        stop(shop)

    def test_is_refused_with_both_paths_and_left_alone(
        self, known: Shop, both: tuple[Path, Path], cache: int
    ) -> None:
        before = [sorted(folder.rglob("*")) for folder in both]

        refused = [known(*words) for words in (("start", "-d"), ("start", "-d", "web"), ("restart", "web"))]

        for each in refused:
            assert each.returncode != 0
            assert f"cache has data in two places: {both[0]}" in each.stderr
            assert str(both[1]) in each.stderr
        assert [sorted(folder.rglob("*")) for folder in both] == before

    def test_does_not_keep_a_stopped_project_from_being_looked_at(
        self, known: Shop, both: tuple[Path, Path]
    ) -> None:
        looked = [known(*words) for words in (("status",), ("stop",), ("logs", "web"), ("ports",))]

        assert [each.returncode for each in looked] == [0, 0, 0, 0], looked

    @pytest.mark.parametrize("value", ["later", "earlier"])
    def test_is_chosen_by_the_command_that_the_refusal_names(
        self, known: Shop, both: tuple[Path, Path], cache: int, value: str
    ) -> None:
        kept = {"later": "to keep the current data: ", "earlier": "to use the earlier data: "}[value]
        [line] = [line for line in known("start", "-d").stderr.splitlines() if kept in line]

        subprocess.run(["sh", "-c", line.partition(kept)[2]], check=True)

        known.up("cache")
        assert keys_of(cache) == value
        assert not (known.root / ".devinit" / "data").exists()
        assert len(list((state_of(known.root) / "data").iterdir())) == 2

    def test_is_listed_by_the_doctor_with_the_way_out(self, known: Shop, both: tuple[Path, Path]) -> None:
        examined = known("doctor")

        assert examined.returncode == 1
        assert f"leftovers: cache has data in two places: {both[0]}" in examined.stdout
        assert f"mv {both[1]} {both[1]}.old" in examined.stdout


class TestTheDataOfRootsServers:
    @pytest.mark.skipif(os.geteuid() != 0, reason="only root's servers keep data outside")
    def test_counts_as_this_version_s_where_the_service_was_used(
        self, known: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Data in the state folder would take its place without a word."""
        monkeypatch.setattr(state_folders, "OUTSIDE", str(tmp_path / "lib"))
        folder = state_of(known.root)
        outside = tmp_path / "lib" / folder.name / "db" / "pg15"
        earlier = known.root / ".devinit" / "data" / "db" / "pg15"
        for cluster in (outside, earlier):
            cluster.mkdir(parents=True)
            (cluster / "PG_VERSION").write_text("15\n")
        (folder / "data" / "db").mkdir(parents=True)
        (folder / "data" / "db" / "program.json").write_text("{}")

        with pytest.raises(StateFileError, match=f"db has data in two places: .* and {outside.parent}$"):
            claim(known.root)


class TestServicesThatRun:
    @needs_redis
    def test_are_taken_over_with_their_processes_and_their_data(self, known: Shop, cache: int) -> None:
        with earlier_version(known):
            known.up()
            set_key(cache)
            before = {name: row["pid"] for name, row in known.status().items()}
            known.kill_supervisor()

        after = {name: row["pid"] for name, row in known.status().items()}

        assert after == before
        assert keys_of(cache) == "row"
        assert known("restart", "cache").returncode == 0
        assert keys_of(cache) == "row"
        assert own_files(known) == {".gitignore", "identity"}

    def test_are_taken_over_with_a_postgresql_whose_data_moves_under_it(
        self, known: Shop, free_ports: FreePorts, any_postgres: Path
    ) -> None:
        port = free_ports(1)[0]
        known.server("postgres", provider="postgres", port=port, binaries=str(any_postgres))
        with earlier_version(known):
            known.up()
            before = known.status()["postgres"]["pid"]
            known.kill_supervisor()

        after = known.status()["postgres"]

        assert (after["pid"], after["phase"]) == (before, "ready")
        assert known("check").returncode == 0
        assert known("restart", "postgres").returncode == 0
        assert (state_of(known.root) / "data" / "postgres").is_dir()

    def test_go_on_in_their_logs_before_those_of_the_later_version(self, known: Shop, port: int) -> None:
        known.service("web", "say=by-the-earlier", port=port)
        with earlier_version(known):
            known.up()
            known.kill_supervisor()

        before = known("logs", "web").stdout
        known("restart", "web")
        after = known("logs", "web").stdout

        assert "by-the-earlier" in before
        assert "by-the-later" not in before
        assert after.index("by-the-later") < after.index("by-the-earlier")
        assert after.count("by-the-earlier") == 2

    def test_keep_their_supervisor_where_their_data_cannot_be_taken_over(
        self, known: Shop, port: int
    ) -> None:
        known.up()
        supervisor = looked_after_by(known, FIRST)
        for folder in (known.root / ".devinit", state_of(known.root)):
            (folder / "data" / "cache" / "redis7").mkdir(parents=True)
            (folder / "data" / "cache" / "redis7" / "dump.rdb").write_text("rows")

        refused = [known(*words) for words in (("start", "-d"), ("restart", "web"))]

        assert all("cache has data in two places" in each.stderr for each in refused)
        assert known.supervisors() == [supervisor]


class TestASupervisorOfThisVersionThatRuns:
    def test_has_nothing_moved_under_it(self, known: Shop) -> None:
        left = known.root / ".devinit" / "data" / "cache"
        left.mkdir(parents=True)
        with FileLock(state_of(known.root) / SUPERVISOR_LOCK):
            claim(known.root)

            assert left.is_dir()

        claim(known.root)
        assert not left.exists()


class TestSetUpsAndSecrets:
    @pytest.mark.parametrize("newer", ["earlier", "later"])
    def test_count_as_the_version_left_them_that_was_used_last(self, known: Shop, newer: str) -> None:
        folder, own = state_of(known.root), known.root / ".devinit"
        for version, place in (("later", folder), ("earlier", own)):
            for name in ("setup/web.json", "secrets"):
                (place / name).parent.mkdir(exist_ok=True)
                (place / name).write_text(version)
                os.utime(place / name, (version == newer, version == newer))
        (own / "state.json").write_text("{}")

        claim(known.root)

        assert {(folder / name).read_text() for name in ("setup/web.json", "secrets")} == {newer}


class TestARecordBesideThatOfTheLaterVersion:
    """`git pull` can bring one into a checkout in which devinit is used."""

    def test_runs_nothing_when_none_of_its_processes_runs(self, known: Shop) -> None:
        worker = Service(
            name="worker",
            directory=known.root,
            provider="process",
            command=f"touch {known.root}/pwned",
        )
        state = State(
            root=os.path.realpath(known.root),
            boot_id=boot_id(),
            services={"worker": ServiceRecord(service=worker, proven=True)},
        )
        (known.root / ".devinit" / "state.json").write_bytes(encoder.encode(state))
        assert checkouts.recorded_at(known.root) is not None

        for words in (("status",), ("logs",), ("stop",), ("start", "-d")):
            known(*words)

        assert not (known.root / "pwned").exists()
        assert "worker" not in known.status()

    def test_does_not_displace_the_one_of_services_that_run(self, known: Shop) -> None:
        known.up()
        before = known.status()["web"]["pid"]
        known.kill_supervisor()
        (known.root / ".devinit" / "state.json").write_text('{"version": 1, "services": {"web": {}}}')

        assert known.status()["web"]["pid"] == before
        assert not (known.root / ".devinit" / "state.json").exists()
