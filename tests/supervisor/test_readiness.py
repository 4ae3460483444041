"""Specifies `devinit.supervisor.readiness.proving`: ready means that the service itself answers, on its own port."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from typing import TYPE_CHECKING

import msgspec
import pytest

from devinit.model.probe import (
    ExchangeProbe,
    ExecProbe,
    HttpProbe,
    LogProbe,
    Probe,
    ProbeResult,
    ProbeVerdict,
    TcpProbe,
)
from devinit.ports import verify
from devinit.supervisor.readiness import asking, proving
from devinit.supervisor.readiness.asking import is_patience_over
from devinit.supervisor.readiness.proving import interval_of, seconds_of_attempt, until_ready
from devinit.supervisor.readiness.subject import Elsewhere, Foreign, Ready, Subject, TimeOver
from devinit.system.processes import members_of
from devinit.system.procfs import LINUX

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter

    from tests.supervisor.conftest import FreePorts, Launcher, Started, Stranger

LISTEN = """
import signal, socket, sys
servers = []
for text in sys.argv[1:]:
    address, port = text.rsplit(",", 1)
    server = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if ":" in address:
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    server.bind((address, int(port)))
    server.listen()
    servers.append(server)
print("ready", flush=True)
while True:
    signal.pause()
"""
FORK = LISTEN.replace(
    "print(", "import os\nif os.fork():\n    [each.close() for each in servers]\nelse:\n    print("
)
PREFORKS = LISTEN.replace(
    "print(", "import os, time\nif os.fork() == 0:\n    time.sleep({})\n    servers[0].accept()\nprint("
)
"""Listens before its worker has loaded the application, which takes so many seconds."""
COMPUTES = LISTEN.replace(
    "while True:",
    "import time\nend = time.monotonic() + {}\nwhile time.monotonic() < end: pass\n"
    "if True: servers[0].accept()\nwhile True:",
)
"""Listens and then computes for so many seconds, before it accepts."""


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Find out in a tenth of the time that a service has settled elsewhere."""
    monkeypatch.setattr(proving, "SETTLED_SECONDS", 0.2)
    monkeypatch.setattr(proving, "ELSEWHERE_INTERVAL_SECONDS", 0.05)


RELOADER_FIRST = """
import signal, socket, sys
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
reloader = socket.create_server(("127.0.0.1", 0))
print("ready", flush=True)
signal.sigwait({signal.SIGUSR1})
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
signal.pause()
"""


class Watcher:
    """Waits for a service of the launcher's."""

    def __init__(self, launch: Launcher) -> None:
        self._launch = launch
        self.saw: list[str] = []
        self.notes: list[str] = []
        self.output = ""

    def subject(
        self,
        port: int | None,
        probe: Probe | None = None,
        *,
        timeout: float = 20.0,
        extra: tuple[int, ...] = (),
    ) -> Subject:
        async def run_command(_command: str) -> int:
            return 0

        return Subject(
            probe=probe or TcpProbe("127.0.0.1", port or 0),
            port=port,
            extra_ports=extra,
            strict=False,
            timeout_seconds=timeout,
            pids=lambda: [member.pid for member in members_of(None, self._launch.marker)],
            run_command=run_command,
            read_output=lambda: self.output,
            saw=self.saw.append,
            note=self.notes.append,
        )


@pytest.fixture
def watcher(launch: Launcher) -> Watcher:
    return Watcher(launch)


def listen(launch: Launcher, *addresses: str, program: str = LISTEN) -> Started:
    started = launch.python(program, *addresses)
    assert started.line() == "ready"
    return started


