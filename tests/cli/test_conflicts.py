"""Specifies the questions about taken ports at a real terminal, with real processes on the ports."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, nullcontext
from getpass import getuser
from pathlib import Path

import pexpect
import pytest

from devinit.model.port import LeaseOwner
from devinit.ports.hold import Hold, hold
from devinit.ports.leases import Claim, Lease, LeaseStore
from devinit.system.listeners import tcp_listeners
from devinit.system.paths import state_directory
from tests.cli.conftest import DOWN, ENTER, STRANGER, Listen, Shop, choose, code_of


def phases(shop: Shop) -> set[str]:
    return {service["phase"] for service in shop.status().values()}


def may_be_had(port: int) -> bool:
    with closing(found) if isinstance(found := hold(port), Hold) else nullcontext():
        return isinstance(found, Hold)


class TestATakenPort:
    def ask(self, shop: Shop, port: int, **environment: str) -> pexpect.spawn[str]:
        shop.service("backend", port=port)
        child = shop.terminal("start", "-d", columns=80, **environment)
        child.expect(rf"Port {port}[^\r\n]*?, which backend wants, is ")
        return child

    def test_is_explained_and_moving_is_the_default(self, shop: Shop, port: int, listen: Listen) -> None:
        stranger = listen(port)
        child = self.ask(shop, port)

        child.expect(rf"process +[^\r\n]*?{stranger.pid} of user ")
        child.expect(r"listens on +[^\r\n]*?127\.0\.0\.1")
        child.expect(rf"What about port {port} for backend\?")
        child.expect(rf"» [^\r\n]*?move to {port + 1}")
        child.send(ENTER)

        child.expect(f"moved from {port}")
        assert code_of(child) == 0
        assert stranger.poll() is None
        assert shop.status()["backend"]["port"] == port + 1

    def test_is_freed_when_that_is_chosen(self, shop: Shop, port: int, listen: Listen) -> None:
        stranger = listen(port)
        child = self.ask(shop, port)

        choose(child, f"kill {stranger.pid}")

        child.expect(rf"backend: ended [^\r\n]*\(pid {stranger.pid}\) to free port {port}")
        assert code_of(child) == 0
        assert stranger.wait(5) == -signal.SIGTERM
        assert shop.status()["backend"]["port"] == port

    def test_can_be_tried_again(self, shop: Shop, port: int, listen: Listen) -> None:
        stranger = listen(port)
        child = self.ask(shop, port)
        child.expect("» ")
        stranger.kill()
        stranger.wait()

        child.send(DOWN)
        choose(child, "try again")

        assert code_of(child) == 0
        assert shop.status()["backend"]["port"] == port

    def test_that_is_still_taken_is_asked_about_again(self, shop: Shop, port: int, listen: Listen) -> None:
        listen(port)
        child = self.ask(shop, port)

        choose(child, "try again")
        child.expect(rf"What about port {port} for backend\?")
        choose(child, "move to")

        assert code_of(child) == 0

    @pytest.mark.parametrize("key", ["q", "\x04"], ids=["q", "end of input"])
    def test_can_end_the_start_before_anything_has_happened(
        self, shop: Shop, port: int, listen: Listen, key: str
    ) -> None:
        stranger = listen(port)
        shop.service("first", port=port + 3)
        child = self.ask(shop, port)
        child.expect("» ")

        child.send(key)

        child.expect(f"port {port} for backend is taken, and the start was aborted")
        child.expect("nothing was started, and nothing was ended")
        assert code_of(child) == 3
        assert stranger.poll() is None
        assert phases(shop) == {"stopped"}

    @pytest.mark.parametrize("by", ["the key", "a signal"])
    def test_interrupts_with_control_c(self, shop: Shop, port: int, listen: Listen, by: str) -> None:
        stranger = listen(port)
        child = self.ask(shop, port)
        child.expect("» ")

        child.sendintr() if by == "the key" else child.kill(signal.SIGINT)

        child.expect(pexpect.EOF)
        text = child.before or ""
        assert code_of(child) == 130
        assert "Traceback" not in text
        assert text.rfind("\x1b[?25h") >= text.rfind("\x1b[?25l"), "the cursor is shown again"
        assert stranger.poll() is None
        assert phases(shop) == {"stopped"}

    def test_shows_more_when_that_is_asked_for(self, shop: Shop, port: int, listen: Listen) -> None:
        listen(port, "--host", "x" * 60, "--last")
        child = self.ask(shop, port)
        child.expect(r"command +[^\r\n]*…")

        choose(child, "show all details")

        child.expect("--last")
        child.expect(rf"What about port {port} for backend\?")
        assert "show all details" not in child.read_nonblocking(10_000, 5)
        child.send("q")
        assert code_of(child) == 3

    def test_is_asked_about_by_number_on_a_dumb_terminal(self, shop: Shop, port: int, listen: Listen) -> None:
        stranger = listen(port)
        child = self.ask(shop, port, TERM="dumb")

        child.expect(r"2\) kill")
        child.expect(r"choose 1-\d, q to abort \[1\]: ")
        child.sendline("2")

        assert code_of(child) == 0
        assert stranger.wait(5) == -signal.SIGTERM

    def test_has_no_escape_sequences_on_a_dumb_terminal(self, shop: Shop, port: int, listen: Listen) -> None:
        listen(port)
        child = self.ask(shop, port, TERM="dumb")

        child.expect("choose 1-")
        text = child.before or ""
        child.sendline("q")

        assert code_of(child) == 3
        assert "\x1b" not in text

    def test_is_not_painted_without_colours(self, shop: Shop, port: int, listen: Listen) -> None:
        listen(port)
        child = self.ask(shop, port, NO_COLOR="1")

        child.expect("abort: nothing is ended")
        text = child.before or ""
        child.send("q")

        assert code_of(child) == 3
        attributes = {int(each) for run in re.findall(r"\x1b\[([\d;]+)m", text) for each in run.split(";")}
        # Bold and reversed are no colours, and show where the pointer is.
        assert attributes <= {0, 1, 7}

    def test_is_no_question_when_standard_input_is_closed(
        self, shop: Shop, port: int, listen: Listen
    ) -> None:
        listen(port)
        shop.service("backend", port=port)

        child = pexpect.spawn("bash", ["-c", 'exec "$@" 0<&-', "bash", *shop.program("start")], timeout=30)

        child.expect(pexpect.EOF)
        child.close()
        assert child.exitstatus == 0
        assert shop.status()["backend"]["port"] == port + 1


class TestAProcessOfThisCheckoutThatDevinitDidNotStart:
    @pytest.fixture
    def notebooks(self, shop: Shop, port: int) -> Iterator[list[subprocess.Popen[str]]]:
        """Two servers of another terminal, which work in this checkout."""
        words = [sys.executable, "-S", "-c", STRANGER]
        started = [
            subprocess.Popen([*words, str(each)], cwd=shop.root, stdout=subprocess.PIPE, text=True)
            for each in (port, port + 5)
        ]
        for each in started:
            assert each.stdout is not None
            assert each.stdout.readline() == "ready\n"
        yield started
        for each in started:
            each.kill()
            each.communicate()

    def test_is_moved_away_from_by_the_default_answer(
        self, shop: Shop, port: int, notebooks: list[subprocess.Popen[str]]
    ) -> None:
        shop.service("backend", port=port)
        child = shop.terminal("start", "-d")
        child.expect("It works in this checkout, and devinit did not start it")
        child.expect(rf"» [^\r\n]*?move to {port + 1}")
        child.expect(rf"kill {notebooks[0].pid} [^\r\n]*, ends 1 process")

        child.send(ENTER)

        assert code_of(child) == 0
        assert notebooks[0].poll() is None
        assert shop.status()["backend"]["port"] == port + 1

    def test_is_left_alone_when_all_suggestions_are_accepted(
        self, shop: Shop, port: int, notebooks: list[subprocess.Popen[str]]
    ) -> None:
        shop.service("backend", port=port)
        shop.service("frontend", port=port + 5)
        child = shop.terminal("start", "-d")
        child.expect(r"» [^\r\n]*?accept all suggestions\x1b")

        child.send(ENTER)

        assert code_of(child) == 0
        assert [each.poll() for each in notebooks] == [None, None]

    def test_is_not_ended_by_enter_where_the_port_is_fixed(
        self, shop: Shop, port: int, notebooks: list[subprocess.Popen[str]]
    ) -> None:
        shop.service("backend", port=port, strict_port=True)
        child = shop.terminal("start", "-d")
        child.expect("» [^\r\n]*?abort")

        child.send(ENTER)

        assert code_of(child) == 3
        assert notebooks[0].poll() is None


class TestAReservedPort:
    def test_can_be_taken_over(self, shop: Shop, port: int, tmp_path: Path) -> None:
        other = tmp_path / "blog"
        other.mkdir(exist_ok=True)
        owner = LeaseOwner(root=str(other), project="blog", service="web", pid=1, at=time.time())
        lease = LeaseStore(state_directory() / "leases").take(port, owner)
        assert isinstance(lease, Lease)
        lease.claim(Claim.KEPT)
        lease.release(keep_reservation=True)
        shop.service("backend", port=port)
        child = shop.terminal("start", "-d")
        child.expect("reserved for")
        child.expect(rf"» [^\r\n]*?move to {port + 1}")

        child.send(DOWN)
        choose(child, "take it")

        assert code_of(child) == 0
        assert shop.status()["backend"]["port"] == port


@pytest.mark.skipif(shutil.which("redis-server") is None, reason="needs redis-server")
class TestAServerThatRuns:
    @pytest.fixture
    def redis(self, port: int, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
        """A Redis that somebody else has started on the port."""
        folder = tmp_path / "their data"
        folder.mkdir()
        words = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "::1", "--save", ""]
        with subprocess.Popen(words, cwd=folder, stdout=subprocess.DEVNULL) as server:
            deadline = time.monotonic() + 10
            while not tcp_listeners(port) and time.monotonic() < deadline:
                time.sleep(0.01)  # a server that begins to listen wakes nobody
            yield server
            server.terminate()

    def test_is_used_when_that_is_chosen_and_left_alone_by_a_stop(
        self, shop: Shop, port: int, redis: subprocess.Popen[bytes]
    ) -> None:
        (shop.root / "devinit.toml").write_text(f'[services.cache]\nprovider = "redis"\nport = {port}\n')
        child = shop.terminal("start", "-d")
        child.expect(rf"Port {port}[^\r\n]*?, which cache wants, is ")
        child.expect(r"» [^\r\n]*?move to")

        child.send(DOWN)
        choose(child, "use ")

        assert code_of(child) == 0
        assert shop.status()["cache"]["mode"] == "external"
        assert "left alone" in shop("stop").stderr
        assert redis.poll() is None


class TestANarrowTerminal:
    def test_shows_everything_within_its_width(self, shop: Shop, port: int, listen: Listen) -> None:
        stranger = listen(port)
        shop.service("backend", port=port)
        child = shop.terminal("start", "-d", columns=40, NO_COLOR="1", TERM="dumb")
        child.expect(r"choose 1-\d, q to abort \[1\]: ")
        text = (child.before or "").replace("\r", "")
        child.sendline("q")
        assert code_of(child) == 3

        lines = text.split("\n")
        assert max(map(len, lines)) <= 40
        assert f"  process: {stranger.pid} of user" in text
        assert "  listens on: 127.0.0.1" in lines
        assert f"  1) move to {port + 1}" in lines
        assert f"What about port {port} for backend?" in text.replace("\n", " ")

    def test_is_chosen_on_with_the_arrow_keys(self, shop: Shop, port: int, listen: Listen) -> None:
        listen(port)
        shop.service("backend", port=port)
        child = shop.terminal("start", "-d", columns=40)

        child.expect(f"What about port {port} for backend")
        choose(child, f"move to {port + 1}")

        assert code_of(child) == 0
        assert shop.status()["backend"]["port"] == port + 1


class TestSeveralTakenPorts:
    @pytest.fixture
    def child(self, shop: Shop, port: int, listen: Listen) -> pexpect.spawn[str]:
        shop.service("backend", port=port)
        shop.service("frontend", port=port + 5)
        self.strangers = [listen(port), listen(port + 5)]
        child = shop.terminal("start", "-d")
        child.expect("2 ports are taken:")
        return child

    def test_are_shown_together_and_all_suggestions_accepted_at_once(
        self, shop: Shop, port: int, child: pexpect.spawn[str]
    ) -> None:
        child.expect("SERVICE +PORT +WHO HAS IT +SUGGESTION")
        child.expect(rf"backend +{port} +[^\r\n]*\(pid {self.strangers[0].pid}\) +move to {port + 1}")
        child.expect(rf"frontend +{port + 5} +[^\r\n]*\(pid {self.strangers[1].pid}\) +move to {port + 6}")
        child.expect("What about them")
        choose(child, "accept all suggestions")

        child.expect("2 of 2 services ready")
        assert code_of(child) == 0
        assert {each["port"] for each in shop.status().values()} == {port + 1, port + 6}

    def test_are_decided_one_by_one(self, shop: Shop, port: int, child: pexpect.spawn[str]) -> None:
        choose(child, "decide one by one")
        child.expect(rf"What about port {port} for backend\?")
        choose(child, "move to")
        child.expect(rf"What about port {port + 5} for frontend\?")
        choose(child, f"kill {self.strangers[1].pid}")

        assert code_of(child) == 0
        assert self.strangers[0].poll() is None
        assert self.strangers[1].wait(5) == -signal.SIGTERM
        assert shop.status()["frontend"]["port"] == port + 5

    @pytest.mark.parametrize("way_out", ["q", "\x03"], ids=["q", "Ctrl-C"])
    def test_are_left_alone_when_the_second_is_not_answered(
        self, shop: Shop, port: int, child: pexpect.spawn[str], way_out: str
    ) -> None:
        choose(child, "decide one by one")
        child.expect(rf"What about port {port} for backend\?")
        choose(child, f"kill {self.strangers[0].pid}")
        child.expect(rf"What about port {port + 5} for frontend\?")
        child.expect("» ")

        child.send(way_out)

        assert code_of(child) == {"q": 3, "\x03": 130}[way_out]
        assert [each.poll() for each in self.strangers] == [None, None]
        assert phases(shop) == {"stopped"}

    @pytest.mark.parametrize("way_out", ["q", "\x03"], ids=["q", "Ctrl-C"])
    def test_are_left_alone_when_the_first_screen_is_left(
        self, shop: Shop, child: pexpect.spawn[str], way_out: str
    ) -> None:
        child.expect("» ")

        child.send(way_out)

        assert code_of(child) == {"q": 3, "\x03": 130}[way_out]
        assert [each.poll() for each in self.strangers] == [None, None]
        assert phases(shop) == {"stopped"}


class TestAnAnswerForGood:
    def answer(self, shop: Shop, port: int, listen: Listen, text: str) -> pexpect.spawn[str]:
        listen(port)
        shop.service("backend", port=port)
        file = shop.root / "devinit.toml"
        file.write_text(file.read_text().replace("\ncommand", "\n# the API\ncommand"))
        child = shop.terminal("start", "-d")
        choose(child, "always do the same")
        child.expect(r"What is always to be done for backend\?")
        choose(child, text)
        return child

    @pytest.mark.parametrize("policy", ["move", "kill"])
    def test_is_kept_in_the_configuration_beside_its_comments(
        self, shop: Shop, port: int, listen: Listen, policy: str
    ) -> None:
        child = self.answer(shop, port, listen, f"always {policy}")

        child.expect(f'devinit.toml: on_conflict = "{policy}" for backend')
        assert code_of(child) == 0
        text = (shop.root / "devinit.toml").read_text()
        assert text.startswith('[project]\nname = "shop"\n\n[services.backend]\n# the API\ncommand = ')
        assert text.endswith(f'port = {port}\non_conflict = "{policy}"')

    def test_is_not_asked_for_again(self, shop: Shop, port: int, listen: Listen) -> None:
        child = self.answer(shop, port, listen, "always kill")
        assert code_of(child) == 0
        shop("stop")
        stranger = listen(port)

        child = shop.terminal("start", "-d")

        child.expect(rf"ended [^\r\n]*\(pid {stranger.pid}\)")
        assert code_of(child) == 0

    def test_of_a_move_is_remembered_with_its_port(self, shop: Shop, port: int, listen: Listen) -> None:
        assert code_of(self.answer(shop, port, listen, "always move")) == 0

        assert json.loads((shop.root / ".ports.json").read_text()) == {"backend": port + 1}

    def test_is_not_kept_when_the_rest_is_aborted(self, shop: Shop, port: int, listen: Listen) -> None:
        shop.service("frontend", port=port + 5)
        listen(port + 5)
        listen(port)
        shop.service("backend", port=port)
        before = (shop.root / "devinit.toml").read_text()
        child = shop.terminal("start", "-d")
        choose(child, "decide one by one")
        choose(child, "always do the same")
        choose(child, "always kill")
        child.expect("What about port")

        child.send("q")

        assert code_of(child) == 3
        assert (shop.root / "devinit.toml").read_text() == before

    def test_can_be_thought_better_of(self, shop: Shop, port: int, listen: Listen) -> None:
        child = self.answer(shop, port, listen, "only this time")
        choose(child, "move to")

        assert code_of(child) == 0
        assert "on_conflict" not in (shop.root / "devinit.toml").read_text()

    def test_is_told_when_the_file_cannot_be_edited_surely(
        self, shop: Shop, port: int, listen: Listen
    ) -> None:
        listen(port)
        command = f"exec {sys.executable} -S -E service.py"
        text = f'services.backend = {{ command = "{command}", port = {port} }}\n'
        (shop.root / "devinit.toml").write_text(text)
        child = shop.terminal("start", "-d", columns=120)
        choose(child, "always do the same")
        choose(child, "always move")

        child.expect('add on_conflict = "move" to the table of backend yourself')
        assert code_of(child) == 0
        assert (shop.root / "devinit.toml").read_text() == text

    def test_needs_a_place_to_be_kept(self, shop: Shop, listen: Listen) -> None:
        backend = shop.root / "backend"
        backend.mkdir()
        (backend / "requirements.txt").write_text("fastapi\nuvicorn\n")
        (backend / "main.py").write_text("from fastapi import FastAPI\napp = FastAPI()\n")
        # What is detected prefers 8000, and remembers a port only within its range.
        port = next(each for each in range(8060, 8100) if may_be_had(each))
        (shop.root / ".ports.json").write_text(json.dumps({"backend": port}))
        listen(port)
        child = shop.terminal("start", "-d")

        choose(child, "always do the same")

        child.expect("`devinit init` writes one")
        child.expect(rf"What about port {port} for backend\?")
        child.send("q")
        assert code_of(child) == 3
        assert not (shop.root / "devinit.toml").exists()


class TestTheScreen:
    def test_at_an_ordinary_terminal(self, shop: Shop, port: int, orphan: int) -> None:
        assert (
            self.screen(shop, port, orphan, columns=80)
            == """
