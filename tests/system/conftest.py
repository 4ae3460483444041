"""Real processes for the tests of system calls: started on demand, awaited through pipes, ended with the test."""

from __future__ import annotations

import os
import pickle
import shutil
import signal
import sys
import tempfile
import uuid
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from devinit.model.process import ProcessSpec, RunAs
from devinit.system import processes

NOBODY = 65534

T = TypeVar("T")


class Started:
    """A process that a test started, with the lines of its output."""

    def __init__(self, process: processes.Process, output: int) -> None:
        self.process = process
        self.pid = process.pid
        self._output = open(output, encoding="utf-8", newline="\n")  # noqa: SIM115 -- closed with the fixture

    def line(self) -> str:
        """Wait for the next line."""
        return self._output.readline().rstrip("\n")

    def pid_said(self) -> int:
        """Wait for a line with a pid."""
        return int(self.line())

    def rest(self) -> str:
        """Wait until it and all processes that inherited its output have ended; return the rest of the output."""
        return self._output.read()

    def finish(self) -> None:
        if self.process.fileno() >= 0:
            self.process.send(signal.SIGKILL)
            self.process.wait(10)
            self.process.close()
        self._output.close()


class Launcher:
    """A launcher of processes with the test's own mark."""

    def __init__(self, directory: Path) -> None:
        self.marker = uuid.uuid4().hex
        self.started: list[Started] = []
        self._directory = directory

    def __call__(
        self,
        *argv: str,
        directory: Path | None = None,
        environment: dict[str, str] | None = None,
        keep: tuple[int, ...] = (),
        run_as: RunAs | None = None,
    ) -> Started:
        names = self.environment() if environment is None else environment
        spec = ProcessSpec(
            argv=argv, directory=directory or self._directory, environment=names, run_as=run_as
        )
        readable, writable = os.pipe()
        silent = os.open(os.devnull, os.O_RDONLY)
        try:
            process = processes.spawn(spec, output=writable, stdin=silent, keep=keep)
        except BaseException:
            os.close(readable)
            raise
        finally:
            os.close(writable)
            os.close(silent)
        self.started.append(Started(process, readable))
        while (
            names
            and run_as is None
            and processes.alive(process.identity)
            and not has_environment(process.pid)
        ):
            pass  # the kernel reports the new program before its environment is readable
        return self.started[-1]

    def environment(self) -> dict[str, str]:
        """Return the variables that a process needs, and its mark."""
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(sys.path),
            "DEVINIT_RUN": self.marker,
        }

    def sh(self, script: str, *arguments: str) -> Started:
        """Start a shell script."""
        return self("sh", "-c", script, "sh", *arguments)

    def python(self, code: str, *arguments: str) -> Started:
        """Start a Python program."""
        return self(sys.executable, "-c", code, *arguments)

    def finish(self) -> None:
        for started in self.started:
            processes.signal_tree(processes.members_of(started.process, self.marker), signal.SIGKILL)
            started.finish()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Launcher]:
    launcher = Launcher(tmp_path)
    yield launcher
    launcher.finish()


@pytest.fixture
def shared_folder() -> Iterator[Path]:
    """A folder that every user may enter, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="dv-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


class Unprivileged:
    """A caller of functions in a forked process: as the user `nobody` under root, else as the current user.

    It forks instead of running a new interpreter, because `nobody` may not have access to the tests' one.
    """

    def __call__(self, function: Callable[[], T]) -> T:
        readable, writable = os.pipe()
        with warnings.catch_warnings():
            # Python 3.12 warns about forks next to threads; this child calls nothing that a thread could lock.
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if pid == 0:
            os.close(readable)
            _answer(function, writable)
        os.close(writable)
        with os.fdopen(readable, "rb") as answer:
            content = answer.read()
        os.waitpid(pid, 0)
        succeeded, result = pickle.loads(content)  # noqa: S301 -- this process wrote it
        if not succeeded:
            raise AssertionError(result)
        return result  # type: ignore[no-any-return]  # the result of `function`


def has_environment(pid: int) -> bool:
    """Whether the environment of a process is readable, or hidden from this user."""
    try:
        return bool(Path(f"/proc/{pid}/environ").read_bytes())
    except OSError:
        return True


@pytest.fixture
def unprivileged() -> Unprivileged:
    return Unprivileged()


@pytest.fixture
def other_user() -> RunAs:
    """Another user, as whom processes can be started."""
    if os.getuid() != 0:
        pytest.skip("only root can become another user")
    return RunAs(NOBODY, NOBODY)


def _answer(function: Callable[[], object], writable: int) -> None:
    try:
        if os.getuid() == 0:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
        answer: tuple[bool, object] = True, function()
    except BaseException as error:  # noqa: BLE001 -- nothing may escape into the forked pytest
        answer = False, f"{type(error).__name__}: {error}"
    with open(writable, "wb") as file:
        file.write(pickle.dumps(answer))
    os._exit(0)
