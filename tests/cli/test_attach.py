"""Specifies `devinit attach`: a person, or a pipe, types into a service."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import termios
import time
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import PATIENCE
from tests.terminal import Terminal

if TYPE_CHECKING:
    from tests.cli.conftest import Shop

DEBUGGED = """
import sys
def handle(number):
    breakpoint()
    return number
number = 20
while True:
    number += 1
    print("request", number, flush=True)
    handle(number)
"""
ASKING = """
import getpass
print("secret of", len(getpass.getpass("Geheim: ")), flush=True)
print("hello", input("Name? "), flush=True)
print("bye", input(), flush=True)
"""
READING = """
import sys
total = 0
for line in sys.stdin:
    total += len(line)
    print(total, flush=True)
"""
DETACH, INTERRUPT, END = "\x1d", "\x03", "\x04"


def program(shop: Shop, text: str, name: str = "app", **keys: object) -> None:
    """Start a service that runs this program."""
    (shop.root / f"{name}.py").write_text(text)
    command = f"exec {sys.executable} -S -E {name}.py"
    shop.service(name, **{"command": command, "ready": {"after": 0}, **keys})
    started = shop("start", name)
    assert started.returncode == 0, started.stderr


def printed(shop: Shop, text: str, name: str = "app") -> str:
    """Wait until a service has printed this; return its log."""
    deadline = time.monotonic() + PATIENCE
    while text not in (log := shop.log(name).read_text()):
        assert time.monotonic() < deadline, log
        time.sleep(0.05)
    return log


def piped(shop: Shop, text: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Send a text from a pipe."""
    return subprocess.run(
        shop.program("attach", "app", *words),
        input=text,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@pytest.fixture
def attached(shop: Shop) -> Terminal:
    """A person at a terminal who is attached to a debugger."""
    program(shop, DEBUGGED)
    printed(shop, "(Pdb) ")
    return at_terminal(shop, "(Pdb)")


def at_terminal(shop: Shop, *shows: str, name: str = "app") -> Terminal:
    """Attach at a terminal."""
    terminal = Terminal(shop.terminal("attach", name, columns=100))
    terminal.shows(f"attached to {name}", *shows)
    return terminal


class TestAtATerminal:
    def test_a_debugger_answers_what_is_typed_and_goes_on(self, shop: Shop, attached: Terminal) -> None:
        pid = shop.status()["app"]["pid"]

        attached.press("p number*2\r")
        attached.shows("(Pdb) p number*2", "42")
        attached.press("c\r")
        attached.shows("request 22")
        attached.press(DETACH)
        text, code = attached.left()

        assert "detached: app keeps running" in text
        assert code == 0
        assert shop.status()["app"]["pid"] == pid

    def test_the_key_detaches_at_once_whatever_is_typed_after_it(
        self, shop: Shop, attached: Terminal
    ) -> None:
        attached.press(f"{DETACH}q")
        text, code = attached.left()

        assert "detached: app keeps running" in text
        assert code == 0

    def test_a_byte_that_is_no_text_is_sent_as_the_sign_for_one(self, shop: Shop) -> None:
        program(shop, "print('got', ascii(input('Name? ')), flush=True); import time; time.sleep(600)")
        terminal = at_terminal(shop, "Name?")

        os.write(terminal.child.child_fd, b"a\xffb\r")

        assert r"got 'a\ufffdb'" in printed(shop, "got")
        terminal.shows("got")

    def test_the_answer_is_shown_without_a_second_prompt(self, shop: Shop, attached: Terminal) -> None:
        attached.press("p number*2\r")

        attached.shows("(Pdb) p number*2\n42\n(Pdb)")

    def test_the_first_line_says_which_key_detaches(self, attached: Terminal) -> None:
        attached.shows("Ctrl-] detaches and leaves it running")

    @pytest.mark.parametrize("key", [DETACH, INTERRUPT, END])
    def test_a_key_detaches_and_leaves_the_terminal_as_it_was(
        self, shop: Shop, attached: Terminal, key: str
    ) -> None:
        pid = shop.status()["app"]["pid"]

        attached.press(key)
        attached.shows("detached")

        assert is_cooked(attached)
        assert shop.status()["app"]["pid"] == pid

    def test_ctrl_c_first_clears_what_was_typed(self, shop: Shop, attached: Terminal) -> None:
        attached.press("oops")
        attached.shows("(Pdb) oops")

        attached.press(INTERRUPT)
        attached.shows("(Pdb)", gone="oops")
        attached.press("p 6*7\r")

        attached.shows("\n42\n")

    def test_the_arrow_keys_bring_back_what_was_typed(self, attached: Terminal) -> None:
        attached.press("p number*2\r")
        attached.shows("42")

        attached.press("\x1b[A\x7f3\r")

        attached.shows("p number*3", "63")

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
    def test_a_signal_leaves_the_terminal_as_it_was(
        self, shop: Shop, attached: Terminal, number: int
    ) -> None:
        attached.child.kill(number)
        _, code = attached.left()

        assert code == 143
        assert shop.status()["app"]["phase"] == "ready"

    def test_a_password_is_neither_shown_nor_brought_back(self, shop: Shop) -> None:
        program(shop, ASKING)
        printed(shop, "Geheim: ")
        terminal = at_terminal(shop, "Geheim:")

        terminal.press("hunter22\r")
        text = terminal.shows("secret of 8", "Name?")
        terminal.press("\x1b[A")
        terminal.press("Ada\r")
        text += terminal.shows("hello Ada")

        assert "hunter22" not in text
        assert "hunter22" not in shop.log("app").read_text()

    def test_a_restarted_service_is_followed_and_typed_into(self, shop: Shop, attached: Terminal) -> None:
        assert shop("restart", "app").returncode == 0

        attached.shows("app starts", "request 21\n> ")
        attached.press("p 'new', number\r")

        attached.shows("('new', 21)")

    def test_a_killed_supervisor_is_replaced_for_the_next_line(self, shop: Shop, attached: Terminal) -> None:
        pid = shop.status()["app"]["pid"]
        status = json.loads(shop("status", "--json").stdout)
        os.kill(status["supervisor"]["pid"], signal.SIGKILL)
        attached.shows("app keeps running, and the next line starts a supervisor")

        attached.press("p number*2\r")

        attached.shows("42")
        assert shop.status()["app"]["pid"] == pid

    def test_it_ends_with_the_service(self, shop: Shop, attached: Terminal) -> None:
        assert shop("stop").returncode == 0

        text, code = attached.left()

        assert "app has been stopped" in text
        assert code == 0

    def test_what_is_not_read_is_said_when_detaching(self, shop: Shop) -> None:
        program(shop, "import signal; signal.pause()")
        terminal = at_terminal(shop)

        terminal.press("anyone?\r")
        terminal.press(DETACH)
        text, _ = terminal.left()

        assert "it has not read the last 8 bytes that were typed" in " ".join(text.split())


class TestFromAPipe:
    def test_lines_are_sent_and_the_answers_printed(self, shop: Shop) -> None:
        program(shop, DEBUGGED)
        printed(shop, "(Pdb) ")

        done = piped(shop, "p number*2\nc\n")

        assert done.stdout.startswith("(Pdb) 42\n(Pdb) request 22\n")
        assert done.stdout.endswith("(Pdb) \n")
        assert done.stderr == ""
        assert done.returncode == 0

    def test_a_megabyte_arrives_whole(self, shop: Shop) -> None:
        program(shop, READING)
        line = "ü" * 511 + "\n"

        done = piped(shop, line * 1024)

        assert done.returncode == 0, done.stderr
        assert printed(shop, f"{512 * 1024}\n")

    def test_earlier_lines_are_shown_when_asked_for(self, shop: Shop) -> None:
        program(shop, READING + "\n")
        piped(shop, "one\n")

        assert piped(shop, "two\n", "-n", "1").stdout == "4\n8\n"

    def test_a_service_that_reads_nothing_is_refused_more_than_its_input_holds(self, shop: Shop) -> None:
        program(shop, "import signal; signal.pause()")

        done = piped(shop, "x" * 100_000)

        assert done.returncode == 1
        assert "app has not read 65,536 bytes of its standard input" in done.stderr

    def test_a_service_that_ends_while_more_is_to_be_sent_is_an_error_alone(self, shop: Shop) -> None:
        program(shop, "input(); raise SystemExit('no')", restart="never")

        done = piped(shop, "x\n" + "more\n" * 100_000)

        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        assert "error: app" in done.stderr

    def test_a_service_that_fails_meanwhile_is_an_error(self, shop: Shop) -> None:
        program(shop, "input(); raise SystemExit('no')", restart="never")

        done = piped(shop, "x\n", "--for", "20")

        assert done.returncode == 1
        assert "error: app has failed" in done.stderr


class TestWithoutAName:
    def test_the_one_that_waits_for_input_is_meant(self, shop: Shop) -> None:
        program(shop, "import signal; signal.pause()", "other")
        program(shop, DEBUGGED)
        printed(shop, "(Pdb) ")

        done = shop.run(["bash", "-c", f"echo p number | {shlex.join(shop.program('attach'))}"])

        assert done.stdout.startswith("(Pdb) 21\n"), done.stderr

    def test_none_is_an_error_with_the_names(self, shop: Shop) -> None:
        program(shop, "import signal; signal.pause()")

        done = shop("attach")

        assert done.returncode == 2
        assert "no service waits for input" in done.stderr
        assert "services: app" in done.stderr


class TestAServiceThatCannotBeTypedInto:
    def test_does_not_run(self, shop: Shop) -> None:
        program(shop, DEBUGGED)
        program(shop, READING, "other")
        assert shop("stop", "app").returncode == 0

        done = shop("attach", "app")

        assert done.returncode == 1
        assert "app does not run: it is stopped" in done.stderr
        assert "`devinit start app` starts it" in done.stderr

    def test_is_of_a_project_that_does_not_run(self, shop: Shop) -> None:
        shop.service("app")

        done = shop("attach", "app")

        assert done.returncode == 1
        assert "nothing runs here" in done.stderr

    def test_is_unknown(self, shop: Shop) -> None:
        program(shop, READING)

        done = shop("attach", "ap")

        assert done.returncode == 2
        assert "did you mean app?" in done.stderr

    @pytest.mark.parametrize(
        ("command", "said"),
        [
            ("exec <&-; exec sleep 60", "is closed"),
            ("exec sleep 60 </dev/null", "is /dev/null, not the one that devinit gave it"),
            ("exec sleep 60 < <(sleep 50)", "is pipe:["),
        ],
    )
    def test_reads_from_something_else(self, shop: Shop, command: str, said: str) -> None:
        shop.service("app", command=f"exec bash -c '{command}'", ready={"after": 0.5})
        assert shop("start").returncode == 0

        done = shop("attach", "app")

        assert done.returncode == 1
        assert f"the standard input of app (pid {shop.status()['app']['pid']}) {said}" in done.stderr

    def test_reads_from_a_file_which_is_left_as_it_is(self, shop: Shop) -> None:
        data = shop.root / "data"
        data.write_text("mine\n")
        shop.service("app", command="exec sleep 60 <>data", ready={"after": 0})
        assert shop("start").returncode == 0

        done = piped(shop, "overwritten\n")

        assert done.returncode == 1
        assert data.read_text() == "mine\n"

    def test_is_a_server_elsewhere(self, shop: Shop, port: int) -> None:
        program(shop, READING)
        shop.service("other", command="", port=port)
        text = (shop.root / "devinit.toml").read_text()
        external = f'\n[services.db]\nprovider = "postgres"\nurl = "postgresql://u@127.0.0.1:{port}/d"\n'
        (shop.root / "devinit.toml").write_text(text.partition("[services.other]")[0] + external)
        shop("start", "db", "--timeout", "2")

        done = shop("attach", "db")

        assert done.returncode == 1
        assert "db is a server that devinit does not run" in done.stderr


def is_cooked(terminal: Terminal) -> bool:
    """Whether a terminal edits lines and shows what is typed, as a shell's program leaves it."""
    wanted = termios.ICANON | termios.ECHO | termios.ISIG
    deadline = time.monotonic() + PATIENCE
    while termios.tcgetattr(terminal.child.fileno())[3] & wanted != wanted:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
