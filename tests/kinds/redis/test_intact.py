"""Specifies which losses of a Redis's files are noticed before it starts without its data."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from devinit.errors import ProviderError, StateFileError
from devinit.kinds.redis.intact import Files, lacking, rebuilt

if TYPE_CHECKING:
    from tests.kinds.conftest import Bench

BASE, INCREMENT = "appendonly.aof.1.base.rdb", "appendonly.aof.1.incr.aof"
MANIFEST = f"file {BASE} seq 1 type b\nfile {INCREMENT} seq 1 type i\n"
LATER = {"appendonly.aof.2.base.rdb": 500, "appendonly.aof.2.incr.aof": 0}


def files(
    *, manifest: str | None = MANIFEST, parts: dict[str, int] | None = None, snapshot: bool = False
) -> Files:
    sizes = {BASE: 88, INCREMENT: 50} if parts is None else parts
    return Files(manifest=manifest, parts=sizes, single_file=False, snapshot=snapshot)


def lost(found: Files, *, was_ready: bool = True) -> str:
    return lacking(found, was_ready=was_ready, several=True)


def with_a_key(bench: Bench, binary: Path) -> Path:
    """Return the data folder of a server that was stopped."""
    server = bench.start(bench.redis(binary))
    server.redis("SET colour blue")
    server.stop()
    [data] = [path for path in (bench.data / "redis").iterdir() if path.is_dir()]
    return data


def remove(data: Path, name: str) -> None:
    (data / name).unlink()


def empty(data: Path, name: str) -> None:
    (data / name).write_bytes(b"")


def empty_folder(data: Path) -> None:
    shutil.rmtree(data)
    data.mkdir()


def state_of(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class TestFilesOfSeveralParts:
    def test_lack_nothing_when_all_that_the_manifest_names_is_there(self) -> None:
        assert lost(files()) == ""
        assert lost(files(parts={BASE: 88, INCREMENT: 0})) == ""

    def test_lack_the_manifest(self) -> None:
        assert lost(files(manifest=None)) == "appendonlydir/appendonly.aof.manifest is missing"
        assert lost(files(manifest=" \n")) == "appendonlydir/appendonly.aof.manifest is empty"

    def test_lack_a_part_that_the_manifest_names(self) -> None:
        assert lost(files(parts={BASE: 88})) == f"appendonlydir/{INCREMENT} is missing"
        assert lost(files(parts={INCREMENT: 50})) == f"appendonlydir/{BASE} is missing"

    def test_lack_what_was_in_a_base_that_is_empty(self) -> None:
        assert lost(files(parts={BASE: 0, INCREMENT: 50})) == f"appendonlydir/{BASE} is empty"

    def test_lack_everything_when_a_server_was_ready_or_left_a_snapshot(self) -> None:
        nothing = Files(manifest=None, parts=None, single_file=False, snapshot=False)

        assert lost(nothing) == "appendonlydir is missing"
        assert lost(files(manifest=None, parts={}, snapshot=True), was_ready=False) != ""

    @pytest.mark.parametrize("parts", [{BASE: 88, INCREMENT: 50}, LATER])
    def test_are_missed_also_where_nothing_is_on_record(self, parts: dict[str, int]) -> None:
        assert lost(files(manifest=None, parts=parts), was_ready=False) != ""

    @pytest.mark.parametrize("parts", [{}, {BASE: 88}, {BASE: 88, INCREMENT: 0}, {"temp-1.rdb": 10}])
    def test_are_not_missed_where_a_first_start_was_killed(self, parts: dict[str, int]) -> None:
        assert lost(files(manifest=None, parts=parts), was_ready=False) == ""


class TestTheOneFileOfRedis6:
    @pytest.mark.parametrize(
        ("there", "snapshot", "was_ready", "says"),
        [
            (True, True, True, ""),
            (False, False, False, ""),
            (False, True, False, "appendonly.aof is missing"),
            (False, False, True, "appendonly.aof is missing"),
        ],
    )
    def test_is_missed_where_there_was_data(
        self, there: bool, snapshot: bool, was_ready: bool, says: str
    ) -> None:
        found = Files(manifest=None, parts=None, single_file=there, snapshot=snapshot)

        assert lacking(found, was_ready=was_ready, several=False) == says


class TestALostManifest:
    def test_is_rebuilt_from_the_parts_that_it_named(self) -> None:
        assert rebuilt({INCREMENT: 50, BASE: 88}) == MANIFEST.splitlines()

    @pytest.mark.parametrize("parts", [{INCREMENT: 50}, {BASE: 88, **LATER}, {}])
    def test_is_not_where_it_is_not_plain_which_these_were(self, parts: dict[str, int]) -> None:
        assert rebuilt(parts) == []


class TestAServer:
    @pytest.mark.parametrize(
        ("damage", "says"),
        [
            (lambda data: remove(data, "appendonlydir/appendonly.aof.manifest"), r"manifest is missing"),
            (lambda data: empty(data, "appendonlydir/appendonly.aof.manifest"), r"manifest is empty"),
            (lambda data: remove(data, f"appendonlydir/{INCREMENT}"), r"1\.incr\.aof is missing"),
            (lambda data: remove(data, f"appendonlydir/{BASE}"), r"1\.base\.rdb is missing"),
            (lambda data: empty(data, f"appendonlydir/{BASE}"), r"1\.base\.rdb is empty"),
            (lambda data: shutil.rmtree(data / "appendonlydir"), r"appendonlydir is missing"),
            (empty_folder, r"appendonlydir is missing"),
        ],
    )
    def test_does_not_start_without_its_data(
        self, bench: Bench, redis_binary: Path, damage: Callable[[Path], object], says: str
    ) -> None:
        data = with_a_key(bench, redis_binary)
        damage(data)
        before = state_of(data)

        with pytest.raises(ProviderError, match=says) as error:
            bench.prepare(bench.redis(redis_binary))

        assert "nothing was changed" in str(error.value.hint)
        assert "begin with empty data: mv " in str(error.value.hint)
        assert state_of(data) == before

    @pytest.mark.parametrize("name", ["appendonlydir/appendonly.aof.manifest", "server.pid"])
    def test_does_not_start_with_a_named_pipe_in_place_of_a_file(
        self, bench: Bench, redis_binary: Path, name: str
    ) -> None:
        data = with_a_key(bench, redis_binary)
        (data / name).unlink(missing_ok=True)
        os.mkfifo(data / name)

        with pytest.raises(StateFileError, match=f"{name} is a named pipe, not a file"):
            bench.prepare(bench.redis(redis_binary))

    @pytest.mark.parametrize(
        ("damage", "way"),
        [
            (lambda data: remove(data, "appendonlydir/appendonly.aof.manifest"), "the manifest anew: "),
            (lambda data: remove(data, f"appendonlydir/{INCREMENT}"), "the last snapshot: "),
            (lambda data: shutil.rmtree(data / "appendonlydir"), "the last snapshot: "),
        ],
    )
    def test_has_its_data_again_by_the_way_that_is_named(
        self, bench: Bench, redis_binary: Path, damage: Callable[[Path], object], way: str
    ) -> None:
        damage(with_a_key(bench, redis_binary))
        with pytest.raises(ProviderError) as error:
            bench.prepare(bench.redis(redis_binary))

        [command] = [line for line in str(error.value.hint).splitlines() if line.startswith(way)]
        subprocess.run(["sh", "-c", command.removeprefix(way)], check=True)

        assert bench.start(bench.redis(redis_binary)).redis("GET colour") == "$4\r\nblue\r\n"

    def test_begins_anew_where_the_whole_folder_was_put_aside(self, bench: Bench, redis_binary: Path) -> None:
        data = with_a_key(bench, redis_binary)
        data.rename(data.with_name("aside"))

        assert bench.start(bench.redis(redis_binary)).redis("DBSIZE") == ":0\r\n"

    def test_that_was_killed_during_its_first_start_is_started_again(
        self, bench: Bench, redis_binary: Path
    ) -> None:
        server = bench.spawn(bench.redis(redis_binary))
        server.kill()

        assert bench.start(bench.redis(redis_binary)).redis("PING") == "+PONG\r\n"
