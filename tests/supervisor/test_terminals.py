"""Specifies services with a terminal of their own: the supervisor may die, and the terminal may be lost."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.supervisor.conftest import Shop, Until

PROMPTING = """
import os, sys
print(os.isatty(0), flush=True)
while True:
    text = input(">>> ")
    if text.startswith("exit"):
        sys.exit(int(text.split()[1]))
    print("got", text, flush=True)
"""
SERVING = """
import os, socket, signal
if os.environ.get("STAYS"):
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
server = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))
print("serves", flush=True)
while True:
    connection, _ = server.accept()
    connection.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok")
    connection.close()
"""
DAEMON = """
import os, socket, signal
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        server = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))
        while True:
            connection, _ = server.accept()
            connection.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok")
            connection.close()
    os._exit(0)
os.wait()
"""


def program(shop: Shop, text: str, **keys: object) -> None:
    """Describe a service that runs this program in a terminal."""
    (shop.root / "app.py").write_text(text)
    keys = {"ready": {"after": 0}, **keys} if "port" not in keys else keys
    keys = {"command": f"{sys.executable} -S -E {shop.root}/app.py", "tty": True, **keys}
    shop.service("app", **keys)


def terminal_of(shop: Shop) -> dict[str, object]:
    terminal = shop.status()["app"]["terminal"]
    assert isinstance(terminal, dict)
    return terminal


def type_into(shop: Shop, text: str) -> None:
    with shop.subscribe() as heard:
        assert heard.ask("input", service="app", text=text)["taken"]


class TestAServiceWithATerminal:
    def test_runs_in_it_and_is_the_process_that_status_names(self, shop: Shop, until: Until) -> None:
        program(shop, PROMPTING)
        shop.up()

        pid, holder = shop.status()["app"]["pid"], terminal_of(shop)["pid"]

        until(lambda: shop.log("app").endswith("True\n>>> "))
        assert os.getsid(pid) == pid
        assert holder in shop.pids("app")
        assert holder != pid

    def test_is_typed_into_as_any_other(self, shop: Shop, until: Until) -> None:
        program(shop, PROMPTING)
        shop.up()

        type_into(shop, "abc\n")

        until(lambda: "got abc\n" in shop.log("app"))

    def test_is_seen_to_wait_for_input(self, shop: Shop, until: Until) -> None:
        program(shop, PROMPTING)
        shop.up()

        until(lambda: shop.status()["app"]["waits_for_input"] is not None)

        row = shop.status()["app"]
        assert row["waits_for_input"]["prompt"] == ">>>"
        assert row["waits_for_input"]["pid"] == row["pid"]

    def test_that_edits_its_line_is_seen_to_wait_for_input(self, shop: Shop, until: Until) -> None:
        program(shop, "import pdb, readline\npdb.set_trace()\n", command=f"{sys.executable} -E app.py")
        shop.up()

        until(lambda: shop.status()["app"]["waits_for_input"] is not None)

        assert shop.status()["app"]["waits_for_input"]["prompt"] == "(Pdb)"

    def test_whose_progress_is_no_question_does_not_wait(self, shop: Shop, until: Until) -> None:
        text = "import time\nwhile True:\n print('.', end='', flush=True); time.sleep(0.1)\n"
        program(shop, text)
        shop.up()

        until(lambda: shop.log("app").endswith("....."))

        assert shop.status()["app"]["waits_for_input"] is None

    def test_ends_with_its_code(self, shop: Shop, until: Until) -> None:
        program(shop, PROMPTING, restart="never")
        shop.up()

        type_into(shop, "exit 7\n")

        until(lambda: shop.status()["app"]["phase"] == "failed")
        assert "exited with code 7" in shop.status()["app"]["reason"]
        shop("stop")
        shop.expect_nothing_left()

    def test_is_started_again_with_another_terminal(self, shop: Shop, until: Until) -> None:
        program(shop, PROMPTING, restart="always")
        shop.up()
        before = terminal_of(shop)["pid"]

        type_into(shop, "exit 0\n")

        until(lambda: terminal_of(shop)["pid"] not in (before, None))

    def test_that_cannot_be_started_says_why(self, shop: Shop) -> None:
        (shop.root / "script").write_text("#!/no/such/interpreter\n")
        (shop.root / "script").chmod(0o755)
        program(shop, "", command="./script")

        command = shop.begin("start")
        command.finish()

        assert "names an interpreter that does not exist" in shop.status()["app"]["reason"]

    def test_is_stopped_with_its_holder(self, shop: Shop) -> None:
        program(shop, PROMPTING)
        shop.up()

        assert shop("stop").returncode == 0

        shop.expect_nothing_left()

    def test_that_ignores_the_request_to_end_is_killed_and_leaves_no_holder(self, shop: Shop) -> None:
        text = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('up', flush=True)\nwhile True: signal.pause()"
        program(shop, text, stop={"grace": 0.3})
        shop.up()

        shop("stop")

        shop.expect_nothing_left()

    def test_that_goes_into_the_background_is_followed(self, shop: Shop, port: int, until: Until) -> None:
        program(shop, DAEMON, port=port)
        shop.up()
        row = shop.status()["app"]

        assert row["phase"] == "ready"
        assert row["pid"] != terminal_of(shop)["pid"]
        assert shop.log("app").count("starts on port") == 1
        shop("stop")
        shop.expect_nothing_left()


class TestWithoutASupervisor:
    def test_it_runs_on_and_is_taken_over_with_its_terminal(self, shop: Shop, until: Until) -> None:
        program(shop, PROMPTING)
        shop.up()
        before = shop.status()["app"]["pid"], terminal_of(shop)

        shop.kill_supervisor()
        shop.status()
        type_into(shop, "abc\n")

        until(lambda: "got abc\n" in shop.log("app"))
        assert (shop.status()["app"]["pid"], terminal_of(shop)) == before

    def test_the_next_one_is_told_its_exit_code(self, shop: Shop, until: Until) -> None:
        program(shop, PROMPTING, restart="never")
        shop.up()
        shop.kill_supervisor()
        shop.status()

        type_into(shop, "exit 7\n")

        until(lambda: shop.status()["app"]["phase"] == "failed")
        assert "exited with code 7" in shop.status()["app"]["reason"]

    def test_one_that_comes_after_the_end_is_told_the_exit_code(self, shop: Shop, until: Until) -> None:
        program(shop, PROMPTING, restart="never")
        shop.up()
        pids = shop.pids("app")
        pid = shop.status()["app"]["pid"]
        shop.kill_supervisor()
        os.kill(pid, signal.SIGTERM)
        until(lambda: not any(Path(f"/proc/{each}").exists() for each in pids))

        row = shop.status()["app"]

        assert row["phase"] == "failed"
        assert "signal 15" in row["reason"]

    def test_a_stop_ends_all_of_it(self, shop: Shop) -> None:
        program(shop, PROMPTING)
        shop.up()
        shop.kill_supervisor()

        shop("stop")

        shop.expect_nothing_left()


class TestAHolderThatIsKilled:
    def test_ends_most_services_and_says_why(self, shop: Shop, port: int, until: Until) -> None:
        program(shop, SERVING, port=port, restart="never")
        shop.up()

        os.kill(int(str(terminal_of(shop)["pid"])), signal.SIGKILL)

        until(lambda: shop.status()["app"]["phase"] == "failed")
        assert "it has lost its terminal" in shop.status()["app"]["reason"]

    def test_leaves_others_without_a_terminal_which_is_said(
        self, shop: Shop, port: int, until: Until
    ) -> None:
        program(shop, SERVING, port=port, env={"STAYS": "1"})
        shop.up()
        pid = shop.status()["app"]["pid"]

        with shop.subscribe() as heard:
            os.kill(int(str(terminal_of(shop)["pid"])), signal.SIGKILL)
            said = heard.until(type="note")["message"]

        assert "app: it has lost its terminal" in said
        assert terminal_of(shop)["lost"] is True
        assert shop.status()["app"]["pid"] == pid
        shop("stop")
        shop.expect_nothing_left()

    def test_is_known_to_the_next_supervisor(self, shop: Shop, port: int, until: Until) -> None:
        program(shop, SERVING, port=port, env={"STAYS": "1"})
        shop.up()
        holder = int(str(terminal_of(shop)["pid"]))
        shop.kill_supervisor()

        os.kill(holder, signal.SIGKILL)
        until(lambda: not Path(f"/proc/{holder}").exists())

        assert terminal_of(shop)["lost"] is True
        shop("restart", "app")
        assert terminal_of(shop)["lost"] is False


class TestProgramsOfOthers:
    @pytest.mark.skipif(shutil.which("node") is None, reason="without Node")
    def test_node_has_its_repl(self, shop: Shop, until: Until) -> None:
        shop.service("app", command="node", tty=True, ready={"after": 0})
        shop.up()
        until(lambda: ">" in shop.log("app"))

        type_into(shop, "6*7\r")

        until(lambda: "42" in shop.log("app"))

    @pytest.mark.skipif(shutil.which("irb") is None, reason="without Ruby")
    def test_irb_asks_where_the_cursor_is_and_is_answered(self, shop: Shop, until: Until) -> None:
        shop.service("app", command="irb -f", tty=True, ready={"after": 0})
        shop.up()
        until(lambda: "irb(main)" in shop.log("app"))

        type_into(shop, "6*7\r")

        until(lambda: "=> 42" in re.sub(r"\x1b\[[\d;]*m", "", shop.log("app")))
