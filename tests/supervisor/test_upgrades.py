"""Specifies two versions of devinit in one project, with real supervisors and services.

A supervisor of another version is today's, which introduces itself differently.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from devinit import __version__
from devinit.control.greeting import WIRE
from devinit.control.launch import connect_to
from devinit.errors import SupervisorError
from devinit.system.checkout import claim
from tests.places import state_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.supervisor.conftest import FreePorts, MakeShop, Shop

    Greeting = Mapping[str, object]

pytestmark = pytest.mark.timeout(120)

OTHER = """
import json, sys
import devinit.supervisor.__main__ as program
greeting = json.loads(sys.argv.pop(1))
del sys.argv[1]
program.greeting_of = lambda root: greeting
sys.exit(program.main())
"""
FIRST = {"version": "0.0.1"}
"""As supervisors introduced themselves before there was a number of the wire."""
TOO_OLD = {"version": "0.0.1", "wire": 0}
WHOLE_FILE = {"version": __version__, "wire": 3}
"""As one of this version introduced itself to which devinit.toml was the whole configuration."""
NEWER = {"version": "9.0", "wire": WIRE + 7, "oldest_command": WIRE}
TOO_NEW = {"version": "9.0", "wire": WIRE + 7, "oldest_command": WIRE + 1}


def looked_after_by(shop: Shop, greeting: Greeting, otherwise: str = "") -> int:
    """Let a supervisor of another version take over what runs; return its pid.

    `otherwise`: Python that makes it another version in more than its greeting.
    """
    if shop.supervisors():
        shop.kill_supervisor(signal.SIGTERM)
    receiving, sending = os.pipe()
    introduction = {**greeting, **({"root": os.path.realpath(shop.root)} if "wire" in greeting else {})}
    words = [json.dumps(introduction), "devinit.supervisor", str(shop.root), str(sending)]
    log = (state_of(shop.root) / "other.log").open("w")
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", OTHER.replace("sys.exit", f"{otherwise}\nsys.exit"), *words],
        pass_fds=(sending,),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )
    log.close()
    os.close(sending)
    with os.fdopen(receiving, "rb") as told:
        assert told.read() == b"ready\n"
    # Not ours to reap: what a supervisor leaves behind is no child of a command.
    process.returncode = 0
    return process.pid


def greeting_at(shop: Shop) -> tuple[str, int]:
    """Return version and wire of whoever listens now."""
    client = connect_to(shop.root)
    assert client is not None
    with closing(client):
        return client.greeting.version, client.greeting.wire


def in_one_line(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture
def running(shop: Shop, port: int) -> Shop:
    """A project with a server and a worker that run."""
    shop.service("web", port=port)
    shop.service("worker", "never", ready={"after": 0.01}, depends_on=["web"])
    shop.up()
    return shop


def pids(shop: Shop) -> list[int]:
    return [each["pid"] for each in shop.status().values()]


class TestAnOlderSupervisor:
    @pytest.mark.parametrize(
        "greeting",
        [FIRST, TOO_OLD, WHOLE_FILE],
        ids=["understood", "not understood", "of the same version, which reads devinit.toml in another way"],
    )
    def test_is_replaced_by_a_start_and_its_services_run_on(self, running: Shop, greeting: Greeting) -> None:
        before = pids(running)
        version, wire = greeting["version"], greeting.get("wire", 1)
        said = f"was devinit {version} (wire {wire}): replaced by devinit {__version__} (wire {WIRE})"
        old = looked_after_by(running, greeting)

        done = running("start", "-d")

        assert done.returncode == 0, done.stderr
        assert said in in_one_line(done.stderr)
        assert pids(running) == before
        assert greeting_at(running) == (__version__, WIRE)
        assert old not in running.supervisors()
        assert len(running.supervisors()) == 1

    def test_leaves_services_that_are_configured_as_they_were(self, running: Shop) -> None:
        """Its record states what is not stated any more, and lacks what was added since."""
        looked_after_by(running, FIRST)
        record = state_of(running.root) / "state.json"
        state = json.loads(record.read_text())
        for each in state["services"].values():
            each["service"]["ready"]["after_seconds"] = each["service"]["ready"]["after_seconds"] or 1.0
            del each["service"]["autostart"], each["service"]["conditions"]
        record.write_text(json.dumps(state))
        running.kill_supervisor()

        done = running("start", "-d")

        assert done.returncode == 0, done.stderr
        assert "runs as it was configured before" not in done.stderr

    def test_is_replaced_once(self, running: Shop) -> None:
        looked_after_by(running, FIRST)
        running("start", "-d")
        supervisors = running.supervisors()

        again = running("start", "-d")

        assert "replaced" not in again.stderr
        assert running.supervisors() == supervisors

    def test_is_replaced_before_a_restart(self, running: Shop) -> None:
        before = running.status()
        looked_after_by(running, FIRST)

        done = running("restart", "worker", "-d")

        after = running.status()
        assert "replaced by" in done.stderr
        assert after["web"]["pid"] == before["web"]["pid"]
        assert after["worker"]["pid"] != before["worker"]["pid"]

    def test_is_replaced_by_one_of_several_commands_at_once(self, running: Shop) -> None:
        before = pids(running)
        looked_after_by(running, FIRST)

        commands = [running.begin("start") for _ in range(4)]

        assert [(command.finish(), command.errors()) for command in commands] == [(0, "")] * 4
        assert len(running.supervisors()) == 1
        assert pids(running) == before

    def test_that_starts_something_is_kept_until_that_is_done(self, running: Shop, port: int) -> None:
        running.service("slow", "never", port=port + 3)
        old = looked_after_by(running, FIRST)
        with running.subscribe() as raw:
            request = {"jsonrpc": "2.0", "id": 1, "method": "start", "params": {"environ": dict(os.environ)}}
            raw.socket.sendall(json.dumps(request).encode() + b"\n")
            raw.until(type="phase", service="slow", phase="starting")

            done = running("start", "web", "-d")

        assert done.returncode == 0, done.stderr
        said = in_one_line(done.stderr)
        assert f"the supervisor is devinit 0.0.1 (wire 1), this command is devinit {__version__}" in said
        assert "slow is on the way up or down: the next start replaces it" in said
        assert running.supervisors() == [old]

    def test_that_is_not_understood_and_starts_something_is_left_alone(
        self, running: Shop, port: int
    ) -> None:
        running.service("slow", "never", port=port + 3)
        old = looked_after_by(running, TOO_OLD)
        with running.subscribe() as raw:
            request = {"jsonrpc": "2.0", "id": 1, "method": "start", "params": {"environ": dict(os.environ)}}
            raw.socket.sendall(json.dumps(request).encode() + b"\n")
            raw.until(type="phase", service="slow", phase="starting")

            done = running("start", "web", "-d")

        assert done.returncode == SupervisorError.exit_code
        assert "devinit 0.0.1 (wire 0)" in done.stderr
        assert "slow is on the way up or down" in done.stderr
        assert f"kill {old}" in done.stderr
        assert running.supervisors() == [old]

    def test_answers_whoever_only_looks(self, running: Shop) -> None:
        old = looked_after_by(running, FIRST)

        assert running("env").returncode == 0
        assert running("why", "web").returncode == 0
        assert [each["phase"] for each in running.status().values()] == ["ready", "ready"]
        assert running.supervisors() == [old]

    def test_obeys_a_stop(self, running: Shop) -> None:
        looked_after_by(running, FIRST)

        done = running("stop")

        assert done.returncode == 0
        running.expect_nothing_left()

    def test_that_is_not_understood_is_told_to_whoever_looks(self, running: Shop) -> None:
        old = looked_after_by(running, TOO_OLD)

        done = running("status")

        assert done.returncode == SupervisorError.exit_code
        assert f"devinit 0.0.1 (wire 0), this command is devinit {__version__} (wire {WIRE})" in done.stderr
        assert "`devinit start` replaces it" in done.stderr
        assert running.supervisors() == [old]


class TestANewerSupervisor:
    def test_serves_an_older_command_and_is_never_replaced(self, running: Shop) -> None:
        before = pids(running)
        new = looked_after_by(running, NEWER)

        done = [
            running(*words) for words in (("start", "-d"), ("restart", "--changed"), ("status",), ("env",))
        ]

        assert [each.returncode for each in done] == [0] * 4, [each.stderr for each in done]
        assert "replaced" not in "".join(each.stderr for each in done)
        assert running.supervisors() == [new]
        assert pids(running) == before

    @pytest.mark.parametrize(
        "words", [("start", "-d"), ("restart", "-d"), ("status",), ("stop",), ("env",), ("why", "web")]
    )
    def test_that_does_not_serve_an_older_command_is_told_with_both_versions(
        self, running: Shop, words: tuple[str, ...]
    ) -> None:
        new = looked_after_by(running, TOO_NEW)

        done = running(*words)

        assert done.returncode == SupervisorError.exit_code
        both = f"devinit 9.0 (wire {WIRE + 7}), this command is devinit {__version__} (wire {WIRE})"
        assert both in done.stderr
        assert f"use the newer devinit ({sys.executable} runs it)" in done.stderr
        assert running.supervisors() == [new]
        assert [len(running.pids(name)) for name in ("web", "worker")] == [1, 1]


class TestTheDoctor:
    @pytest.mark.parametrize(
        ("greeting", "advice"), [(FIRST, "`devinit start` replaces it"), (NEWER, "upgrade")]
    )
    def test_tells_of_a_supervisor_of_another_version(
        self, running: Shop, greeting: Greeting, advice: str
    ) -> None:
        looked_after_by(running, greeting)

        done = running("doctor")

        assert done.returncode == 0
        assert f"the supervisor is devinit {greeting['version']}" in in_one_line(done.stdout)
        assert advice in in_one_line(done.stdout)


class TestTheListOfAllProjects:
    def test_shows_one_whose_supervisor_it_does_not_understand(self, running: Shop) -> None:
        looked_after_by(running, TOO_NEW)

        [project] = json.loads(running("status", "--all", "--json").stdout)["projects"]

        assert project["state"] == "unreachable"
        assert f"devinit 9.0 (wire {WIRE + 7}), this command is devinit {__version__}" in project["advice"]

    def test_shows_one_whose_supervisor_is_older(self, running: Shop) -> None:
        looked_after_by(running, FIRST)

        [project] = json.loads(running("status", "--all", "--json").stdout)["projects"]

        assert (project["state"], len(project["services"])) == ("running", 2)


class TestASupervisorOfAnotherCheckout:
    """A link or a pointer may lead to it: what is ordered here must not reach what runs there."""

    @pytest.fixture
    def copy(self, running: Shop, make_shop: MakeShop) -> Shop:
        """A second checkout of the same project."""
        copy = make_shop("copy")
        copy.service("web", "never", ready={"after": 0.01})
        return copy

    @pytest.mark.parametrize("words", [("stop",), ("start", "-d"), ("restart", "-d"), ("status",), ("env",)])
    @pytest.mark.parametrize("linked", [True, False], ids=["a state folder", "the folder in the checkout"])
    def test_is_not_reached_through_a_link_in_place_of(
        self, running: Shop, copy: Shop, words: tuple[str, ...], *, linked: bool
    ) -> None:
        before, supervisors = pids(running), running.supervisors()
        if linked:
            state_of(copy.root).symlink_to(state_of(running.root))
        else:
            (copy.root / ".devinit").symlink_to(os.path.relpath(running.root / ".devinit", copy.root))

        done = copy(*words)

        # Nothing of this checkout runs, and to find that out a link in it need not be looked at.
        assert done.returncode != 0 or words in (("stop",), ("status",)), done.stderr
        assert (pids(running), running.supervisors()) == (before, supervisors)

    def test_is_named(self, running: Shop, copy: Shop) -> None:
        state_of(copy.root).symlink_to(state_of(running.root))

        with pytest.raises(
            SupervisorError, match="looked after by the supervisor of another checkout"
        ) as caught:
            connect_to(copy.root)

        assert str(running.root) in caught.value.message

    def test_is_not_reached_through_a_pointer_that_was_copied(self, running: Shop, copy: Shop) -> None:
        before = pids(running)
        pointer = Path(claim(copy.root)) / "socket"
        pointer.write_text((state_of(running.root) / "socket").read_text())

        done = copy("stop")

        assert done.returncode == 0
        assert "nothing runs" in done.stderr
        assert pids(running) == before

    def test_is_not_reached_through_a_socket_that_is_a_link(
        self, running: Shop, copy: Shop, machine: Any
    ) -> None:
        from devinit.system.paths import socket_path

        before = pids(running)
        socket_path(copy.root).symlink_to(socket_path(running.root))

        stopped, started = copy("stop"), copy("start", "-d")

        assert (stopped.returncode, started.returncode) == (0, 0), started.stderr
        assert pids(running) == before
        assert greeting_at(copy)[0] == __version__

    def test_is_this_one_s_where_the_folder_itself_is_a_link(self, running: Shop, tmp_path: Path) -> None:
        link = tmp_path / "link"
        link.symlink_to(running.root)

        client = connect_to(link)

        assert client is not None
        client.close()


MISREADS = """
from devinit.errors import UsageError
from devinit.supervisor.server.handlers import METHODS
from devinit.supervisor.stack.configuration import Configuration

