"""A project that two containers share: other process numbers, other loopback addresses, the same files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from devinit.control.greeting import WIRE
from devinit.system.namespaces import network_namespace
from tests.kinds.conftest import any_postgres
from tests.places import state_of
from tests.supervisor.test_upgrades import looked_after_by

if TYPE_CHECKING:
    from pathlib import Path

    from tests.supervisor.conftest import FreePorts, Shop

__all__ = ["any_postgres"]

NEVER_THERE = "kill -"
"""No process of another container can be ended from here: its number is another process's."""

OUT_OF_REACH = 5
"""The exit code of what needs services that listen in another container."""
ELSEWHERE = "in another container or namespace"
OUT_OF_REACH_SAID = f"runs {ELSEWHERE}: its addresses cannot be reached from here"


ORDERS = """
import asyncio, sys
from pathlib import Path
from devinit.dashboard.link import Found, SupervisorLink
from devinit.errors import DevinitError

async def main():
    link = SupervisorLink(Path(sys.argv[1]), {}, None)
    found = asyncio.get_running_loop().create_future()
    following = asyncio.create_task(link.follow(lambda news: found.done() or found.set_result(news)))
    print((await found).out_of_reach)
    for method in ("start", "restart"):
        try:
            await link.order(method, {"services": ["web"]})
        except DevinitError as error:
            print(f"{method}: {error.message}")
    following.cancel()

asyncio.run(main())
"""
"""What the dashboard does, without a terminal."""
OLDER = {"version": "0.0.1", "wire": WIRE}


def contents_of(shop: Shop) -> dict[str, bytes]:
    """Return what every file of the checkout holds, and the record of what runs."""
    files = [path for path in shop.root.rglob("*") if path.is_file()]
    record = state_of(shop.root) / "state.json"
    return {path.name: path.read_bytes() for path in (*files, record)}


