"""Specifies the dashboard at a real terminal, on services that really run."""

from __future__ import annotations

import os
import shlex
import signal
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import PATIENCE
from tests.places import state_of
from tests.terminal import COLUMNS, Terminal

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from tests.cli.conftest import Shop

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def at_terminal(shop: Shop) -> Callable[..., Terminal]:
    def begin(*words: str, **environment: str) -> Terminal:
        child = shop.terminal(*words, columns=COLUMNS, **environment)
        return Terminal(child)

    return begin


DEBUGGED = """
def handle(number):
    breakpoint()
    return number
handle(21)
"""


class TestTypingIntoAService:
    def test_has_the_terminal_until_it_is_left(
        self, shop: Shop, at_terminal: Callable[..., Terminal]
    ) -> None:
        (shop.root / "app.py").write_text(DEBUGGED)
        shop.service("app", command=f"exec {sys.executable} -S -E app.py", ready={"after": 0})
        assert shop("start", "-d").returncode == 0
        terminal = at_terminal("dashboard")
        terminal.shows("▌ app", "waits for input at (Pdb)")

        terminal.press("i")
        terminal.shows("attached to app", "(Pdb)")
        terminal.press("p number*2\r")
        terminal.shows("42")
        terminal.press("\x1d")

        terminal.shows("▌ app", "waits for input at (Pdb)", gone="attached to app")
        terminal.press("q")
        assert "app keeps running" in terminal.left()[0]

    def test_is_what_enter_does_and_details_of_what_does_not_run(
        self, shop: Shop, at_terminal: Callable[..., Terminal]
    ) -> None:
        (shop.root / "app.py").write_text(DEBUGGED)
        shop.service("app", command=f"{sys.executable} -E app.py", ready={"after": 0}, tty=True)
        assert shop("start", "-d").returncode == 0
        terminal = at_terminal("dashboard")
        terminal.shows("▌ app", "waits for input at (Pdb)")

        terminal.press("\r")
        terminal.shows("attached to the terminal of app", "(Pdb)")
        terminal.press("p numberX\x7f*2\r")
        terminal.shows("(Pdb) p number*2\n42")
        terminal.press("\x1d")
        terminal.shows("▌ app", "waits for input at (Pdb)", gone="attached to")
        assert shop("stop", "app").returncode == 0
        terminal.shows("stopped")
        terminal.press("\r")

        terminal.shows("Readiness", gone="▌ app")

    def test_that_is_refused_says_why_before_the_dashboard_comes_back(
        self, shop: Shop, at_terminal: Callable[..., Terminal]
    ) -> None:
        shop.service("app", command="exec sleep 60 </dev/null", ready={"after": 0})
        assert shop("start", "-d").returncode == 0
        terminal = at_terminal("dashboard")
        terminal.shows("● app")

        terminal.press("i")
        terminal.shows("/dev/null, not the one that devinit gave it", "Enter goes back to the dashboard")
        terminal.press("\r")

        terminal.shows("● app", gone="Enter goes back")


