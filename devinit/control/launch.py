"""Connect to a project's supervisor, or start it first. Two commands at once start exactly one.

Paths are text: pathlib would take a third of the fastest command's time.
"""

# ruff: noqa: PTH118

from __future__ import annotations

import os
import signal
import sys

from devinit.control.client import Client, connect
from devinit.errors import SupervisorError
from devinit.system.files import FileLock, read_text
from devinit.system.paths import private_directory_as_text, socket_address

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

READY = b"ready\n"
PROGRAM = (
    "import gc, sys; gc.disable(); sys.modules['ssl'] = None; del sys.argv[0]; "
    "from devinit.supervisor.__main__ import main; sys.exit(main())"
)
"""`-m devinit.supervisor` does the same, some 15 ms later: it imports what finds and runs modules, asyncio imports
TLS without need (6 ms), and the collector looks again and again at what stays (it is enabled later)."""
SOCKET_POINTER = "socket"
"""The file in `.devinit` that names the supervisor's socket."""
RUN_VARIABLE = "DEVINIT_RUN"
"""What the processes of a service carry (system.processes, which would take long to import here)."""


def connect_or_start(root: str | Path) -> Client:
    """Return a client of the project's supervisor, starting one when none listens."""
    client = connect_to(root)
    if client is not None:
        return client
    with FileLock(os.path.join(private_directory_as_text(root), "launch.lock")):
        # Another command may have started it while we waited for the lock.
        client = connect_to(root)
        if client is None:
            start_supervisor(root)
            client = connect_to(root)
    if client is None:
        raise SupervisorError("the supervisor started and went away at once", hint=f"see {log_path(root)}")
    return client


def connect_to_running(root: str | Path) -> Client | None:
    """Return a client if anything of the project runs: also when only its supervisor died, which is replaced."""
    client = connect_to(root)
    if client is None and runs_without_supervisor(root):
        return connect_or_start(root)
    return client


def connect_to(root: str | Path) -> Client | None:
    """Return a client of the project's supervisor if one listens, wherever its socket is.

    The place follows from the environment, and a command may have another one than whoever started the
    supervisor (ssh, cron, sudo), so the supervisor also leaves it in the checkout.
    """
    client = connect(socket_address(root))
    if client is None and (elsewhere := read_text(os.path.join(root, ".devinit", SOCKET_POINTER))):
        client = connect(elsewhere.strip())
    return client


def runs_without_supervisor(root: str | Path) -> bool:
    """Whether services are on record although nobody listens: whoever looked after them was killed."""
    text = read_text(os.path.join(root, ".devinit", "state.json"))
    # Read as text: a record that is empty is written exactly so, and one that is garbled is for the
    # supervisor to refuse by name.
    return text is not None and '"services":{}' not in text


def start_supervisor(root: str | Path) -> None:
    """Start the supervisor in its own session and return when it listens.

    Its readiness comes through a pipe, so nothing is polled; the pipe's end of file tells that it died.
    """
    log_file = os.open(log_path(root), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    null = os.open(os.devnull, os.O_RDWR)
    receiving, sending = os.pipe()
    try:
        # posix_spawn instead of subprocess: importing that would cost as much as the rest of the command.
        os.posix_spawn(
            sys.executable,
            [sys.executable, "-P", "-c", PROGRAM, "devinit.supervisor", str(root), "3"],
            # A supervisor that is started from inside a service is not a part of that service.
            {name: value for name, value in os.environ.items() if name != RUN_VARIABLE},
            setsid=True,
            # `devinit start &` in a script ignores these; services must not inherit that.
            setsigdef=(signal.SIGINT, signal.SIGQUIT, signal.SIGPIPE),
            # 3 comes last: one of the others may stand there until it has been copied. None of them is below 3,
            # because the command line opens the standard streams that it was started without.
            file_actions=[
                (os.POSIX_SPAWN_DUP2, null, 0),
                (os.POSIX_SPAWN_DUP2, log_file, 1),
                (os.POSIX_SPAWN_DUP2, log_file, 2),
                (os.POSIX_SPAWN_DUP2, sending, 3),
            ],
        )
    except OSError as error:
        raise SupervisorError(f"cannot start {sys.executable}: {error.strerror}") from error
    finally:
        os.close(sending)
        os.close(null)
        os.close(log_file)
    with os.fdopen(receiving, "rb") as pipe:
        said = pipe.read()
    if said != READY:
        reason = said.decode(errors="replace").strip() or "it ended without a word"
        raise SupervisorError(f"the supervisor could not start: {reason}", hint=f"see {log_path(root)}")


def log_path(root: str | Path) -> str:
    """Return where the supervisor writes what it has to say."""
    return os.path.join(private_directory_as_text(root), "supervisor.log")
