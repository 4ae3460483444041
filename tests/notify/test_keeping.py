"""Specifies `devinit.notify.discovery.keeping`: a file that is true while its service is ready, and gone after."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from devinit.model.service import Endpoint, Project
from devinit.notify.discovery.keeping import DiscoveryFiles
from devinit.notify.notifier import Address, Surroundings
from devinit.system.writer import WRITER_FILE
from tests.supervisor.conftest import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

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


def discovery_files(
    root: Path, tasks: asyncio.TaskGroup, note: Callable[[str], None] = print, *, writer: str = "here"
) -> DiscoveryFiles:
    """Return what keeps the discovery files of a checkout; `writer`: the id of its state folder."""
    state = root.with_name(f"{root.name}-state-{writer}")
    state.mkdir(exist_ok=True)
    (state / WRITER_FILE).write_text(writer)
    return DiscoveryFiles(Surroundings(root=root, state=state, tasks=tasks, note=note))


def announce(
    files: DiscoveryFiles,
    file: str,
    process_id: int,
    refresh_seconds: float,
    *,
    per_process: bool = False,
    service: str = "backend",
) -> None:
    """Pass on that a service is ready whose discovery file this is."""
    project = Project(
        name="shop",
        root=Path("/srv/shop"),
        services={},
        discovery={service: file},
        discovery_refresh_seconds=refresh_seconds,
        discovery_per_process=per_process,
    )
    files.ready(Address(endpoint=replace(BACKEND, service=service), process_id=process_id), project)


class TestADiscoveryFile:
    async def test_tells_where_the_service_listens_and_as_which_process(self, tmp_path: Path) -> None:
        async with asyncio.TaskGroup() as tasks:
            announce(discovery_files(tmp_path, tasks), "backend.json", 42, 0)

        found = read(tmp_path / "backend.json")
        assert {key: found[key] for key in ("port", "host", "url", "process_id")} == {
            "port": 8001,
            "host": "localhost",
            "url": "http://localhost:8001",
            "process_id": 42,
        }

    async def test_is_refreshed_while_the_service_is_ready(self, tmp_path: Path) -> None:
        path = tmp_path / "backend.json"
        async with asyncio.TaskGroup() as tasks:
            discovery = discovery_files(tmp_path, tasks)
            announce(discovery, "backend.json", 42, 0.01)
            first = path.stat().st_ino
            await asyncio.to_thread(wait_until, lambda: path.stat().st_ino != first, path)
            discovery.gone("backend")

    async def test_wakes_the_supervisor_once_however_many_there_are(self, tmp_path: Path) -> None:
        async with asyncio.TaskGroup() as tasks:
            discovery = discovery_files(tmp_path, tasks)
            before = asyncio.all_tasks()

            for name in ("one", "two", "three"):
                announce(discovery, f"{name}.json", 42, 10, service=name)

            assert len(asyncio.all_tasks() - before) == 1
            for name in ("one", "two", "three"):
                discovery.gone(name)
            await asyncio.sleep(0)
            assert asyncio.all_tasks() == before

    async def test_wakes_nobody_when_it_is_not_refreshed(self, tmp_path: Path) -> None:
        async with asyncio.TaskGroup() as tasks:
            discovery = discovery_files(tmp_path, tasks)
            before = asyncio.all_tasks()

            announce(discovery, "backend.json", 42, 10)
            announce(discovery, "backend.json", 42, 0)
            await asyncio.sleep(0)

            assert asyncio.all_tasks() == before

    async def test_is_removed_when_the_service_is_not_ready_any_more(self, tmp_path: Path) -> None:
        path = tmp_path / "backend.json"
        async with asyncio.TaskGroup() as tasks:
            discovery = discovery_files(tmp_path, tasks)
            announce(discovery, "backend.json", 42, 10)

            discovery.gone("backend")

        assert not path.exists()

    async def test_of_a_later_run_is_left_alone(self, tmp_path: Path) -> None:
        path = tmp_path / "backend.json"
        async with asyncio.TaskGroup() as tasks:
            discovery = discovery_files(tmp_path, tasks)
            announce(discovery, "backend.json", 42, 0)
            path.write_text(json.dumps({**read(path), "process_id": 43}))

            discovery.gone("backend")

        assert read(path)["process_id"] == 43

    async def test_stays_when_the_supervisor_leaves_its_services_running(self, tmp_path: Path) -> None:
        path = tmp_path / "backend.json"
        async with asyncio.TaskGroup() as tasks:
            discovery = discovery_files(tmp_path, tasks)
            announce(discovery, "backend.json", 42, 10)

            discovery.leave()

        assert path.exists()

    async def test_that_cannot_be_written_is_told_once_and_harms_nobody(self, tmp_path: Path) -> None:
        notes: list[str] = []
        async with asyncio.TaskGroup() as tasks:
            discovery = discovery_files(tmp_path, tasks, notes.append)
            announce(discovery, "missing/file.json", 42, 0.01)
            announce(discovery, "file.json", 42, 0.01, service="other")
            first = (tmp_path / "file.json").stat().st_ino
            await asyncio.to_thread(
                wait_until, lambda: (tmp_path / "file.json").stat().st_ino != first, tmp_path / "file.json"
            )
            discovery.leave()

        [note] = notes
        assert "cannot be written" in note
        assert note.endswith("clients of backend may not find it")

    async def test_of_a_service_that_was_never_announced_is_nobodys(self, tmp_path: Path) -> None:
        async with asyncio.TaskGroup() as tasks:
            discovery_files(tmp_path, tasks).gone("backend")


class TestADiscoveryFileOfAnotherSupervisor:
    """A container and its host share a checkout, and have state folders and pids of their own."""

    async def test_stays_while_that_supervisor_keeps_it(self, tmp_path: Path) -> None:
        path = tmp_path / "backend.json"
        notes: list[str] = []
        async with asyncio.TaskGroup() as tasks:
            host = discovery_files(tmp_path, tasks, writer="host")
            container = discovery_files(tmp_path, tasks, notes.append, writer="container")
            announce(host, "backend.json", 42, 10)
            before = path.read_bytes()

            announce(container, "backend.json", 42, 10)
            container.renew()
            container.gone("backend")

            assert path.read_bytes() == before
            host.gone("backend")
        assert not path.exists()
        [note] = notes
        assert "another state folder" in note

    async def test_is_taken_over_when_it_is_out_of_date(self, tmp_path: Path) -> None:
        path = tmp_path / "backend.json"
        async with asyncio.TaskGroup() as tasks:
            announce(discovery_files(tmp_path, tasks, writer="host"), "backend.json", 41, 0)
            path.write_text(json.dumps({**read(path), "timestamp": read(path)["timestamp"] - 31}))
            container = discovery_files(tmp_path, tasks, writer="container")

            announce(container, "backend.json", 42, 0)

            assert read(path)["process_id"] == 42
            container.gone("backend")
        assert not path.exists()

    async def test_for_one_process_stays_although_its_pid_means_nothing_here(self, tmp_path: Path) -> None:
        async with asyncio.TaskGroup() as tasks:
            with process_of_the_host() as there:
                announce(
                    discovery_files(tmp_path, tasks, writer="host"),
                    ".backend-port.json",
                    there.pid,
                    0,
                    per_process=True,
                )
            announce(
                discovery_files(tmp_path, tasks, writer="container"),
                ".backend-port.json",
                os.getpid(),
                0,
                per_process=True,
            )

        assert f".backend-port.{there.pid}.json" in names_in(tmp_path)

    async def test_that_came_along_with_a_copy_of_the_checkout_is_replaced(self, tmp_path: Path) -> None:
        original, copy = tmp_path / "original", tmp_path / "copy"
        original.mkdir()
        async with asyncio.TaskGroup() as tasks:
            announce(discovery_files(original, tasks, writer="one"), "backend.json", 41, 0)
            shutil.copytree(original, copy)

            announce(discovery_files(copy, tasks, writer="two"), "backend.json", 42, 0)

        assert read(copy / "backend.json")["process_id"] == 42


class TestDiscoveryFilesOfEachProcess:
    async def test_come_and_go_with_the_one_that_all_share(self, tmp_path: Path) -> None:
        async with asyncio.TaskGroup() as tasks:
            discovery = discovery_files(tmp_path, tasks)

            announce(discovery, ".backend-port.json", 42, 0, per_process=True)

            assert read(tmp_path / ".backend-port.json") == read(tmp_path / ".backend-port.42.json")
            discovery.gone("backend")
        assert names_in(tmp_path) == set()

    async def test_replace_those_of_processes_that_were_killed(self, tmp_path: Path) -> None:
        killed = pid_of_a_process_that_ended()
        async with asyncio.TaskGroup() as tasks:
            announce(discovery_files(tmp_path, tasks), ".backend-port.json", killed, 0, per_process=True)
            announce(discovery_files(tmp_path, tasks), ".backend-port.json", os.getpid(), 0, per_process=True)

        assert names_in(tmp_path) == {
            ".backend-port.json",
            f".backend-port.{os.getpid()}.json",
        }
