"""Many at the same instant: projects that want the same ports, commands in one project, and a thief beside them."""

from __future__ import annotations

import json
import random
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from devinit.ports.hold import Hold, hold
from devinit.system.paths import state_directory
from tests.end_to_end.fleet import Fleet, at_once, leased, root_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

Launch = Callable[..., Fleet]
PROJECTS = 50
COMMANDS = 50
SEED = 35


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Launch]:
    """Make projects that prefer the same free ports, a hundred apart."""
    made: list[Fleet] = []

    def make(count: int, *services: str, **options: object) -> Fleet:
        first = free_block(100 * len(services))
        ports = {name: first + 100 * number for number, name in enumerate(services)}
        made.append(Fleet(tmp_path, count, ports, **options))  # type: ignore[arg-type]  # passed on as they are
        return made[-1]

    yield make
    for each in made:
        each.finish()


def free_block(size: int) -> int:
    """Return the first of neighbouring ports of which all are free."""
    while True:
        first = random.randrange(22200, 22800 - size)  # noqa: S311  test runs beside each other differ
        holds = [hold(port) for port in range(first, first + size)]
        for each in holds:
            if isinstance(each, Hold):
                each.close()
        if all(isinstance(each, Hold) for each in holds):
            return first


class TestFiftyProjectsThatWantTheSamePorts:
    def test_are_all_up_on_distinct_ports_and_leave_nothing_behind(self, fleet: Launch) -> None:
        projects = fleet(PROJECTS, "api", "web")

        starts = projects.start()

        assert [(done.returncode, done.stderr) for done in starts if done.returncode] == []
        ports = projects.ports()
        assert len({*ports}) == PROJECTS * 2
        assert projects.bodies() == {name: name for name in projects.bodies()}
        assert leased() == sorted(ports)
        running = projects.running()
        assert {project["state"] for project in running.values()} == {"running"}
        assert len(running) == PROJECTS

        stops = projects.stop()

        assert [(done.returncode, done.stderr) for done in stops if done.returncode] == []
        assert projects.left() == []
        assert leased() == []

    def test_find_the_same_ports_again(self, fleet: Launch) -> None:
        projects = fleet(10, "web")
        projects.start()
        before = projects.ports()
        projects.stop()

        projects.start()

        assert projects.ports() == before


class TestFiftyStartsOfOneProject:
    def test_lead_to_one_supervisor_and_one_process_and_all_succeed(self, fleet: Launch) -> None:
        projects = fleet(1, "web")
        [root] = projects.roots

        done = at_once([root_of(root, "start", "--json")] * COMMANDS)

        assert [(each.returncode, each.stderr) for each in done if each.returncode] == []
        assert len(projects.pids()) == 2
        status = json.loads(at_once([root_of(root, "status", "--json")])[0].stdout)
        assert {status["supervisor"]["pid"], status["services"][0]["pid"]} == {*projects.pids()}

    def test_beside_as_many_stops_end_with_what_the_last_one_wanted(self, fleet: Launch) -> None:
        projects = fleet(1, "web")
        [root] = projects.roots

        done = at_once([root_of(root, word) for word in ("start", "stop") * 10])

        assert {each.returncode for each in done} <= {0, 1, 130}, [each.stderr for each in done]
        [last] = at_once([root_of(root, "stop")])
        assert last.returncode == 0
        assert projects.left() == []
        assert leased() == []


class Thief:
    """Somebody who knows of no lease, and takes 35 % of the ports in the moment in which they are granted."""

    def __init__(self, stack: ExitStack) -> None:
        self.stolen: list[int] = []
        self._stack = stack
        self._random = random.Random(SEED)  # noqa: S311  not a secret
        self._over = threading.Event()
        self._seen: set[tuple[int, int]] = set()
        self._thread = threading.Thread(target=self._steal)
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def _steal(self) -> None:
        folder = state_directory() / "leases"
        # Looking again and again is what makes it fast enough; its own pace, 1 ms, is no wait for anything.
        while not self._over.wait(0.001):
            for path in folder.glob("*.lock"):
                self._consider(path)

    def _consider(self, path: Path) -> None:
        granted = (int(path.stem), path.stat().st_mtime_ns)
        if granted in self._seen:
            return
        self._seen.add(granted)
        if self._random.random() >= 0.35:
            return
        server = self._stack.enter_context(socket.socket())
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind((self._random.choice(["127.0.0.1", "0.0.0.0"]), granted[0]))
            server.listen()
        except OSError:
            return  # the service was faster
        self.stolen.append(granted[0])


class TestAThiefOfGrantedPorts:
    @pytest.fixture
    def thief(self) -> Iterator[Thief]:
        with ExitStack() as stack:
            thief = Thief(stack)
            yield thief
            thief.stop()

    def test_keeps_nobody_from_getting_ports_of_his_own(self, fleet: Launch, thief: Thief) -> None:
        projects = fleet(10, "api", "db", "web", boot_seconds=(0.05, 0.2, 0.4))

        starts = projects.start()

        assert [(done.returncode, done.stdout, done.stderr) for done in starts if done.returncode] == []
        assert len(thief.stolen) >= 5
        assert len({*projects.ports()}) == 30
        assert not {*projects.ports()} & {*thief.stolen}
        assert projects.bodies() == {name: name for name in projects.bodies()}
