"""Specifies `devinit attach` of a service that has a terminal: shown in that of a person."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import PATIENCE
from tests.cli.test_attach import piped, printed
from tests.terminal import Terminal

if TYPE_CHECKING:
    from tests.cli.conftest import Shop

DETACH, INTERRUPT = "\x1d", "\x03"
DEBUGGED = """
import readline
number = 20
while True:
    number += 1
    print("request", number, flush=True)
    breakpoint()
"""
BUSY = """
import time
print("busy", flush=True)
while True:
    time.sleep(0.1)
"""
FULL = """
import signal, sys
def paint(*_):
    sys.stdout.write("\\x1b[2J\\x1b[Hfull screen")
    sys.stdout.flush()
signal.signal(signal.SIGWINCH, paint)
sys.stdout.write("\\x1b[?1049h\\x1b[?25l\\x1b[?1000h")
paint()
while True:
    signal.pause()
"""


def program(shop: Shop, text: str, name: str = "app", **keys: object) -> None:
    """Start a service that runs this program in a terminal."""
    (shop.root / f"{name}.py").write_text(text)
    command = f"{sys.executable} -E {name}.py"
    shop.service(name, **{"command": command, "ready": {"after": 0}, "tty": True, **keys})
    started = shop("start", name)
    assert started.returncode == 0, started.stderr


def attach(shop: Shop, *shows: str, words: tuple[str, ...] = ()) -> Terminal:
    terminal = Terminal(shop.terminal("attach", "app", *words, columns=100))
    terminal.shows("attached to the terminal of app", *shows)
    return terminal


class TestAtATerminal:
    def test_a_debugger_edits_its_line_and_completes_it(self, shop: Shop) -> None:
        program(shop, DEBUGGED)
        printed(shop, "(Pdb) ")
        attached = attach(shop, "request 21", "(Pdb)")

        attached.press("p numberX\x7f*2\r")
        attached.shows("(Pdb) p number*2\n42")
        attached.press("\x1b[A\x7f3\r")
        attached.shows("p number*3\n63")
        attached.press("c\r")
        attached.shows("request 22")
        attached.press(DETACH)
        text, code = attached.left()

        assert "detached: app keeps running" in text
        assert code == 0
        assert "42\n" in shop.log("app").read_text()

    def test_other_keys_may_detach(self, shop: Shop) -> None:
        program(shop, DEBUGGED)
        printed(shop, "(Pdb) ")
        attached = attach(shop, "Ctrl-P Ctrl-Q detaches", "(Pdb)", words=("--detach-keys", "ctrl-p,ctrl-q"))

        attached.press("\x10\x11")

        assert "detached" in attached.left()[0]

    def test_keys_that_are_none_are_refused(self, shop: Shop) -> None:
        program(shop, BUSY)

        answer = shop("attach", "app", "--detach-keys", "nonsense")

        assert answer.returncode == 2
        assert "names no keys" in answer.stderr

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
    def test_a_signal_leaves_the_terminal_as_it_was(self, shop: Shop, number: int) -> None:
        program(shop, FULL)
        attached = attach_to_full(shop)

        attached.child.kill(number)
        output = shown_at_the_end(attached)

        assert all(each in output for each in ("\x1b[?1049l", "\x1b[?25h", "\x1b[?1000l"))
        assert shop.status()["app"]["phase"] == "ready"

    def test_a_full_screen_is_painted_again_and_left(self, shop: Shop) -> None:
        program(shop, FULL)
        attached = attach_to_full(shop)

        attached.press(DETACH)

        assert "\x1b[?1049l" in shown_at_the_end(attached)
        assert "full screen: python" in shop.log("app").read_text()
        assert "\x1b[2J" not in shop.log("app").read_text()

    @pytest.mark.skipif(shutil.which("vim") is None, reason="without vim")
    def test_vim_is_painted_again_for_each_who_comes(self, shop: Shop) -> None:
        (shop.root / "notes.txt").write_text("the first line\n")
        shop.service(
            "app",
            command="vim -u NONE notes.txt",
            tty=True,
            ready={"after": 0},
            restart="never",
        )
        assert shop("start", "app").returncode == 0
        printed(shop, "--- full screen: vim ---")

        for number in (1, 2):
            attached = Terminal(shop.terminal("attach", "app", columns=100))
            attached.shows("the first line", "~")
            attached.press(f"Oline of visit {number}\x1b")
            attached.shows(f"line of visit {number}")
            attached.press(DETACH)
            assert attached.left()[1] == 0
        attached = Terminal(shop.terminal("attach", "app", columns=100))
        attached.shows("line of visit 1", "line of visit 2")
        attached.press(":wq\r")
        attached.left()

        assert (shop.root / "notes.txt").read_text() == "line of visit 2\nline of visit 1\nthe first line\n"
        assert "\x1b[H" not in shop.log("app").read_text()

    def test_ctrl_c_asks_first_whether_the_service_is_to_be_interrupted(self, shop: Shop) -> None:
        program(shop, BUSY, restart="never")
        attached = attach(shop, "busy")
        pid = shop.status()["app"]["pid"]

        attached.press(INTERRUPT)
        attached.shows("Ctrl-C again interrupts app")
        assert shop.status()["app"]["pid"] == pid
        attached.press(INTERRUPT)
        text, code = attached.left()

        assert "app has ended by SIGINT" in text
        assert code != 0

    def test_a_supervisor_that_is_killed_is_not_noticed(self, shop: Shop) -> None:
        program(shop, DEBUGGED)
        printed(shop, "(Pdb) ")
        attached = attach(shop, "(Pdb)")
        pid = shop.status()["app"]["pid"]

        os.kill(supervisor_of(shop), signal.SIGKILL)
        attached.press("p number*2\r")

        attached.shows("42")
        attached.press(DETACH)
        attached.left()
        assert shop.status()["app"]["pid"] == pid

    def test_a_service_that_is_restarted_is_followed(self, shop: Shop) -> None:
        program(shop, DEBUGGED)
        printed(shop, "(Pdb) ")
        attached = attach(shop, "(Pdb)")

        assert shop("restart", "app").returncode == 0
        attached.shows("app has ended by SIGTERM]\nrequest 21\n")
        attached._until(lambda text: text.count("(Pdb)") == 2)
        attached.press("p number*2\r")

        attached.shows("42")

    def test_a_service_that_is_stopped_ends_the_attachment(self, shop: Shop) -> None:
        program(shop, DEBUGGED)
        attached = attach(shop)

        shop("stop")
        text, code = attached.left()

        assert "app has " in text
        assert code == 0

    def test_who_comes_second_watches_and_takes_the_keyboard(self, shop: Shop) -> None:
        program(shop, DEBUGGED)
        printed(shop, "(Pdb) ")
        first = attach(shop, "(Pdb)")
        second = attach(shop, "another terminal has the keyboard; Enter takes it")

        first.press("p 'by the first'\r")
        second.shows("p 'by the first'", "\n'by the first'")
        second.press("\r")
        first.shows("another terminal has taken the keyboard")
        second.press("p 'by the second'\r")

        first.shows("\n'by the second'")

    def test_one_that_is_stopped_slows_nothing(self, shop: Shop) -> None:
        text = "input()\nfor n in range(50_000): print('line', n)\nprint('all'); input()"
        program(shop, text)
        attached = attach(shop)
        attached.child.kill(signal.SIGSTOP)

        piped(shop, "\n", "--for", "0.1")
        log = printed(shop, "all\n")

        assert log.count("line ") == 50_000
        attached.child.kill(signal.SIGCONT)
        attached.shows("all")

    def test_a_holder_that_is_halted_is_said(self, shop: Shop) -> None:
        program(shop, BUSY)
        printed(shop, "busy")
        holder = shop.status()["app"]["terminal"]["pid"]
        os.kill(holder, signal.SIGSTOP)
        try:
            attached = attach(shop, f"(pid {holder})")
            text, code = attached.left()
        finally:
            os.kill(holder, signal.SIGCONT)

        assert "the process that holds the terminal of app does not answer" in text
        assert f"`kill -CONT {holder}` lets it go on" in text
        assert code != 0
        attach(shop, "busy")

    def test_a_terminal_that_was_lost_is_said(self, shop: Shop) -> None:
        text = "import signal\nsignal.signal(signal.SIGHUP, signal.SIG_IGN)\nprint('up', flush=True)\nwhile True: signal.pause()"
        program(shop, text)
        printed(shop, "up")
        attached = attach(shop, "up")

        os.kill(shop.status()["app"]["terminal"]["pid"], signal.SIGKILL)
        text, code = attached.left()

        assert "app has lost its terminal" in text
        assert code != 0
        assert "app has lost its terminal" in shop("attach", "app").stderr
        assert shop("stop").returncode == 0

    def test_the_terminal_of_the_service_itself_is_refused(self, shop: Shop) -> None:
        words = shlex.join(shop.program("attach", "app"))
        program(shop, "import time\nwhile True: time.sleep(1)", command=f"{words}; sleep 600")

        assert "this is the terminal of app itself" in printed(shop, "itself")


class TestFromAPipe:
    def test_lines_are_typed_and_the_answer_is_printed(self, shop: Shop) -> None:
        program(shop, DEBUGGED)
        printed(shop, "(Pdb) ")

        answer = piped(shop, "p number*2\n")

        assert answer.returncode == 0
        assert "42\n(Pdb)" in answer.stdout


def attach_to_full(shop: Shop) -> Terminal:
    printed(shop, "--- full screen: ")
    return attach_without_a_line(shop)


def attach_without_a_line(shop: Shop) -> Terminal:
    terminal = Terminal(shop.terminal("attach", "app", columns=100))
    terminal.shows("full screen")
    return terminal


def shown_at_the_end(terminal: Terminal) -> str:
    """Return the bytes that a terminal got last, when it is in order again."""
    seen = ""
    deadline = time.monotonic() + PATIENCE
    while terminal.child.isalive() and time.monotonic() < deadline:
        try:
            seen += terminal.child.read_nonblocking(100_000, 0.1)
        except Exception:  # noqa: BLE001, S112  the end, or nothing yet
            continue
    assert not terminal.child.isalive()
    return seen


def supervisor_of(shop: Shop) -> int:
    pid = json.loads(shop("status", "--json").stdout)["supervisor"]["pid"]
    assert isinstance(pid, int)
    return pid


class TestDebug:
    def test_starts_the_service_in_a_terminal_for_this_run(self, shop: Shop) -> None:
        program(shop, DEBUGGED, tty=False)
        before = shop.status()["app"]["pid"]
        terminal = Terminal(shop.terminal("debug", "app", columns=100))

        terminal.shows("attached to the terminal of app", "(Pdb)")
        terminal.press("p numberX\x7f*2\r")
        terminal.shows("(Pdb) p number*2\n42")
        terminal.press(DETACH)
        text, code = terminal.left()

        assert "detached: app keeps running, and keeps its terminal until the next restart" in " ".join(
            text.split()
        )
        assert code == 0
        row = shop.status()["app"]
        assert row["pid"] != before
        assert row["terminal"]["socket"]
        assert row["changed"] == []
        shop("restart", "app")
        assert shop.status()["app"]["terminal"] is None

    def test_keeps_the_terminal_for_a_service_that_is_started_again_by_itself(self, shop: Shop) -> None:
        text = "text = input('>>> ')\nprint('got', text, flush=True)\n"
        program(shop, text, tty=False, restart="always")
        terminal = Terminal(shop.terminal("debug", "app", columns=100))
        terminal.shows("attached to the terminal of app", ">>>")
        os.kill(supervisor_of(shop), signal.SIGKILL)

        assert shop("status").returncode == 0
        terminal.press("abc\r")

        terminal.shows("got abc", "app has ended with code 0", "\n>>>")
        terminal.press(DETACH)
        terminal.left()

    def test_of_a_service_that_cannot_be_started_is_the_failure_of_the_restart(self, shop: Shop) -> None:
        shop.service("app", command="false", ready={"after": 0.1})

        answer = shop("debug", "app")

        assert answer.returncode != 0
        assert "attached" not in answer.stderr

    def test_of_a_server_that_is_no_program_of_the_project_is_refused(self, shop: Shop) -> None:
        shop.service("app", command="sleep 600", ready={"after": 0})
        (shop.root / "devinit.toml").write_text(
            (shop.root / "devinit.toml").read_text() + '\n[services.db]\nprovider = "redis"\n'
        )

        answer = shop("debug", "db")

        assert answer.returncode == 2
        assert "db runs no command of the project" in answer.stderr
