"""Write to the standard input of a service, for `devinit attach`.

The supervisor writes, not the command, since it knows for sure which process is the current run.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from typing import TYPE_CHECKING

from devinit.errors import ServiceError
from devinit.model.at_rest import how_to_start
from devinit.model.status import Phase
from devinit.system.standard_input import ATOMIC_BYTES, input_of, unread_bytes, unread_in_terminal

if TYPE_CHECKING:
    from devinit.model.process import TerminalHolder
    from devinit.model.status import InputReport
    from devinit.supervisor.service.runner import Runner

ROOM_SECONDS = 1.0
"""Seconds to wait for room in a full pipe: a process that reads at all has read some of it by then."""


async def write_input(runner: Runner, text: str) -> InputReport:
    """Write a text to a service's standard input, whole or not at all; report the unread bytes.

    Raise ServiceError for a service that does not run or reads from something else, and for a text of more than
    4096 bytes.
    """
    data = text.encode()
    if len(data) > ATOMIC_BYTES:
        raise ServiceError(
            f"{len(data):,} bytes are too many for {runner.name} at once",
            hint=f"send {ATOMIC_BYTES:,} bytes at a time",
        )
    process = runner.run.process
    if process is None:
        raise not_running(runner)
    if (known := runner.run.terminal.known) is not None:
        return await write_to_terminal(runner, known, process.pid, data)
    descriptor = input_of(process.pid, runner.name)
    try:
        # Checked after opening: if the pid was reused meanwhile, the input belongs to another process.
        if process.wait(0):
            raise not_running(runner)
        taken = not data or await written(descriptor, data)
        if data and taken:
            runner.input.soon()
        return {"pid": process.pid, "taken": taken, "unread": unread_bytes(descriptor)}
    except BrokenPipeError as error:
        # No process reads from the pipe any more; the end of the process may not have been noticed yet.
        raise ServiceError(
            f"{runner.name} (pid {process.pid}) has ended, or has closed its standard input",
            hint=f"`devinit why {runner.name}` says more",
        ) from error
    finally:
        os.close(descriptor)


async def write_to_terminal(runner: Runner, terminal: TerminalHolder, pid: int, data: bytes) -> InputReport:
    """Type into the terminal of a service."""
    from devinit.system.terminal_holder import push  # few services have one

    taken = True
    if data:
        try:
            taken = await asyncio.to_thread(push, terminal.socket, data)
        except OSError as error:
            raise ServiceError(
                f"the terminal of {runner.name} (pid {pid}) cannot be reached: {error.strerror or error}",
                hint=f"`devinit restart {runner.name}` gives it another one",
            ) from error
        runner.input.soon()
    return {"pid": pid, "taken": taken, "unread": unread_in_terminal(pid)}


async def written(descriptor: int, data: bytes) -> bool:
    """Write to a pipe that may be full; return False when it has not got enough room in time."""
    with suppress(TimeoutError):
        async with asyncio.timeout(ROOM_SECONDS):
            while True:
                with suppress(BlockingIOError):
                    # A pipe takes so many bytes whole, so there is never a half to go on with.
                    os.write(descriptor, data)
                    return True
                await has_room(descriptor)
    return False


async def has_room(descriptor: int) -> None:
    """Return when the kernel reports that a pipe can be written to."""
    loop = asyncio.get_running_loop()
    room = asyncio.Event()
    loop.add_writer(descriptor, room.set)
    try:
        await room.wait()
    finally:
        loop.remove_writer(descriptor)


def not_running(runner: Runner) -> ServiceError:
    """Return the error for a service that has no process to type into."""
    if runner.service.external_url is not None:
        return ServiceError(
            f"{runner.name} is a server that devinit does not run: it has no standard input here"
        )
    is_stopped = runner.phase is Phase.STOPPED
    return ServiceError(
        f"{runner.name} does not run: it is {runner.phase}",
        hint=how_to_start(runner.name) if is_stopped else f"`devinit why {runner.name}` says why",
    )
