"""Specifies `devinit.supervisor.reporting.discovery`: a file that is true while its service is ready, and gone after."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from devinit.model.service import Endpoint
from devinit.supervisor.reporting.discovery import Discovery

if TYPE_CHECKING:
    from pathlib import Path

    from tests.supervisor.conftest import Until

BACKEND = Endpoint(service="backend", host="127.0.0.1", port=8001, url="http://localhost:8001")


def read(path: Path) -> dict[str, Any]:  # JSON
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def pid_of_a_process_that_ended() -> int:
    with subprocess.Popen(["true"]) as ended:
        return ended.pid


def process_of_the_host() -> subprocess.Popen[bytes]:
    """Return a process that ends with its `with`: from then on its pid means nothing here."""
    return subprocess.Popen(["cat"], stdin=subprocess.PIPE)


class TestADiscoveryFile:
    async def test_tells_where_the_service_listens_and_as_which_process(self, tmp_path: Path) -> None:
        async with asyncio.TaskGroup() as tasks:
            Discovery(tmp_path, tasks, print).announce("backend.json", BACKEND, 42, 0)

        found = read(tmp_path / "backend.json")
        assert {key: found[key] for key in ("port", "host", "url", "process_id")} == {
            "port": 8001,
            "host": "localhost",
            "url": "http://localhost:8001",
            "process_id": 42,
        }

    async def test_is_refreshed_while_the_service_is_ready(self, tmp_path: Path, until: Until) -> None:
        path = tmp_path / "backend.json"
        async with asyncio.TaskGroup() as tasks:
            discovery = Discovery(tmp_path, tasks, print)
            discovery.announce("backend.json", BACKEND, 42, 0.01)
            first = path.stat().st_ino
            await asyncio.to_thread(until, lambda: path.stat().st_ino != first, path)
            discovery.withdraw("backend")

    async def test_wakes_the_supervisor_once_however_many_there_are(self, tmp_path: Path) -> None:
        async with asyncio.TaskGroup() as tasks:
            discovery = Discovery(tmp_path, tasks, print)
            before = asyncio.all_tasks()

            for name in ("one", "two", "three"):
                discovery.announce(f"{name}.json", replace(BACKEND, service=name), 42, 10)

            assert len(asyncio.all_tasks() - before) == 1
            for name in ("one", "two", "three"):
                discovery.withdraw(name)
            await asyncio.sleep(0)
            assert asyncio.all_tasks() == before

    async def test_wakes_nobody_when_it_is_not_refreshed(self, tmp_path: Path) -> None:
        async with asyncio.TaskGroup() as tasks:
            discovery = Discovery(tmp_path, tasks, print)
            before = asyncio.all_tasks()

            discovery.announce("backend.json", BACKEND, 42, 10)
            discovery.announce("backend.json", BACKEND, 42, 0)
            await asyncio.sleep(0)

            assert asyncio.all_tasks() == before

    async def test_is_removed_when_the_service_is_not_ready_any_more(self, tmp_path: Path) -> None:
        path = tmp_path / "backend.json"
        async with asyncio.TaskGroup() as tasks:
            discovery = Discovery(tmp_path, tasks, print)
            discovery.announce("backend.json", BACKEND, 42, 10)

            discovery.withdraw("backend")

        assert not path.exists()

    async def test_of_a_later_run_is_left_alone(self, tmp_path: Path) -> None:
        path = tmp_path / "backend.json"
        async with asyncio.TaskGroup() as tasks:
            discovery = Discovery(tmp_path, tasks, print)
            discovery.announce("backend.json", BACKEND, 42, 0)
            path.write_text(json.dumps({**read(path), "process_id": 43}))

            discovery.withdraw("backend")

        assert read(path)["process_id"] == 43

    async def test_stays_when_the_supervisor_leaves_its_services_running(self, tmp_path: Path) -> None:
        path = tmp_path / "backend.json"
        async with asyncio.TaskGroup() as tasks:
            discovery = Discovery(tmp_path, tasks, print)
            discovery.announce("backend.json", BACKEND, 42, 10)

            discovery.leave()

        assert path.exists()

    async def test_that_cannot_be_written_is_told_once_and_harms_nobody(
        self, tmp_path: Path, until: Until
    ) -> None:
        notes: list[str] = []
        async with asyncio.TaskGroup() as tasks:
            discovery = Discovery(tmp_path, tasks, notes.append)
            discovery.announce("missing/file.json", BACKEND, 42, 0.01)
            discovery.announce("file.json", replace(BACKEND, service="other"), 42, 0.01)
            first = (tmp_path / "file.json").stat().st_ino
            await asyncio.to_thread(
                until, lambda: (tmp_path / "file.json").stat().st_ino != first, tmp_path / "file.json"
            )
            discovery.leave()

        [note] = notes
        assert "cannot be written" in note
        assert note.endswith("clients of backend may not find it")

    async def test_of_a_service_that_was_never_announced_is_nobodys(self, tmp_path: Path) -> None:
        async with asyncio.TaskGroup() as tasks:
            Discovery(tmp_path, tasks, print).withdraw("backend")


class TestADiscoveryFileOfAnotherSupervisor:
    """A container and its host share a checkout, and have state folders and pids of their own."""

    async def test_stays_while_that_supervisor_keeps_it(self, tmp_path: Path) -> None:
        path = tmp_path / "backend.json"
        notes: list[str] = []
        async with asyncio.TaskGroup() as tasks:
            host = Discovery(tmp_path, tasks, print, writer="host")
            container = Discovery(tmp_path, tasks, notes.append, writer="container")
            host.announce("backend.json", BACKEND, 42, 10)
            before = path.read_bytes()

            container.announce("backend.json", BACKEND, 42, 10)
            container.renew()
            container.withdraw("backend")

            assert path.read_bytes() == before
            host.withdraw("backend")
        assert not path.exists()
        [note] = notes
        assert "another state folder" in note

    async def test_is_taken_over_when_it_is_out_of_date(self, tmp_path: Path) -> None:
        path = tmp_path / "backend.json"
        async with asyncio.TaskGroup() as tasks:
            Discovery(tmp_path, tasks, print, writer="host").announce("backend.json", BACKEND, 41, 0)
            path.write_text(json.dumps({**read(path), "timestamp": read(path)["timestamp"] - 31}))
            container = Discovery(tmp_path, tasks, print, writer="container")

            container.announce("backend.json", BACKEND, 42, 0)

            assert read(path)["process_id"] == 42
            container.withdraw("backend")
        assert not path.exists()

    async def test_for_one_process_stays_although_its_pid_means_nothing_here(self, tmp_path: Path) -> None:
        async with asyncio.TaskGroup() as tasks:
            with process_of_the_host() as there:
                Discovery(tmp_path, tasks, print, writer="host").announce(
                    ".backend-port.json", BACKEND, there.pid, 0, per_process=True
                )
            Discovery(tmp_path, tasks, print, writer="container").announce(
                ".backend-port.json", BACKEND, os.getpid(), 0, per_process=True
            )

        assert f".backend-port.{there.pid}.json" in names_in(tmp_path)

    async def test_that_came_along_with_a_copy_of_the_checkout_is_replaced(self, tmp_path: Path) -> None:
        original, copy = tmp_path / "original", tmp_path / "copy"
        original.mkdir()
        async with asyncio.TaskGroup() as tasks:
            Discovery(original, tasks, print, writer="one").announce("backend.json", BACKEND, 41, 0)
            shutil.copytree(original, copy)

            Discovery(copy, tasks, print, writer="two").announce("backend.json", BACKEND, 42, 0)

        assert read(copy / "backend.json")["process_id"] == 42


class TestDiscoveryFilesOfEachProcess:
    async def test_come_and_go_with_the_one_that_all_share(self, tmp_path: Path) -> None:
        async with asyncio.TaskGroup() as tasks:
            discovery = Discovery(tmp_path, tasks, print)

            discovery.announce(".backend-port.json", BACKEND, 42, 0, per_process=True)

            assert read(tmp_path / ".backend-port.json") == read(tmp_path / ".backend-port.42.json")
            discovery.withdraw("backend")
        assert names_in(tmp_path) == set()

    async def test_replace_those_of_processes_that_were_killed(self, tmp_path: Path) -> None:
        killed = pid_of_a_process_that_ended()
        async with asyncio.TaskGroup() as tasks:
            Discovery(tmp_path, tasks, print).announce(
                ".backend-port.json", BACKEND, killed, 0, per_process=True
            )
            Discovery(tmp_path, tasks, print).announce(
                ".backend-port.json", BACKEND, os.getpid(), 0, per_process=True
            )

        assert names_in(tmp_path) == {
            ".backend-port.json",
            f".backend-port.{os.getpid()}.json",
        }