class TestAStartAtATerminal:
    def test_opens_the_dashboard_at_once_and_goes_on_when_that_is_left(
        self, shop: Shop, port: int, at_terminal: Callable[..., Terminal]
    ) -> None:
        gate = shop.root / "gate"
        wait = f"until test -e {shlex.quote(str(gate))}; do sleep 0.05; done"
        shop.service("database", port=port, setup=[f"echo installing 3 of 4; {wait}"])
        shop.service("backend", port=port + 2, depends_on=["database"])

        terminal = at_terminal("start")
        terminal.shows("◐ starting", "waits for database → backend", "installing 3 of 4", "all services")
        terminal.press("q")
        text, code = terminal.left()

        assert code == 4
        assert "the start goes on without the dashboard" in " ".join(text.split())
        gate.touch()
        assert shop("wait").returncode == 0

    def test_says_what_it_came_to_when_it_is_left_afterwards(
        self, shop: Shop, port: int, at_terminal: Callable[..., Terminal]
    ) -> None:
        shop.service("backend", port=port)

        terminal = at_terminal("start")
        terminal.shows("✓ 1 of 1 service ready in")
        terminal.press("q")
        text, code = terminal.left()

        assert code == 0
        assert "1 of 1 service ready in" in text
        assert "backend keeps running" in text

    def test_asks_about_a_taken_port_in_the_dashboard(
        self, shop: Shop, stranger: subprocess.Popen[str], port: int, at_terminal: Callable[..., Terminal]
    ) -> None:
        del stranger
        shop.service("backend", port=port)

        terminal = at_terminal("start")
        terminal.shows(f"Port {port}, which backend wants", f"move to {port + 1}")
        terminal.press("\r")
        terminal.shows("1 of 1 ready")
        terminal.press("q")

        assert terminal.left()[1] == 0
        assert shop.status()["backend"]["port"] == port + 1

    def test_that_is_not_answered_ends_as_on_the_shell(
        self, shop: Shop, stranger: subprocess.Popen[str], port: int, at_terminal: Callable[..., Terminal]
    ) -> None:
        del stranger
        shop.service("backend", port=port)

        terminal = at_terminal("start")
        terminal.shows(f"Port {port}, which backend wants")
        terminal.press("\x1b")
        text, code = terminal.left()

        assert code == 3
        assert f"port {port} for backend is taken, and the start was aborted" in " ".join(text.split())

    def test_that_is_refused_is_explained_on_the_shell(
        self, shop: Shop, port: int, at_terminal: Callable[..., Terminal]
    ) -> None:
        shop.service("backend", port=port, comand="x")

        text, code = at_terminal("start").left()

        assert code == 2
        assert "unknown key" in text

    def test_ends_in_the_dashboard_from_which_everything_can_be_done(
        self, shop: Shop, port: int, at_terminal: Callable[..., Terminal]
    ) -> None:
        shop.service("database", "lines=3", port=port)
        shop.service("backend", "lines=2", port=port + 2, depends_on=["database"])

        terminal = at_terminal("start", "all")
        terminal.shows("● database", "● backend", "2 of 2 ready", "line 3")
        before = shop.status()["backend"]["pid"]

        terminal.press("j")
        terminal.shows("─ backend · following")
        terminal.press("r")
        terminal.shows("2 of 2 ready")
        wait_for(lambda: shop.status()["backend"]["pid"] not in (before, None))

        terminal.press("p")
        terminal.shows("PREFERRED", f"{port + 2}")
        terminal.press("\x1b[Bm")
        terminal.shows(f"Restart backend on port {port + 3} now?")
        terminal.press("y")
        wait_for(
            lambda: (
                (shop.status()["backend"]["phase"], shop.status()["backend"]["port"]) == ("ready", port + 3)
            )
        )
        terminal.press("\x1b")
        terminal.shows(f"{port + 3} ← {port + 2}", "2 of 2 ready")

        terminal.press("q")
        text, code = terminal.left()
        assert code == 0
        assert "database, backend keep running; `devinit stop` ends everything" in " ".join(text.split())
        assert {service["phase"] for service in shop.status().values()} == {"ready"}

    def test_that_failed_shows_the_last_lines_and_keeps_its_exit_code(
        self, shop: Shop, port: int, at_terminal: Callable[..., Terminal]
    ) -> None:
        shop.service("backend", "lines=3", "exit=3", port=port, restart="never")

        terminal = at_terminal("start")
        terminal.shows("✗ backend", "failed", "line 3", "1 failed", "d tells why, r tries again")
        terminal.press("q")
        text, code = terminal.left()

        assert code == 1
        assert "backend failed:" in text
        assert "  | line 3" in text
        assert "`devinit why backend`" in text


