"""Specifies the commands on a real project without a terminal: results, talk, JSON, exit codes, odd streams."""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import subprocess

    from tests.cli.conftest import Listen, Shop


def objects(text: str) -> list[dict[str, Any]]:
    """Return the lines of events; Any: JSON."""
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def pair(shop: Shop, port: int) -> Shop:
    """A backend and a worker that depends on it."""
    shop.service("backend", port=port)
    shop.service("worker", depends_on=["backend"], ready={"after": 0.05})
    return shop


class TestAnOrdinaryDay:
    def test_has_results_on_one_stream_and_talk_on_the_other(self, pair: Shop, port: int) -> None:
        start = pair("start", "all")

        assert start.returncode == 0
        head, backend, worker, _, totals = start.stdout.splitlines()
        assert head.split() == ["SERVICE", "PORT", "PREFERRED", "READY", "URL"]
        assert backend.split()[:4] == ["✓", "backend", str(port), "yes"]
        assert backend.endswith(f"http://localhost:{port}")
        assert worker.split()[:2] == ["✓", "worker"]
        assert totals.startswith("2 of 2 services ready in ")
        talk = start.stderr.splitlines()
        assert f"… backend  {port}  starting" in talk
        assert "devinit stop" in talk[-1]

        again = pair("start")
        assert again.returncode == 0
        assert again.stdout.splitlines()[-1] == "2 of 2 services ready, as before"

        status = pair("status")
        first, second = status.stdout.splitlines()
        pids = {name: service["pid"] for name, service in pair.status().items()}
        assert first == f"Backend (port {port}): ✓ Running (pid {pids['backend']})  http://localhost:{port}"
        assert second == f"Worker: ✓ Running (pid {pids['worker']})"

        run = pair("run", "--", "sh", "-c", "echo $BACKEND_URL; exit 7")
        assert (run.returncode, run.stdout) == (7, f"http://localhost:{port}\n")

        stop = pair("stop")
        assert (stop.returncode, stop.stdout) == (0, "")
        assert "stopped backend, worker in " in stop.stderr.splitlines()[-1]
        assert pair("stop").stderr == "nothing runs\n"

    def test_says_where_the_values_of_each_service_come_from(self, pair: Shop, port: int) -> None:
        (pair.root / ".env").write_text(f"NAME=ada\nHOOK_URL=http://localhost:{port}/hook\nBACKEND_PORT=1\n")

        shown = pair("env", "--explain").stdout
        origins = json.loads(pair("env", "--explain", "--json").stdout)

        assert origins.keys() == {"backend", "worker"}
        assert {
            name: origins["worker"][name] for name in ("NAME", "HOOK_URL", "BACKEND_PORT", "BACKEND_URL")
        } == {
            "NAME": "from .env:1",
            "HOOK_URL": "from .env:2",
            "BACKEND_PORT": "devinit, over .env:3",
            "BACKEND_URL": "devinit",
        }
        assert "  NAME" in shown
        assert "ada" not in shown

    def test_can_be_read_by_a_program(self, pair: Shop, port: int) -> None:
        events = objects(pair("start", "--json").stdout)
        assert events[0]["type"] == "plan"
        assert events[-1]["type"] == "summary"
        [info] = [event for event in events if event["type"] == "port_info" and event["service"] == "backend"]
        assert (info["port"], info["mode"], info["url"]) == (port, "preferred", f"http://localhost:{port}")

        ports = json.loads(pair("ports", "--json").stdout)["ports"]
        assert [(row["service"], row["port"], row["phase"]) for row in ports] == [("backend", port, "ready")]
        assert json.loads(pair("env", "--json").stdout)["BACKEND_PORT"] == str(port)
        assert json.loads(pair("why", "backend", "--json").stdout)["phase"] == "ready"
        assert objects(pair("logs", "backend", "--json").stdout)[0]["service"] == "backend"

        stopped = objects(pair("stop", "--json").stdout)[-1]
        assert stopped["type"] == "stopped"
        assert stopped["services"] == ["backend", "worker"]
        assert objects(pair("stop", "--json").stdout)[-1]["services"] == []

    def test_is_quiet_when_asked_to_be(self, pair: Shop) -> None:
        for words in (["start"], ["stop"], ["ports", "set", "worker", "1"][:1]):
            done = pair(*words, QUIET="true")
            assert done.stderr == ""
            assert done.returncode == 0

    def test_works_from_a_folder_inside(self, pair: Shop) -> None:
        inside = pair.root / "sub folder" / "ünter"
        inside.mkdir(parents=True)

        done = pair.sh(f"cd '{inside}' && devinit status")

        assert done.stdout.splitlines()[1] == "Worker: ✗ Not running"