class TestAService:
    async def test_is_ready_when_it_listens_and_answers(
        self, launch: Launcher, watcher: Watcher, port: int
    ) -> None:
        service = listen(launch, f"127.0.0.1,{port}")

        assert await until_ready(watcher.subject(port)) == Ready(service.pid)

    async def test_is_ready_when_a_child_of_it_listens(
        self, launch: Launcher, watcher: Watcher, port: int
    ) -> None:
        service = listen(launch, f"127.0.0.1,{port}", program=FORK)

        found = await until_ready(watcher.subject(port))

        assert isinstance(found, Ready)
        assert found.listener not in (None, service.pid)

    async def test_is_ready_when_it_listens_on_both_families(
        self, launch: Launcher, watcher: Watcher, port: int
    ) -> None:
        service = listen(launch, f"127.0.0.1,{port}", f"::1,{port}")

        assert await until_ready(watcher.subject(port)) == Ready(service.pid)

    async def test_is_ready_as_soon_as_it_begins_to_listen(
        self, launch: Launcher, watcher: Watcher, port: int
    ) -> None:
        launch.python("import time; time.sleep(0.2)\n" + LISTEN, f"127.0.0.1,{port}")

        assert isinstance(await until_ready(watcher.subject(port)), Ready)

    async def test_may_first_listen_on_a_port_that_the_kernel_chose(
        self, launch: Launcher, watcher: Watcher, port: int
    ) -> None:
        service = listen(launch, str(port), program=RELOADER_FIRST)
        seen = asyncio.Event()
        subject = msgspec.structs.replace(watcher.subject(port), saw=lambda _: seen.set())
        ready = asyncio.ensure_future(until_ready(subject))
        await seen.wait()
        await asyncio.sleep(proving.SETTLED_SECONDS * 2)

        os.kill(service.pid, signal.SIGUSR1)

        assert await ready == Ready(service.pid)

    async def test_is_not_ready_before_its_probe_says_so(
        self, launch: Launcher, watcher: Watcher, port: int
    ) -> None:
        listen(launch, f"127.0.0.1,{port}")
        probe = LogProbe("listening")

        found = await until_ready(watcher.subject(port, probe, timeout=0.2))

        assert found == TimeOver("no line of the output matches 'listening'")
        assert watcher.saw[-1] == "no line of the output matches 'listening'"

    async def test_without_a_port_is_ready_by_its_probe_alone(self, watcher: Watcher) -> None:
        assert await until_ready(watcher.subject(None, ExecProbe("true"))) == Ready(None)


needs_queues = pytest.mark.skipif(not LINUX, reason="reads the kernel's queue")


