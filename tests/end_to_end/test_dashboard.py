"""A morning at the dashboard, at a real terminal, on the example with everything that belongs to it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pexpect
import pytest

from tests.end_to_end.guestbook import PATIENCE_SECONDS, SERVICES, Guestbook
from tests.terminal import COLUMNS, LINES, Terminal

if TYPE_CHECKING:
    from tests.end_to_end.conftest import Checkouts

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
DOWN = "\x1b[B"


def at_terminal(guestbook: Guestbook, *words: str) -> Terminal:
    return Terminal(
        pexpect.spawn(
            sys.executable,
            ["-P", "-m", "devinit", *words],
            cwd=str(guestbook.root),
            env={**guestbook.environment, "TERM": "xterm-256color"},
            dimensions=(LINES, COLUMNS),
            encoding="utf-8",
        )
    )


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_the_stack_is_started_watched_restarted_moved_and_left_running(checkout: Checkouts) -> None:
    guestbook = checkout()
    backend = guestbook.preferred["backend"]

    # It is started, and the start ends in the dashboard.
    terminal = at_terminal(guestbook, "start", "all")
    terminal.shows("4 of 4 ready", *(f"● {service}" for service in SERVICES))
    page = guestbook.page()
    page.visit()
    before = guestbook.pids()

    # The backend is restarted, and nothing else.
    order = [each["name"] for each in guestbook.status()["services"]]
    terminal.press("j" * order.index("backend"))
    terminal.shows("─ backend · following", "Application startup complete")
    terminal.press("r")
    wait_for(lambda: guestbook.pids()["backend"] not in (before["backend"], None))
    wait_for(lambda: guestbook.phases()["backend"] == "ready")
    terminal.shows("4 of 4 ready")
    after = guestbook.pids()
    assert {name for name in SERVICES if after[name] != before[name]} == {"backend"}
    assert page.visit() == 2

    # Its port is moved, and the frontend is told.
    terminal.press("p")
    terminal.shows("PREFERRED", str(backend))
    ports = [each["name"] for each in guestbook.status()["services"]]
    terminal.press(DOWN * ports.index("backend") + "m")
    terminal.shows(f"Restart backend on port {backend + 1} now?")
    terminal.press("y")
    wait_for(lambda: (guestbook.ports()["backend"], guestbook.phases()["backend"]) == (backend + 1, "ready"))
    terminal.press("\x1b")
    terminal.shows(f"{backend + 1} ← {backend}", "4 of 4 ready")
    assert guestbook.runtime_environment["BACKEND_PORT"] == str(backend + 1)

    # It is left, and everything runs.
    terminal.press("q")
    text, code = terminal.left()
    assert code == 0
    assert "keep running; `devinit stop` ends everything" in " ".join(text.split())
    assert set(guestbook.phases().values()) == {"ready"}
    assert guestbook.page().visit() == 3
