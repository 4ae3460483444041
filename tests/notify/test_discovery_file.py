"""Specifies `devinit.notify.discovery.file`: what a discovery file says, and which file is one."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from stat import S_IMODE

import pytest
from msgspec import structs

from devinit.errors import StateFileError
from devinit.model.service import Endpoint
from devinit.notify.discovery.file import (
    for_process,
    remove_dead,
    remove_discovery,
    write_discovery,
)

BACKEND = Endpoint(service="backend", host="127.0.0.1", port=8001, url="http://localhost:8001")
NOW = 1_750_000_000.75


def write(path: Path, endpoint: Endpoint, *, process_id: int, now: float, root: Path | None = None) -> None:
    """Write a discovery file of a project, which is its folder unless another one is given."""
    write_discovery(root or path.parent, path, endpoint, process_id=process_id, now=now)


class TestADiscoveryFile:
    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        return tmp_path / ".backend-port.json"

    def test_has_the_types_and_units_that_other_programs_rely_on(self, path: Path) -> None:
        write(path, BACKEND, process_id=4242, now=NOW)

        assert path.read_text() == (
            '{"port":8001,"host":"localhost","url":"http://localhost:8001",'
            '"timestamp":1750000000,"process_id":4242}\n'
        )
        assert S_IMODE(path.stat().st_mode) == 0o600

    @pytest.mark.parametrize(
        ("url", "host", "written"),
        [
            ("http://localhost:8001/app?x=1", "localhost", "http://localhost:8001"),
            ("http://[::1]:8001/", "::1", "http://[::1]:8001"),
            ("postgresql://ada:p%40ss@127.0.0.1:5432/shop", "127.0.0.1", "postgresql://127.0.0.1:8001"),
            ("rediss://:secret@cache.example.com", "cache.example.com", "rediss://cache.example.com:8001"),
            (None, "localhost", "http://localhost:8001"),
        ],
    )
    def test_has_a_url_of_its_own_fields_without_path_user_and_password(
        self, path: Path, url: str | None, host: str, written: str
    ) -> None:
        write(path, structs.replace(BACKEND, url=url), process_id=4242, now=NOW)

        said = json.loads(path.read_text())
        assert (said["host"], said["url"]) == (host, written)

    @pytest.mark.parametrize(
        ("url", "port", "written"),
        [
            ("http://localhost:80/", 80, "http://localhost"),
            ("https://localhost:443", 443, "https://localhost"),
        ],
    )
    def test_has_a_url_without_the_usual_port_of_its_scheme(
        self, path: Path, url: str, port: int, written: str
    ) -> None:
        write(path, structs.replace(BACKEND, url=url, port=port), process_id=4242, now=NOW)

        said = json.loads(path.read_text())
        assert (said["port"], said["url"]) == (port, written)

    def test_is_younger_when_it_is_written_again(self, path: Path) -> None:
        write(path, BACKEND, process_id=4242, now=NOW)
        write(path, BACKEND, process_id=4242, now=NOW + 10)

        assert json.loads(path.read_text())["timestamp"] == 1_750_000_010

    def test_goes_when_its_service_stops(self, path: Path) -> None:
        write(path, BACKEND, process_id=4242, now=NOW)

        assert remove_discovery(path.parent, path, port=8001, process_id=4242)
        assert not path.exists()

    @pytest.mark.parametrize(("port", "process_id"), [(8002, 4242), (8001, 4243)])
    def test_stays_when_it_speaks_of_another_run(self, path: Path, port: int, process_id: int) -> None:
        write(path, BACKEND, process_id=4242, now=NOW)

        assert not remove_discovery(path.parent, path, port=port, process_id=process_id)
        assert path.exists()

    @pytest.mark.parametrize(
        "content", ["", "[]", "{", '{"port": 8001}', '{"port": "8001", "process_id": 4242}']
    )
    def test_stays_when_it_cannot_be_read(self, path: Path, content: str) -> None:
        path.write_text(content)

        assert not remove_discovery(path.parent, path, port=8001, process_id=4242)
        assert path.read_text() == content

    def test_may_be_gone_already(self, path: Path) -> None:
        assert not remove_discovery(path.parent, path, port=8001, process_id=4242)

    def test_is_not_waited_for_when_it_was_replaced_by_a_fifo(self, path: Path) -> None:
        os.mkfifo(path)

        assert not remove_discovery(path.parent, path, port=8001, process_id=4242)


class TestADiscoveryFileThatIsNone:
    @pytest.mark.parametrize("target", ["inside.json", "../outside.json", "nowhere.json"])
    def test_is_not_written_through_a_link(self, tmp_path: Path, target: str) -> None:
        root = tmp_path / "shop"
        root.mkdir()
        (tmp_path / "outside.json").write_text("precious")
        (root / "inside.json").write_text("precious")
        (root / ".backend-port.json").symlink_to(target)

        with pytest.raises(StateFileError, match=r"\.backend-port\.json is a symbolic link, not a file"):
            write_discovery(root, root / ".backend-port.json", BACKEND, process_id=4242, now=NOW)

        assert (root / ".backend-port.json").is_symlink()
        assert {path.read_text() for path in (tmp_path / "outside.json", root / "inside.json")} == {
            "precious"
        }

    def test_is_not_written_through_a_folder_that_is_a_link_out_of_the_project(self, tmp_path: Path) -> None:
        root = tmp_path / "shop"
        root.mkdir()
        (tmp_path / "shop-of-others").mkdir()
        (root / "frontend").symlink_to("../shop-of-others")

        with pytest.raises(StateFileError, match="outside of the project") as caught:
            write_discovery(root, root / "frontend" / "port.json", BACKEND, process_id=4242, now=NOW)

        assert caught.value.hint is not None
        assert list((tmp_path / "shop-of-others").iterdir()) == []

    def test_is_not_removed_through_a_folder_that_is_a_link_out_of_the_project(self, tmp_path: Path) -> None:
        root, others = tmp_path / "shop", tmp_path / "shop-of-others"
        for folder in (root, others):
            folder.mkdir()
        (root / "frontend").symlink_to(others)
        with subprocess.Popen(["true"]) as ended:
            pass
        path = root / "frontend" / "port.json"
        theirs = [others / "port.json", for_process(others / "port.json", ended.pid)]
        for file in theirs:
            write(file, BACKEND, process_id=ended.pid, now=NOW, root=others)

        assert not remove_discovery(root, path, port=8001, process_id=ended.pid)
        remove_dead(root, path, now=NOW)

        assert sorted(others.iterdir()) == sorted(theirs)

    def test_is_written_through_a_folder_that_is_a_link_within_the_project(self, tmp_path: Path) -> None:
        (tmp_path / "packages").mkdir()
        (tmp_path / "frontend").symlink_to("packages")

        write(tmp_path / "frontend" / "port.json", BACKEND, process_id=4242, now=NOW, root=tmp_path)

        assert (tmp_path / "packages" / "port.json").exists()

    def test_is_not_written_over_a_fifo_or_a_folder(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "named pipe")
        (tmp_path / "directory").mkdir()

        for kind in ("named pipe", "directory"):
            with pytest.raises(StateFileError, match=f"is a {kind}, not a file"):
                write(tmp_path / kind, BACKEND, process_id=4242, now=NOW)


class TestAFileThatADiscoveryFileWouldReplace:
    @pytest.mark.parametrize(
        "content",
        [
            "SECRET=keepme\n",
            '{"name": "shop"}',
            "[1]",
            "8001",
            '"port"',
            "[" * 200_000,
            "port: 8001",
            '{"port": 3000}',
            '{"port": 1, "process_id": 2, "password": "x"}',
            '{"host": "localhost", "port": 5432, "username": "u"}',
        ],
    )
    def test_stays_as_it_is_when_it_is_another_one(self, tmp_path: Path, content: str) -> None:
        path = tmp_path / ".env"
        path.write_text(content)

        with pytest.raises(StateFileError, match=r"\.env is no discovery file"):
            write(path, BACKEND, process_id=4242, now=NOW)

        assert path.read_text() == content

    @pytest.mark.parametrize("content", ["", "\0" * 100, '{"port": 1, "timestamp": "2025-01-01T00:00:00Z"}'])
    def test_is_replaced_when_it_is_one_or_is_empty(self, tmp_path: Path, content: str) -> None:
        path = tmp_path / ".backend-port.json"
        path.write_text(content)

        write(path, BACKEND, process_id=4242, now=NOW)

        assert json.loads(path.read_text())["port"] == 8001


class TestADiscoveryFileForOneProcess:
    @pytest.mark.parametrize(
        ("file", "own"),
        [
            (".backend-port.json", ".backend-port.4242.json"),
            ("web/port.json", "web/port.4242.json"),
            (".backend", ".backend.4242"),
        ],
    )
    def test_has_the_pid_in_its_name(self, file: str, own: str) -> None:
        assert for_process(Path(file), 4242) == Path(own)

    def test_is_removed_when_its_process_is_not_there_any_more(self, tmp_path: Path) -> None:
        path = tmp_path / ".backend-port.json"
        with subprocess.Popen(["true"]) as ended:
            pass
        for pid in (os.getpid(), ended.pid):
            write(for_process(path, pid), BACKEND, process_id=pid, now=NOW)

        remove_dead(path.parent, path, now=NOW)

        assert [each.name for each in tmp_path.iterdir()] == [f".backend-port.{os.getpid()}.json"]

    def test_stays_when_it_is_nested_too_deeply_to_be_read(self, tmp_path: Path) -> None:
        path = tmp_path / ".backend-port.json"
        with subprocess.Popen(["true"]) as ended:
            pass
        nested = for_process(path, ended.pid)
        for file in (path, nested):
            file.write_text('{"x":' + "[" * 100_000 + "]" * 100_000 + "}")

        remove_dead(path.parent, path, now=NOW)

        assert nested.exists()
        assert not remove_discovery(tmp_path, path, port=8001, process_id=ended.pid)

    def test_stays_when_it_is_not_proven_to_be_one(self, tmp_path: Path) -> None:
        path = tmp_path / ".backend-port.json"
        with subprocess.Popen(["true"]) as ended:
            pass
        write(for_process(path, ended.pid), BACKEND, process_id=4242, now=NOW)
        (tmp_path / ".backend-port.settings.json").write_text("{}")
        (tmp_path / f".backend-port.{'9' * 30}.json").write_text("{}")
        os.mkfifo(tmp_path / ".backend-port.99999999.json")
        before = sorted(tmp_path.iterdir())

        remove_dead(path.parent, path, now=NOW)

        assert sorted(tmp_path.iterdir()) == before
