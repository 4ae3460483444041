"""What is measured of each peer, in turns: whatever else the machine does hits all of them alike."""

from __future__ import annotations

import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from light import FIRST_PORT, Light, until_answering
from lightly import cpu_seconds, pss
from printing import FLOOD, LINES

from peers.peer import PATIENCE_SECONDS, Peer, Service

MANY = 200
BOOTS = {"first": 150, "second": 150, "third": 150, "fourth": 200}
"""Milliseconds until each service of the chain listens. The first two are started together: the ideal is 500."""
NEEDS = {"third": ("first", "second"), "fourth": ("third",)}
IDEAL = 500.0
STABLE_SECONDS = 11.0
"""After this time each peer that knows the idea calls a service stable."""
BACK_SECONDS = 15.0
"""A service that is not back by then is not restarted."""
SETTLED_SECONDS = 5.0
IDLE_SECONDS = 30.0
POLL_SECONDS = 0.0005
TICKS = os.sysconf("SC_CLK_TCK")


class Measure(NamedTuple):
    """One thing that was measured of all peers."""

    title: str
    unit: str
    figures: dict[str, list[float]]
    """By the title of the peer; a peer without figures does not do this, or failed."""
    reasons: dict[str, str]
    """Why a peer has no figures."""


class Bench:
    """The peers, each in a folder of its own for one measure at a time, and what they run."""

    def __init__(self, peers: Sequence[Callable[[Path], Peer]], work: Path) -> None:
        self._peers = peers
        self._work = work
        self.light = Light(work)

    @contextmanager
    def set_up(self, services: Sequence[Service]) -> Iterator[list[Peer]]:
        """Give the peers, configured for these services; what they leave behind is ended."""
        ready = []
        for make in self._peers:
            peer = make(Path(tempfile.mkdtemp(prefix="p-", dir=self._work)))
            peer.install()
            peer.configure(services)
            ready.append(peer)
        try:
            yield ready
        finally:
            for peer in ready:
                peer.clear()

    def many(self, count: int) -> list[Service]:
        """Return so many services that listen at once."""
        ports = range(FIRST_PORT, FIRST_PORT + count)
        return [Service(f"s{port}", [*self.light.argv, str(port)], port) for port in ports]

    def chain(self) -> list[Service]:
        """Return four services that depend on one another."""
        return [
            Service(name, [*self.light.argv, str(port), str(boot)], port, NEEDS.get(name, ()))
            for port, (name, boot) in enumerate(BOOTS.items(), FIRST_PORT)
        ]


def mass(bench: Bench, runs: int) -> list[Measure]:
    """Start and stop many services."""
    services = bench.many(MANY)
    start = Measure(f"start {MANY}: command → all answer", "ms", {}, {})
    cpu = Measure(f"start {MANY}: CPU of commands, manager and services", "ms", {}, {})
    gone = Measure(f"stop {MANY}: command → no port answers", "ms", {}, {})
    ended = Measure(f"stop {MANY}: command → command or manager has ended", "ms", {}, {})
    with bench.set_up(services) as peers:
        for _, peer in _turns(runs, peers):
            with _noted(peer, start, cpu, gone, ended):
                before = _children()
                began = time.perf_counter()
                peer.start()
                _all_answer(services)
                _add(start, peer, _since(began))
                _add(cpu, peer, _children() - before + _used(peer))
                began = time.perf_counter()
                with _in_the_background(peer.stop) as finished:
                    _none_listens(services)
                    _add(gone, peer, _since(began))
                    finished()
                    _add(ended, peer, _since(began))
    return [start, cpu, gone, ended]


def chain(bench: Bench, runs: int) -> list[Measure]:
    """Start four services in order."""
    services = bench.chain()
    measure = Measure("four in order, nothing runs yet: beyond the ideal 500 ms", "ms", {}, {})
    with bench.set_up(services) as peers:
        for _, peer in _turns(runs, peers):
            if not peer.has_order:
                measure.reasons[peer.title] = "no order"
                continue
            with _noted(peer, measure):
                began = time.perf_counter()
                peer.start()
                _all_answer(services)
                _add(measure, peer, _since(began) - IDEAL)
                peer.stop()
                _none_listens(services)
    return [measure]