class TestAFailure:
    def test_is_shown_once_with_its_last_20_lines(self, shop: Shop, port: int) -> None:
        shop.service("backend", "lines=30", "exit=3", port=port, restart="never")

        done = shop("start")

        assert done.returncode == 1
        everything = done.stdout + done.stderr
        assert everything.count("exited with code 3") == 1
        assert [line for line in done.stderr.splitlines() if line.startswith("  | ")] == [
            f"  | line {number}" for number in range(11, 31)
        ]
        assert "`devinit why backend`" in done.stderr

    def test_is_shown_in_quiet_too(self, shop: Shop, port: int) -> None:
        shop.service("backend", "exit=3", port=port, restart="never")

        done = shop("start", QUIET="1")

        assert (done.returncode, done.stdout) == (1, "")
        assert "backend failed: exited with code 3" in done.stderr

    def test_to_be_ready_in_time_has_its_own_exit_code(self, shop: Shop, port: int) -> None:
        shop.service("backend", "never", port=port, ready={"timeout": 0.2})

        done = shop("start")

        assert done.returncode == 4
        assert "backend failed: not ready after 0.2 s" in done.stderr

    def test_to_wait_long_enough_names_what_goes_on(self, shop: Shop, port: int) -> None:
        shop.service("backend", "never", port=port)

        done = shop("start", "--timeout", "0.2")

        assert done.returncode == 4
        assert "not ready in time: backend; it goes on in the background" in done.stderr


class TestATakenPort:
    def test_is_left_and_that_is_said(self, shop: Shop, port: int, stranger: subprocess.Popen[str]) -> None:
        shop.service("backend", port=port)

        done = shop("start")

        assert done.returncode == 0
        assert f"backend: {port} → {port + 1}: {port} is held by" in done.stderr
        assert f"moved from {port}" in done.stdout
        assert "1 not on its preferred port" in done.stdout
        assert json.loads((shop.root / ".ports.json").read_text()) == {"backend": port + 1}
        assert stranger.poll() is None

    def test_is_freed_in_force_mode(self, shop: Shop, port: int, stranger: subprocess.Popen[str]) -> None:
        shop.service("backend", port=port)

        done = shop("start", FORCE_MODE="true")

        assert done.returncode == 0
        assert stranger.wait(5) == -signal.SIGTERM
        assert f"(pid {stranger.pid}) to free port {port}" in done.stderr
        assert shop.status()["backend"]["port"] == port

    @pytest.mark.parametrize(
        "environment",
        [{"DEVINIT_ON_CONFLICT": "fail"}, {"SKIP_PORT_DISCOVERY": "true"}],
        ids=lambda e: next(iter(e)),
    )
    def test_is_refused_when_the_policy_says_so(
        self, shop: Shop, port: int, stranger: subprocess.Popen[str], environment: dict[str, str]
    ) -> None:
        shop.service("backend", port=port)

        done = shop("start", "--json", **environment)

        last = objects(done.stdout)[-1]
        assert done.returncode == last["exit_code"] == 3
        assert (last["type"], last["kind"]) == ("error", "PortConflict")
        assert f"pid {stranger.pid}" in str(last["message"])
        assert f"pid {stranger.pid}" in done.stderr
        assert shop.status()["backend"]["phase"] == "stopped"


class TestChoosingPorts:
    def test_counts_from_the_next_start(self, pair: Shop, port: int) -> None:
        chosen = pair("ports", "set", "backend", str(port + 5))

        assert (chosen.returncode, chosen.stdout) == (0, "")
        assert f"backend will use {port + 5}" in chosen.stderr
        pair("start", "backend")
        assert pair.status()["backend"]["port"] == port + 5

    def test_tells_a_program_what_it_did(self, pair: Shop, port: int) -> None:
        for changed in (True, False):
            answer = json.loads(pair("ports", "set", "backend", str(port + 1), "--json").stdout)
            assert answer == {"service": "backend", "port": port + 1, "changed": changed}
        assert json.loads(pair("ports", "reset", "--json").stdout) == {"forgotten": {"backend": port + 1}}
        assert json.loads(pair("ports", "reset", "--json").stdout) == {"forgotten": {}}

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["nobody", "8000"], "no service has a port named 'nobody'"),
            (["backnd", "8000"], "did you mean backend?"),
            (["worker", "8000"], "no service has a port named 'worker'"),
            (["backend", "1024"], "1024 is outside of the range of backend"),
        ],
    )
    def test_refuses_what_cannot_be(self, pair: Shop, words: list[str], said: str) -> None:
        done = pair("ports", "set", *words)

        assert done.returncode == 2
        assert said in done.stderr
        assert not (pair.root / ".ports.json").exists()


