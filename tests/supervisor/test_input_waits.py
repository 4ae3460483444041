"""Specifies that a service which waits for something to be typed is seen, and left alone."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from devinit.supervisor.service.input_wait import is_believed, prompt_at
from devinit.system.input_readers import Proof

if TYPE_CHECKING:
    from tests.supervisor.conftest import Event, Shop, Subscription

GO = """
import os, time
while not os.path.exists("go"):
    time.sleep(0.05)
os.remove("go")
"""
DEBUGGED = f"""{GO}
breakpoint()
print("goes on", flush=True)
time.sleep(3600)
"""
HELD = """
import os, socket, time
server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("127.0.0.1", int(os.environ["PORT"])))
server.listen()
served = 0
while True:
    connection, _ = server.accept()
    served += 1
    if os.path.exists("go"):
        os.remove("go")
        breakpoint()
    connection.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok")
    connection.close()
"""
PROGRESS = """
import time
while True:
    print(".", end="", flush=True)
    time.sleep(0.2)
"""
READING = """
import sys
print("ready", flush=True)
for line in sys.stdin:
    pass
"""
THREADED = f"""{GO}
import threading
def ask():
    name = input("Overwrite it? [y/N] ")
    print("answer", name, flush=True)
threading.Thread(target=ask).start()
"""


def program(shop: Shop, text: str, **keys: object) -> None:
    """Describe a service that runs this program."""
    (shop.root / "app.py").write_text(text)
    keys = {"ready": {"after": 0}, **keys} if "port" not in keys else keys
    shop.service("app", command=f"exec {sys.executable} -S -E {shop.root}/app.py", **keys)


def write_line(shop: Shop, text: str, name: str = "app") -> None:
    """Type a line from outside, without a word to the supervisor."""
    Path(f"/proc/{shop.status()[name]['pid']}/fd/0").write_text(f"{text}\n")


@contextmanager
def held(shop: Shop, text: str = DEBUGGED, **keys: object) -> Iterator[tuple[Subscription, Event]]:
    """Start a service, and let it come to the place where it asks; yield who hears what happens, and what came."""
    program(shop, text, **keys)
    shop.up()
    with shop.subscribe() as heard:
        (shop.root / "go").touch()
        yield heard, heard.until(type="waits_for_input")


class TestAServiceAtABreakpoint:
    def test_is_said_to_wait_for_input_and_stays_ready(self, shop: Shop) -> None:
        with held(shop) as (_, told):
            row = shop.status()["app"]

            assert told["waits_for_input"] == row["waits_for_input"]
            assert row["waits_for_input"]["prompt"] == "(Pdb)"
            assert row["waits_for_input"]["kind"] == "debugger"
            assert row["waits_for_input"]["pid"] == row["pid"]
            assert row["phase"] == "ready"
            assert "waits for input at (Pdb)" in shop("status").stdout
            assert "`devinit attach app` answers it" in shop("why", "app").stdout
            assert "app: waits for input at (Pdb)" in shop("events").stdout

    def test_waits_no_more_when_it_was_answered(self, shop: Shop) -> None:
        with held(shop) as (heard, _):
            write_line(shop, "c")

            assert heard.until(type="waits_for_input")["waits_for_input"] is None
            assert shop.status()["app"]["waits_for_input"] is None

    def test_waits_no_more_when_it_goes_on_in_silence(self, shop: Shop) -> None:
        with held(shop, GO + "breakpoint()\ntime.sleep(3600)\n") as (heard, _):
            heard.ask("input", service="app", text="c\n")

            assert heard.until(type="waits_for_input")["waits_for_input"] is None

    def test_waits_no_more_when_it_has_ended(self, shop: Shop) -> None:
        with held(shop, restart="never") as (heard, told):
            shop.end_process(told["waits_for_input"]["pid"])

            assert heard.until(type="waits_for_input")["waits_for_input"] is None

    def test_is_seen_by_the_next_supervisor_as_well(self, shop: Shop) -> None:
        with held(shop):
            shop.kill_supervisor()

        assert shop.status()["app"]["waits_for_input"]["prompt"] == "(Pdb)"

    def test_is_not_started_again_for_a_failed_health_check(self, shop: Shop, port: int) -> None:
        health = {"http": "/", "every": 0.3, "timeout": 0.3, "failures": 1, "restart_after": 2}
        with held(shop, HELD, port=port, ready={"http": "/"}, health=health) as (heard, told):
            assert heard.stays_silent(2, type="phase")  # six checks

            assert shop.status()["app"]["pid"] == told["waits_for_input"]["pid"]
            write_line(shop, "c")
            assert heard.until(type="waits_for_input")["waits_for_input"] is None

    def test_is_not_down_for_a_client_that_asks_whether_it_serves(self, shop: Shop, port: int) -> None:
        health = {"http": "/", "every": 1}
        with held(shop, HELD, port=port, ready={"http": "/"}, health=health):
            assert '"phase": "ready"' in shop("why", "app", "--json").stdout

            assert shop.status()["app"]["phase"] == "ready"

    def test_wakes_nobody_while_it_waits(self, shop: Shop) -> None:
        with held(shop) as (heard, _):
            heard.stays_silent(5)  # what follows from its last words

            assert 0 in (wake_ups_within(shop.supervisors()[0], 1.0) for _ in range(5))


class TestAServiceThatAsksBeforeItServes:
    def test_ends_the_start_with_the_question_and_is_ready_when_it_was_answered(
        self, shop: Shop, port: int
    ) -> None:
        program(shop, f'input("Password: ")\n{HELD}', port=port, ready={"http": "/"})

        command = shop.begin("start")
        code = command.finish()

        assert code == 1
        reason = command.seen[-1]["services"][0]["reason"]
        assert reason.startswith("waits for input at Password:")
        assert "`devinit attach app` answers it" in reason
        with shop.subscribe() as heard:
            write_line(shop, "secret")
            heard.until(type="phase", phase="ready")


class TestAQuestionInAThread:
    def test_is_seen(self, shop: Shop) -> None:
        with held(shop, THREADED) as (_, told):
            wait = told["waits_for_input"]

            assert (wait["prompt"], wait["kind"]) == ("Overwrite it? [y/N]", "question")


class TestAServiceThatOnlyLooksLikeIt:
    @pytest.mark.parametrize("text", [PROGRESS, READING])
    def test_does_not_wait(self, shop: Shop, text: str) -> None:
        program(shop, text)
        shop.up()
        time.sleep(1.5)

        assert shop.status()["app"]["waits_for_input"] is None
        assert "waits_for_input" not in shop("events").stdout


class TestWhatIsBelieved:
    @pytest.mark.parametrize(
        ("end", "proof", "believed"),
        [
            ("Name:", Proof.READS, True),
            ("(Pdb)", Proof.SLEEPS, True),
            ("Password:", Proof.SLEEPS, True),
            ("Name:", Proof.SLEEPS, False),
            ("break in app.js:4\n> 4 debugger;\ndebug> ", Proof.POLLS, True),
            ("break in app.js:4\n> 4 debugger;\ndebug> debug> ", Proof.POLLS, False),
            ("debug> ", Proof.POLLS, False),
            ("(Pdb)", Proof.POLLS, False),
            ("Password:", Proof.POLLS, False),
            ("Name:", Proof.POLLS, False),
        ],
    )
    def test_is_the_prompt_and_the_kernel_together(self, end: str, proof: Proof, believed: bool) -> None:
        prompt = prompt_at(end)

        assert prompt is not None
        assert is_believed(prompt, proof, end) is believed


def wake_ups_within(pid: int, seconds: float) -> int:
    """Return how often a process has woken up in this time, all its threads together."""
    before = woken(pid)
    time.sleep(seconds)
    return woken(pid) - before


def woken(pid: int) -> int:
    total = 0
    for thread in Path(f"/proc/{pid}/task").iterdir():
        text = (thread / "status").read_text()
        found = re.search(r"^voluntary_ctxt_switches:\s*(\d+)", text, re.MULTILINE)
        total += int(found[1]) if found else 0
    return total