class TestTheDashboard:
    def test_restarts_a_service_although_it_is_left_with_the_next_key(
        self, shop: Shop, port: int, at_terminal: Callable[..., Terminal]
    ) -> None:
        shop.service("backend", port=port)
        shop("start")
        before = shop.status()["backend"]["pid"]
        terminal = at_terminal("dashboard")
        terminal.shows("● backend")

        terminal.press("rq")

        assert terminal.left()[1] == 0
        wait_for(lambda: shop.status()["backend"]["pid"] not in (before, None))

    def test_says_of_a_restart_under_way_that_it_is_one(
        self, shop: Shop, at_terminal: Callable[..., Terminal]
    ) -> None:
        shop.service("backend", command="sh slow.sh", ready={"after": 0}, stop={"grace": 2})
        (shop.root / "slow.sh").write_text("trap '' TERM\nwhile :; do sleep 0.2; done\n")
        shop("start")
        terminal = at_terminal("dashboard")
        terminal.shows("● backend")
        terminal.press("r")
        terminal.shows("◑ backend")

        terminal.press("q")

        left, code = terminal.left()
        assert code == 0
        assert "backend is being restarted" in left

    def test_asks_about_a_port_that_is_taken_meanwhile(
        self, shop: Shop, port: int, stranger: subprocess.Popen[str], at_terminal: Callable[..., Terminal]
    ) -> None:
        shop.service("backend", port=port)

        terminal = at_terminal("dashboard")
        terminal.shows("○ backend", "s Start")
        terminal.press("s")
        terminal.shows(f"Port {port}, which backend wants, is", f"move to {port + 1}", f"kill {stranger.pid}")
        terminal.press("\x1b")
        terminal.shows("○ backend")
        terminal.press("s")
        terminal.shows(f"move to {port + 1}")
        terminal.press("\r")
        terminal.shows("● backend", f"{port + 1} ← {port}")
        terminal.press("Q")
        terminal.shows("Stop everything and leave?")
        terminal.press("y")

        assert terminal.left()[1] == 0
        assert shop.status()["backend"]["phase"] == "stopped"
        assert stranger.poll() is None

    def test_says_that_the_supervisor_is_gone_and_starts_another_one(
        self, shop: Shop, port: int, at_terminal: Callable[..., Terminal]
    ) -> None:
        shop.service("backend", port=port)
        shop("start")
        service = shop.status()["backend"]["pid"]

        terminal = at_terminal("dashboard")
        terminal.shows("● backend", "1 of 1 ready")
        os.kill(int((state_of(shop.root) / "supervisor.lock").read_text()), signal.SIGKILL)
        terminal.shows("The supervisor is gone")
        terminal.press("\x12")  # Ctrl-R
        terminal.shows("1 of 1 ready", gone="supervisor is gone")

        assert shop.status()["backend"]["pid"] == service
        terminal.press("q")
        terminal.left()

    def test_streams_lines_without_frames_until_control_c(
        self, shop: Shop, port: int, at_terminal: Callable[..., Terminal]
    ) -> None:
        shop.service("backend", "lines=3", port=port)
        shop("start")

        terminal = at_terminal("dashboard")
        terminal.shows("line 3")
        terminal.press("l")
        terminal.shows("Ctrl-C goes back", gone="SERVICE")
        with shop.log("backend").open("a") as log:
            log.write("and one more\n")
        terminal.shows("and one more")
        terminal.child.sendintr()
        terminal.shows("SERVICE", "● backend")
        terminal.press("q")

        assert terminal.left()[1] == 0

    @pytest.mark.parametrize("environment", [{"TERM": "dumb"}, {"TERM": ""}])
    def test_needs_a_terminal_that_can_move_the_cursor(
        self, shop: Shop, port: int, at_terminal: Callable[..., Terminal], environment: dict[str, str]
    ) -> None:
        shop.service("backend", port=port)

        text, code = at_terminal("dashboard", **environment).left()

        assert code == 2
        assert "the dashboard needs a terminal that can move the cursor" in text

    def test_needs_a_terminal_at_all(self, shop: Shop, port: int) -> None:
        shop.service("backend", port=port)

        answer = shop("dashboard")

        assert answer.returncode == 2
        assert "`devinit status` shows what runs" in answer.stderr


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
