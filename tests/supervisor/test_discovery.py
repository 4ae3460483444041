"""Specifies `devinit.supervisor.discovery`: a file that is true while its service is ready, and gone after."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from devinit.model.service import Endpoint
from devinit.supervisor.discovery import Discovery

if TYPE_CHECKING:
    from pathlib import Path

    from tests.supervisor.conftest import Until

BACKEND = Endpoint(service="backend", host="127.0.0.1", port=8001, url="http://localhost:8001")


def read(path: Path) -> dict[str, Any]:  # JSON
    found: dict[str, Any] = json.loads(path.read_text())
    return found


class TestADiscoveryFile:
    async def test_tells_where_the_service_listens_and_as_which_process(self, tmp_path: Path) -> None:
        async with asyncio.TaskGroup() as tasks:
            Discovery(tasks, print).announce(tmp_path / "backend.json", BACKEND, 42, 0)

        found = read(tmp_path / "backend.json")
        assert {key: found[key] for key in ("port", "host", "url", "process_id")} == {
            "port": 8001,
            "host": "127.0.0.1",
            "url": "http://localhost:8001",
            "process_id": 42,
        }

    async def test_is_refreshed_while_the_service_is_ready(self, tmp_path: Path, until: Until) -> None:
        path = tmp_path / "backend.json"
        async with asyncio.TaskGroup() as tasks:
            discovery = Discovery(tasks, print)
            discovery.announce(path, BACKEND, 42, 0.01)
            first = read(path)["timestamp"]
            await asyncio.to_thread(until, lambda: read(path)["timestamp"] != first, path)
            discovery.withdraw("backend")

    async def test_is_removed_when_the_service_is_not_ready_any_more(self, tmp_path: Path) -> None:
        path = tmp_path / "backend.json"
        async with asyncio.TaskGroup() as tasks:
            discovery = Discovery(tasks, print)
            discovery.announce(path, BACKEND, 42, 10)

            discovery.withdraw("backend")

        assert not path.exists()

    async def test_of_a_later_run_is_left_alone(self, tmp_path: Path) -> None:
        path = tmp_path / "backend.json"
        async with asyncio.TaskGroup() as tasks:
            discovery = Discovery(tasks, print)
            discovery.announce(path, BACKEND, 42, 0)
            path.write_text(path.read_text().replace("42", "43"))

            discovery.withdraw("backend")

        assert read(path)["process_id"] == 43

    async def test_stays_when_the_supervisor_leaves_its_services_running(self, tmp_path: Path) -> None:
        path = tmp_path / "backend.json"
        async with asyncio.TaskGroup() as tasks:
            discovery = Discovery(tasks, print)
            discovery.announce(path, BACKEND, 42, 10)

            discovery.leave()

        assert path.exists()

    async def test_that_cannot_be_written_is_told_and_harms_nobody(self, tmp_path: Path) -> None:
        notes: list[str] = []
        async with asyncio.TaskGroup() as tasks:
            Discovery(tasks, notes.append).announce(tmp_path / "missing" / "file.json", BACKEND, 42, 0)

        [note] = notes
        assert "cannot be written" in note
        assert note.endswith("clients of backend may not find it")

    async def test_of_a_service_that_was_never_announced_is_nobodys(self, tmp_path: Path) -> None:
        async with asyncio.TaskGroup() as tasks:
            Discovery(tasks, print).withdraw("backend")
