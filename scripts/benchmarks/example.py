"""The second start of the example, compared with the same commands started by hand."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import time
from contextlib import ExitStack

from measuring import HERE, Checkout, Row, Start, checkout, median, number, with_spread

from devinit.config.load import load
from devinit.model.probe import ExchangeProbe, HttpProbe, ProbeVerdict
from devinit.model.process import ProcessSpec
from devinit.supervisor.events import Broadcaster
from devinit.supervisor.project.project_state import ProjectState
from devinit.system.processes import Process, spawn
from devinit.system.standard_input import silent_input

POLL_SECONDS = 0.001
COLD_MILLISECONDS, WARM_MILLISECONDS = 100, 25
MADE = (
    ".venv",
    "node_modules",
    "__pycache__",
    ".devinit",
    ".ports.json",
    ".env.runtime",
    ".backend-port.json",
)
LEGS = ("databases", "backend", "frontend")

# When each leg of the start was done, in milliseconds from the beginning.
Way = dict[str, float]
Pairs = list[tuple[Way, Way]]
"""Pairs of a start by devinit and the start by hand before it."""


def second_start(runs: int) -> list[Row]:
    """Compare a start of the example with its own critical path."""
    with checkout("guestbook") as project:
        example = HERE / "docs" / "example"
        shutil.copytree(example, project.root, dirs_exist_ok=True, ignore=shutil.ignore_patterns(*MADE))
        for _ in range(2):  # the first start installs, the second one fills the caches
            project.start()
            project.stop()
        by_hand = ByHand(project)
        cold: Pairs = []
        warm: Pairs = []
        for _ in range(runs):
            # Each start runs next to its own run by hand, and each of the four after one of the other kind: a
            # different kind of start just before costs the backend some 40 ms.
            before = by_hand.run()
            cold.append((way(project.start()), before))
            project.stop()
            with project.supervised():
                before = by_hand.run()
                warm.append((way(project.start()), before))
                project.stop()
    return [
        *rows("no supervisor yet", cold, COLD_MILLISECONDS),
        *rows("supervisor up", warm, WARM_MILLISECONDS),
    ]


def way(start: Start) -> Way:
    """Return the legs of a start by devinit."""
    ready = start.moments("ready")
    done = (max(ready["postgres"], ready["redis"]), ready["backend"], ready["frontend"])
    return dict(zip(LEGS, done, strict=True))


def rows(when: str, pairs: Pairs, budget: float) -> list[Row]:
    """Return the row of a start, and one for each of its legs."""
    ways, reference = [us for us, _ in pairs], [them for _, them in pairs]
    ours, theirs = [each["frontend"] for each in ways], [each["frontend"] for each in reference]
    # Run by run, because a machine that is busy for a minute makes both slow.
    beyond = median([us - them for us, them in zip(ours, theirs, strict=True)])
    title = f"example, {when}: command → all four ready"
    total = Row(
        title,
        f"{with_spread(ours)}: {beyond:+.0f} ms",
        with_spread(theirs),
        f"+{budget:g} ms",
        beyond <= budget,
    )
    legs = []
    for leg in LEGS:
        us, them = (
            median([length(leg, each) for each in ways]),
            median([length(leg, each) for each in reference]),
        )
        legs.append(
            Row(f"· its {leg}", f"{number(us)} ms: {us - them:+.0f} ms", f"{number(them)} ms", "", None)
        )
    return [total, *legs]


def length(leg: str, way: Way) -> float:
    """Return the duration of a leg."""
    position = LEGS.index(leg)
    return way[leg] - (way[LEGS[position - 1]] if position else 0)


class ByHand:
    """The actions of a very fast user, who starts a command once the one before answers, asked every ms."""

    def __init__(self, project: Checkout) -> None:
        self._stage = ProjectState(project.root, Broadcaster())
        self._stage.configure(load(project.root), project.environment)
        self._log = os.open(project.root / "by-hand.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def run(self) -> Way:
        """Start the four services, end them again, and return when each leg was done."""
        for name in ("postgres", "redis"):
            service = self._stage.project.services[name]
            self._stage.provider(service).prepare(service, self._stage.place(), lambda _text: None)
        way: Way = {}
        with ExitStack() as running:
            began = time.perf_counter()

            def done(leg: str) -> None:
                way[leg] = (time.perf_counter() - began) * 1000

            self._start("postgres", running)
            self._start("redis", running)
            self._until_ready("postgres")
            self._until_ready("redis")
            done("databases")
            backend = self._stage.project.services["backend"]
            for command in backend.before_start:
                with self._spawn(self._stage.command_spec(backend, command, "before_start")) as one_shot:
                    one_shot.wait()
                    one_shot.returncode()
            self._start("backend", running)
            self._until_ready("backend")
            done("backend")
            self._start("frontend", running)
            self._until_ready("frontend")
            done("frontend")
        return way

    def _start(self, name: str, running: ExitStack) -> None:
        spec = self._stage.process_spec(self._stage.project.services[name])
        if spec is None:
            raise SystemExit(f"{name} is not ours to start")
        running.callback(self._end, name, self._spawn(spec))

    def _spawn(self, spec: ProcessSpec) -> Process:
        with silent_input() as stdin:
            return spawn(spec, output=self._log, stdin=stdin)

    def _end(self, name: str, process: Process) -> None:
        policy = self._stage.stop_policy(self._stage.project.services[name])
        process.send(signal.Signals[f"SIG{policy.signal}"])
        process.wait(policy.grace_seconds)
        process.returncode()
        process.close()

    def _until_ready(self, name: str) -> None:
        service = self._stage.project.services[name]
        probe = self._stage.probe(service)
        while not answers(probe):
            time.sleep(POLL_SECONDS)


def answers(probe: object) -> bool:
    """Probe a service once; return whether it is ready."""
    try:
        match probe:
            case ExchangeProbe():
                said = asked(probe.host, probe.port, probe.request)
                return bool(said) and probe.judge(said).verdict is ProbeVerdict.READY
            case HttpProbe():
                host = f"Host: {probe.host}:{probe.port}\r\nConnection: close\r\n"
                request = f"GET {probe.path} HTTP/1.1\r\n{host}\r\n"
                return asked(probe.host, probe.port, request.encode()).startswith(b"HTTP/1.1 200")
    except OSError:
        return False
    raise SystemExit(f"the example is not probed by {probe}")


def asked(host: str, port: int, request: bytes) -> bytes:
    """Send a request and return the beginning of the answer."""
    with socket.create_connection((host, port), timeout=5) as connection:
        connection.sendall(request)
        return connection.recv(4096)
