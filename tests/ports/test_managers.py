from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from devinit.model.port import Manager
from devinit.model.process import ProcessFacts, ProcessIdentity
from devinit.model.workplace import is_prompt
from devinit.ports.holder.managers import manager_of, program_of, unit_in
from devinit.system.processes import ancestors_of, facts_of

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")


def process(command: str, pid: int = 4242, name: str = "") -> ProcessFacts:
    words = shlex.split(command)
    return ProcessFacts(
        identity=ProcessIdentity(pid, 1, "boot"),
        parent_pid=1,
        name=name or words[0].rpartition("/")[2][:15],
        command=tuple(words),
        user="me",
        uid=1000,
        directory="/home/me/shop",
        age_seconds=1.0,
    )


def ran_by(*ancestors: str) -> Manager | None:
    """Say who would start a server again that has these ancestors, the parent first."""
    # No process has such a number, so that nothing is read about it.
    above = [process(command, pid=2**22 + 10 + at) for at, command in enumerate(ancestors)]
    return manager_of(process("node server.js", pid=2**22 + 1), above)


@contextmanager
def run_with(environment: dict[str, str]) -> Iterator[ProcessFacts]:
    """Start a process with these variables alone, as a manager would."""
    child = subprocess.Popen(
        [sys.executable, "-S", "-c", "print(flush=True); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
    )
    with child:
        assert child.stdout is not None
        child.stdout.readline()
        facts = facts_of(child.pid)
        assert facts is not None
        yield facts


class TestAPrompt:
    @pytest.mark.parametrize(
        "command",
        [
            "-zsh",
            "bash",
            "/bin/bash --login",
            "fish",
            "bash --init-file /x/shellIntegration-bash.sh",
            "sh -i",
        ],
    )
    def test_is_a_shell_that_waits_for_commands(self, command: str) -> None:
        assert is_prompt(shlex.split(command))

    @pytest.mark.parametrize(
        "command",
        ["sh -c 'vite'", "bash run.sh", "bash -ec 'a; b'", "/bin/sh /tmp/overmind-x/web", "node a.js", ""],
    )
    def test_is_not_a_script(self, command: str) -> None:
        assert not is_prompt(shlex.split(command))


class TestAProgram:
    @pytest.mark.parametrize(
        ("command", "name"),
        [
            ("node /x/node_modules/.bin/nodemon app.js", "nodemon"),
            ("node /x/node_modules/nodemon/bin/nodemon.js app.js", "nodemon"),
            ("/usr/bin/python3.11 /home/me/.local/bin/honcho start", "honcho"),
            ("foreman: master", "foreman"),
            ("/home/me/go/bin/air -c .air.toml", "air"),
            ("node --watch server.js", "node"),
            ("node server.js", "server"),
        ],
    )
    def test_is_the_script_that_an_interpreter_runs(self, command: str, name: str) -> None:
        assert program_of(process(command)) == name


class TestARunner:
    @pytest.mark.parametrize(
        ("command", "kind"),
        [
            ("node /x/.bin/nodemon app.js", "nodemon"),
            ("node /x/.bin/tsx watch src/index.ts", "tsx"),
            ("node --watch server.js", "node"),
            ("/home/me/go/bin/air", "air"),
            ("foreman: master", "foreman"),
            ("python3 /usr/bin/honcho start", "honcho"),
            ("hivemind Procfile.dev", "hivemind"),
            ("mprocs", "mprocs"),
            ("watchexec -r -- node server.js", "watchexec"),
        ],
    )
    def test_is_ended_itself(self, command: str, kind: str) -> None:
        found = ran_by("sh -c 'node server.js'", command, "-zsh")

        assert found == Manager(kind=kind, name="", pid=2**22 + 11, stop_command=f"kill {2**22 + 11}")

    @pytest.mark.parametrize("command", ["node /x/.bin/tsx src/index.ts", "npm run dev", "make dev"])
    def test_is_not_what_runs_a_server_once(self, command: str) -> None:
        assert ran_by(command, "-zsh") is None

    def test_that_runs_another_one_is_the_one_to_end(self) -> None:
        found = ran_by("node /x/.bin/nodemon app.js", "sh -c 'nodemon app.js'", "foreman: master", "-bash")

        assert found is not None
        assert found.kind == "foreman"

    def test_above_a_prompt_did_not_start_what_was_typed_there(self) -> None:
        assert ran_by("-zsh", "mprocs", "-bash") is None

    def test_of_overmind_is_spoken_to_through_its_socket(self) -> None:
        found = ran_by("bash /tmp/overmind-shop-Xy1/web", "tmux -C -L overmind-shop-Xy1 new -n web")

        assert found is not None
        assert (found.kind, found.name) == ("overmind", "web")
        assert found.stop_command == "overmind stop -s /home/me/shop/.overmind.sock web"


class TestAUnitOfSystemd:
    @pytest.mark.parametrize(
        ("group", "name", "command"),
        [
            ("/system.slice/redis-server.service", "redis-server.service", "systemctl stop redis-server"),
            ("/system.slice/system-postgresql.slice/postgresql@15-main.service", "postgresql@15-main.service", "systemctl stop postgresql@15-main"),
            ("/user.slice/user-1000.slice/user@1000.service/app.slice/shop.service", "shop.service", "systemctl --user stop shop"),
        ],
    )  # fmt: skip
    def test_is_stopped_by_its_name(self, group: str, name: str, command: str) -> None:
        found = unit_in(group)

        assert found is not None
        assert (found.kind, found.name) == ("systemd", name)
        assert found.stop_command.removeprefix("sudo ") == command

    def test_of_the_system_needs_root(self) -> None:
        found = unit_in("/system.slice/redis.service")

        assert found is not None
        assert found.stop_command.startswith("sudo ") is (os.geteuid() != 0)

    @pytest.mark.parametrize(
        "group",
        [
            "/",
            "/user.slice/user-1000.slice/session-3.scope",
            "/user.slice/user-1000.slice/user@1000.service/app.slice/app-gnome-code-4242.scope",
            "/user.slice/user-1000.slice/user@1000.service/tmux-spawn-1.scope",
            "/system.slice/ssh.service",
            "/system.slice/cron.service",
            "/system.slice/docker.service",
            "/system.slice/actions.runner.shop.build-1.service",
            "/user.slice/user-1000.slice/user@1000.service/app.slice/emacs.service",
            "/docker/" + "a" * 64 + "/system.slice/redis.service",
        ],
    )
    def test_is_none_where_whole_sessions_run(self, group: str) -> None:
        assert unit_in(group) is None


@linux_only
class TestAProcessWithVariablesOfAManager:
    def test_is_managed_when_the_manager_is_above_it(self) -> None:
        with run_with({"SUPERVISOR_PROCESS_NAME": "web_00", "SUPERVISOR_GROUP_NAME": "web"}) as facts:
            found = manager_of(facts, [process("/usr/bin/python3 /usr/bin/supervisord -n", pid=7)])

        assert found == Manager(
            kind="supervisord", name="web:web_00", pid=7, stop_command="supervisorctl stop web:web_00"
        )

    def test_is_not_when_it_has_only_inherited_them(self) -> None:
        with run_with({"SUPERVISOR_PROCESS_NAME": "web", "pm_id": "0", "name": "api"}) as facts:
            assert manager_of(facts, [process("-zsh")]) is None

    def test_of_process_compose_is_stopped_through_it(self) -> None:
        with run_with({"PC_PROC_NAME": "api"}) as facts:
            found = manager_of(facts, [process("process-compose up")])

        assert found is not None
        assert found.stop_command == "process-compose process stop api"

    def test_is_named_by_the_nearest_manager(self) -> None:
        with run_with({"name": "api", "pm_id": "0", "SUPERVISOR_PROCESS_NAME": "pm2"}) as facts:
            above = [
                process("'PM2 v5.4.0: God Daemon (/home/me/.pm2)'", pid=2**22 + 1),
                process("supervisord"),
            ]

            found = manager_of(facts, above)

        assert found is not None
        assert (found.kind, found.name, found.stop_command) == ("pm2", "api", "pm2 stop api")


@linux_only
class TestThisVeryProcess:
    def test_is_not_managed_by_the_unit_that_all_of_this_runs_in(self) -> None:
        facts = facts_of(os.getpid())
        assert facts is not None
        above = [each for pid in ancestors_of(os.getpid()) if (each := facts_of(pid))]

        found = manager_of(facts, above)

        assert found is None or found.kind not in ("systemd", "docker", "podman")
