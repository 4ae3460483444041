"""Specifies `devinit run NAME`: tasks of devinit.toml, what a repository suggests, and the list of both."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.cli.test_exec import program

if TYPE_CHECKING:
    from tests.cli.conftest import Shop


@pytest.fixture
def tasks(shop: Shop, port: int) -> Shop:
    """A project with a service in a folder of its own, tasks, and files that suggest some."""
    folder = shop.root / "backend"
    program(folder / ".venv" / "bin" / "tool", 'echo "tool $PORT $*"')
    (folder / "service.py").write_text((shop.root / "service.py").read_text())
    shop.service("backend", port=port, directory="backend")
    with (shop.root / "devinit.toml").open("a") as file:
        file.write(
            """
[tasks.tool]
command = "tool ${PORT}"
service = "backend"
description = "Use the tool"
[tasks.line]
command = "echo one; echo two"
[tasks.own]
command = 'echo "$# $1"'
[tasks.several]
command = ["echo first", "sh -c 'exit $0' 0", "echo last"]
[tasks.fails]
command = ["echo before", "sh -c 'exit 7'", "echo never"]
[tasks.all]
depends_on = ["tool", "line"]
[tasks.after]
command = "tool after"
service = "backend"
depends_on = ["backend", "line"]
[tasks.where]
command = "pwd"
directory = "backend"
[tasks.ask]
command = "cat"
[tasks.killed]
command = "sh -c 'kill -KILL $$$$'"
[tasks.typo]
command = "no-such-program"
"""
        )
    return shop


class TestATask:
    @pytest.mark.parametrize(
        ("words", "printed"),
        [
            (["tool"], "tool {port} {port}\n"),
            (["tool", "--fast", "a b"], "tool {port} {port} --fast a b\n"),
            (["tool", "--", "--fast", "--"], "tool {port} {port} --fast --\n"),
            (["line"], "one\ntwo\n"),
            (["line", "$(touch harmed)", "; touch harmed"], "one\ntwo $(touch harmed) ; touch harmed\n"),
            (["own", "a b"], "1 a b\n"),
            (["several", "x"], "first\nlast x\n"),
            (["all"], "tool {port} {port}\none\ntwo\n"),
            (["where"], "{root}/backend\n"),
        ],
    )
    def test_runs_its_commands_with_the_arguments_behind_the_last(
        self, tasks: Shop, port: int, words: list[str], printed: str
    ) -> None:
        done = tasks("run", *words)

        assert done.returncode == 0, done.stderr
        assert done.stdout == printed.format(port=port, root=tasks.root)
        assert not list(tasks.root.rglob("harmed"))

    def test_says_what_it_runs_on_standard_error(self, tasks: Shop) -> None:
        said = tasks("run", "several").stderr.splitlines()

        assert said[-3:] == ["several: echo first", "several: sh -c 'exit $0' 0", "several: echo last"]
        assert tasks("run", "several", QUIET="1").stderr == ""

    def test_ends_with_the_first_command_that_fails(self, tasks: Shop) -> None:
        done = tasks("run", "fails")

        assert (done.stdout, done.returncode) == ("before\n", 7)

    def test_ends_as_its_last_command_ends(self, tasks: Shop) -> None:
        assert tasks("run", "killed").returncode == -signal.SIGKILL

    def test_whose_program_is_not_there_is_said_as_shells_do(self, tasks: Shop) -> None:
        done = tasks("run", "typo")

        assert done.returncode == 127
        assert "no-such-program: there is no such command" in done.stderr

    def test_reads_what_the_caller_types(self, tasks: Shop) -> None:
        done = tasks.sh("echo typed | devinit run ask")

        assert done.stdout == "typed\n"

    def test_has_the_callers_terminal(self, tasks: Shop) -> None:
        with (tasks.root / "devinit.toml").open("a") as file:
            file.write('[tasks.tty]\ncommand = ["test -t 0", "test -t 1"]\n')

        child = tasks.terminal("run", "tty")
        child.expect("tty: test -t 1")
        child.wait()

        assert child.exitstatus == 0

    def test_starts_the_services_that_it_needs_first_and_leaves_them_running(
        self, tasks: Shop, port: int
    ) -> None:
        done = tasks("run", "after")

        assert done.stdout == f"one\ntwo\ntool {port} after\n"
        assert tasks.status()["backend"]["phase"] == "ready"
        again = tasks("run", "after")
        assert again.stdout == done.stdout
        assert again.stderr.splitlines() == ["line: echo one; echo two", "after: tool after"]

    def test_has_the_ports_that_its_services_got(self, tasks: Shop, port: int) -> None:
        assert tasks("run", "after", BACKEND_PORT=str(port + 5)).stdout.endswith(f"tool {port + 5} after\n")

    def test_is_not_run_when_a_service_that_it_needs_fails(self, tasks: Shop, port: int) -> None:
        tasks.service("broken", "exit=3", port=port + 1)
        with (tasks.root / "devinit.toml").open("a") as file:
            file.write('\n[tasks.late]\ncommand = "echo never"\ndepends_on = "broken"\n')

        done = tasks("run", "late")

        assert done.stdout == ""
        assert done.returncode == 1
        assert "broken" in done.stderr
        assert "late is not run" in done.stderr

    def test_wins_over_a_command_of_the_same_name_but_not_behind_dashes(self, tasks: Shop) -> None:
        with (tasks.root / "devinit.toml").open("a") as file:
            file.write('[tasks.true]\ncommand = "echo task"\n')

        assert tasks("run", "true").stdout == "task\n"
        assert tasks("run", "--", "true").stdout == ""

    def test_that_is_misspelt_is_refused_with_the_nearest(self, tasks: Shop) -> None:
        done = tasks("run", "severl")

        assert done.returncode == 127
        assert "did you mean several?" in done.stderr

    def test_that_a_profile_adds_is_run_with_that_profile(self, tasks: Shop) -> None:
        with (tasks.root / "devinit.toml").open("a") as file:
            file.write('[profiles.ci.tasks.deploy]\ncommand = "echo deployed"\n')

        assert tasks("run", "deploy").returncode == 127
        assert tasks("run", "deploy", DEVINIT_PROFILE="ci").stdout == "deployed\n"

    def test_that_waits_is_ended_by_the_signal_that_devinit_gets(self, tasks: Shop) -> None:
        """Before the last command, devinit is the parent: what it is sent goes to the command."""
        with (tasks.root / "devinit.toml").open("a") as file:
            file.write('[tasks.long]\ncommand = ["sh -c \'echo up; exec sleep 60\'", "echo never"]\n')
        with subprocess.Popen(
            tasks.program("run", "long"), stdout=subprocess.PIPE, text=True, cwd=tasks.root
        ) as command:
            assert command.stdout is not None
            assert command.stdout.readline() == "up\n"

            command.terminate()

            assert command.stdout.read() == ""
            assert command.wait(10) == 128 + signal.SIGTERM

    def test_that_is_interrupted_at_the_terminal_goes_no_further(self, tasks: Shop) -> None:
        with (tasks.root / "devinit.toml").open("a") as file:
            file.write('[tasks.long]\ncommand = ["sh -c \'echo up; exec sleep 60\'", "echo never"]\n')
        child = tasks.terminal("run", "long")
        child.expect("up\r\n")

        child.sendintr()

        child.expect_exact("^C")
        assert "never" not in child.read()
        child.wait()
        assert child.exitstatus == 128 + signal.SIGINT

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
    @pytest.mark.parametrize("name", ["long", "behind"])
    def test_that_is_interrupted_goes_no_further_if_its_command_ends_well(
        self, tasks: Shop, number: signal.Signals, name: str
    ) -> None:
        """As a server does that closes what it has open."""
        ends_well = "sh -c 'trap \"exit 0\" TERM HUP INT; echo begun; while :; do sleep 0.05; done'"
        with (tasks.root / "devinit.toml").open("a") as file:
            file.write(f"[tasks.long]\ncommand = [{json.dumps(ends_well)}, 'echo never']\n")
            file.write("[tasks.behind]\ncommand = 'echo never'\ndepends_on = ['long']\n")
        child = tasks.terminal("run", name)
        child.expect("\nbegun\r\n")

        if number == signal.SIGINT:
            child.sendintr()
        else:
            child.kill(number)

        said = child.read()
        assert "never" not in said.replace("echo never", "")
        child.wait()
        assert child.exitstatus == 128 + number


class TestASuggestion:
    @pytest.fixture
    def suggesting(self, tasks: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
        tools = tasks.root.parent / "tools"
        for name in ("npm", "make"):
            program(tools / name, f'echo "{name} $* in $PWD, port $PORT"')
        monkeypatch.setenv("PATH", str(tools), prepend=":")
        (tasks.root / "Makefile").write_text("docs-html: ## Write the pages\n\tsphinx-build\nboth:\n\tx\n")
        (tasks.root / "backend" / "package.json").write_text(
            json.dumps({"scripts": {"dev": "vite", "lint-all": "eslint .", "both": "y", "test": "vitest"}})
        )
        return tasks

    def test_is_run_by_its_exact_name_and_said_before(self, suggesting: Shop, port: int) -> None:
        done = suggesting("run", "lint-all", "--fix")

        folder = suggesting.root / "backend"
        assert done.stdout == f"npm run lint-all -- --fix in {folder}, port {port}\n"
        assert "backend/package.json, line 1: npm run lint-all -- --fix (eslint .)" in done.stderr
        assert suggesting("run", "lint").returncode == 127
        assert "did you mean lint-all?" in suggesting("run", "lint-al").stderr

    def test_that_two_files_have_is_refused_until_one_is_named(self, suggesting: Shop) -> None:
        done = suggesting("run", "both")

        assert done.returncode == 2
        assert "`devinit run Makefile:both`" in done.stderr
        assert "`devinit run backend/package.json:both`" in done.stderr
        assert suggesting("run", "Makefile:both").stdout == f"make both in {suggesting.root}, port \n"

    def test_gives_way_to_a_command_of_the_same_name(self, suggesting: Shop) -> None:
        done = suggesting("run", "test", "1", "=", "1")

        assert (done.stdout, done.returncode) == ("", 0)
        assert (
            "test is a command on PATH, which is run; `devinit run backend/package.json:test` runs vitest"
            in done.stderr
        )
        assert "backend/package.json" not in suggesting("run", "--", "test", "1").stderr

    def test_is_never_run_for_what_detection_starts(self, suggesting: Shop) -> None:
        assert suggesting("run", "dev").returncode == 127


class TestTheList:
    @pytest.fixture
    def listed(self, tasks: Shop) -> Shop:
        (tasks.root / "backend" / "package.json").write_text('{"scripts": {"fix": "eslint --fix ."}}')
        (tasks.root / "Makefile").write_text(
            "X := $(shell touch harmed)\nclean: ## Remove what was built\n\trm x\n"
        )
        return tasks

    @pytest.mark.parametrize("words", [["run"], ["run", "--list"], ["run", "-l"]])
    def test_has_tasks_and_suggestions(self, listed: Shop, words: list[str]) -> None:
        done = listed(*words)

        lines = [line.split(maxsplit=1) for line in done.stdout.splitlines() if line]
        assert ["tool", "Use the tool"] in lines
        assert ["line", "echo one; echo two"] in lines
        assert ["all", "tool, line"] in lines
        assert ["clean", "Remove what was built (Makefile, line 2)"] in lines
        assert ["fix", "eslint --fix . (backend/package.json, line 1)"] in lines
        assert done.returncode == 0

    @pytest.mark.parametrize("words", [["run"], ["run", "--json"]])
    def test_shows_no_secret_that_a_command_repeats(self, listed: Shop, words: list[str]) -> None:
        (listed.root / ".env").write_text("API_SECRET=s3cr3t-of-ours\n")
        with (listed.root / "devinit.toml").open("a") as file:
            file.write('[services.web]\ncommand = "serve"\n[tasks.seed]\ncommand = "seed s3cr3t-of-ours"\n')
        (listed.root / "Makefile").write_text("fill:\n\tfill s3cr3t-of-ours\n")

        done = listed(*words)

        assert "s3cr3t" not in done.stdout
        assert "seed ***" in done.stdout
        assert "fill ***" in done.stdout

    def test_executes_nothing_and_starts_no_supervisor(self, listed: Shop) -> None:
        listed("run")

        assert not list(listed.root.rglob("harmed"))
        assert '"supervisor": null' in listed("status", "--json").stdout

    def test_is_the_same_for_programs(self, listed: Shop) -> None:
        for words in (["run", "--json"], ["run", "--list", "--json"]):
            answer = json.loads(listed(*words).stdout)

            by_name = {each["name"]: each for each in answer["tasks"]}
            assert by_name["after"] == {
                "name": "after",
                "description": None,
                "label": None,
                "confirm": None,
                "key": None,
                "commands": ["tool after"],
                "service": "backend",
                "directory": None,
                "depends_on": ["backend", "line"],
            }
            assert by_name["where"]["directory"] == str(listed.root / "backend")
            clean, fix = answer["suggestions"]
            assert (clean["full_name"], clean["description"]) == ("Makefile:clean", "Remove what was built")
            assert (fix["command"], fix["file"], fix["line"], fix["says"]) == (
                ["npm", "run", "fix"],
                "backend/package.json",
                1,
                "eslint --fix .",
            )

    def test_of_a_project_without_tasks_says_how_one_is_made(self, shop: Shop, port: int) -> None:
        shop.service("backend", port=port)

        done = shop("run")

        assert done.stdout == ""
        assert "[tasks.NAME]" in done.stderr
        assert done.returncode == 0

    def test_keeps_text_that_steers_a_terminal_out(self, tasks: Shop) -> None:
        (tasks.root / "package.json").write_text(json.dumps({"scripts": {"odd": "echo \x1b[31mred"}}))

        assert "\x1b" not in tasks("run").stdout

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["--list", "tool"], "what is 'tool'?"),
            (["--json", "tool"], "--json is for the list of tasks"),
            (["-s", "backend"], "needs a command"),
            (["--"], "needs a command"),
        ],
    )
    def test_takes_no_command(self, tasks: Shop, words: list[str], said: str) -> None:
        done = tasks("run", *words)

        assert done.returncode == 2
        assert said in done.stderr


def test_a_broken_file_says_so_instead_of_running_a_command(tasks: Shop) -> None:
    with (tasks.root / "devinit.toml").open("a") as file:
        file.write('[tasks.bad]\ncommand = "x"\ndepends_on = "nothing"\n')

    done = tasks("run", "bad")

    assert done.returncode == 2
    assert "tasks.bad.depends_on" in done.stderr


def test_a_real_npm_script_is_run_in_its_folder(shop: Shop, port: int) -> None:
    from shutil import which

    if which("npm") is None:
        pytest.skip("npm is not installed")
    (shop.root / "web").mkdir()
    shop.service("frontend", port=port, directory="web")
    (shop.root / "web" / "package.json").write_text(
        json.dumps(
            {"name": "web", "scripts": {"say": "node -e 'console.log(process.cwd(), process.argv[1])'"}}
        )
    )

    done = shop("run", "say", "arg", npm_config_loglevel="silent", HOME=os.environ["HOME"])

    assert done.stdout.splitlines()[-1] == f"{shop.root / 'web'} arg"
