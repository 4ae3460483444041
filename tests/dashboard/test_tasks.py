"""Specifies how tasks are chosen, run and shown in the dashboard; `devinit run` runs them."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from devinit.dashboard.screens.confirm import Confirm
from devinit.dashboard.screens.task_list import TaskList
from devinit.dashboard.screens.task_page import TaskPage, said_of
from devinit.dashboard.task_run import TaskRun, log_of
from devinit.dashboard.tasks import Tasks
from devinit.model.task import Task
from tests.dashboard.conftest import ROOT

if TYPE_CHECKING:
    from tests.dashboard.conftest import Desk, Open

pytestmark = [pytest.mark.timeout(120), pytest.mark.usefixtures("another_home")]
TASKS = (
    Task(name="hello", commands=("sh -c 'echo here; exit 3'",), directory=ROOT, key="h", label="Say hello"),
    Task(name="reset", commands=("echo gone",), directory=ROOT, confirm="All data goes."),
    Task(name="wait", commands=("sh -c 'echo waits; sleep 300'",), directory=ROOT),
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    lines = [f'[tasks.{each.name}]\ncommand = "{each.commands[0]}"\n' for each in TASKS]
    services = (
        '[project]\nname = "shop"\ndetect = false\n[services.web]\ncommand = "sleep 1"\nautostart = false\n'
    )
    (tmp_path / "devinit.toml").write_text(services + "".join(lines))
    return tmp_path


async def with_tasks(desk: Desk, root: Path) -> None:
    desk.app._tasks = Tasks(desk.app, root, lambda: TASKS)
    await desk.app._tasks.read()


async def until_ended(desk: Desk) -> TaskRun:
    page = desk.app.screen
    assert isinstance(page, TaskPage)
    while page.task_run.code is None:
        await desk.pilot.pause(0.05)
    await desk.pilot.pause(0.3)
    return page.task_run


class TestTheList:
    async def test_shows_what_each_task_is_called_and_does(self, open_desk: Open, project: Path) -> None:
        async with open_desk() as desk:
            await with_tasks(desk, project)
            await desk.press("c")

            assert isinstance(desk.app.screen, TaskList)
            assert "h  Say hello" in desk.text()
            assert "reset      echo gone" in desk.text()
            await desk.press("escape")
            assert desk.app.screen is desk.main

    async def test_says_how_to_get_a_task(self, open_desk: Open) -> None:
        async with open_desk() as desk:
            await desk.press("c")

            assert "[tasks.NAME]" in desk.text()

    async def test_stands_in_the_palette(self, open_desk: Open, project: Path) -> None:
        async with open_desk() as desk:
            await with_tasks(desk, project)

            titles = [command.title for command in desk.app.get_system_commands(desk.main)]
            assert {"Run: Say hello", "Run: reset", "Restart", "Quit"} <= set(titles)


class TestARun:
    async def test_shows_its_output_and_its_exit_code_and_keeps_them(
        self, open_desk: Open, project: Path
    ) -> None:
        async with open_desk() as desk:
            await with_tasks(desk, project)
            await desk.press("c", "h")
            run = await until_ended(desk)

            assert run.code == 3
            assert "✗ exit code 3" in desk.text()
            assert "here" in desk.text()
            log = log_of(project, "hello")
            assert stat.S_IMODE(log.stat().st_mode) == 0o600
            assert "here\n" in log.read_text()
            assert "hello: exit code 3 after" in log.read_text()

            await desk.press("r")
            again = await until_ended(desk)
            assert again is not run
            assert log.read_text().count("here\n") == 2

            await desk.press("escape")
            assert desk.app.screen is desk.main

    async def test_begins_only_after_a_yes_where_that_is_wanted(self, open_desk: Open, project: Path) -> None:
        async with open_desk() as desk:
            await with_tasks(desk, project)
            await desk.press("c", "down", "enter")
            assert isinstance(desk.app.screen, Confirm)
            assert "All data goes." in desk.text()

            await desk.press("n")
            assert desk.app.screen is desk.main
            assert not log_of(project, "reset").exists()

            await desk.press("c", "down", "enter", "y")
            assert (await until_ended(desk)).code == 0
            assert "✓ done, exit code 0" in desk.text()

    async def test_goes_on_while_the_page_is_left_and_is_ended_by_a_key(
        self, open_desk: Open, project: Path
    ) -> None:
        async with open_desk() as desk:
            await with_tasks(desk, project)
            await desk.press("c", "down", "down", "enter")
            await desk.shows("waits")
            await desk.press("escape", "c")
            assert "runs" in desk.text()

            await desk.press("down", "down", "enter")
            assert isinstance(desk.app.screen, TaskPage)
            await desk.press("x")
            run = await until_ended(desk)

            assert run.code != 0
            assert "ended by signal 15" in desk.text() or "exit code 143" in desk.text()


def test_the_title_says_how_it_is() -> None:
    def said(code: int | None) -> str:
        return "".join(text for text, _ in said_of("Say hello", code, 3.0, 2))

    assert said(None) == " Say hello  ◐ runs for 3.0 s, 2 lines"
    assert said(0) == " Say hello  ✓ done, exit code 0, 2 lines"
    assert said(-9) == " Say hello  ✗ ended by signal 9, 2 lines"
