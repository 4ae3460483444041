"""The project's tasks in the dashboard: the list, running tasks, and confirmations."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

from textual.app import App, SystemCommand

from devinit.dashboard.screens.confirm import Confirm
from devinit.dashboard.screens.task_list import TaskList
from devinit.dashboard.screens.task_page import TaskPage
from devinit.dashboard.task_run import TaskRun
from devinit.errors import DevinitError
from devinit.model.task import Task

Source = Callable[[], Sequence[Task]]
"""Reads the tasks of the project; may take a while, and raises DevinitError."""
NO_TASKS = "no tasks: [tasks.NAME] with a `command` in devinit.toml is one"


class Tasks:
    """The list of tasks and their runs, with the actions on them."""

    def __init__(self, app: App[str], root: Path, source: Source) -> None:
        self._app, self._root, self._source = app, root, source
        self._tasks: dict[str, Task] = {}
        self._runs: dict[str, TaskRun] = {}
        """The last run of each task."""

    async def read(self) -> None:
        """Read the current tasks."""
        try:
            found = await asyncio.to_thread(self._source)
        except DevinitError:
            return  # the banner reports the problem in the configuration
        self._tasks = {each.name: each for each in found}

    async def choose(self) -> None:
        """Let the user choose a task."""
        await self.read()
        if not self._tasks:
            self._app.notify(NO_TASKS, timeout=5)
            return
        running = {name for name, run in self._runs.items() if run.code is None}
        self._app.push_screen(TaskList(list(self._tasks.values()), running), self.take)

    def take(self, name: str | None) -> None:
        """Run a task, after a confirmation if it needs one; if it is running, show it."""
        task = self._tasks.get(name or "")
        if task is None:
            return
        run = self._runs.get(task.name)
        if run is not None and run.code is None:
            self._show(run)
        elif task.confirm is None:
            self._run(task)
        else:

            def answer(is_meant: bool | None) -> None:
                if is_meant:
                    self._run(task)

            said = task.confirm or "; ".join(task.commands)
            self._app.push_screen(Confirm(f"{task.title}?", said, "Run"), answer)

    def commands(self) -> Iterable[SystemCommand]:
        """Yield a command of the palette for each task."""
        for task in self._tasks.values():
            said = task.description or "; ".join(task.commands) or f"task {task.name}"
            yield SystemCommand(f"Run: {task.title}", said, partial(self.take, task.name))

    def _run(self, task: Task) -> None:
        try:
            run = self._runs[task.name] = TaskRun(self._root, task.name)
        except OSError as error:
            self._app.notify(f"{task.title}: {error.strerror}", severity="error", timeout=6)
            return
        self._app.run_worker(self._follow(run, task), name=f"task {task.name}", exclusive=False)
        self._show(run)

    async def _follow(self, run: TaskRun, task: Task) -> None:
        code = await run.ended()
        if isinstance(self._app.screen, TaskPage) and self._app.screen.task_run is run:
            return  # the page shows it
        if code == 0:
            self._app.notify(f"{task.title}: done", timeout=4)
        else:
            self._app.notify(f"{task.title}: exit code {code}", severity="error", timeout=8)

    def _show(self, run: TaskRun) -> None:
        task = self._tasks[run.name]
        self._app.push_screen(TaskPage(run, task.title, self._root), self._again)

    def _again(self, name: str | None) -> None:
        if name is not None:
            self.take(name)