def in_container(
    shop: Shop, *words: str, hidden: str | None = None, program: list[str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command as a dev container that has the same folders would, without the `hidden` one."""
    apart = ["--pid", "--ipc", "--net", "--mount", "--fork", "--kill-child", "--mount-proc"]
    return in_namespaces(apart, [*(program or shop.program()), *words], hidden=hidden)


def in_namespaces(
    apart: list[str], command: list[str], *, hidden: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command with namespaces of its own."""
    hiding = f'mount -t tmpfs none "{hidden}" && chmod 700 "{hidden}" && ' if hidden else ""
    # What it starts must not outlive it, but what it says of that has to be read first.
    done = subprocess.run(
        ["unshare", *apart, "sh", "-c", f'{hiding}ip link set lo up; "$@"', "sh", *command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if "unshare" in done.stderr:
        pytest.skip(f"no container can be made here: {done.stderr.strip()}")
    return done


@pytest.fixture(params=["postgres", "redis"])
def server(request: pytest.FixtureRequest, shop: Shop, port: int, any_postgres: Path) -> str:
    """A server of data that runs, on its own port."""
    name: str = request.param
    binaries = {"binaries": str(any_postgres)} if name == "postgres" else {}
    shop.server(name, provider=name, port=port, **binaries)
    shop.up()
    return name


class TestAServiceInAnotherContainer:
    def test_keeps_its_data_from_a_second_server(self, shop: Shop, server: str) -> None:
        pid = shop.status()[server]["pid"]
        shop.kill_supervisor()

        refused = in_container(shop, "start", "--detach")

        assert refused.returncode == OUT_OF_REACH, refused
        assert "in another container or namespace" in refused.stderr + refused.stdout
        assert NEVER_THERE not in refused.stderr + refused.stdout
        os.kill(pid, 0)
        assert "not properly shut down" not in shop.log(server)
        assert shop("start", "--detach").returncode == 0
        assert shop.status()[server]["phase"] == "ready"
        assert shop("stop").returncode == 0
        assert "not properly shut down" not in shop.log(server)

    def test_is_not_said_to_be_stopped(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up()
        shop.kill_supervisor()
        (state_of(shop.root) / "state.json").unlink()

        shown = in_container(shop, "status")
        explained = in_container(shop, "why", "web")
        stopped = in_container(shop, "stop")

        assert "runs in another container or namespace" in shown.stdout
        assert "`devinit stop web` there ends it" in explained.stdout + explained.stderr
        assert "runs in another container or namespace" in stopped.stderr
        assert stopped.returncode == OUT_OF_REACH
        assert not stopped.stdout
        assert "nothing" not in stopped.stderr
        assert "`devinit stop` there" in stopped.stderr
        assert "Orphaned: runs without a supervisor" in shop("status").stdout
        assert shop("stop").returncode == 0

    def test_is_shown_with_the_worker_beside_it_that_has_no_port(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.service("worker", "never", ready={"after": 0})
        shop.up()
        shop.kill_supervisor()

        rows = json.loads(in_container(shop, "status", "--json").stdout)["services"]
        found = in_container(shop, "doctor")
        stopped = in_container(shop, "stop", "--all")

        assert "from here: web; run the command there; after `devinit stop`" in stopped.stderr
        assert {each["name"]: each["phase"] for each in rows} == {"web": "orphaned", "worker": "orphaned"}
        assert "web, worker: running in another container or namespace" in found.stdout
        assert shop("stop").returncode == 0

    def test_is_found_by_doctor_which_does_not_offer_to_take_it_over(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up()
        shop.kill_supervisor()

        for words in (("doctor",), ("doctor", "--fix")):
            said = in_container(shop, *words)

            assert said.returncode == 1, said
            assert "web: running in another container or namespace" in said.stdout
            assert "takes them over" not in said.stdout + said.stderr
        assert shop("stop").returncode == 0


class TestTheDashboardInAnotherContainer:
    def test_says_so_and_starts_nothing(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up()

        said = in_container(shop, program=[sys.executable, "-c", ORDERS, str(shop.root)])

        found, *refused = said.stdout.splitlines()
        assert found == f"{shop.root} {OUT_OF_REACH_SAID}"
        assert refused == [f"start: {found}", f"restart: {found}"]
        assert shop.status()["web"]["restarts"] == 0


class TestLogsInAnotherContainer:
    def test_are_shown_and_said_to_be_of_services_there(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up()

        there = in_container(shop, "logs", "web")

        assert there.stdout == shop("logs", "web").stdout
        assert there.stderr == f"{shop.root} {OUT_OF_REACH_SAID}\n"
        assert shop("logs", "web").stderr == ""


class TestAStartThatIsRefusedInAContainer:
    @pytest.mark.parametrize("words", [("start", "--detach"), ("restart",), ("start", "--detach", "web")])
    def test_changes_nothing_of_the_checkout_and_of_its_record(
        self, shop: Shop, server: str, port: int, words: tuple[str, ...]
    ) -> None:
        shop.service("web", port=port + 3)
        shop.up()
        before = {name: each["pid"] for name, each in shop.status().items()}
        shop.kill_supervisor()
        found = contents_of(shop)

        refused = in_container(shop, *words)

        assert refused.returncode == OUT_OF_REACH, refused
        assert ELSEWHERE in refused.stderr
        assert contents_of(shop) == found
        assert shop("start", "--detach").returncode == 0
        assert {name: each["pid"] for name, each in shop.status().items()} == before
        assert contents_of(shop)[".ports.json"] == found[".ports.json"]

    def test_leaves_an_older_supervisor_of_the_host_alone(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up()
        old = looked_after_by(shop, {**OLDER, "network": network_namespace()})

        refused = in_namespaces(["--net"], [*shop.program(), "start", "--detach"])

        assert refused.returncode == OUT_OF_REACH, refused
        assert ELSEWHERE in refused.stderr
        assert shop.supervisors() == [old]

    def test_takes_over_nothing_that_listens_on_other_addresses(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up()
        before = shop.status()["web"]["pid"]
        shop.kill_supervisor()

        refused = in_namespaces(["--net"], [*shop.program(), "start", "--detach"])

        assert refused.returncode == OUT_OF_REACH, refused
        assert f"{shop.root} runs {ELSEWHERE}, and cannot be reached from here: web" in refused.stderr
        assert shop.status()["web"]["pid"] == before
        assert "after `devinit stop` there the project can be started here" in refused.stderr
        assert shop("stop").returncode == 0
        assert in_container(shop, "start", "--detach").returncode == 0


class TestASupervisorInAnotherContainer:
    def test_that_cannot_be_reached_is_said_to_be_there(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up()
        hidden = os.environ["XDG_RUNTIME_DIR"]

        for words, code in ((("start",), 5), (("doctor",), 0), (("status", "--all"), 0)):
            said = in_container(shop, *words, hidden=hidden)

            assert said.returncode == code, said
            assert "in another container or namespace" in said.stderr + said.stdout
            assert NEVER_THERE not in said.stderr + said.stdout
        assert shop.status()["web"]["phase"] == "ready"

    def test_that_can_be_reached_starts_nothing_for_other_loopback_addresses(
        self, shop: Shop, port: int
    ) -> None:
        shop.service("web", port=port)
        shop.up()

        refused = in_container(shop, "start", "--detach")

        assert refused.returncode == OUT_OF_REACH
        assert "in another container or namespace" in refused.stderr
        assert in_container(shop, "status").returncode == 0
        assert "`devinit stop`, which works from here, and then start it here" in refused.stderr
        assert in_container(shop, "stop").returncode == 0
        shop.expect_nothing_left()
        assert in_container(shop, "start", "--detach").returncode == 0

    @pytest.mark.parametrize("words", [("wait", "--timeout", "1"), ("check",), ("restart",)])
    def test_is_refused_by_what_promises_that_services_answer(
        self, shop: Shop, port: int, words: tuple[str, ...]
    ) -> None:
        shop.service("web", port=port)
        shop.up()

        refused = in_container(shop, *words, "--json")

        assert refused.returncode == OUT_OF_REACH, refused
        assert OUT_OF_REACH_SAID in json.loads(refused.stdout)["message"]
        assert OUT_OF_REACH_SAID in refused.stderr

    @pytest.mark.parametrize(
        "words", [("status",), ("why", "web"), ("open", "web"), ("ports",), ("events",)], ids=" ".join
    )
    def test_is_said_to_be_there_by_what_shows_its_services(
        self, shop: Shop, port: int, words: tuple[str, ...]
    ) -> None:
        shop.service("web", port=port)
        shop.up()

        shown = in_container(shop, *words, "--json")

        assert shown.returncode == 0, shown
        assert OUT_OF_REACH_SAID in shown.stderr
        if words != ("events",):  # a stream of what the supervisor says
            assert OUT_OF_REACH_SAID in json.loads(shown.stdout)["out_of_reach"]
        here = json.loads(shop(*words, "--json").stdout.splitlines()[0])
        assert here.get("out_of_reach") is None

    @pytest.mark.parametrize("words", [("env",), ("run", "--", "true")], ids=" ".join)
    def test_is_said_to_be_there_beside_what_others_print(
        self, shop: Shop, port: int, words: tuple[str, ...]
    ) -> None:
        shop.service("web", "say=hello", port=port)
        shop.up()

        done = in_container(shop, *words)

        assert done.returncode == 0, done
        assert OUT_OF_REACH_SAID in done.stderr
        assert OUT_OF_REACH_SAID not in shop(*words).stderr

    def test_is_said_to_be_there_by_doctor(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up()

        said = in_container(shop, "doctor")

        assert said.returncode == 0, said
        assert OUT_OF_REACH_SAID in said.stdout
        assert OUT_OF_REACH_SAID not in shop("doctor").stdout

    def test_is_not_where_applications_find_its_services(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up()
        asking = "import devinit, sys; devinit.wait_for('web', 0.1, sys.argv[1])"

        for hidden, said in (
            (None, OUT_OF_REACH_SAID),
            (os.environ["XDG_RUNTIME_DIR"], "cannot be reached from here"),
        ):
            done = in_container(shop, hidden=hidden, program=[sys.executable, "-c", asking, str(shop.root)])

            assert "TimeoutError" in done.stderr
            assert f"{ELSEWHERE}" in done.stderr
            assert said in done.stderr


class TestAStatusOfServicesThatRunInAnotherContainer:
    def test_without_a_supervisor_shows_each_of_them_as_running_there(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up()
        shop.kill_supervisor()

        shown = in_container(shop, "status")
        everywhere = in_container(shop, "status", "--all")

        assert shown.returncode == 0, shown
        assert f"Orphaned: runs {ELSEWHERE}" in shown.stdout
        assert ELSEWHERE in everywhere.stdout
        assert "looks after it again" not in everywhere.stdout


class TestAPortThatIsChosenInAContainer:
    def test_is_applied_where_the_services_run(self, shop: Shop, free_ports: FreePorts) -> None:
        ports = free_ports(2)
        shop.service("web", port=ports[0])
        shop.up()

        there = in_container(shop, "ports", "set", "web", str(ports[1]))
        here = shop("ports", "set", "web", str(ports[0]))

        assert "`devinit restart web` applies it, in the container that it runs in" in there.stderr
        assert "`devinit restart web` applies it now" in here.stderr


class TestAnotherStateFolderOfTheSameCheckout:
    def test_takes_the_environment_file_over_with_a_word_to_both_sides(
        self, shop: Shop, port: int, tmp_path: Path
    ) -> None:
        shop.service("web", port=port)
        shop.up()
        assert not found_by_doctor(shop)
        elsewhere = {"XDG_STATE_HOME": str(tmp_path / "other"), "XDG_RUNTIME_DIR": str(tmp_path / "run")}
        (tmp_path / "run").mkdir(mode=0o700)
        # As in a container with a network of its own, where the port is free.
        script = ["env", *(f"{name}={value}" for name, value in elsewhere.items()), *shop.program()]

        there = in_container(shop, "start", "-d", program=script)

        assert there.returncode == 0, there.stderr
        assert WITH_ANOTHER in " ".join(there.stderr.split())
        assert found_by_doctor(shop)

        # The file is written for this side again, and it is said that the other side has lost it.
        here = shop("start", "-d")
        assert WITH_ANOTHER in " ".join((here.stdout + here.stderr).split())
        assert not found_by_doctor(shop)
        # Once: nothing has changed since.
        again = shop("start", "-d")
        assert WITH_ANOTHER not in " ".join((again.stdout + again.stderr).split())


WITH_ANOTHER = ".env.runtime was written by devinit with another state folder"


def found_by_doctor(shop: Shop) -> bool:
    return "was written by devinit with another state folder" in " ".join(shop("doctor").stdout.split())
