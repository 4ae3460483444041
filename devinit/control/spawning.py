"""The start of a supervisor. Imports little, so that it can begin before the command line has been parsed."""

# ruff: noqa: PTH110, PTH112, PTH116, PTH118 -- without pathlib, for the same reason

from __future__ import annotations

# The module below `signal`, which builds enumerations for 4 ms before the supervisor can be spawned.
import os
import sys
import time

from devinit.errors import DevinitError, StateFileError
from devinit.model.names import OWN_FOLDER
from devinit.system.checkout import claim
from devinit.system.file_lock import FileLock
from devinit.system.files import read_text
from devinit.system.import_path import options
from devinit.system.inherited import all_signals
from devinit.system.paths import refuse_illegible, socket_address
from devinit.system.regular import open_regular
from devinit.system.state_folders import LAUNCH_LOCK, state_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Self

    from devinit.errors import SupervisorError

READY = b"ready\n"
SOCKET_POINTER = "socket"
"""The file in a checkout's state folder with the address of the supervisor's socket."""
PROGRAM = "from devinit.supervisor.server.boot import boot; boot()"
"""`-m devinit.supervisor` does the same, about 25 ms later."""
RUN_VARIABLE = "DEVINIT_RUN"
"""The mark of a service's processes (system.processes, which would take long to import here)."""


LAUNCH_SECONDS = 30.0
"""How long a supervisor may take until it listens: 5 s of it for a predecessor, the rest for a busy machine."""
OTHERS_SECONDS = 40.0
"""How long to wait for the launch of another command; that command itself gives up earlier."""
LOOK_SECONDS = 0.005
END_SECONDS = 1.0
"""How long a process may take to exit after it has closed the pipe."""


class Launch:
    """A supervisor that is starting, and the lock that keeps others from starting one too.

    `with` takes the lock, and releases everything that the launch holds at the end.
    """

    def __init__(self, root: str | Path) -> None:
        """Raise ConfigError for a folder for which no supervisor can keep a record."""
        refuse_illegible(root)
        self._root = root
        self.lock = self._lock()
        self._spawned: Spawned | None = None

    @property
    def is_spawned(self) -> bool:
        """Whether the process has been started."""
        return self._spawned is not None

    def spawn(self) -> None:
        """Start the process, unless it is started. Raise SupervisorError if it cannot be started."""
        if self._spawned is None:
            self._spawned = spawn_supervisor(self._root)

    def finish(self) -> None:
        """Return when the supervisor listens; raise SupervisorError with its own message if it fails.

        Its readiness is reported through a pipe, so nothing is polled; the end of the pipe shows that it died.
        """
        self.spawn()
        spawned, self._spawned = self._spawned, None
        assert spawned is not None  # noqa: S101  spawned
        try:
            said = spawned.words()
            if said != READY:
                raise spawned.failure(said)
        finally:
            spawned.close()

    def give_back(self) -> None:
        """Release the lock, and a process whose answer is not read; that exits by itself."""
        if self._spawned is not None:
            self._spawned.close()
            self._spawned = None
        self.lock.release()

    def __enter__(self) -> Self:
        deadline = time.monotonic() + OTHERS_SECONDS
        # With a time limit: the command that holds it may be stopped (Ctrl-Z), or hang. The release of a lock
        # wakes no caller with a deadline.
        while not self._is_locked():
            if time.monotonic() > deadline:
                from devinit.control.obstacles import (
                    kept_waiting,  # what only a failure needs, here and below
                )

                raise kept_waiting(self.lock.path, OTHERS_SECONDS)
            time.sleep(LOOK_SECONDS)
        return self

    def __exit__(self, *_: object) -> None:
        self.give_back()

    def _lock(self) -> FileLock:
        return FileLock(os.path.join(claim(self._root), LAUNCH_LOCK))

    def _is_locked(self) -> bool:
        """Take the lock if it is free; return whether it was."""
        try:
            return self.lock.acquire(blocking=False)
        except StateFileError as error:
            if not isinstance(error.__cause__, FileNotFoundError):
                raise
        # A supervisor that only answered a request has just exited, and has removed the unused folder.
        self.lock = self._lock()
        return False