@needs_queues
class TestAServerThatListensBeforeAProcessServes:
    @pytest.mark.parametrize("program", [PREFORKS, COMPUTES], ids=["with workers", "that computes"])
    async def test_is_ready_when_a_process_accepts(
        self, launch: Launcher, watcher: Watcher, port: int, program: str
    ) -> None:
        listen(launch, f"127.0.0.1,{port}", program=program.format(1.5))
        began = time.monotonic()

        assert isinstance(await until_ready(watcher.subject(port)), Ready)
        assert time.monotonic() - began > 1.2
        assert asking.NOT_ACCEPTED in watcher.saw
        assert watcher.notes == []

    async def test_counts_as_ready_with_a_note_when_its_workers_rest_and_accept_nothing(
        self, launch: Launcher, watcher: Watcher, port: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(asking, "SHARED_SECONDS", 1.0)
        listen(launch, f"127.0.0.1,{port}", program=PREFORKS.format(1000))

        assert isinstance(await until_ready(watcher.subject(port)), Ready)
        assert [note.partition(" for ")[0] for note in watcher.notes] == [
            f"counts as ready although no process has accepted a connection to {port}"
        ]

    async def test_is_not_ready_while_its_reloader_waits_for_a_change(
        self, launch: Launcher, watcher: Watcher, port: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(asking, "SHARED_SECONDS", 0.2)
        listen(launch, f"127.0.0.1,{port}", program=PREFORKS.format(1000))
        subject = msgspec.structs.replace(watcher.subject(port), is_stuck=lambda: True)

        with pytest.raises(TimeoutError):
            async with asyncio.timeout(2):
                await until_ready(subject)

    async def test_is_ready_at_once_when_it_rests_alone(
        self, launch: Launcher, watcher: Watcher, port: int
    ) -> None:
        """A server that serves one client at a time has one already."""
        listen(launch, f"127.0.0.1,{port}")
        began = time.monotonic()

        assert isinstance(await until_ready(watcher.subject(port)), Ready)
        assert time.monotonic() - began < asking.SHARED_SECONDS / 2
        assert watcher.notes == []

    @pytest.mark.parametrize(
        ("waited", "rested", "is_shared", "is_over"),
        [
            (0.06, 0.06, False, True),
            (5.0, 0.0, False, False),
            (10.1, 0.0, False, True),
            (9.0, 9.0, True, False),
            (50.0, 0.0, True, False),
            (50.0, 10.0, True, True),
        ],
    )
    def test_is_waited_for_while_it_is_likely_to_load_its_code(
        self, waited: float, rested: float, is_shared: bool, is_over: bool
    ) -> None:
        assert is_patience_over(waited, rested, is_shared=is_shared) == is_over


class TestTheTime:
    async def test_is_over_for_a_service_that_never_listens(
        self, launch: Launcher, watcher: Watcher, port: int
    ) -> None:
        launch.sh("sleep 1000")

        assert await until_ready(watcher.subject(port, timeout=0.1)) == TimeOver("nothing listens yet")

    async def test_is_over_for_a_service_that_accepts_and_never_answers(
        self, launch: Launcher, watcher: Watcher, port: int
    ) -> None:
        listen(launch, f"127.0.0.1,{port}")
        probe = HttpProbe(host="127.0.0.1", port=port, path="/")

        assert isinstance(await until_ready(watcher.subject(port, probe, timeout=0.2)), TimeOver)

    async def test_is_over_for_a_service_without_a_port(self, watcher: Watcher) -> None:
        found = await until_ready(watcher.subject(None, LogProbe("never"), timeout=0.1))

        assert found == TimeOver("no line of the output matches 'never'")

    async def test_begins_anew_for_a_service_that_was_stuck_and_does_something_again(
        self, watcher: Watcher
    ) -> None:
        def comes_up() -> float:
            watcher.output = "up"
            return asyncio.get_running_loop().time()

        subject = msgspec.structs.replace(
            watcher.subject(None, LogProbe("up"), timeout=1.0), moved_at=comes_up
        )

        assert await until_ready(subject) == Ready(None)


class TestAnAttempt:
    @pytest.mark.parametrize(
        ("stated", "cut_off", "left", "seconds"),
        [
            (None, 0, 60.0, 5.0),
            (None, 1, 55.0, 10.0),
            (None, 2, 45.0, 20.0),
            # The last one: no other would fit in behind it.
            (None, 3, 25.0, 24.9),
            (None, 0, 8.0, 7.9),
            (None, 0, 0.0, 0.1),
            (20.0, 0, 60.0, 20.0),
            (20.0, 1, 39.0, 38.9),
        ],
    )
    def test_takes_longer_after_one_that_was_cut_off_and_the_last_runs_to_the_deadline(
        self, stated: float | None, cut_off: int, left: float, seconds: float
    ) -> None:
        assert seconds_of_attempt(stated, cut_off, left) == pytest.approx(seconds)

    async def test_sees_an_answer_that_is_slower_than_the_attempts_before(
        self, watcher: Watcher, port: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(proving, "ATTEMPT_SECONDS", 0.05)

        async def answer(_reader: StreamReader, writer: StreamWriter) -> None:
            await asyncio.sleep(0.5)
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            writer.close()

        probe = HttpProbe(host="127.0.0.1", port=port, path="/")
        subject = watcher.subject(port, probe, timeout=20)
        subject = msgspec.structs.replace(subject, pids=lambda: [os.getpid()])
        async with await asyncio.start_server(answer, "127.0.0.1", port):
            assert await until_ready(subject) == Ready(os.getpid())

        assert watcher.saw[:2] == ["no answer within 0.05 s", "no answer within 0.1 s"]


class TestLooking:
    def test_is_rarer_the_longer_it_takes(self) -> None:
        ages = (0.0, 0.05, 0.5, 1.9, 5.0, 60.0)

        assert [interval_of(age, 1) for age in ages] == [0.001, 0.001, 0.002, 0.002, 0.02, 0.1]

    def test_is_shared_by_many_that_start_at_once(self) -> None:
        each = [interval_of(0.0, waiting) for waiting in (1, 8, 16, 200)]

        assert each == pytest.approx([0.001, 0.001, 0.002, 0.025])

    async def test_does_not_ask_a_server_that_says_it_is_starting(self, watcher: Watcher, port: int) -> None:
        starting = [True, True, False]
        left_when_asked: list[int] = []

        async def answer(_reader: StreamReader, writer: StreamWriter) -> None:
            left_when_asked.append(len(starting))
            writer.write(b"+PONG")
            writer.close()

        probe = ExchangeProbe(
            host="127.0.0.1",
            port=port,
            request=b"PING",
            judge=lambda _answer: ProbeResult(ProbeVerdict.READY),
            is_starting=lambda: starting.pop(0),
        )
        subject = msgspec.structs.replace(watcher.subject(port, probe), pids=lambda: [os.getpid()])
        async with await asyncio.start_server(answer, "127.0.0.1", port):
            assert await until_ready(subject) == Ready(os.getpid())

        assert left_when_asked == [0]
        assert watcher.saw == ["it says that it is starting"] * 2

    async def test_asks_a_server_that_says_so_for_long_all_the_same(
        self, watcher: Watcher, port: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(proving, "BELIEVED_SECONDS", 0.05)
        probe = ExchangeProbe(
            host="127.0.0.1",
            port=port,
            request=b"PING",
            judge=lambda _answer: ProbeResult(ProbeVerdict.READY),
            is_starting=lambda: True,
        )
        subject = msgspec.structs.replace(watcher.subject(port, probe), pids=lambda: [os.getpid()])

        async with await asyncio.start_server(greet, "127.0.0.1", port):
            assert await until_ready(subject) == Ready(os.getpid())


async def greet(_reader: StreamReader, writer: StreamWriter) -> None:
    writer.write(b"+PONG")
    writer.close()


class TestAnImpostor:
    async def test_on_the_port_is_not_taken_for_the_service(
        self, launch: Launcher, watcher: Watcher, port: int, stranger: Stranger
    ) -> None:
        pid = stranger(port)
        launch.sh("sleep 1000")

        found = await until_ready(watcher.subject(port))

        assert isinstance(found, Foreign)
        assert str(port) in found.reason
        assert f"pid {pid}" in found.reason

    async def test_on_the_other_family_beside_the_service_is_recognised(
        self, launch: Launcher, watcher: Watcher, port: int, stranger: Stranger
    ) -> None:
        stranger(port, "::1")
        listen(launch, f"127.0.0.1,{port}")

        assert isinstance(await until_ready(watcher.subject(port)), Foreign)


class TestAServiceThatListensElsewhere:
    async def test_is_found_where_it_has_settled(
        self, launch: Launcher, watcher: Watcher, free_ports: FreePorts
    ) -> None:
        asked, chosen = free_ports(2)
        listen(launch, f"127.0.0.1,{chosen}")

        assert await until_ready(watcher.subject(asked)) == Elsewhere(chosen)
        assert watcher.saw[-1] == f"it listens on {chosen} instead of {asked}"

    async def test_is_not_looked_for_on_its_extra_ports(
        self, launch: Launcher, watcher: Watcher, free_ports: FreePorts
    ) -> None:
        asked, debugger = free_ports(2)
        listen(launch, f"127.0.0.1,{debugger}")

        found = await until_ready(watcher.subject(asked, timeout=0.6, extra=(debugger,)))

        assert isinstance(found, TimeOver)

    @pytest.mark.parametrize("has_chosen", [False, True])
    async def test_is_not_taken_for_its_debugger(
        self,
        launch: Launcher,
        watcher: Watcher,
        free_ports: FreePorts,
        monkeypatch: pytest.MonkeyPatch,
        *,
        has_chosen: bool,
    ) -> None:
        asked, debugger, chosen = free_ports(3)
        monkeypatch.setattr(verify, "SIDE_PORTS", frozenset({debugger}), raising=False)
        ports = (debugger, chosen) if has_chosen else (debugger,)
        listen(launch, *(f"127.0.0.1,{port}" for port in ports))

        found = await until_ready(watcher.subject(asked, timeout=4))

        assert found == Elsewhere(chosen) if has_chosen else isinstance(found, TimeOver)

    async def test_is_not_guessed_at_when_it_listens_on_several(
        self, launch: Launcher, watcher: Watcher, free_ports: FreePorts
    ) -> None:
        asked, one, two = free_ports(3)
        listen(launch, f"127.0.0.1,{one}", f"127.0.0.1,{two}")

        assert isinstance(await until_ready(watcher.subject(asked, timeout=0.6)), TimeOver)

    async def test_is_ready_on_its_port_when_it_opens_that_one_too(
        self, launch: Launcher, watcher: Watcher, free_ports: FreePorts
    ) -> None:
        asked, first = free_ports(2)
        listen(launch, f"127.0.0.1,{first}", f"127.0.0.1,{asked}")

        assert isinstance(await until_ready(watcher.subject(asked)), Ready)