class TestTheStatus:
    def test_of_some_services_is_told_in_the_projects_order(self, pair: Shop) -> None:
        every = [each["name"] for each in json.loads(pair("status", "--json").stdout)["services"]]
        some = json.loads(pair("status", *reversed(every), "--json").stdout)["services"]
        one = json.loads(pair("status", every[1], "--json").stdout)["services"]

        assert [each["name"] for each in some] == every
        assert [each["name"] for each in one] == every[1:2]
        assert len(pair("status", "all").stdout.splitlines()) == len(every)

    def test_of_a_misspelt_service_is_refused_with_the_nearest(self, pair: Shop) -> None:
        done = pair("status", "backnd")

        assert done.returncode == 2
        assert "did you mean backend?" in done.stderr

    def test_of_all_projects_leaves_no_choice(self, pair: Shop) -> None:
        assert pair("status", "backend", "--all").returncode == 2


class TestRunningACommand:
    def test_needs_no_dashes(self, pair: Shop, port: int) -> None:
        assert pair("run", "sh", "-c", "echo $BACKEND_PORT").stdout == f"{port}\n"

    def test_ends_as_the_command_ends(self, pair: Shop) -> None:
        assert pair("run", "--", "sh", "-c", "kill -TERM $$").returncode == -signal.SIGTERM

    def test_that_does_not_exist_is_said_as_shells_do(self, pair: Shop) -> None:
        done = pair("run", "--", "no-such-command")

        assert done.returncode == 127
        assert "no-such-command: there is no such command" in done.stderr

    def test_that_cannot_be_executed_is_said_as_shells_do(self, pair: Shop) -> None:
        (pair.root / "text").write_text("hello")

        assert pair("run", "--", "./text").returncode == 126

    def test_dies_quietly_when_its_reader_has_gone(self, pair: Shop) -> None:
        done = pair.sh("QUIET=1 devinit run -- yes | head -1; exit ${PIPESTATUS[0]}")

        assert (done.stdout, done.stderr, done.returncode) == ("y\n", "", 141)


class TestAnEmptyWord:
    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["dashboard"], "what is ''?"),
            (["doctor"], "what is ''?"),
            (["run"], "`devinit run` needs a command"),
            (["run", "--"], "`devinit run` needs a command"),
            (["forget"], "the folder to forget is empty"),
        ],
    )
    def test_is_a_mistake_and_no_defect(self, pair: Shop, words: list[str], said: str) -> None:
        done = pair(*words, "")

        assert done.returncode == 2
        assert said in done.stderr.splitlines()[0]


class TestOddStreams:
    """They are shown a project that rests; what is looked at is the command line itself."""

    @pytest.mark.parametrize(
        ("script", "code"),
        [
            ("devinit status <&-", 0),
            ("devinit status >&-", 0),
            ("devinit status 2>&-", 0),
            ("devinit status <&- >&- 2>&-", 0),
            ("devinit stat 2>&-", 2),
        ],
    )
    def test_may_be_closed(self, pair: Shop, script: str, code: int) -> None:
        done = pair.sh(script)

        assert done.returncode == code
        assert "Traceback" not in done.stderr

    def test_may_be_closed_while_services_start(self, pair: Shop) -> None:
        assert pair.sh("devinit start <&- >&- 2>&-").returncode == 0
        assert {service["phase"] for service in pair.status().values()} == {"ready"}

    @pytest.mark.parametrize("words", ["status", "schema", "start --help", "--help"])
    def test_may_break(self, pair: Shop, words: str) -> None:
        done = pair.sh(f"devinit {words} | true; exit ${{PIPESTATUS[0]}}")

        # Whoever is quick enough writes before the reader has gone.
        assert done.returncode in (0, 141)
        assert done.stderr == ""

    @pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux has it")  # noqa: PTH110
    @pytest.mark.parametrize("words", ["status", "status --json", "schema", "--help"])
    def test_may_be_full(self, pair: Shop, words: str) -> None:
        done = pair.sh(f"devinit {words} > /dev/full")

        assert done.returncode == 1
        assert done.stderr.startswith("error: the output cannot be written: ")
        assert len(done.stderr.splitlines()) == 1

    @pytest.mark.parametrize(
        "environment", [{"LC_ALL": "C"}, {"LC_ALL": "POSIX"}, {"PYTHONIOENCODING": "ascii"}]
    )
    def test_may_know_few_letters(self, pair: Shop, environment: dict[str, str]) -> None:
        done = pair("status", **environment)

        assert done.returncode == 0
        assert "Backend (port " in done.stdout
        assert json.loads(pair("status", "--json", **environment).stdout)["root"] == str(pair.root)

    def test_bytes_in_the_environment_that_are_no_text_are_left_out_and_said(self, pair: Shop) -> None:
        done = pair.sh("export ODD=$'\\xff'; devinit start backend")

        assert done.returncode == 0
        assert "'ODD' of the environment is not UTF-8 text" in done.stderr


