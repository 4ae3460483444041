"""A dashboard without a supervisor: fixed data in, key presses, orders out."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from devinit.control.client import RemoteError
from devinit.dashboard.app import Dashboard
from devinit.dashboard.lines.feed import Piece
from devinit.dashboard.link import GONE, Found, Gone, Happened, Tell
from devinit.dashboard.preferences import Preferences
from devinit.dashboard.screens.main import MainScreen
from devinit.logs.lines import Line

Json = dict[str, Any]
ROOT = Path("/home/ada/shop")
NOON = 1_790_000_000.0


def status(name: str, phase: str = "ready", **changes: object) -> Json:
    """Return a service's row in `status`."""
    alive = phase in ("ready", "starting", "unhealthy")
    return {
        "name": name,
        "provider": "process",
        "phase": phase,
        "port": 8000,
        "preferred_port": 8000,
        "mode": "preferred",
        "url": "http://localhost:8000",
        "pid": 4000 if alive else None,
        "uptime_seconds": 754.0 if alive else None,
        "restarts": 0,
        "cpu_percent": 2.5 if alive else None,
        "memory_bytes": 88_000_000 if alive else None,
        "reason": None,
        "changed": [],
        **changes,
    }


SERVICES = (
    status(
        "postgres",
        port=5432,
        preferred_port=5432,
        url="postgresql://shop:secret@127.0.0.1:5432/shop",
        pid=4101,
        cpu_percent=0.4,
    ),
    status("backend", port=8001, url="http://localhost:8001", pid=4102, cpu_percent=37.0, restarts=2),
    status("frontend", port=3000, preferred_port=3000, url="http://localhost:3000", pid=4103),
    status("worker", "starting", port=None, preferred_port=None, url=None, pid=4104, uptime_seconds=3.0),
    status("mailer", "failed", port=8025, preferred_port=8025, reason="exited with code 3"),
    status("docs", "stopped", port=8030, preferred_port=8030),
)
ENVIRONMENT = {"DATABASE_URL": "postgresql://shop:secret@127.0.0.1:5432/shop", "BACKEND_PORT": "8001"}
WIDE = (
    '\x1b[32mINFO\x1b[0m:     127.0.0.1:40406 - "POST /orders HTTP/1.1" 201 Created, and a line that is wider '
    "than any terminal that people work at, so that it has to be broken or cut"
)
LINES = {
    "postgres": ("LOG:  database system is ready to accept connections",),
    "backend": (
        "--- devinit: backend starts on port 8001 at 2026-09-21T14:13:20Z ---",
        "\x1b[32mINFO\x1b[0m:     Started server process [4102]",
        "\x1b[32mINFO\x1b[0m:     Application startup complete.",
        '\x1b[32mINFO\x1b[0m:     127.0.0.1:40404 - "GET /items?page=2 HTTP/1.1" 200 OK',
        "ERROR:    the payment provider answers with 503",
        "Traceback (most recent call last):",
        "ConnectionError: payments.example.com:443",
        WIDE,
    ),
    "frontend": ("  VITE v8.3.8  ready in 329 ms", "  ➜  Local:   http://localhost:3000/"),
    "mailer": ("reading mailer.toml", "ValueError: no such queue: 'orders'"),
}
WHY = {
    "name": "backend",
    "phase": "ready",
    "reason": None,
    "since_seconds": 754.0,
    "last_exit": 1,
    "restarts": 2,
    "failures": 0,
    "port": 8001,
    "preferred_port": 8000,
    "port_reason": "8000 is held by next dev (pid 4121)",
    "command": "uvicorn app.main:app --port ${PORT}",
    "directory": "/home/ada/shop/backend",
    "depends_on": [{"name": "postgres", "phase": "ready"}],
    "needed_by": [{"name": "frontend", "phase": "ready"}],
    "probe": "GET http://127.0.0.1:8001/health succeeds",
    "last_probe": None,
    "log": "/home/ada/.local/state/devinit/checkouts/shop-1f0c9a77e2/logs/backend.log",
    "log_tail": ["INFO:     Application startup complete."],
}
INSPECTION = {
    "environment": ENVIRONMENT,
    "changed": [{"name": "BACKEND_PORT", "then": "8000", "now": "8001"}],
    "files": {"log": "/home/ada/.local/state/devinit/checkouts/shop-1f0c9a77e2/logs/backend.log"},
}
HOLDER = {
    "identity": {"pid": 4121, "start_time": 1, "boot_id": "boot"},
    "parent_pid": 40,
    "name": "node",
    "command": ["next", "dev"],
    "user": "ada",
    "uid": 1000,
    "directory": "/home/ada/blog",
    "age_seconds": 7200.0,
    "stopped": False,
    "worktree": "/home/ada/blog",
    "branch": "main",
    "linked": False,
    "ancestors": [{"pid": 40, "title": "npm run dev"}],
    "manager": None,
}
REPORT = {
    "port": 8000,
    "kind": "stranger",
    "summary": "held by next dev (pid 4121)",
    "holders": [HOLDER],
    "listeners": [{"port": 8000, "address": "127.0.0.1", "family": 4, "inode": 1, "uid": 1000}],
    "clients": 2,
    "container": None,
    "owner": None,
    "killable": True,
    "advice": "",
}
CONFLICT = {
    **REPORT,
    "service": "backend",
    "move_to": 8001,
    "choices": ["move", "kill", "retry", "abort"],
    "default": "move",
    "changes": [".env.runtime: BACKEND_URL"],
    "reuse": "",
    "problem": "",
}
PORTS = [
    {
        "service": "backend",
        "port": 8001,
        "preferred_port": 8000,
        "next_port": 8001,
        "range": [8000, 8099],
        "strict": False,
        "problem": None,
        "phase": "ready",
        "holder": "held by next dev (pid 4121)",
        "holder_kind": "stranger",
    },
    {
        "service": "frontend",
        "port": 3000,
        "preferred_port": 3000,
        "next_port": 3000,
        "range": [3000, 3099],
        "strict": True,
        "problem": None,
        "phase": "ready",
        "holder": None,
        "holder_kind": None,
    },
]