def living(bench: Bench, runs: int) -> list[Measure]:
    """Ask, restart and kill services that have run for a while, one peer after the other."""
    services = bench.many(max(4, runs))
    status = Measure("status: wall clock", "ms", {}, {})
    status_cpu = Measure("status: CPU of the command", "ms", {}, {})
    restart = Measure("restart command → answers again", "ms", {}, {})
    crash = Measure("SIGKILL of a stable service → answers again", "ms", {}, {})
    again = Measure("SIGKILL once more, at once → answers again", "ms", {}, {})
    with bench.set_up(services) as peers:
        for peer in peers:
            with _noted(peer, status, status_cpu, restart, crash, again):
                peer.start()
                _all_answer(services)
                time.sleep(STABLE_SECONDS)
                for service in services[:runs]:
                    if peer.has_status:
                        before, began = _children(), time.perf_counter()
                        peer.status()
                        _add(status, peer, _since(began))
                        _add(status_cpu, peer, _children() - before)
                    if not peer.restarts_crashed:
                        crash.reasons[peer.title] = again.reasons[peer.title] = "not restarted"
                        continue
                    for measure in (crash, again):
                        victim = _victim(service)
                        began = time.perf_counter()
                        os.kill(victim, signal.SIGKILL)
                        if _answering(service.port, other_than=victim) is None:
                            measure.reasons[peer.title] = f"not back after {BACK_SECONDS:.0f} s"
                            break
                        _add(measure, peer, _since(began))
                for service in services[:runs] if peer.has_restart else ():
                    victim = _victim(service)
                    began = time.perf_counter()
                    with _in_the_background(partial(peer.restart, service.name)) as finished:
                        if _answering(service.port, other_than=victim) is None:
                            restart.reasons[peer.title] = f"not back after {BACK_SECONDS:.0f} s"
                            break
                        _add(restart, peer, _since(began))
                        finished()
            _cleared(peer, services)
    return [status, status_cpu, restart, crash, again]


def idle(bench: Bench, _: int) -> list[Measure]:
    """Leave managers of many services alone for a while."""
    services = bench.many(MANY)
    cpu = Measure(f"idle manager of {MANY}: CPU seconds a minute", "s", {}, {})
    memory = Measure(f"idle manager of {MANY}: memory (PSS)", "MB", {}, {})
    with bench.set_up(services) as peers:
        for peer in peers:
            with _noted(peer, cpu, memory):
                peer.start()
                _all_answer(services)
                time.sleep(SETTLED_SECONDS)
                managers = peer.processes() - {until_answering(service.port) for service in services}
                before = sum(_or_zero(cpu_seconds, pid) for pid in managers)
                time.sleep(IDLE_SECONDS)
                used = sum(_or_zero(cpu_seconds, pid) for pid in managers) - before
                _add(cpu, peer, used * 60 / IDLE_SECONDS)
                _add(memory, peer, sum(_or_zero(pss, pid) for pid in managers) / 1e6)
            _cleared(peer, services)
    return [cpu, memory]


def printing(bench: Bench, runs: int) -> list[Measure]:
    """Let a service print a million lines, each one with a write of its own; it measures itself."""
    measure = Measure(f"a service prints {LINES:,} lines of 75 bytes, one write each", "ms", {}, {})
    script = bench.light.folder / "flood.py"
    script.write_text(FLOOD + "time.sleep(1000000)\n")
    service = Service("flood", [sys.executable, "-S", str(script), "took"], FIRST_PORT)
    with bench.set_up([service]) as peers:
        for _, peer in _turns(runs, peers):
            took = peer.folder / "took"
            took.unlink(missing_ok=True)
            (peer.folder / "go").touch()
            with _noted(peer, measure), _in_the_background(peer.start):
                deadline = time.monotonic() + PATIENCE_SECONDS * 2
                while not took.exists() or not took.read_text():
                    if time.monotonic() > deadline:
                        raise TimeoutError("it did not get through in two minutes")
                    time.sleep(0.02)
                _add(measure, peer, float(took.read_text()))
            peer.clear()
    return [measure]


