"""A process manager as the comparison drives it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, NamedTuple
from uuid import uuid4

PATIENCE_SECONDS = 60
MARK = "PEER_BENCH_RUN"
"""The variable by which all processes of one peer are found. devinit keeps DEVINIT_* from services."""


class Missing(Exception):
    """A peer cannot be had on this machine; the message says why."""


class Service(NamedTuple):
    """A server that the peers are to run."""

    name: str
    argv: Sequence[str]
    port: int
    needs: Sequence[str] = ()


class Peer(ABC):
    """One process manager with one set of settings, in a folder of its own."""

    name: ClassVar[str]
    settings: ClassVar[str] = "defaults"
    restarts_crashed: ClassVar[bool] = True
    has_order: ClassVar[bool] = False
    has_status: ClassVar[bool] = True
    has_restart: ClassVar[bool] = True

    def __init__(self, programs: Path, folder: Path) -> None:
        self.programs = programs
        """Where the peers are installed, a folder for each registry."""
        self.folder = folder
        self.mark = uuid4().hex
        self.foreground: subprocess.Popen[bytes] | None = None

    @property
    def title(self) -> str:
        """The name, with the settings unless they are the peer's own."""
        return self.name if self.settings == "defaults" else f"{self.name} ({self.settings})"

    @property
    def environment(self) -> Mapping[str, str]:
        """What its commands and its services get."""
        own = {name: value for name, value in os.environ.items() if not name.startswith(("DEVINIT_", "PM2_"))}
        return own | {"HOME": str(self.folder), MARK: self.mark}

    @abstractmethod
    def install(self) -> str:
        """Install it unless it is there, and return its version. Raise Missing when it cannot be had."""

    @abstractmethod
    def configure(self, services: Sequence[Service]) -> None:
        """Write its configuration."""

    @abstractmethod
    def start(self) -> None:
        """Start all services: return when the command does, or at once if the manager stays in the foreground."""

    @abstractmethod
    def stop(self) -> None:
        """End all services and the manager, and return when the command, or the manager, has ended."""

    def status(self) -> None:
        """Ask once how the services are."""
        raise NotImplementedError

    def restart(self, name: str) -> None:
        """Restart one service."""
        raise NotImplementedError

    def run(self, *words: str | Path, check: bool = True) -> None:
        """Run a command of the peer to its end."""
        done = subprocess.run(
            [str(word) for word in words],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        if check and done.returncode != 0:
            raise RuntimeError(f"{' '.join(map(str, words))}: {(done.stderr or done.stdout).decode()[-500:]}")

    def begin(self, *words: str | Path) -> None:
        """Run the manager in the foreground of its own, beside us."""
        with (self.folder / "output").open("ab") as output:
            self.foreground = subprocess.Popen(
                [str(word) for word in words],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def end(self, number: int = signal.SIGTERM) -> None:
        """Ask a manager in the foreground to end, and wait until it has."""
        if self.foreground is not None:
            self.foreground.send_signal(number)
            self.foreground.wait(PATIENCE_SECONDS)
            self.foreground = None

    def processes(self) -> set[int]:
        """Return the pids of everything that it has started, itself included."""
        wanted = f"{MARK}={self.mark}".encode()
        found = set()
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if wanted in (folder / "environ").read_bytes().split(b"\0"):
                    found.add(int(folder.name))
            except OSError:  # it has ended, or is another user's
                continue
        return found

    def clear(self) -> None:
        """End by force what the peer has left running: all of it carries the mark."""
        # Again until nothing is found: what is killed may just have been restarting something.
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (found := self.processes()) and time.monotonic() < deadline:
            for pid in found:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
        if self.foreground is not None:
            self.foreground.wait(PATIENCE_SECONDS)
            self.foreground = None
