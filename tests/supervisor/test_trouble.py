"""Specifies what a start says and does when a service does not come up, through the real command line."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from devinit.supervisor.service.coming_up import PATIENCE_SECONDS
from tests.places import state_of

if TYPE_CHECKING:
    from tests.supervisor.conftest import Command, FreePorts, Shop


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def summary(command: Command, service: str) -> dict[str, object]:
    """Return a service's row in the summary of a start."""
    [row] = [row for row in command.seen[-1]["services"] if row["service"] == service]
    return dict(row)


class TestAServiceThatExitsAtOnce:
    def test_fails_the_start_with_its_last_20_lines(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port, command="sh -c 'seq 30; exit 3'")

        command = shop.begin("start")

        assert command.finish() == 1
        row = summary(command, "web")
        assert (row["phase"], row["reason"]) == ("failed", "exited with code 3 before it was ready")
        assert row["log_tail"] == [str(number) for number in range(11, 31)]

    def test_is_shown_to_people_with_its_last_lines(self, shop: Shop, port: int) -> None:
        shop.service("web", "say=no_such_table", "exit=1", port=port)

        answer = shop("start")

        assert answer.returncode == 1
        assert "exited with code 1 before it was ready" in answer.stderr
        assert "no_such_table" in answer.stderr
        assert "Traceback" not in answer.stderr

    def test_before_it_runs_has_no_last_lines_of_an_earlier_run(self, shop: Shop, port: int) -> None:
        shop.service("web", "say=of-yesterday", port=port)
        shop.up()
        shop("stop")
        shop.service("web", port=port, command="no-such-program")

        command = shop.begin("start")

        assert command.finish() == 1
        assert summary(command, "web")["log_tail"] == []

    def test_blocks_its_dependants_with_a_reason(self, shop: Shop, free_ports: FreePorts) -> None:
        ports = free_ports(2)
        shop.service("db", "exit=1", port=ports[0])
        shop.service("web", port=ports[1], depends_on=["db"])

        assert shop.begin("start").finish() == 1

        web = shop.status()["web"]
        assert (web["phase"], web["reason"]) == ("waiting", "waits for db, which failed")

    def test_releases_its_dependants_when_it_comes_up_after_all(
        self, shop: Shop, free_ports: FreePorts
    ) -> None:
        ports = free_ports(2)
        shop.service("db", "fails-while=broken", port=ports[0])
        shop.service("web", port=ports[1], depends_on=["db"])
        (shop.root / "broken").touch()
        assert shop.begin("start").finish() == 1
        (shop.root / "broken").unlink()

        assert shop.begin("start", "db").finish() == 0

        with shop.subscribe() as events:
            if shop.status()["web"]["phase"] != "ready":
                events.until(type="phase", service="web", phase="ready")

    def test_does_not_fail_the_start_when_it_is_optional(self, shop: Shop, free_ports: FreePorts) -> None:
        ports = free_ports(2)
        shop.service("mail", "exit=1", port=ports[0], optional=True)
        shop.service("web", port=ports[1], depends_on=["mail"])

        command = shop.up()

        assert summary(command, "mail")["phase"] == "failed"
        assert summary(command, "web")["phase"] == "ready"


class TestAServiceThatNeverListens:
    def test_times_out_with_what_was_seen_last(self, shop: Shop, port: int) -> None:
        shop.service("web", "never", port=port, ready={"timeout": 0.3})

        command = shop.begin("start")

        assert command.finish() == 4
        assert summary(command, "web")["reason"] == "not ready after 0.3 s: nothing listens yet"

    def test_is_ended_when_it_has_timed_out(self, shop: Shop, port: int) -> None:
        shop.service("web", "never", port=port, ready={"timeout": 0.3})
        shop.begin("start").finish()

        assert shop("stop").returncode == 0
        shop.expect_nothing_left()

    def test_is_waited_for_only_as_long_as_the_command_says(self, shop: Shop, port: int) -> None:
        shop.service("web", "never", port=port)

        assert shop.begin("start", "--timeout", "0.3").finish() == 4

        assert shop.status()["web"]["phase"] == "starting"

    def test_and_answers_something_wrong_is_told_by_its_answer(self, shop: Shop, port: int) -> None:
        shop.service("web", "status=503_Busy", port=port, ready={"http": "/health", "timeout": 0.3})

        command = shop.begin("start")

        assert command.finish() == 4
        reason = str(summary(command, "web")["reason"])
        assert reason.splitlines()[0] == "not ready after 0.3 s: GET /health answered 503"


