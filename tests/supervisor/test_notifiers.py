"""Specifies what a notifier learns: where a real service answers, where it has moved to, and that it is gone."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from devinit.notify import notifiers
from devinit.notify.notifier import Address, Notifier, Surroundings
from devinit.supervisor.events import Broadcaster
from devinit.supervisor.project.port_wishes import PortWishes
from devinit.supervisor.project.project_state import ProjectState
from devinit.supervisor.stack.order import Order
from devinit.supervisor.supervisor import Supervisor

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from devinit.model.service import Project
    from tests.supervisor.conftest import FreePorts

SERVER = f"[services.api]\ncommand = '{sys.executable} -m http.server -b 127.0.0.1 ${{PORT}}'\nport = "
LEARNED: list[tuple[str, str, int | None]] = []


class Notebook(Notifier):
    """A notifier that keeps what it learns."""

    def __init__(self, surroundings: Surroundings) -> None:
        LEARNED.append(("born", surroundings.root.name, None))

    def ready(self, address: Address, project: Project) -> None:
        assert address.endpoint.service in project.services
        assert address.process_id > 0
        LEARNED.append(("ready", address.endpoint.service, address.endpoint.port))

    def gone(self, name: str) -> None:
        LEARNED.append(("gone", name, None))

    def renew(self) -> None:
        LEARNED.append(("renew", "", None))

    def leave(self) -> None:
        LEARNED.append(("leave", "", None))


async def test_a_notifier_in_the_table_learns_where_a_service_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free_ports: FreePorts
) -> None:
    LEARNED.clear()
    monkeypatch.setattr(notifiers, "NOTIFIERS", (*notifiers.NOTIFIERS, Notebook))
    first, second = free_ports(2)
    order = Order(services=("api",), asked=PortWishes(environ={"PATH": "/usr/bin:/bin"}))
    async with asyncio.TaskGroup() as tasks:
        supervisor = Supervisor(ProjectState(tmp_path, Broadcaster()), tasks)
        for port, run in ((first, supervisor.start), (second, supervisor.restart)):
            (tmp_path / "devinit.toml").write_text(f"{SERVER}{port}\n")
            assert await run(order, lambda _event: None) == 0
        await supervisor.stop(())
        supervisor.leave()
        supervisor.stage.logs.close()

    answers = [each for each in LEARNED if each[0] == "ready"]
    assert answers == [("ready", "api", first), ("ready", "api", second)]
    between = LEARNED[LEARNED.index(answers[0]) + 1 : LEARNED.index(answers[1])]
    assert ("gone", "api", None) in between
    assert LEARNED[-2:] == [("gone", "api", None), ("leave", "", None)]
