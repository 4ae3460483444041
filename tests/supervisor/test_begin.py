"""Specifies what is done once for each service that a start brings up, however many services there are."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from devinit.resolving.environments import check_commands
from devinit.supervisor.events import Broadcaster
from devinit.supervisor.project import project_state as project_state_module
from devinit.supervisor.project.port_wishes import PortWishes
from devinit.supervisor.project.project_state import ProjectState
from devinit.supervisor.stack.order import Order
from devinit.supervisor.stack.stack import Stack
from devinit.supervisor.supervisor import Supervisor

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pytest

    from devinit.model.event import Event
    from devinit.model.service import Service
    from devinit.supervisor.reporting.outcome import States

CONFIGURATION = """
[services.first]
command = "true"
setup = ["true"]
[services.second]
command = "true"
"""


class TestAStart:
    async def test_checks_the_environment_of_each_service_once(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "devinit.toml").write_text(CONFIGURATION)
        checked: list[str] = []

        def count(service: Service, environment: Mapping[str, str]) -> None:
            checked.append(service.name)
            check_commands(service, environment)

        monkeypatch.setattr(project_state_module, "check_commands", count)
        async with asyncio.TaskGroup() as tasks:
            supervisor = Supervisor(ProjectState(tmp_path, Broadcaster()), tasks)
            order = Order(services=(), asked=PortWishes(environ={"PATH": "/usr/bin:/bin"}))

            assert await supervisor.start(order, lambda _event: None) == 0
            await supervisor.stop(())
            supervisor.stage.logs.close()

        assert checked == ["first", "second"]

    async def test_looks_at_all_services_no_more_often_the_more_of_them_there_are(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "devinit.toml").write_text(
            "".join(f'[services.s{number}]\ncommand = "true"\n' for number in range(60))
        )
        looks: list[int] = []
        states = Stack.states

        def count(stack: Stack) -> States:
            looks.append(len(stack.runners))
            return states(stack)

        monkeypatch.setattr(Stack, "states", count)
        async with asyncio.TaskGroup() as tasks:
            supervisor = Supervisor(ProjectState(tmp_path, Broadcaster()), tasks)
            order = Order(services=(), asked=PortWishes(environ={"PATH": "/usr/bin:/bin"}))

            assert await supervisor.start(order, lambda _event: None) == 0
            during_start = len(looks)
            await supervisor.stop(())
            supervisor.stage.logs.close()

        assert during_start < 60 / 2

    async def test_hides_what_a_file_says_since_then_before_its_setup_runs(self, tmp_path: Path) -> None:
        (tmp_path / "devinit.toml").write_text(CONFIGURATION)
        (tmp_path / ".env").write_text("API_TOKEN=of-the-first-start\n")
        order = Order(services=("first",), asked=PortWishes(environ={"PATH": "/usr/bin:/bin"}))
        shown: list[str] = []

        def look(event: Event) -> None:
            if event["type"] == "phase" and event["phase"] == "waiting":
                shown.append(stage.mask("of-the-second-start"))

        async with asyncio.TaskGroup() as tasks:
            stage = ProjectState(tmp_path, Broadcaster())
            supervisor = Supervisor(stage, tasks)
            await supervisor.start(order, lambda _event: None)
            (tmp_path / ".env").write_text("API_TOKEN=of-the-second-start\n")
            stage.broadcaster.add(look)
            await supervisor.start(order, lambda _event: None)
            await supervisor.stop(())
            stage.logs.close()

        assert len(shown) == 1
        assert "second" not in shown[0]