Port 8000, which backend wants, is held by python3 serve.py 8000 (pid PID).

  command     python3 serve.py 8000
  process     PID of user USER, for AGE
  folder      ~/blog
  listens on  127.0.0.1

  It is a process of yours that devinit did not start.
  Moving to 8001 changes .env.runtime: BACKEND_URL, NEXT_PUBLIC_API_URL,
  VITE_API_URL.

What about port 8000 for backend?
  1) move to 8001
  2) kill PID (python3 serve.py 8000), ends 1 process
  3) try again
  4) always do the same…
  5) abort: nothing is ended, nothing is started
choose 1-5, q to abort [1]: """
        )

    @pytest.fixture
    def orphan(self, port: int, tmp_path: Path) -> Iterator[int]:
        """Be a stranger whose parent has gone: else what started it is whoever runs the tests."""
        (tmp_path / "blog").mkdir()
        (tmp_path / "blog" / "serve.py").write_text(STRANGER)
        script = f'(exec -a python3 "{sys.executable}" serve.py {port}) & echo $!'
        shell = subprocess.Popen(
            ["bash", "-c", script], cwd=tmp_path / "blog", stdout=subprocess.PIPE, text=True
        )
        assert shell.stdout is not None
        said = sorted(shell.stdout.readline() for _ in range(2))
        shell.wait()
        yield int(said[0])
        os.kill(int(said[0]), signal.SIGKILL)
        shell.stdout.close()

    def screen(self, shop: Shop, port: int, pid: int, columns: int) -> str:
        """Return the screen with what differs from run to run replaced."""
        shop.service("backend", port=port)
        child = shop.terminal("start", columns=columns, TERM="dumb", HOME=str(shop.root.parent))
        child.expect_exact("[1]: ")
        text = (child.before or "") + "[1]: "
        child.sendline("q")
        assert code_of(child) == 3
        text = text.replace("\r", "").replace(str(pid), "PID").replace(f"user {getuser()}", "user USER")
        # Where there is a reaper besides init, that is the parent now.
        text = re.sub(r"  started by .*\n", "", text)
        return re.sub(
            r"for [\d.]+ m?s", "for AGE", text.replace(str(port), "8000").replace(str(port + 1), "8001")
        )
