"""Specifies `ports who` and `ports free` against real processes on real ports."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.cli.conftest import DOWN, ENTER, STRANGER, Listen, Shop, choose, code_of


def anywhere(*words: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder that is no project, and without a terminal."""
    return subprocess.run(
        [sys.executable, "-m", "devinit", *words],
        cwd="/",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def object_of(done: subprocess.CompletedProcess[str]) -> Any:
    """Return what was printed; Any: JSON."""
    return json.loads(done.stdout)


class TestWho:
    def test_says_that_a_port_is_free(self, port: int) -> None:
        done = anywhere("ports", "who", str(port))

        assert (done.returncode, done.stdout) == (0, f"Port {port} is free.\n")
        assert object_of(anywhere("ports", "who", str(port), "--json")) == {"port": port, "free": True}

    def test_tells_of_the_holder_what_a_question_would(self, port: int, listen: Listen) -> None:
        stranger = listen(port, "x" * 200)

        done = anywhere("ports", "who", str(port))

        assert done.returncode == 0
        first, _, *facts = done.stdout.splitlines()
        assert first.startswith(f"Port {port} is held by ")
        assert first.endswith(f"(pid {stranger.pid}).")
        # Elsewhere than at a terminal nothing is cut or folded.
        assert f"  command     python3 serve.py {port} {'x' * 200}" in facts
        assert "  listens on  127.0.0.1" in facts
        assert f"({os.getpid()})" in next(line for line in facts if line.startswith("  started by"))
        assert facts[-1] == "  It is a process of yours that devinit did not start."

    def test_tells_programs_everything(self, port: int, listen: Listen) -> None:
        stranger = listen(port)

        report = object_of(anywhere("ports", "--json", "who", str(port)))

        assert (report["port"], report["free"], report["kind"]) == (port, False, "stranger")
        [holder] = report["holders"]
        assert holder["identity"]["pid"] == stranger.pid
        assert holder["command"] == ["python3", "serve.py", str(port)]
        assert report["killable"] is True

    def test_knows_the_service_of_a_project(self, shop: Shop, port: int) -> None:
        shop.service("backend", port=port)
        shop("start")

        inside = shop("ports", "who", str(port)).stdout
        outside = anywhere("ports", "who", str(port)).stdout

        assert "It is a service of this checkout that devinit looks after." in inside
        assert "`devinit stop backend` ends it." in inside
        assert "It is a service of another devinit project." in outside
        assert "stop backend` ends it." in outside

    def test_knows_for_whom_a_port_is_reserved(self, shop: Shop, port: int) -> None:
        shop.service("backend", port=port)
        shop("ports", "set", "backend", str(port))
        shop("start")
        shop("stop")

        report = object_of(anywhere("ports", "who", str(port), "--json"))

        assert report["kind"] == "reserved"
        assert (report["owner"]["project"], report["owner"]["service"]) == ("shop", "backend")

    def test_fits_a_narrow_terminal(self, shop: Shop, port: int, listen: Listen) -> None:
        listen(port, "a long command", "that", "does not fit", "into one line")
        child = shop.terminal("ports", "who", str(port), columns=40)

        assert code_of(child) == 0
        lines = (child.before or "").replace("\r", "").split("\n")
        plain = [line.replace("\x1b[1m", "").replace("\x1b[2m", "").replace("\x1b[0m", "") for line in lines]
        assert max(map(len, plain)) <= 40
        assert "into one line" in " ".join(line.strip() for line in plain)


class TestFree:
    def test_of_a_free_port_has_nothing_to_do(self, port: int) -> None:
        done = anywhere("ports", "free", str(port))

        assert (done.returncode, done.stderr) == (0, f"port {port} is free\n")
        answer = object_of(anywhere("ports", "free", str(port), "--json"))
        assert answer == {"port": port, "free": True, "ended": []}

    def test_refuses_without_somebody_to_ask(self, port: int, listen: Listen) -> None:
        stranger = listen(port)

        done = anywhere("ports", "free", str(port))

        assert done.returncode == 3
        assert f"process     {stranger.pid} of user" in done.stderr
        assert done.stderr.endswith("there is no terminal to ask at: --force ends it\n")
        assert stranger.poll() is None

    def test_ends_the_holder_when_that_is_ordered(self, port: int, listen: Listen) -> None:
        stranger = listen(port)

        done = anywhere("ports", "free", str(port), "--force")

        assert done.returncode == 0, done.stderr
        assert f"port {port} is free: ended " in done.stderr
        assert stranger.wait(5) == -signal.SIGTERM

    def test_tells_programs_who_was_ended(self, port: int, listen: Listen) -> None:
        stranger = listen(port)

        answer = object_of(anywhere("ports", "free", str(port), "--force", "--json"))

        assert (answer["port"], answer["free"]) == (port, True)
        [ended] = answer["ended"]
        assert f"(pid {stranger.pid})" in ended

    def test_leaves_a_stranger_alone_unless_that_is_chosen(
        self, shop: Shop, port: int, listen: Listen
    ) -> None:
        stranger = listen(port)

        child = shop.terminal("ports", "free", str(port))
        child.expect(rf"End what holds port {port}\?")
        child.expect("» [^\r\n]*leave it alone")
        child.send(ENTER)

        child.expect("nothing was ended")
        assert code_of(child) == 3
        assert stranger.poll() is None

    def test_ends_a_stranger_when_that_is_chosen(self, shop: Shop, port: int, listen: Listen) -> None:
        stranger = listen(port)

        child = shop.terminal("ports", "free", str(port))
        child.expect("leave it alone")
        child.send(DOWN)
        choose(child, f"kill {stranger.pid}")

        child.expect(f"port {port} is free: ended")
        assert code_of(child) == 0
        assert stranger.wait(5) == -signal.SIGTERM

    def test_does_not_suggest_to_end_a_process_of_this_checkout_that_devinit_did_not_start(
        self, shop: Shop, port: int, tmp_path: Path
    ) -> None:
        shop.service("backend", port=port)
        stray = subprocess.Popen(
            [sys.executable, "-S", "-c", STRANGER, str(port)],
            cwd=shop.root,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert stray.stdout is not None
        assert stray.stdout.readline() == "ready\n"

        child = shop.terminal("ports", "free", str(port))
        child.expect("It works in this checkout, and devinit did not start it")
        child.expect(rf"kill {stray.pid} [^\r\n]*, ends 1 process")
        child.expect("» [^\r\n]*leave it alone")
        child.send(ENTER)

        assert code_of(child) == 3
        assert stray.poll() is None
        stray.kill()
        stray.communicate()

    def test_suggests_to_end_what_an_earlier_run_left_over(self, shop: Shop, port: int) -> None:
        shop.service("backend", port=port)
        shop("start")
        status = json.loads(shop("status", "--json").stdout)
        os.kill(status["supervisor"]["pid"], signal.SIGKILL)

        child = shop.terminal("ports", "free", str(port))
        child.expect("It is left over from an earlier run")
        child.expect("» [^\r\n]*kill [^\r\n]*, ends 1 process")
        child.send(ENTER)

        child.expect(f"port {port} is free: ended")
        assert code_of(child) == 0

    def test_refuses_what_must_not_be_ended_with_what_to_do_instead(self, shop: Shop, port: int) -> None:
        shop.service("backend", port=port)
        shop("start")

        for where in (shop, anywhere):
            done = where("ports", "free", str(port), "--force")

            assert done.returncode == 3
            assert "stop backend` ends it" in done.stderr.splitlines()[-1]
        assert shop.status()["backend"]["phase"] == "ready"

    def test_gives_programs_the_refusal_as_an_object(self, shop: Shop, port: int) -> None:
        shop.service("backend", port=port)
        shop("start")

        error = object_of(anywhere("ports", "free", str(port), "--force", "--json"))

        assert (error["type"], error["kind"], error["exit_code"]) == ("error", "PortConflict", 3)
        assert "stop backend` ends it" in error["hint"]
        [known] = error["conflicts"]
        assert (known["port"], known["owner"]["service"]) == (port, "backend")