class TestACommand:
    def test_that_does_not_exist_fails_the_service(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port, command="no-such-program --serve")

        command = shop.begin("start")

        assert command.finish() == 1
        assert str(summary(command, "web")["reason"]).startswith("command not found: no-such-program")

    def test_before_start_that_fails_fails_the_service_with_its_output(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port, before_start=["echo first", "echo table missing >&2; exit 7"])

        command = shop.begin("start")

        assert command.finish() == 1
        reason = str(summary(command, "web")["reason"])
        assert "before_start of web failed" in reason
        assert "exited with code 7" in reason
        assert "table missing" in reason
        assert shop.every_pid() == []

    def test_before_start_runs_once_for_each_start_after_the_dependencies(
        self, shop: Shop, free_ports: FreePorts
    ) -> None:
        ports = free_ports(2)
        shop.service("db", "note=order", port=ports[0])
        shop.service("web", port=ports[1], depends_on=["db"], before_start="echo '{}' >> order")
        shop.up()

        assert [bool(note) for note in shop.notes("order")] == [True, False]

    def test_of_setup_runs_once_until_a_lock_file_changes(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port, setup=["echo done >> set-up"])
        counts = []
        for change in (None, None, "uv.lock"):
            if change:
                (shop.root / change).write_text("new")
            shop.up()
            shop("stop")
            counts.append((shop.root / "set-up").read_text().count("done"))

        assert counts == [1, 1, 2]

    def test_of_setup_runs_again_when_a_start_asks_for_it(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port, setup=["echo done >> set-up"])
        shop.up()
        runs = shop("start", "--setup")
        assert "web runs, so its setup does not: `devinit restart --setup web`" in runs.stderr

        assert shop("restart", "--setup").returncode == 0
        shop("stop")
        shop.up("--setup")

        assert (shop.root / "set-up").read_text().count("done") == 3

    def test_of_setup_that_has_changed_while_it_runs_is_said_by_a_start(self, shop: Shop, port: int) -> None:
        (shop.root / "requirements.txt").write_text("one\n")
        shop.service("web", port=port, setup=["echo done >> set-up"])
        shop.up()
        (shop.root / "requirements.txt").write_text("one\ntwo\n")

        done = shop("start")

        assert "web runs as before requirements.txt changed: `devinit restart web`" in done.stderr

    def test_of_setup_of_an_older_run_is_said_while_the_service_starts(self, shop: Shop, port: int) -> None:
        (shop.root / "requirements.txt").write_text("one\n")
        shop.service("web", "never", port=port, setup=["true"], ready={"timeout": 60})
        assert shop("start", "--timeout", "1").returncode != 0
        (shop.root / "requirements.txt").write_text("one\ntwo\n")

        assert "outdated (requirements.txt)" in shop("status").stdout

    def test_of_packages_is_looked_at_again_by_a_start_that_asks_for_it(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        (shop.root / "requirements.txt").write_text("one\n")
        python = shop.root / ".venv/bin/python"
        python.parent.mkdir(parents=True)
        python.write_text("#!/bin/sh\ncat requirements.txt >> installed\n")
        python.chmod(0o755)
        (python.parent / "pip").touch()
        os.utime(shop.root / ".venv", (1_000, 1_000))

        shop.up("--setup")
        shop("stop")
        (shop.root / "requirements.txt").write_text("two\n")
        plain = shop("start")
        shop("restart", "--setup")

        assert "web has the packages of before requirements.txt changed" in plain.stderr
        assert (shop.root / "installed").read_text() == "one\ntwo\n"

    def test_of_setup_that_makes_a_virtual_environment_works_the_second_time_too(
        self, shop: Shop, port: int
    ) -> None:
        script = """
            rm -rf .venv
            python3 -m venv --without-pip .venv
            python3 -m pip --version
        """
        (shop.root / "setup.sh").write_text(f"set -e{script}")
        tools = shop.root / "tools"
        tools.mkdir()
        python3 = Path(sys.base_prefix, "bin", "python3")
        if subprocess.run([python3, "-c", "import pip"], check=False).returncode != 0:
            pytest.skip("needs a Python with pip")
        (tools / "python3").symlink_to(python3)
        shop.service("web", port=port, setup=["sh setup.sh"])
        path = f"{tools}:/usr/bin:/bin"
        shop.up(PATH=path)

        (shop.root / "requirements.txt").touch()

        restart = shop("restart", PATH=path)

        assert restart.returncode == 0, restart.stderr

    def test_of_setup_that_cannot_be_recorded_fails_only_its_service(
        self, shop: Shop, free_ports: FreePorts
    ) -> None:
        ports = free_ports(2)
        shop.service("web", port=ports[0], setup=["true"])
        shop.service("other", port=ports[1])
        state_of(shop.root).mkdir(parents=True)
        (state_of(shop.root) / "setup").touch()

        command = shop.begin("start")

        assert command.finish() == 1
        assert summary(command, "other")["phase"] == "ready"

    def test_that_reads_its_input_waits_for_ever(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.service("asking", command="sh -c 'read answer; echo it read: $answer'", ready={"after": 0.3})

        shop.up()

        assert shop.status()["asking"]["phase"] == "ready"
        assert "it read" not in shop.log("asking")


class TestACrash:
    def test_is_followed_by_a_new_process_on_the_same_port(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up()
        with shop.subscribe() as events:
            before = shop.status()["web"]["pid"]

            kill(before)

            backoff = events.until(type="phase", service="web", phase="backoff")
            events.until(type="phase", service="web", phase="ready")
        after = shop.status()["web"]
        assert backoff["reason"] == "was ended by signal 9"
        assert (after["port"], after["restarts"]) == (port, 1)
        assert after["pid"] != before

    def test_counts_how_long_the_service_takes_to_come_back(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port, ready={"exec": "test -e allowed"})
        (shop.root / "allowed").touch()
        shop.up()
        (shop.root / "allowed").unlink()
        with shop.subscribe() as events:
            kill(shop.status()["web"]["pid"])
            began = events.until(type="phase", service="web", phase="starting")
            command = shop.begin("start")
            command.until(type="plan")
            (shop.root / "allowed").touch()
            ready = events.until(type="phase", service="web", phase="ready")

        assert command.finish() == 0
        assert ready["ready_seconds"] == pytest.approx(ready["at"] - began["at"], abs=0.05)

    def test_again_and_again_is_given_up(self, shop: Shop, port: int) -> None:
        shop.service("web", "fails-while=broken", port=port, restart={"failures": 3})
        shop.up()
        (shop.root / "broken").touch()
        with shop.subscribe() as events:
            kill(shop.status()["web"]["pid"])

            failed = events.until(type="phase", service="web", phase="failed")
        given_up = "exited with code 1: it fails; given up after 3 failures in 60 s"
        assert failed["reason"].partition("\n")[0] == given_up
        assert shop.status()["web"]["restarts"] == 2

    def test_leaves_nothing_of_the_old_run(self, shop: Shop, port: int) -> None:
        shop.service("web", "fork", port=port)
        shop.up()
        with shop.subscribe() as events:
            old = shop.pids("web")

            kill(shop.status()["web"]["pid"])

            events.until(type="phase", service="web", phase="ready")
        assert len(shop.pids("web")) == 2
        assert not set(old) & set(shop.pids("web"))

    def test_does_not_end_what_depends_on_it(self, shop: Shop, free_ports: FreePorts) -> None:
        ports = free_ports(2)
        shop.service("db", port=ports[0])
        shop.service("web", port=ports[1], depends_on=["db"])
        shop.up()
        web = shop.status()["web"]["pid"]
        with shop.subscribe() as events:
            kill(shop.status()["db"]["pid"])
            events.until(type="phase", service="db", phase="ready")

        assert shop.status()["web"]["pid"] == web

    def test_is_stopped_while_it_waits_for_its_next_try(self, shop: Shop, port: int) -> None:
        shop.service("web", "fails-while=broken", port=port, restart={"failures": 50})
        shop.up()
        (shop.root / "broken").touch()
        with shop.subscribe() as events:
            kill(shop.status()["web"]["pid"])
            for _ in range(4):
                events.until(type="phase", service="web", phase="backoff")

        assert shop("stop").returncode == 0
        shop.expect_nothing_left()


class TestAProbeThatTakesTooLong:
    @pytest.mark.slow
    def test_does_not_end_the_service(self, shop: Shop, port: int) -> None:
        shop.service(
            "web", "note=notes", port=port, ready={"exec": "test -e asked || { touch asked; exec sleep 60; }"}
        )

        shop.up()

        assert len(shop.notes()) == 1


class TestMuchOutput:
    def test_of_a_service_that_fails_is_shortened(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port, command=PRINTS_MUCH)

        starting = shop.begin("start")
        starting.finish()

        row = summary(starting, "web")
        assert row["truncated"] is True
        assert len(json.dumps(row["log_tail"])) < 12_000
        report = json.loads(shop("why", "web", "--json").stdout)
        assert report["truncated"] is True
        assert report["log_tail"][-2].endswith("… [49,500 more characters]")
        assert len(shop("why", "web", "--json", "--max-bytes", "5000").stdout) < 5000

    def test_of_many_services_leaves_the_last_line_of_each(self, shop: Shop) -> None:
        for number in range(12):
            shop.service(f"job{number}", command=PRINTS_MUCH, ready={"after": 60})

        starting = shop.begin("start")
        starting.finish()

        rows = starting.seen[-1]["services"]
        assert all(row["log_tail"] for row in rows)
        assert len(json.dumps(rows)) < 60_000


PRINTS_MUCH = f"{sys.executable} -S -c \"print(('x' * 50000 + chr(10)) * 20); raise SystemExit(1)\""


class TestTheReason:
    def test_of_a_start_that_is_too_slow_is_what_was_seen_last(
        self, shop: Shop, free_ports: FreePorts
    ) -> None:
        ports = free_ports(2)
        shop.service("db", "never", port=ports[0])
        shop.service("web", port=ports[1], depends_on=["db"])

        starting = shop.begin("start", "--timeout", "2")

        assert starting.finish() == 4
        assert summary(starting, "db")["reason"] == f"nothing listens on port {ports[0]} yet"
        assert summary(starting, "web")["reason"] == "waits for db, which is starting"
        assert shop.status()["db"]["reason"] == f"nothing listens on port {ports[0]} yet"

    def test_of_a_start_whose_first_attempt_goes_on_is_that_it_listens(self, shop: Shop, port: int) -> None:
        (shop.root / "mute.py").write_text(
            "import os, socket, time\n"
            "server = socket.create_server(('127.0.0.1', int(os.environ['PORT'])))\n"
            "time.sleep(1000)\n"
        )
        command = f"{sys.executable} -S -E {shop.root}/mute.py"
        shop.service("web", port=port, command=command, ready={"http": "/", "attempt": 60})

        starting = shop.begin("start")
        starting.until(type="phase", service="web", phase="starting")
        time.sleep(PATIENCE_SECONDS + 1)

        assert shop.status()["web"]["reason"] == "it listens, and has not answered yet"
        shop("stop")
        starting.finish()

    def test_of_a_start_that_a_stop_has_ended_is_who_stopped_it(
        self, shop: Shop, free_ports: FreePorts
    ) -> None:
        ports = free_ports(2)
        shop.service("db", port=ports[0])
        shop.service("web", "never", port=ports[1])
        starting = shop.begin("start")
        starting.until(type="phase", service="web", phase="starting")

        shop("stop", "web")

        assert starting.finish() == 1
        said = str(summary(starting, "web")["reason"])
        assert re.fullmatch(r"stopped by `devinit stop web` \(pid \d+.*\) at \d\d:\d\d:\d\d", said)
        assert shop.status()["web"]["reason"] == said
        assert said in shop("why", "web").stdout

    def test_of_a_failed_set_up_names_the_command_that_failed_and_its_code(
        self, shop: Shop, port: int
    ) -> None:
        setup = f"{sys.executable} -S -c 'raise SystemExit(7)'"
        shop.service("web", port=port, setup=[setup])
        shop.begin("start").finish()

        report = json.loads(shop("why", "web", "--json").stdout)

        assert (report["last_exit"], report["command"]) == (7, setup)

        shop.service("web", port=port)
        shop.up()

        assert json.loads(shop("why", "web", "--json").stdout)["command"] == shop.command()


class TestTheTimeToReady:
    def test_of_an_earlier_run_is_not_told_of_one_that_fails(self, shop: Shop, port: int) -> None:
        shop.service("web", "fails-while=broken", port=port)
        assert summary(shop.up(), "web")["ready_seconds"] is not None
        (shop.root / "broken").touch()

        starting = shop.begin("restart")

        assert starting.finish() == 1
        assert summary(starting, "web")["ready_seconds"] is None


class TestAPortThatIsSetForTheNextStart:
    def test_is_shown_while_the_service_has_another_one(self, shop: Shop, free_ports: FreePorts) -> None:
        now, coming = free_ports(2)
        shop.service("web", port=now)
        shop.up()
        assert shop.status()["web"]["next_port"] is None

        shop("ports", "set", "web", str(coming))

        assert shop.status()["web"]["next_port"] == coming
        assert f"port {coming} from its next start on" in shop("status").stdout
        assert f"{coming}, from its next start on" in shop("why", "web").stdout
        assert json.loads(shop("ports", "--json").stdout)["ports"][0]["next_port"] == coming
        assert "`devinit restart web` moves it now" in shop("ports").stderr

        shop.begin("restart").finish()

        status = shop.status()["web"]
        assert (status["port"], status["next_port"]) == (coming, None)
