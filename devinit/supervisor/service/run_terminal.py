"""The terminal of one service's run: the process that holds it, from its start to its end."""

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
"""How long the process that holds a terminal may take to start the service in it."""


class RunTerminal:
    """What is known of the terminal of a service, if its run has one."""

    def __init__(self, name: str, stage: ProjectState, process: Callable[[], Process | None]) -> None:
        """`process`: returns the service's process, while it runs."""
        self.is_lent = False
        """Whether it has a terminal although its configuration wants none: `devinit debug`."""
        self.known: TerminalHolder | None = None
        """What holds the terminal of the run, or held that of the last one."""
        self.is_lost = False
        """Whether its holder was killed while the service ran."""
        self._holder: Process | None = None
        """That process, while it runs."""
        self._name, self._stage, self._process = name, stage, process

    async def spawn(self, spec: ProcessSpec, output: int, keep: tuple[int, ...]) -> Process:
        """Start a service in a terminal; return its process. Raise ServiceError when it cannot be started."""
        # Few services have one, and a supervisor without any does not load it.
        from devinit.system.paths import terminal_address
        from devinit.system.terminal_holder import start_holder

        endings = self._stage.private / "terminals" / f"{self._name}.endings"
        endings.parent.mkdir(mode=0o700, exist_ok=True)
        address = terminal_address(self._stage.root, self._name)
        starting = start_holder(spec, self._name, address, str(endings), output=output, keep=keep)
        known = TerminalHolder(starting.holder.identity, address, str(endings))
        try:
            # From here on its end is noticed, whatever becomes of this start.
            self.follow(known, starting.holder)
            return await told_by(starting, known)
        finally:
            starting.close()

    def follow(self, known: TerminalHolder, holder: Process) -> None:
        """Look after the process that holds the terminal."""
        self.known, self._holder, self.is_lost = known, holder, False
        asyncio.get_running_loop().add_reader(holder.fileno(), self._ended, holder)

    def forget(self) -> None:
        """Let go of the terminal of the run before; its holder ends with the last process in it."""
        self.known, self._holder, self.is_lost = None, None, False

    def status(self, *, wanted: bool) -> TerminalStatus | None:
        """Return what is to be known of it; None without one. `wanted`: whether the next run has one."""
        if self._process() is None:
            return {"socket": None, "pid": None, "lost": False} if wanted or self.is_lent else None
        if self.known is None:
            return None
        if self._holder is not None and not Path(self.known.socket).exists():
            # Its folder was emptied, as at a logout: then it makes another one.
            self._holder.send(signal.SIGUSR1)
        return {"socket": self.known.socket, "pid": self.known.identity.pid, "lost": self.is_lost}

    def how_it_was_lost(self, code: int | None) -> str | None:
        """Say of a service that has ended that it did because its terminal was gone; None where it did not."""
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
    """Return the process of a service that a holder starts. Raise ServiceError when it starts none."""
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
    """Say that the process which holds a terminal was ended."""
    held = f"the process that held it (pid {pid}) was killed"
    return f"it has lost its terminal: {held}; a restart gives it another one"