class FakeLink:
    """A fake supervisor connection that returns a test's answers, and records its orders."""

    def __init__(self) -> None:
        self.services: list[Json] = [dict(each) for each in SERVICES]
        self.orders: list[tuple[str, Json]] = []
        self.asked: list[tuple[str, Json | None]] = []
        self.refusals: list[Exception] = []
        self.answers: dict[str, Any] = {
            "why": WHY,
            "inspect": INSPECTION,
            "environment": ENVIRONMENT,
            "ports": PORTS,
            "who": REPORT,
            "choose_port": {"port": 8002},
            "forget_ports": {"backend": 8001},
            "free_port": {"port": 8000, "ended": ["next dev (pid 4121)"]},
        }
        self.revived = False
        self.now = 1000.0
        self.configuration_error: str | None = None
        self.patience: asyncio.Event | None = None
        """The event that orders wait for."""
        self.is_sent = asyncio.Event()
        """Set when all orders have been sent."""
        self.is_sent.set()
        self.is_waited_for = asyncio.Event()
        self.reachable = asyncio.Event()
        self.reachable.set()
        self._tell: Tell | None = None

    def status(self) -> Json:
        return {
            "project": "shop",
            "root": str(ROOT),
            "supervisor": {"pid": 4000, "version": "1"},
            "services": self.services,
            "configuration_error": self.configuration_error,
        }

    async def follow(self, tell: Tell) -> None:
        self._tell = tell
        await self.reachable.wait()
        tell(Found(self.status(), ENVIRONMENT))
        await asyncio.Event().wait()

    async def until_sent(self) -> None:
        self.is_waited_for.set()
        await self.is_sent.wait()

    def happens(self, **event: object) -> None:
        assert self._tell is not None
        self._tell(Happened({"at": NOON, **event}))

    def goes_away(self) -> None:
        assert self._tell is not None
        self._tell(GONE)

    def is_refused(self, message: str) -> None:
        assert self._tell is not None
        self._tell(Gone(message))

    def comes_back(self) -> None:
        assert self._tell is not None
        self._tell(Found(self.status(), ENVIRONMENT))

    async def ask(self, method: str, params: Json | None = None) -> Any:
        if method == "status":
            return self.status()
        self.asked.append((method, params))
        return self.answers[method]

    async def order(self, method: str, params: Json) -> Any:
        self.orders.append((method, {**params, "resolutions": list(params.get("resolutions", []))}))
        if self.patience is not None:
            await self.patience.wait()
        if self.refusals:
            raise self.refusals.pop(0)
        return {"exit_code": 0}

    def revive(self) -> None:
        self.revived = True


class FakeBegun:
    """A fake start that was ordered before the dashboard opened, controlled by the test."""

    def __init__(self, *services: str) -> None:
        self.params: Json = {"services": list(services), "can_answer": True}
        self.seconds = 2.0
        self.sent: list[Json] = []
        self.refusals: list[Exception] = []
        self.answer: asyncio.Future[Json] | None = None
        self._tell: Callable[[Json], None] | None = None

    def listen(self, tell: Callable[[Json], None]) -> None:
        self._tell = tell

    async def send(self, params: Json) -> Any:
        self.sent.append({**params, "resolutions": list(params.get("resolutions", []))})
        if self.refusals:
            raise self.refusals.pop(0)
        self.answer = asyncio.get_running_loop().create_future()
        return await self.answer

    def happens(self, **event: object) -> None:
        assert self._tell is not None
        self._tell({"at": NOON, **event})

    def comes_to(self, rows: list[Json], code: int = 0, seconds: float = 12.0) -> None:
        self.happens(type="summary", services=rows, seconds=seconds, exit_code=code)
        assert self.answer is not None
        self.answer.set_result({"exit_code": code})


def summed_up(name: str, phase: str = "ready", **changes: object) -> Json:
    """Return a service's row in the summary of a start."""
    row = {"service": name, "phase": phase, "port": 8000, "preferred": 8000, "reason": None, "log_tail": []}
    return {**row, **changes}