async def misread(self):
    return "devinit.toml: services.web has an unknown key"

async def unknown(self, *_):
    raise UsageError("there is no service called web")

Configuration.error = misread
METHODS["why"] = METHODS["check"] = unknown
"""
"""As one that reads devinit.toml, or detects, in another way than this version."""


class TestAnOlderSupervisorThatMisreadsTheProject:
    REPLACED = f"was devinit 0.0.1 (wire 1): replaced by devinit {__version__} (wire {WIRE})"

    @pytest.mark.parametrize("words", [("status",), ("why", "web"), ("check",), ("wait", "web")])
    def test_is_replaced_by_what_looks(self, running: Shop, words: tuple[str, ...]) -> None:
        before = pids(running)
        looked_after_by(running, FIRST, MISREADS)

        done = running(*words)

        assert done.returncode == 0, done.stderr
        assert self.REPLACED in in_one_line(done.stderr)
        assert "unknown key" not in done.stdout + done.stderr
        assert pids(running) == before
        assert greeting_at(running) == (__version__, WIRE)

    def test_is_replaced_where_it_lacks_the_service_that_was_asked_for(
        self, running: Shop, free_ports: FreePorts
    ) -> None:
        looked_after_by(running, FIRST, MISREADS.replace("Configuration.error = misread\n", ""))
        running.service("more", port=free_ports(1)[0])

        done = running("why", "more")

        assert done.returncode == 0, done.stderr
        assert self.REPLACED in in_one_line(done.stderr)

    def test_stays_while_it_starts_something_and_both_are_named(
        self, running: Shop, free_ports: FreePorts
    ) -> None:
        old = looked_after_by(running, FIRST, MISREADS)
        running.service("slow", "never", port=free_ports(1)[0])
        running.begin("start", "slow").until(service="slow", phase="starting")
        old = looked_after_by(running, FIRST, MISREADS)

        seen, asked = running("status"), running("why", "web")

        both = (
            f"the supervisor is devinit 0.0.1 (wire 1), this command is devinit {__version__} (wire {WIRE})"
        )
        for done in (seen, asked):
            assert both in in_one_line(done.stderr)
            assert "the next start replaces it" in in_one_line(done.stderr)
        assert "as devinit 0.0.1 reads it: devinit.toml: services.web has an unknown key" in seen.stderr
        assert (seen.returncode, asked.returncode) == (0, 2), (asked.stdout, asked.stderr)
        assert running.supervisors() == [old]
