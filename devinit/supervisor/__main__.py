"""The supervisor's process: `python -m devinit.supervisor ROOT`, started by the first command that needs it.

SIGTERM and SIGINT let go: services run on and the next command adopts them, exactly as after SIGKILL.
`devinit stop` is how they end.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from devinit import __version__
from devinit.control.greeting import greeting_of
from devinit.control.server import Server
from devinit.control.spawning import READY
from devinit.errors import DevinitError, SupervisorError
from devinit.model.names import ENVIRONMENT_FILE, PORTS_FILE
from devinit.supervisor.events import Broadcaster
from devinit.supervisor.orders.adoption import adopt
from devinit.supervisor.project.project_state import ProjectState
from devinit.supervisor.record import state_file
from devinit.supervisor.server import preload
from devinit.supervisor.server.handlers import ORDERS, Handlers
from devinit.supervisor.server.root_removed import folder_at, stop_with_folder
from devinit.supervisor.server.single_instance import be_reachable, lock_project, publish_address
from devinit.supervisor.supervisor import Supervisor
from devinit.system.checkout import claim
from devinit.system.files import remove_torn
from devinit.system.paths import is_still_there, socket_path
from devinit.system.unused_state import tidied

log = logging.getLogger("devinit.supervisor")


UNWANTED_SECONDS = 10.0
"""How long a supervisor stays to which no client connects."""


def main() -> int:
    """Run until the last service has been stopped."""
    root = Path(sys.argv[1])
    ready_fd = int(sys.argv[2]) if len(sys.argv) > 2 else None  # noqa: PLR2004  ROOT [READY_FD]
    logging.basicConfig(
        level=logging.DEBUG if os.environ.get("DEVINIT_DEBUG") else logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    # Not inside the checkout: we must not look like a process of the project, nor keep its disk busy.
    os.chdir("/")
    if ready_fd is not None:
        # Whatever else our caller had open (a lock, the pipe of a build) is not ours to keep open for hours.
        os.closerange(ready_fd + 1, os.sysconf("SC_OPEN_MAX"))
    # Or asyncio would install a handler of its own, whose replacement costs 6 ms (it is described in an error).
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        asyncio.run(supervise(root, ready_fd))
    except DevinitError as error:
        log.error("%s", error.message)  # noqa: TRY400  the message says it; a traceback would hide it
        told = "\n".join(filter(None, (error.message, error.hint)))
        tell_launcher(ready_fd, told.encode(errors="backslashreplace"))
        return error.exit_code
    except OSError as error:
        # A disk that is full, a folder that is gone: the log may have no room for it, so the launcher gets it.
        log.exception("the supervisor cannot go on")
        tell_launcher(ready_fd, str(error).encode(errors="replace"))
        return SupervisorError.exit_code
    return 0


async def supervise(root: Path, ready_fd: int | None) -> None:
    """Serve the project's socket and look after its services."""
    refused: BaseException | None = None
    leaving, idle = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    on_signal(signal.SIGTERM, leaving.set)
    on_signal(signal.SIGINT, leaving.set)
    # Handled, not ignored: what we ignore would be ignored in every service too. And before the lock: a command
    # that finds it held and no socket knocks with this signal.
    on_signal(signal.SIGHUP, lambda: log.info("the terminal was closed; nothing changes"))
    private = Path(claim(root))
    lock = await lock_project(root, private)
    if lock is None:
        # Not closed: the launcher goes on when we are gone, and finds one supervisor.
        tell_launcher(ready_fd, READY, and_go_on=False)
        return
    log.info("supervisor %s of %s starts (pid %s)", __version__, root, os.getpid())
    try:
        folder = folder_at(root)
        async with asyncio.TaskGroup() as tasks:
            supervisor = Supervisor(ProjectState(root, Broadcaster(), private), tasks)
            handlers = Handlers(supervisor, idle.set)
            server = Server(
                socket_path(root),
                handlers.handle,
                idle.set,
                greeting_of(root),
                orders=ORDERS,
                # A copy that was put in the place of the checkout has its identity, and another supervisor.
                serves=lambda: folder is None or is_still_there(root, folder),
            )
            adopt(supervisor)
            await server.listen()
            publish_address(root, private)
            on_signal(signal.SIGHUP, lambda: tasks.create_task(be_reachable(server, root)))
            tasks.create_task(stop_with_folder(supervisor, folder, leaving))
            tell_launcher(ready_fd, READY)
            remove_what_was_torn(supervisor.stage)
            # What was imported stays for ever: the collector need not look at it again.
            gc.freeze()
            gc.enable()
            loop.call_later(preload.AFTER_SECONDS, loop.run_in_executor, None, preload.load)
            # The launcher may have been killed, or may have nothing to ask after all.
            loop.call_later(UNWANTED_SECONDS, idle.set)
            await until_done(server, supervisor, leaving, idle)
            server.hang_up()
            supervisor.leave()
            # What was printed since the last look has its time from us, and from no successor.
            supervisor.stage.logs.close()
            if not supervisor.is_needed() and (problem := tidied(root, private)):
                log.warning("what is unused of %s stays: %s", private, problem)
            raise Finished  # noqa: TRY301  it ends the group of tasks around it
    except* Finished:
        log.info("supervisor ends")
    except* (DevinitError, OSError) as group:
        refused = first_of(group)
    finally:
        lock.release()
    if refused is not None:
        raise refused


def remove_what_was_torn(stage: ProjectState) -> None:
    """Remove what a supervisor that was killed was just writing."""
    published = {ENVIRONMENT_FILE, PORTS_FILE, *stage.project.discovery.values()}
    for folder, names in ((stage.private, state_file.NAMES), (stage.root, published)):
        try:
            for path in remove_torn(folder, names):
                log.info("removed %s, which was never finished", path)
        except OSError as error:
            log.warning("%s cannot be looked through: %s", folder, error.strerror)


def on_signal(number: signal.Signals, act: Callable[[], object]) -> None:
    """Act in the loop when a signal comes. asyncio's own way loads `inspect` (6 ms) to check what it is given."""
    loop = asyncio.get_running_loop()
    signal.signal(number, lambda _number, _frame: loop.call_soon_threadsafe(act))


async def until_done(
    server: Server, supervisor: Supervisor, leaving: asyncio.Event, idle: asyncio.Event
) -> None:
    """Return when a signal says to leave, or when no service and no client needs us any more."""
    while not leaving.is_set():
        waits = [asyncio.ensure_future(event.wait()) for event in (leaving, idle)]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        idle.clear()
        if leaving.is_set() or supervisor.is_needed() or server.connections:
            continue
        # A client may be connecting at this moment: one that was accepted before the door closed is served.
        server.stop_listening()
        await asyncio.sleep(0)
        if not server.connections and not supervisor.is_needed():
            return
        await server.listen()
    server.stop_listening()


def first_of(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the first error itself: what a task group raises is wrapped, and would be caught nowhere by name."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


class Finished(Exception):
    """The supervisor is not needed any more."""


def tell_launcher(ready_fd: int | None, said: bytes, *, and_go_on: bool = True) -> None:
    """Tell the launcher that we listen, or why we do not; it waits until the pipe is closed."""
    if ready_fd is None:
        return
    try:
        os.write(ready_fd, said)
        if and_go_on:
            os.close(ready_fd)
    except OSError:
        # It went away meanwhile, or was told already.
        return


if __name__ == "__main__":
    sys.exit(main())
