"""Start a supervisor. Imports little, so that it can begin before the command line has even been read."""

# ruff: noqa: PTH110, PTH118 -- without pathlib, for the same reason

from __future__ import annotations

# The module below `signal`, which builds enumerations for 4 ms before the supervisor can be spawned.
import _signal  # type: ignore[import-not-found]  # typeshed has only what stands above it
import os
import sys

from devinit.errors import DevinitError, StateFileError, SupervisorError
from devinit.system.checkout import claim, state_folder
from devinit.system.files import FileLock, read_text
from devinit.system.paths import OWN_FOLDER, socket_address

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

READY = b"ready\n"
SOCKET_POINTER = "socket"
"""The file in a checkout's state folder that names the supervisor's socket."""
PROGRAM = "from devinit.supervisor.boot import boot; boot()"
"""`-m devinit.supervisor` does the same, some 25 ms later."""
RUN_VARIABLE = "DEVINIT_RUN"
"""What the processes of a service carry (system.processes, which would take long to import here)."""


class Launch:
    """A supervisor that is on its way, and the lock that keeps others from starting one too."""

    def __init__(self, root: str | Path) -> None:
        self._root = root
        self.lock = FileLock(os.path.join(claim(root), "launch.lock"))
        self._pipe: int | None = None

    @property
    def is_spawned(self) -> bool:
        """Whether the process has been started."""
        return self._pipe is not None

    def spawn(self) -> None:
        """Start the process, unless that was done."""
        if self._pipe is None:
            self._pipe = spawn_supervisor(self._root)

    def finish(self) -> None:
        """Return when it listens; raise SupervisorError with its own words when it does not.

        Its readiness comes through a pipe, so nothing is polled; the pipe's end of file tells that it died.
        """
        self.spawn()
        assert self._pipe is not None  # noqa: S101  spawned
        with os.fdopen(self._pipe, "rb") as pipe:
            self._pipe = None
            said = pipe.read()
        if said != READY:
            reason = said.decode(errors="replace").strip() or "it ended without a word"
            raise SupervisorError(
                f"the supervisor could not start: {reason}", hint=f"see {log_path(self._root)}"
            )


begun: dict[str, Launch] = {}
"""What `begin` has begun in this process, by root, until a connection is wanted."""


def begin(root: str) -> None:
    """Start a supervisor ahead of time if there is evidently none: it boots while we import.

    If nobody connects after all, it leaves by itself. Whatever goes wrong is met again, and told, by the
    launch that follows.
    """
    try:
        own = os.path.join(root, OWN_FOLDER)
        if os.path.lexists(own) and os.lstat(own).st_uid != os.geteuid():
            return
        if os.path.exists(socket_address(root)) or os.path.exists(pointed(root)):
            return
        launch = Launch(root)
        if launch.lock.acquire(blocking=False):
            launch.spawn()
            begun[root] = launch
    except (DevinitError, OSError):
        return


def pointed(root: str | Path) -> str:
    """Return where the supervisor of a checkout says that it listens; empty when it says nothing legible."""
    try:
        return (read_text(os.path.join(state_folder(root), SOCKET_POINTER)) or "").strip()
    except StateFileError:
        # It is written by every supervisor anew: whatever stands there now is nobody's work.
        return ""


def spawn_supervisor(root: str | Path) -> int:
    """Start the supervisor in its own session; return the pipe on which it says that it listens."""
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
            setsigdef=(_signal.SIGINT, _signal.SIGQUIT, _signal.SIGPIPE),
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
    return receiving


def log_path(root: str | Path) -> str:
    """Return where the supervisor writes what it has to say."""
    return os.path.join(state_folder(root), "supervisor.log")
