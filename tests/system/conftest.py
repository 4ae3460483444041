"""Real processes for the tests of the edge: started on demand, awaited through pipes, ended with the test."""

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
    """A process that a test started, and the lines that it says."""

    def __init__(self, process: processes.Process, output: int) -> None:
        self.process = process
        self.pid = process.pid
        self._output = open(output, encoding="utf-8", newline="\n")  # noqa: SIM115 -- closed with the fixture

    def line(self) -> str:
        """Wait for the next line."""
        return self._output.readline().rstrip("\n")

    def pid_said(self) -> int:
        """Wait for a line that is a pid."""
        return int(self.line())

    def rest(self) -> str:
        """Wait until it and all that inherited its output have ended."""
        return self._output.read()

    def finish(self) -> None:
        if self.process.fileno() >= 0:
            self.process.send(signal.SIGKILL)
            self.process.wait(10)
            self.process.close()
        self._output.close()


class Launcher:
    """Starts processes, each marked with the test's own marker."""

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
            pass  # the kernel tells of the new program before its environment can be read
        return self.started[-1]

    def environment(self) -> dict[str, str]:
        """Return what a process needs to run, and its mark."""
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
    """A folder that every user may enter, which pytest's own are not."""
    folder = Path(tempfile.mkdtemp(prefix="dv-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


class Unprivileged:
    """Calls a function in a forked process: as nobody when we are root, else as the user that we are.

    A fork, not a new interpreter: the one that runs the tests may be out of nobody's reach.
    """

    def __call__(self, function: Callable[[], T]) -> T:
        readable, writable = os.pipe()
        with warnings.catch_warnings():
            # Python 3.12 warns about forks beside threads; this one calls nothing that they could hold.
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if pid == 0:
            os.close(readable)
            _answer(function, writable)
        os.close(writable)
        with os.fdopen(readable, "rb") as answer:
            content = answer.read()
        os.waitpid(pid, 0)
        succeeded, result = pickle.loads(content)  # noqa: S301 -- our own fork wrote it
        if not succeeded:
            raise AssertionError(result)
        return result  # type: ignore[no-any-return]  # it is what `function` returned


def has_environment(pid: int) -> bool:
    """Whether the environment of a process is there to be read, or is hidden from us."""
    try:
        return bool(Path(f"/proc/{pid}/environ").read_bytes())
    except OSError:
        return True


@pytest.fixture
def unprivileged() -> Unprivileged:
    return Unprivileged()


@pytest.fixture
def other_user() -> RunAs:
    """Another user than ours, as whom processes can be started."""
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
    except BaseException as error:  # noqa: BLE001 -- nothing may escape into pytest's second life
        answer = False, f"{type(error).__name__}: {error}"
    with open(writable, "wb") as file:
        file.write(pickle.dumps(answer))
    os._exit(0)
