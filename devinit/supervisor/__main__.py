"""The supervisor process: `python -m devinit.supervisor ROOT`, started by the first command that needs it.

SIGTERM and SIGINT end only the supervisor: services run on and the next command adopts them, exactly as after
SIGKILL. `devinit stop` ends the services.
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
"""Seconds that a supervisor waits for its first client before it ends."""


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
        # The caller may have other files open (a lock, the pipe of a build), which we must not keep open for
        # hours.
        os.closerange(ready_fd + 1, os.sysconf("SC_OPEN_MAX"))
    # Otherwise asyncio would install its own handler, whose replacement costs 6 ms (an error message describes
    # it).
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        asyncio.run(supervise(root, ready_fd))
    except DevinitError as error:
        log.error("%s", error.message)  # noqa: TRY400  the message says it; a traceback would hide it
        told = "\n".join(filter(None, (error.message, error.hint)))
        tell_launcher(ready_fd, told.encode(errors="backslashreplace"))
        return error.exit_code
    except OSError as error:
        # The disk is full or a folder is gone: the log may not have room for the error, so the launcher gets it
        # too.
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
    # Handled, not ignored: a signal that we ignore would be ignored in every service too. Installed before the
    # lock is taken: a command that finds the lock held, but no socket, sends this signal.
    on_signal(signal.SIGHUP, lambda: log.info("the terminal was closed; nothing changes"))
    private = Path(claim(root))
    lock = await lock_project(root, private)
    if lock is None:
        # The pipe stays open: the launcher goes on when we have ended, and then finds only one supervisor.
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
                # A copy in the place of the checkout has the same identity, but another supervisor.
                serves=lambda: folder is None or is_still_there(root, folder),
            )
            adopt(supervisor)
            await server.listen()
            publish_address(root, private)
            on_signal(signal.SIGHUP, lambda: tasks.create_task(be_reachable(server, root)))
            tasks.create_task(stop_with_folder(supervisor, folder, leaving))
            tasks.create_task(supervisor.naming.go_on())
            tell_launcher(ready_fd, READY)
            remove_what_was_torn(supervisor.stage)
            # Imported modules stay for ever, so the collector need not look at them again.
            gc.freeze()
            gc.enable()
            loop.call_later(preload.AFTER_SECONDS, loop.run_in_executor, None, preload.load)
            # The launcher may have been killed, or may have no request after all.
            loop.call_later(UNWANTED_SECONDS, idle.set)
            await until_done(server, supervisor, leaving, idle)
            server.hang_up()
            supervisor.leave()
            # Lines printed since the last look get their times from us; a successor could not know them.
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
    """Remove the partial files of a supervisor that was killed while it wrote."""
    published = {ENVIRONMENT_FILE, PORTS_FILE, *stage.project.discovery.values()}
    for folder, names in ((stage.private, state_file.NAMES), (stage.root, published)):
        try:
            for path in remove_torn(folder, names):
                log.info("removed %s, which was never finished", path)
        except OSError as error:
            log.warning("%s cannot be looked through: %s", folder, error.strerror)


def on_signal(number: signal.Signals, act: Callable[[], object]) -> None:
    """Act in the event loop when a signal comes.

    asyncio's own function would load `inspect` (6 ms) to check its arguments.
    """
    loop = asyncio.get_running_loop()
    signal.signal(number, lambda _number, _frame: loop.call_soon_threadsafe(act))


async def until_done(
    server: Server, supervisor: Supervisor, leaving: asyncio.Event, idle: asyncio.Event
) -> None:
    """Return when a signal asks us to leave, or when no service and no client needs us any more."""
    while not leaving.is_set():
        if not supervisor.is_needed():
            supervisor.naming.leave()
        waits = [asyncio.ensure_future(event.wait()) for event in (leaving, idle)]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        idle.clear()
        if leaving.is_set() or supervisor.is_needed() or server.connections:
            continue
        # A client may be connecting at this moment; if the connection was accepted before the socket closed, we
        # serve it.
        server.stop_listening()
        await asyncio.sleep(0)
        if not server.connections and not supervisor.is_needed():
            return
        await server.listen()
    server.stop_listening()


def first_of(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the first error itself: `except` clauses of callers would not match the group that wraps it."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


class Finished(Exception):
    """The supervisor is not needed any more."""


def tell_launcher(ready_fd: int | None, said: bytes, *, and_go_on: bool = True) -> None:
    """Report to the launcher that we listen, or why we do not; it waits until the pipe is closed."""
    if ready_fd is None:
        return
    try:
        os.write(ready_fd, said)
        if and_go_on:
            os.close(ready_fd)
    except OSError:
        # The launcher has ended meanwhile, or already had its report.
        return


if __name__ == "__main__":
    sys.exit(main())