class TestSomethingBroken:
    def test_is_named_with_its_line(self, pair: Shop) -> None:
        (pair.root / "devinit.toml").write_text("[project]\nname = [\n")

        for words in (["start"], ["status"], ["env"], ["ports"], ["why", "backend"], ["run", "true"]):
            done = pair(*words)
            assert (done.returncode, done.stdout) == (2, "")
            assert "devinit.toml, line 2, column" in done.stderr

    def test_does_not_keep_what_runs_from_being_seen_and_stopped(self, pair: Shop) -> None:
        pair("start")
        (pair.root / "devinit.toml").write_text("[")

        assert "✓ Running" in pair("status").stdout
        assert pair("logs", "-n", "1").returncode == 0
        assert pair("stop").returncode == 0

    def test_is_kept_when_it_is_the_ports_file(self, pair: Shop) -> None:
        path = pair.root / ".ports.json"
        path.write_text("{oops")

        for words in (["status"], ["start"], ["ports"], ["ports", "reset"]):
            done = pair(*words)
            assert done.returncode == 2
            assert f"{path} is not JSON" in done.stderr
        assert path.read_text() == "{oops"

    @pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
    def test_is_named_when_it_cannot_be_read(self, pair: Shop) -> None:
        (pair.root / "devinit.toml").chmod(0)

        done = pair("start")

        assert done.returncode == 2
        assert "devinit.toml" in done.stderr

    def test_is_the_name_of_a_service(self, pair: Shop) -> None:
        for words in (["start", "bakend"], ["why", "bakend"], ["logs", "bakend"], ["restart", "bakend"]):
            done = pair(*words)
            assert done.returncode == 2
            assert "there is no service 'bakend' in shop" in done.stderr
            assert "did you mean backend?" in done.stderr

    def test_is_a_folder_without_a_project(self, shop: Shop) -> None:
        for words in (["start"], ["status"], ["logs"], ["stop"]):
            done = shop(*words)
            assert done.returncode == 2
            assert "there is no project in" in done.stderr
            assert "`devinit init`" in done.stderr

    def test_is_a_supervisor_that_cannot_be_started(self, pair: Shop) -> None:
        done = pair(
            "start", "--json", XDG_RUNTIME_DIR=str(pair.root), TMPDIR="/proc", XDG_STATE_HOME="/proc/x"
        )

        assert done.returncode != 0
        assert "Traceback" not in done.stderr
        assert objects(done.stdout)[-1]["type"] == "error"


class TestWritingAConfiguration:
    def test_tells_a_program_what_it_wrote(self, shop: Shop) -> None:
        (shop.root / "backend").mkdir()

        answer = json.loads(shop("init", "--json").stdout)

        assert answer["path"] == str(shop.root / "devinit.toml")
        assert isinstance(answer["services"], list)
        assert shop("init").returncode == 2

    def test_that_is_only_shown_writes_nothing(self, shop: Shop) -> None:
        (shop.root / "backend").mkdir()

        assert "[project]" in shop("init", "--print").stdout
        assert not (shop.root / "devinit.toml").exists()


class TestStatus:
    def test_loads_nothing_heavy_while_a_supervisor_runs(self, pair: Shop) -> None:
        pair("start", "backend")

        done = pair.run([sys.executable, "-X", "importtime", *pair.program("status")[1:]])

        loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
        heavy = {
            "textual",
            "questionary",
            "psutil",
            "asyncio",
            "msgspec",
            "subprocess",
            "pathlib",
            "argparse",
        }
        assert not loaded & heavy
        assert "devinit.control.client" in loaded


