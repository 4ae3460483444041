"""Specifies a supervisor that many ask at once, or one client asks for much: work is done once, and not in vain."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from devinit.control.greeting import greeting_of
from devinit.control.messages import INVALID_PARAMS
from devinit.control.server import MOST_REQUESTS, Connection, Server
from devinit.supervisor.events import Broadcaster
from devinit.supervisor.project.project_state import ProjectState
from devinit.supervisor.reporting import report
from devinit.supervisor.server.handlers import ORDERS, Handlers
from devinit.supervisor.stack.configuration import Configuration
from devinit.supervisor.supervisor import Supervisor

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from devinit.model.event import Event
    from tests.conftest import Machine
    from tests.supervisor.conftest import Shop

pytestmark = pytest.mark.timeout(120)

SERVICES, SUBSCRIBERS = 300, 100
STATUS = b'{"jsonrpc": "2.0", "id": 1, "method": "status", "params": {}}\n'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    path = tmp_path / "shop"
    path.mkdir()
    services = (f'[services.s{number}]\ncommand = "true"\n' for number in range(SERVICES))
    (path / "devinit.toml").write_text("".join(services))
    return path


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many services each status had that was made."""
    counted: list[int] = []
    make = report.project_status

    def count(runners: report.Runners, *facts: Any) -> Any:  # passed through
        counted.append(len(runners))
        return make(runners, *facts)

    monkeypatch.setattr(report, "project_status", count)
    return counted


class Listening(Connection):
    """A client's connection, without a client."""

    def __init__(self, tell: Callable[[Event], None]) -> None:
        self.tell = tell  # type: ignore[method-assign,assignment]

    def on_close(self, act: Callable[[], None]) -> None:
        """It stays open."""


@asynccontextmanager
async def serving(root: Path, path: Path) -> AsyncIterator[asyncio.Event]:
    """Serve a project in this process, as its supervisor does; tell when a client was let go of."""
    let_go = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        supervisor = Supervisor(ProjectState(root, Broadcaster()), tasks)
        await supervisor.configuration.ensure({}, None)
        handle = Handlers(supervisor, lambda: None).handle
        server = Server(path, handle, let_go.set, greeting_of(root), orders=ORDERS)
        await server.listen()
        yield let_go
        server.stop_listening()
        server.hang_up()


async def connected(path: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect, and pass over the greeting."""
    reader, writer = await asyncio.open_unix_connection(str(path), limit=1 << 24)
    await reader.readline()
    return reader, writer


class TestASubscription:
    async def test_is_answered_with_a_status_that_is_not_older_than_an_event_before_it(
        self, root: Path, machine: Machine, monkeypatch: pytest.MonkeyPatch, made: list[int]
    ) -> None:
        looks: list[int] = []
        look = Configuration.error

        async def look_while_something_happens(configuration: Configuration) -> str | None:
            looks.append(len(made))
            if len(looks) == 1:
                handlers._stage.broadcaster.note("something happens")
            return await look(configuration)

        monkeypatch.setattr(Configuration, "error", look_while_something_happens)
        async with asyncio.TaskGroup() as tasks:
            supervisor = Supervisor(ProjectState(root, Broadcaster()), tasks)
            await supervisor.configuration.ensure({}, None)
            handlers = Handlers(supervisor, lambda: None)
            heard: list[int] = []
            connection = Listening(lambda _event: heard.append(len(made)))

            await handlers.subscribe(msgspec.Raw(b"{}"), connection)
            supervisor.stage.logs.close()

        assert len(heard) == 1
        assert len(made) > heard[0]


class TestASupervisorWith300Services:
    async def test_makes_one_status_for_100_who_subscribe_at_once(
        self, root: Path, machine: Machine, made: list[int]
    ) -> None:
        path = machine.runtime / "test.sock"
        async with serving(root, path):
            clients = [await connected(path) for _ in range(SUBSCRIBERS)]
            for _, writer in clients:
                writer.write(STATUS.replace(b"status", b"subscribe"))

            answers = [json.loads(await reader.readline()) for reader, _ in clients]

            assert all(len(answer["result"]["services"]) == SERVICES for answer in answers)
            assert made[0] == SERVICES
            assert len(made) <= 3
            for _, writer in clients:
                writer.close()

    async def test_makes_hardly_a_status_for_145_kb_of_requests_whose_client_hangs_up(
        self, root: Path, machine: Machine, made: list[int]
    ) -> None:
        path = machine.runtime / "test.sock"
        async with serving(root, path) as let_go:
            _, leaving = await connected(path)
            leaving.write(STATUS * (145_000 // len(STATUS)))

            leaving.close()

            reader, writer = await connected(path)
            writer.write(STATUS.replace(b"status", b"ping"))
            assert "pid" in json.loads(await reader.readline())["result"]
            await let_go.wait()
            assert len(made) <= MOST_REQUESTS
            writer.close()


class TestARealSupervisor:
    def test_refuses_a_process_whose_number_is_too_large(self, shop: Shop) -> None:
        shop.service("worker", "never", ready={"after": 0})
        shop.up()
        holder = {"pid": 1 << 80, "start_time": 1, "boot_id": "b"}
        with shop.subscribe() as client:
            refused = client.ask("free_port", port=24999, holders=[holder])

        assert refused["code"] == INVALID_PARAMS
        assert "Traceback" not in shop.log("supervisor")

    def test_answers_after_a_client_has_sent_nonsense(self, shop: Shop) -> None:
        shop.service("worker", "never", ready={"after": 0})
        shop.up()
        deep = b'{"method": "status", "params": ' + b"[" * 100_000 + b"]" * 100_000 + b"}\n"
        with shop.subscribe() as client:
            client.socket.sendall(deep + b'{"method": "status", "id": ' + b"9" * 5000 + b"}\n")

            assert client.ask("ping")["root"] == str(shop.root)

        assert "Traceback" not in shop.log("supervisor")
        assert shop.status()["worker"]["phase"] == "ready"