class Spawned:
    """The process of a supervisor that does not listen yet."""

    def __init__(self, pid: int, pipe: int, log: str, log_offset: int) -> None:
        self._pid, self._pipe = pid, pipe
        self._log, self._log_offset = log, log_offset

    def words(self) -> bytes:
        """Wait until its message is complete; raise SupervisorError if that takes too long."""
        import select  # while it boots; a command that connects to one that listens does without

        poll = select.poll()
        poll.register(self._pipe, select.POLLIN)
        deadline = time.monotonic() + LAUNCH_SECONDS
        said = b""
        while (left := deadline - time.monotonic()) > 0:
            if poll.poll(left * 1000):
                chunk = os.read(self._pipe, 65536)
                if not chunk:
                    return said
                said += chunk
        from devinit.control.obstacles import silent

        raise silent(self._log, self._pid, LAUNCH_SECONDS)

    def failure(self, said: bytes) -> SupervisorError:
        """Return the error for a process that has closed the pipe after this message."""
        from devinit.control.obstacles import died

        words = said.decode(errors="replace").strip()
        return died(self._log, self._log_offset, words, None if words else self._status())

    def close(self) -> None:
        """Close our end of the pipe."""
        os.close(self._pipe)

    def _status(self) -> int | None:
        """Return its exit status, shortly after it has closed the pipe; None if unknown."""
        deadline = time.monotonic() + END_SECONDS
        while time.monotonic() < deadline:
            try:
                pid, status = os.waitpid(self._pid, os.WNOHANG)
            except ChildProcessError:
                return None
            if pid:
                return status
            time.sleep(LOOK_SECONDS)
        return None


begun: dict[str, Launch] = {}
"""The launches that `begin` has started in this process, by root, until they are needed."""


def begin(root: str) -> None:
    """Start a supervisor ahead of time if there is clearly none, so that it boots during the imports.

    If no client connects after all, it exits by itself. The launch that follows meets any
    problem again, and reports it.
    """
    launch: Launch | None = None
    try:
        if is_foreign(root):
            return
        if os.path.exists(socket_address(root)) or os.path.exists(pointed(root)):
            return
        launch = Launch(root)
        if launch.lock.acquire(blocking=False):
            launch.spawn()
            begun[root] = launch
    except (DevinitError, OSError):
        # Especially the lock: the launch that follows would otherwise wait for it
        # forever, as we hold it ourselves.
        if launch is not None:
            launch.give_back()


def is_foreign(root: str | Path) -> bool:
    """Return whether the files of a start in a checkout, or the checkout itself, may belong to another user."""
    try:
        owner = os.lstat(os.path.join(root, OWN_FOLDER)).st_uid
    except OSError:
        # An ordinary user may work in another user's folder if it is writable; root may write everywhere.
        return os.geteuid() == 0 and os.path.isdir(root) and os.stat(root).st_uid != 0
    return owner != os.geteuid()


def pointed(root: str | Path) -> str:
    """Return the address at which a checkout's supervisor claims to listen; empty if there is none."""
    try:
        return (read_text(os.path.join(state_folder(root), SOCKET_POINTER)) or "").strip()
    except StateFileError:
        # Every supervisor writes the file again, so the user loses nothing.
        return ""


def spawn_supervisor(root: str | Path) -> Spawned:
    """Start the supervisor in its own session. Raise SupervisorError, with nothing left open, if that fails."""
    return spawn(["-c", PROGRAM, "devinit.supervisor", str(root), "3"], log_path(root))


def spawn(words: list[str], path: str) -> Spawned:
    """Start a program of ours in a session of its own: it writes into the log at `path`, and answers through 3.

    Raise SupervisorError, with nothing left open, if that fails.
    """
    try:
        log_file = open_log(path)
    except OSError as error:
        from devinit.control.obstacles import log_refused

        raise log_refused(path, error) from error
    ours = [log_file]
    program = sys.executable or ""  # None where Python cannot tell
    try:
        ours.append(null := os.open(os.devnull, os.O_RDWR))
        receiving, sending = os.pipe()
        ours += receiving, sending
        log_offset = os.fstat(log_file).st_size
        # posix_spawn instead of subprocess, whose import would cost as much as the rest of the command.
        pid = os.posix_spawn(
            program,
            [program or "python", *options(), *words],
            # A supervisor that is started from inside a service is not part of that service.
            {name: value for name, value in os.environ.items() if name != RUN_VARIABLE},
            setsid=True,
            # `devinit start &` in a script ignores some signals, and a program that leases a port may block some.
            setsigdef=all_signals(),
            setsigmask=(),
            # Descriptor 3 comes last, because one of the others may have that number until it has been copied.
            # None of them is below 3, because the command line opens standard streams that are missing.
            file_actions=[
                (os.POSIX_SPAWN_DUP2, null, 0),
                (os.POSIX_SPAWN_DUP2, log_file, 1),
                (os.POSIX_SPAWN_DUP2, log_file, 2),
                (os.POSIX_SPAWN_DUP2, sending, 3),
            ],
        )
        spawned = Spawned(pid, receiving, path, log_offset)
        ours.remove(receiving)
    except OSError as error:
        from devinit.control.obstacles import not_spawned

        raise not_spawned(program, error) from error
    finally:
        for descriptor in ours:
            os.close(descriptor)
    return spawned


def open_log(path: str) -> int:
    """Open the supervisor's log for appending. Raise OSError if it is not a file."""
    return open_regular(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW)


def log_path(root: str | Path) -> str:
    """Return the path of the supervisor's log."""
    return os.path.join(state_folder(root), "supervisor.log")
