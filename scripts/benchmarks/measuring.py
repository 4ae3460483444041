"""Tools for all measurements: an isolated checkout, commands, medians, and rows for the table."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from devinit.system.paths import project_id

HERE = Path(__file__).parents[2]
DEVINIT = Path(sys.executable).parent / "devinit"
PATIENCE_SECONDS = 120

# An event as printed.
Json = dict[str, Any]


class Row(NamedTuple):
    """One row of the table."""

    what: str
    measured: str
    reference: str
    budget: str
    kept: bool | None
    """Whether the budget was kept; None without one."""


class Start(NamedTuple):
    """A start, in milliseconds from the execution of the command."""

    events: list[Json]
    began: float
    """Unix time."""
    exited: float

    @property
    def ready(self) -> float:
        """When the last service was ready."""
        return max(self.moments("ready").values())

    def moments(self, phase: str) -> dict[str, float]:
        """Return when each service entered a phase."""
        told = [event for event in self.events if event["type"] == "phase" and event["phase"] == phase]
        return {event["service"]: (event["at"] - self.began) * 1000 for event in told}

    def moment(self, kind: str) -> float:
        """Return when the first event of a type was reported."""
        at: float = next(event["at"] for event in self.events if event["type"] == kind)
        return (at - self.began) * 1000


class Checkout:
    """A project that is started repeatedly."""

    def __init__(self, root: Path, machine: Path) -> None:
        self.root = root
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("DEVINIT_") and not name.endswith("_PORT")
        }
        self.environment |= {"XDG_STATE_HOME": str(machine), "XDG_RUNTIME_DIR": str(machine)}
        self.state = machine / "devinit" / "checkouts" / project_id(root)
        """The folder of its logs, lock and record."""
        self._supervised = False

    def run(self, *words: str) -> str:
        """Run a command of devinit and return its output."""
        said = subprocess.run(
            [DEVINIT, *words],
            cwd=self.root,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        if said.returncode != 0:
            raise SystemExit(f"devinit {' '.join(words)} failed:\n{said.stdout}\n{said.stderr}")
        return said.stdout

    def start(self) -> Start:
        """Start everything and return the events with their times."""
        began = time.time()
        out = self.run("start", "all", "--detach", "--json")
        return Start([json.loads(line) for line in out.splitlines()], began, (time.time() - began) * 1000)

    def stop(self) -> float:
        """Stop everything and return how many milliseconds the command took."""
        milliseconds = timed(lambda: self.run("stop"))
        if not self._supervised:
            # A start that follows at once waits until the supervisor has ended; that is not measured here.
            with (self.state / "supervisor.lock").open() as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
        return milliseconds

    @contextmanager
    def supervised(self) -> Iterator[int]:
        """Keep a supervisor up without services, by a connection to it; yield its pid."""
        self.run("start")
        pid: int = json.loads(self.run("status", "--json"))["supervisor"]["pid"]
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect((self.state / "socket").read_text().strip())
            self._supervised = True
            try:
                self.stop()
                yield pid
            finally:
                self._supervised = False


@contextmanager
def checkout(name: str = "bench") -> Iterator[Checkout]:
    """Yield an empty project with its own state folder; end and remove it afterwards."""
    # A short path: that of a Unix socket has at most 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="dvb-", dir="/tmp"))
    (folder / name).mkdir()
    project = Checkout(folder / name, folder)
    try:
        yield project
    finally:
        if project.state.exists():
            project.run("stop")
        shutil.rmtree(folder)


def timed(act: Callable[[], object]) -> float:
    """Return how many milliseconds a function takes."""
    began = time.perf_counter()
    act()
    return (time.perf_counter() - began) * 1000


def side_by_side(runs: int, *acts: Callable[[], float]) -> list[list[float]]:
    """Measure several functions in turns, so that other load on the machine affects all of them alike."""
    return [list(figures) for figures in zip(*([act() for act in acts] for _ in range(runs)), strict=True)]


def median(figures: Sequence[float]) -> float:
    """Return the median."""
    return statistics.median(figures)


def with_spread(figures: Sequence[float], unit: str = "ms") -> str:
    """Return the median, with the range of the middle half."""
    middle = median(figures)
    if len(figures) < 4:  # noqa: PLR2004  quartiles of fewer figures mean nothing
        return f"{number(middle)} {unit}"
    low, _, high = statistics.quantiles(figures, n=4)
    return f"{number(middle)} {unit} ({number(low)}-{number(high)})"


def number(figure: float) -> str:
    """Return a figure with its significant digits."""
    return f"{figure:.2f}" if abs(figure) < 10 else f"{figure:.0f}" if abs(figure) >= 100 else f"{figure:.1f}"  # noqa: PLR2004