SUBJECTS: dict[str, Callable[[Bench, int], list[Measure]]] = {
    "mass": mass,
    "chain": chain,
    "living": living,
    "idle": idle,
    "printing": printing,
}


def _cleared(peer: Peer, services: Sequence[Service]) -> None:
    """End a peer by force, before the next one takes the same ports."""
    peer.clear()
    try:
        _none_listens(services)
    except TimeoutError as error:
        raise RuntimeError(
            f"{peer.title} leaves services that do not have its environment: {error}"
        ) from error


def _turns(runs: int, peers: Sequence[Peer]) -> Iterator[tuple[int, Peer]]:
    return ((run, peer) for run in range(runs) for peer in peers)


@contextmanager
def _noted(peer: Peer, *measures: Measure) -> Iterator[None]:
    """Note why a peer fails, end what it left, and go on with the next one."""
    print(f"{measures[0].title}: {peer.title} …", file=sys.stderr, flush=True)
    try:
        yield
    except (RuntimeError, TimeoutError, OSError, subprocess.SubprocessError) as error:
        words = (str(error).strip().splitlines() or [type(error).__name__])[-1]
        for measure in measures:
            measure.reasons.setdefault(peer.title, words[:100])
        peer.clear()


@contextmanager
def _in_the_background(act: Callable[[], None]) -> Iterator[Callable[[], None]]:
    """Carry an order out in a thread, and give what waits for it; an error of the order is raised there."""
    failure: list[BaseException] = []

    def carried_out() -> None:
        try:
            act()
        except (RuntimeError, OSError, subprocess.SubprocessError) as error:
            failure.append(error)

    thread = threading.Thread(target=carried_out)
    thread.start()

    def finished() -> None:
        thread.join(PATIENCE_SECONDS)
        if failure:
            raise failure[0]

    try:
        yield finished
    finally:
        thread.join(PATIENCE_SECONDS)


def _add(measure: Measure, peer: Peer, figure: float) -> None:
    measure.figures.setdefault(peer.title, []).append(figure)


def _since(began: float) -> float:
    return (time.perf_counter() - began) * 1000


def _children() -> float:
    """Return the CPU time of all commands that have ended, in milliseconds."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (used.ru_utime + used.ru_stime) * 1000


def _used(peer: Peer) -> float:
    """Return the CPU time of what a peer has running, and of what that has waited for, in milliseconds."""
    total = 0.0
    for pid in peer.processes():
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        # What has ended is counted in ticks alone; what runs, to the nanosecond.
        total += sum(int(field) for field in fields[13:15]) * 1000 / TICKS + _or_zero(cpu_seconds, pid) * 1000
    return total


def _or_zero(measure: Callable[[int], float], pid: int) -> float:
    """Measure a process; 0 for one that has ended."""
    try:
        return measure(pid)
    except OSError:
        return 0.0


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _all_answer(services: Sequence[Service]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    for service in services:
        while not _listens(service.port):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{service.name} does not answer")
            time.sleep(POLL_SECONDS)


def _none_listens(services: Sequence[Service]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    for service in services:
        while _listens(service.port):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{service.name} still answers")
            time.sleep(POLL_SECONDS)


def _victim(service: Service) -> int:
    pid = _answering(service.port)
    if pid is None:
        raise TimeoutError(f"{service.name} is down")
    return pid


def _answering(port: int, other_than: int | None = None) -> int | None:
    """Return the pid of the process that answers on a port; None when none does within BACK_SECONDS."""
    deadline = time.monotonic() + BACK_SECONDS
    while time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
                answer = connection.recv(16)
        except OSError:
            answer = b""
        if answer and int(answer) != other_than:
            return int(answer)
        time.sleep(POLL_SECONDS)
    return None