class TestAllServices:
    @pytest.mark.parametrize("command", ["start", "restart", "stop", "logs"])
    def test_are_meant_when_others_are_named_beside_all(self, pair: Shop, command: str) -> None:
        pair("start")

        done = pair(command, "worker", "all")

        assert done.returncode == 0, done.stderr

    def test_do_not_hide_a_name_that_is_none(self, pair: Shop) -> None:
        done = pair("start", "all", "bakend")

        assert done.returncode == 2
        assert "did you mean backend?" in done.stderr

    def test_cannot_be_explained_at_once(self, pair: Shop) -> None:
        done = pair("why", "all")

        assert (done.returncode, done.stderr.splitlines()[0]) == (
            2,
            "error: one service has to be named, not all of them",
        )


class TestAProjectWithoutServices:
    def test_has_a_status_that_says_what_to_do(self, shop: Shop) -> None:
        (shop.root / "devinit.toml").write_text("")

        done = shop("status")

        assert (done.returncode, done.stdout) == (0, "")
        assert "there are no services: add a [services.NAME]" in done.stderr.splitlines()[-1]


class TestATakenPortWithNobodyToAsk:
    @pytest.mark.parametrize("policy", ["fail", "ask"])
    def test_that_must_not_move_is_an_error_with_everything_that_is_known(
        self, shop: Shop, port: int, listen: Listen, policy: str
    ) -> None:
        stranger = listen(port)
        shop.service("backend", port=port, strict_port=True)

        done = shop("start", "--json", "--on-conflict", policy)

        assert done.returncode == 3
        error = objects(done.stdout)[-1]
        assert (error["type"], error["kind"], error["exit_code"]) == ("error", "PortConflict", 3)
        [conflict] = error["conflicts"]
        assert (conflict["service"], conflict["port"], conflict["kind"]) == ("backend", port, "stranger")
        assert conflict["choices"] == ["abort", "kill", "retry"]
        [holder] = conflict["holders"]
        assert holder["identity"]["pid"] == stranger.pid
        assert stranger.poll() is None

    def test_moves_and_tells_everything_about_that(self, shop: Shop, port: int, listen: Listen) -> None:
        stranger = listen(port)
        shop.service("backend", port=port)

        [event] = [each for each in objects(shop("start", "--json").stdout) if each["type"] == "port"]

        assert (event["port"], event["preferred"], event["moved_from"]) == (port + 1, port, port)
        assert (event["attempts"], event["kind"], event["killed"]) == (2, "stranger", [])
        assert f"(pid {stranger.pid})" in event["reason"]


class TestWhatPeopleMean:
    @pytest.mark.parametrize(
        ("words", "meant"),
        [
            (["ps"], ["status"]),
            (["list"], ["status"]),
            (["log", "backend", "--path"], ["logs", "backend", "--path"]),
            (["--json", "status"], ["status", "--json"]),
            (["--json", "logs", "backend", "--path"], ["logs", "backend", "--path", "--json"]),
        ],
    )
    def test_is_the_same(self, shop: Shop, port: int, words: list[str], meant: list[str]) -> None:
        shop.service("backend", port=port)

        one, other = shop(*words), shop(*meant)

        assert (one.stdout, one.returncode) == (other.stdout, 0)
        assert one.stdout

    def test_up_and_down_bring_services_up_and_down(self, shop: Shop, port: int) -> None:
        shop.service("backend", port=port)

        assert shop("up", "-d").returncode == 0
        assert shop.status()["backend"]["phase"] == "ready"
        assert shop("down").returncode == 0
        assert shop.status()["backend"]["phase"] == "stopped"

    @pytest.mark.parametrize(
        ("word", "hint"),
        [
            ("nope", "`devinit exec nope -- env` prints what the service nope is given"),
            ("DATABASE_URL", "`devinit run -- printenv DATABASE_URL` prints one variable"),
        ],
    )
    def test_by_a_name_behind_env_is_said(self, shop: Shop, port: int, word: str, hint: str) -> None:
        shop.service("backend", port=port)

        done = shop("env", word)

        assert done.returncode == 2
        assert f"`devinit env` takes no {word!r}" in done.stderr
        assert hint in done.stderr

    def test_of_a_variable_is_printed_by_what_the_hint_says(self, shop: Shop, port: int) -> None:
        shop.service("backend", port=port)
        assert "`devinit run -- printenv BACKEND_PORT`" in shop("env", "BACKEND_PORT").stderr

        assert shop("run", "--", "printenv", "BACKEND_PORT").stdout == f"{port}\n"

    def test_by_json_without_a_command_is_asked(self, shop: Shop) -> None:
        done = shop("--json")

        assert done.returncode == 2
        assert "--json needs a command" in done.stderr