class FakePins:
    """A fake store of permanent answers, which records them."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self.exists = True

    def can_keep(self) -> bool:
        return self.exists

    def keep(self, answers: Mapping[str, str]) -> list[str]:
        self.kept.update(answers)
        return [f"kept for {service}" for service in answers]


class Desk:
    """An open dashboard, with the operations of the tests on it."""

    def __init__(self, app: Dashboard, link: FakeLink, pilot: Pilot[str]) -> None:
        self.app, self.link, self.pilot = app, link, pilot
        self.opened: list[str] = []
        self.has_browser = True

    @property
    def main(self) -> MainScreen:
        return self.app.main

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.pilot.press(key)
            await self.pilot.pause()

    async def types(self, keys: Iterable[str]) -> None:
        """Press keys that a terminal sends in one write: each arrives before the previous one has been handled."""
        for key in keys:
            self.app.simulate_key(key)
        await self.pilot.pause()
        # On a busy machine, the application looks idle while keys still wait for their turn.
        while not self.app._turns._waiting.empty():
            await self.pilot.pause()
        await self.pilot.pause()

    async def settled(self) -> None:
        """Wait until all started work is done."""
        # Two workers always run: the connection to the supervisor, and the turns of the keys.
        while begun := [worker for worker in self.app.workers if worker.name not in ("link", "turns")]:
            await self.app.workers.wait_for_complete(begun)
            await self.pilot.pause()
        await self.pilot.pause()

    async def shows(self, text: str) -> None:
        """Wait until a text is on the screen; only the test's own time limit ends the wait."""
        while text not in self.text():
            await self.pilot.pause()

    def text(self) -> str:
        """Return the text on the screen."""
        lines = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in line).rstrip() for line in lines)

    def says(self, service: str, text: str) -> None:
        """Simulate a line of output from a service."""
        self.app._add_lines([Piece(service, [Line(text, NOON + 60)])])

    def logs(self) -> list[str]:
        return [row.line.plain for row in self.main.log_pane.view.rows]


Open = Callable[..., Any]


@pytest.fixture
def another_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """Show paths in full, wherever the home of the user who runs the tests is."""
    monkeypatch.setenv("HOME", "/home/ann")


@pytest.fixture
def link() -> FakeLink:
    return FakeLink()


@pytest.fixture
def pins() -> FakePins:
    return FakePins()


@pytest.fixture
def open_desk(link: FakeLink, pins: FakePins, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Open a dashboard with a number of columns and lines."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    # The next status must not undo a test's events.
    monkeypatch.setattr("devinit.dashboard.app.MEASURE_SECONDS", 3600)
    monkeypatch.setattr("devinit.dashboard.app.SOON_SECONDS", 3600)

    @asynccontextmanager
    async def opened(
        columns: int = 100,
        lines: int = 30,
        *,
        theme: str = "devinit-dark",
        begun: FakeBegun | None = None,
        preferences: Preferences | None = None,
        hint: str = "",
    ) -> AsyncIterator[Desk]:
        app = Dashboard(
            link,
            ROOT,
            pins,
            theme=theme,
            begun=begun,
            preferences=preferences,
            hint=hint,
            clock=lambda: link.now,
        )
        app.animation_level = "none"
        async with app.run_test(size=(columns, lines), notifications=True) as pilot:
            desk = Desk(app, link, pilot)
            monkeypatch.setattr(app, "open_url", lambda url, **_: desk.opened.append(url))
            monkeypatch.setattr("devinit.dashboard.screens.main.has_browser", lambda: desk.has_browser)
            await desk.pilot.pause()
            pieces = [
                Piece(name, [Line(text, NOON + number) for number, text in enumerate(texts)])
                for name, texts in LINES.items()
            ]
            app._add_lines(pieces)
            if begun is None:
                app.main.table.select("backend")
            await desk.pilot.pause()
            for _ in range(200):  # under load, the keys at the bottom are drawn after the rest
                if desk.text().splitlines()[-1:] not in ([], [""]):
                    break
                await desk.pilot.pause(0.01)
            yield desk

    return opened


def port_question(*conflicts: Json) -> RemoteError:
    return RemoteError(
        {
            "message": "port 8000 is taken",
            "data": {
                "kind": "PortQuestion",
                "conflicts": list(conflicts),
                "exit_code": 3,
                "hint": "answer it at a terminal, or choose --on-conflict kill, move, reuse or fail",
            },
        }
    )


Check = Callable[[Desk, str], Awaitable[None]]


@pytest.fixture
def matches(request: pytest.FixtureRequest) -> Callable[[Desk, str], None]:
    """Compare the screen with its reviewed snapshot.

    DEVINIT_UPDATE_SNAPSHOTS=1 saves the current screens as snapshots: review them before a commit.
    """
    folder = Path(__file__).with_name("snapshots")
    update = bool(UPDATE)

    def check(desk: Desk, name: str) -> None:
        picture = desk.app.export_screenshot(simplify=True)
        kept = folder / f"{name}.svg"
        if update:
            kept.write_text(picture)
        assert picture == kept.read_text(), f"{kept} shows another screen"

    return check


UPDATE = os.environ.get("DEVINIT_UPDATE_SNAPSHOTS")
# Read before the fixture `machine` removes all of devinit's variables.
