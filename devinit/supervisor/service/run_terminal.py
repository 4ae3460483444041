"""The terminal of one run of a service: the process that holds it, from its start to its end."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path

from devinit.errors import ServiceError
from devinit.model.process import ProcessSpec, TerminalHolder
from devinit.supervisor.project.project_state import ProjectState
from devinit.system.processes import Process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from devinit.model.status import TerminalStatus
    from devinit.system.terminal_holder import Starting

HOLDER_SECONDS = 10.0
"""Seconds that the process holding a terminal may take to start the service in it."""


class RunTerminal:
    """The terminal of a service's run, if it has one."""

    def __init__(self, name: str, stage: ProjectState, process: Callable[[], Process | None]) -> None:
        """Take as `process` a function that returns the service's process while it runs."""
        self.is_lent = False
        """Whether it has a terminal, for `devinit debug`, although its configuration does not ask for one."""
        self.known: TerminalHolder | None = None
        """The process that holds the terminal of the current run, or held that of the last one."""
        self.is_lost = False
        """Whether the holder was killed while the service ran."""
        self._holder: Process | None = None
        """The holder's process, while it runs."""
        self._name, self._stage, self._process = name, stage, process

    async def spawn(self, spec: ProcessSpec, output: int, keep: tuple[int, ...]) -> Process:
        """Start a service in a terminal; return its process. Raise ServiceError when it cannot be started."""
        # Few services have a terminal, and a supervisor without any does not load these.
        from devinit.system.paths import terminal_address
        from devinit.system.terminal_holder import start_holder

        endings = self._stage.private / "terminals" / f"{self._name}.endings"
        endings.parent.mkdir(mode=0o700, exist_ok=True)
        address = terminal_address(self._stage.root, self._name)
        starting = start_holder(spec, self._name, address, str(endings), output=output, keep=keep)
        known = TerminalHolder(starting.holder.identity, address, str(endings))
        try:
            # Follow the holder first, so that its end is noticed whatever the result of this start.
            self.follow(known, starting.holder)
            return await told_by(starting, known)
        finally:
            starting.close()

    def follow(self, known: TerminalHolder, holder: Process) -> None:
        """Follow the process that holds the terminal."""
        self.known, self._holder, self.is_lost = known, holder, False
        asyncio.get_running_loop().add_reader(holder.fileno(), self._ended, holder)

    def forget(self) -> None:
        """Release the terminal of the previous run; its holder ends with the last process in it."""
        self.known, self._holder, self.is_lost = None, None, False

    def status(self, *, wanted: bool) -> TerminalStatus | None:
        """Return the state of the terminal; None without one. `wanted`: whether the next run has one."""
        if self._process() is None:
            return {"socket": None, "pid": None, "lost": False} if wanted or self.is_lent else None
        if self.known is None:
            return None
        if self._holder is not None and not Path(self.known.socket).exists():
            # The folder of the socket was emptied, as at a logout: the holder creates another socket.
            self._holder.send(signal.SIGUSR1)
        return {"socket": self.known.socket, "pid": self.known.identity.pid, "lost": self.is_lost}

    def how_it_was_lost(self, code: int | None) -> str | None:
        """Return how a service that ended lost its terminal; None when that was not why it ended."""
        if code is not None or self.known is None or (self._holder is not None and not self._holder.wait(0)):
            return None
        return lost(self.known.identity.pid)

    def _ended(self, holder: Process) -> None:
        asyncio.get_running_loop().remove_reader(holder.fileno())
        holder.returncode()
        holder.close()
        if holder is not self._holder:
            return
        self._holder = None
        process = self._process()
        if process is not None and not process.wait(0):
            self.is_lost = True
            self._stage.note(f"{self._name}: {lost(holder.pid)}", self._name)


async def told_by(starting: Starting, known: TerminalHolder) -> Process:
    """Return the process of a service that a holder starts. Raise ServiceError when it does not start one."""
    loop = asyncio.get_running_loop()
    told = asyncio.Event()
    loop.add_reader(starting.told, told.set)
    try:
        async with asyncio.timeout(HOLDER_SECONDS):
            await told.wait()
    except TimeoutError as error:
        raise ServiceError(
            f"the process that holds its terminal (pid {known.identity.pid}) has not started it in "
            f"{HOLDER_SECONDS:g} s"
        ) from error
    finally:
        loop.remove_reader(starting.told)
    return starting.service(known)


def lost(pid: int) -> str:
    """Describe a terminal that was lost because its holder was killed."""
    held = f"the process that held it (pid {pid}) was killed"
    return f"it has lost its terminal: {held}; a restart gives it another one"
