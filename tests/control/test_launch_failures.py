"""Specifies launches that fail: the command returns with the cause and the cure, and holds nothing afterwards.

Each fault is a real one: what lies in place of the log, a limit of the kernel, a Python that is gone.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from devinit.control import launch, spawning
from devinit.control.launch import connect_or_start
from devinit.errors import DevinitError
from devinit.system.checkout import claim
from devinit.system.file_lock import is_locked
from tests.system.conftest import Unprivileged

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.timeout(120)
ROOMY = 100


class Outcome(NamedTuple):
    """What came of an attempt to start a supervisor."""

    message: str
    hint: str
    exit_code: int
    leaked: int
    """How many descriptors it left open."""
    is_locked: bool


@pytest.fixture(params=[True, False], ids=["ahead of time", "when it is needed"])
def ahead(request: pytest.FixtureRequest) -> bool:
    """Whether the launch is begun while the command is still being imported, as `start` does."""
    return bool(request.param)


@pytest.fixture
def root() -> Iterator[Path]:
    """A project that every user may enter, and that is the other user's where there is one."""
    with tempfile.TemporaryDirectory(prefix="dv-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        path = Path(folder, "shop")
        path.mkdir()
        (path / "devinit.toml").write_text('[services.web]\ncommand = "sleep 1000"\n')
        yield path


@pytest.fixture
def log(root: Path) -> Path:
    """Where the supervisor's log is to be; it is not there yet."""
    claim(root)
    return Path(spawning.log_path(root))


def attempt(root: Path, *, ahead: bool, within: AbstractContextManager[None] | None = None) -> Outcome:
    """Try to start a supervisor, under a limit perhaps, and look at what is left of that."""
    before = open_descriptors()
    said, supervisor = ("connected", "", 0), None
    with within or nullcontext():
        try:
            if ahead:
                spawning.begin(str(root))
            client = connect_or_start(str(root))
            supervisor = client.greeting.pid
            client.close()
        except DevinitError as error:
            said = (error.message, error.hint or "", error.exit_code)
    if supervisor is not None:
        # It leaves, as nothing needs it; the folder is removed afterwards.
        os.waitpid(supervisor, 0)
    leaked = open_descriptors() - before
    return Outcome(*said, leaked, stays_locked(spawning.Launch(root).lock.path))


@contextmanager
def limited(kind: int, limit: int) -> Iterator[None]:
    """Live with a limit of the kernel for a while."""
    before = resource.getrlimit(kind)
    resource.setrlimit(kind, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(kind, before)


@contextmanager
def descriptors_left(count: int) -> Iterator[None]:
    """Leave exactly so many descriptors to open."""
    with limited(resource.RLIMIT_NOFILE, ROOMY):
        taken = []
        while True:
            try:
                taken.append(os.open(os.devnull, os.O_RDONLY))
            except OSError:
                break
        for _ in range(count):
            os.close(taken.pop())
        try:
            yield
        finally:
            for descriptor in taken:
                os.close(descriptor)


def open_descriptors() -> int:
    return len(list(Path("/dev/fd").iterdir()))


def stays_locked(path: str) -> bool:
    """Whether a lock is kept. A new process may have a copy of its descriptor for some microseconds."""
    deadline = time.monotonic() + 2
    while is_locked(path):
        if time.monotonic() > deadline:
            return True
    return False


def nothing_is_kept(outcome: Outcome) -> bool:
    return (outcome.leaked, outcome.is_locked, spawning.begun) == (0, False, {})


class TestALogThatCannotBeOpened:
    def test_because_a_folder_has_its_name_is_told(self, root: Path, log: Path, ahead: bool) -> None:
        log.mkdir()

        outcome = attempt(root, ahead=ahead)

        assert f"its log {log} cannot be opened: Is a directory" in outcome.message
        assert f"mv {log} {log}.old" in outcome.hint
        assert outcome.exit_code == 5
        assert nothing_is_kept(outcome)

    def test_because_it_is_a_fifo_that_nobody_reads_is_told(self, root: Path, log: Path, ahead: bool) -> None:
        os.mkfifo(log)

        outcome = attempt(root, ahead=ahead)

        assert f"its log {log} cannot be opened" in outcome.message
        assert nothing_is_kept(outcome)

    def test_because_it_is_a_fifo_that_somebody_reads_is_told(
        self, root: Path, log: Path, ahead: bool
    ) -> None:
        os.mkfifo(log)
        reader = os.open(log, os.O_RDONLY | os.O_NONBLOCK)

        outcome = attempt(root, ahead=ahead)

        os.close(reader)
        assert "cannot be opened: it is a named pipe, not a file" in outcome.message
        assert nothing_is_kept(outcome)

    def test_because_it_is_a_link_is_told_and_the_target_is_left_alone(
        self, root: Path, log: Path, ahead: bool
    ) -> None:
        precious = root / "precious.txt"
        precious.write_text("precious")
        log.symlink_to(precious)

        outcome = attempt(root, ahead=ahead)

        assert f"its log {log} cannot be opened" in outcome.message
        assert precious.read_text() == "precious"
        assert nothing_is_kept(outcome)

    def test_because_it_is_another_users_is_told(
        self, root: Path, ahead: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if os.geteuid() != 0:
            pytest.skip("only root can give a file to somebody else")
        runtime = root / "run"
        runtime.mkdir()
        monkeypatch.setenv("XDG_STATE_HOME", str(runtime))
        claim(root)
        log = Path(spawning.log_path(root))
        for path in (root, *root.rglob("*")):
            os.chown(path, 65534, 65534)
        log.touch(0o600)

        outcome = Unprivileged()(lambda: as_ordinary_user(root, runtime, ahead=ahead))

        assert f"its log {log} cannot be opened: Permission denied" in outcome.message
        assert f"sudo chown -R nobody {log}" in outcome.hint
        assert (outcome.leaked, outcome.is_locked) == (0, False)

    def test_because_no_further_file_fits_on_the_disk_is_told(self, root: Path, ahead: bool) -> None:
        private = Path(claim(root))
        (private / "launch.lock").touch()
        with tiny_disk(private):
            outcome = attempt(root, ahead=ahead)

            assert "supervisor.log cannot be opened: No space left on device" in outcome.message
            assert "df -i" in outcome.hint
            assert nothing_is_kept(outcome)


class TestALimit:
    @pytest.mark.parametrize("left", range(9))
    def test_of_open_files_is_told_wherever_it_is_met(self, root: Path, ahead: bool, left: int) -> None:
        claim(root)
        # What an error needs is imported before, as files cannot be opened then.
        import select  # noqa: F401

        import devinit.control.obstacles  # noqa: F401

        outcome = attempt(root, ahead=ahead, within=descriptors_left(left))

        if outcome.message != "connected":
            assert "Too many open files" in outcome.message
            assert "ulimit -n" in outcome.hint
        assert nothing_is_kept(outcome)

    @pytest.mark.parametrize("limit", range(3, 16))
    def test_of_open_files_lets_every_command_come_to_an_end(self, root: Path, limit: int) -> None:
        command = f'ulimit -n {limit}; exec "$0" -m devinit -C "$1" start -d'

        done = subprocess.run(
            ["sh", "-c", command, sys.executable, str(root)], capture_output=True, text=True, check=False
        )

        assert done.returncode != 0 or "ready" in done.stdout + done.stderr
        assert "defect" not in done.stderr
        assert not stays_locked(spawning.Launch(root).lock.path)

    def test_of_processes_is_told(self, root: Path, ahead: bool) -> None:
        runtime = root / "run"
        runtime.mkdir()
        if os.geteuid() == 0:
            for path in (root, runtime):
                os.chown(path, 65534, 65534)

        def in_vain() -> Outcome:
            resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
            return as_ordinary_user(root, runtime, ahead=ahead)

        outcome = Unprivileged()(in_vain)

        assert f"{sys.executable} cannot be run: Resource temporarily unavailable" in outcome.message
        assert "ulimit -u" in outcome.hint
        assert (outcome.leaked, outcome.is_locked) == (0, False)


class TestAPython:
    def test_that_is_gone_is_told(self, root: Path, ahead: bool, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "executable", str(root / "gone" / "python"))

        outcome = attempt(root, ahead=ahead)

        assert f"{root}/gone/python cannot be run: No such file or directory" in outcome.message
        assert "install devinit again" in outcome.hint
        assert nothing_is_kept(outcome)

    def test_that_does_not_say_where_it_is_is_told(
        self, root: Path, ahead: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sys, "executable", None)

        outcome = attempt(root, ahead=ahead)

        assert "the Python of devinit cannot be run" in outcome.message
        assert nothing_is_kept(outcome)

    def test_without_devinit_in_it_is_told_with_its_last_words(
        self, root: Path, log: Path, ahead: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        log.write_text("of an earlier run\n")
        program(monkeypatch, root, "echo; echo \"ModuleNotFoundError: No module named 'devinit'\"; exit 1")

        outcome = attempt(root, ahead=ahead)

        assert "it ended with exit code 1: ModuleNotFoundError: No module named 'devinit'" in outcome.message
        assert outcome.hint == f"see {log}"
        assert nothing_is_kept(outcome)

    def test_that_is_killed_is_told_with_the_signal(
        self, root: Path, ahead: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        program(monkeypatch, root, "kill -9 $$")

        outcome = attempt(root, ahead=ahead)

        assert outcome.message == "the supervisor could not start: it was ended by signal 9"
        assert nothing_is_kept(outcome)

    def test_that_never_comes_up_is_not_waited_for_without_end(
        self, root: Path, ahead: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(spawning, "LAUNCH_SECONDS", 0.3)
        program(monkeypatch, root, f"echo $$ > {root}/pid; exec sleep 1000")

        outcome = attempt(root, ahead=ahead)

        pid = int((root / "pid").read_text())
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        assert outcome.message == f"the supervisor (pid {pid}) was started and does not listen after 0.3 s"
        assert f"kill -9 {pid}" in outcome.hint
        assert nothing_is_kept(outcome)


class TestTheLaunchOfAnotherCommand:
    def test_that_does_not_end_is_not_waited_for_without_end(
        self, root: Path, ahead: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(spawning, "OTHERS_SECONDS", 0.2)
        path = spawning.Launch(root).lock.path
        holding = "import fcntl, sys; fcntl.flock(f := open(sys.argv[1], 'w'), fcntl.LOCK_EX); print(1, flush=True); input()"
        holder = subprocess.Popen(
            [sys.executable, "-c", holding, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert holder.stdout is not None
        holder.stdout.readline()

        outcome = attempt(root, ahead=ahead)

        holder.communicate(b"\n")
        assert outcome.message.startswith(f"another command (pid {holder.pid}) has been starting")
        assert f"kill -CONT {holder.pid}" in outcome.hint
        assert outcome.leaked == 0

    def test_that_was_meant_for_another_folder_is_given_back(self, root: Path, tmp_path: Path) -> None:
        (tmp_path / "devinit.toml").touch()
        spawning.begin(str(tmp_path))
        assert is_locked(spawning.Launch(tmp_path).lock.path)

        outcome = attempt(root, ahead=False)

        assert outcome.message == "connected"
        assert spawning.begun == {}
        assert not stays_locked(spawning.Launch(tmp_path).lock.path)


class TestARefusal:
    def test_of_a_checkout_that_became_another_users_gives_the_launch_back(
        self, root: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(_root: object) -> None:
            raise DevinitError("refused")

        monkeypatch.setattr(launch, "refuse_foreign", refuse)

        outcome = attempt(root, ahead=True)

        assert outcome.message == "refused"
        assert outcome.is_locked is False
        assert spawning.begun == {}


def as_ordinary_user(root: Path, runtime: Path, *, ahead: bool) -> Outcome:
    """Try it as another user, who has directories of his own."""
    os.environ.update(XDG_RUNTIME_DIR=str(runtime), XDG_STATE_HOME=str(runtime), HOME=str(runtime))
    runtime.chmod(0o700)
    return attempt(root, ahead=ahead)


def program(monkeypatch: pytest.MonkeyPatch, root: Path, script: str) -> None:
    """Let a shell script stand in for the Python that devinit runs with."""
    path = root / "python"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(path))


@contextmanager
def tiny_disk(folder: Path) -> Iterator[None]:
    """Put a file system over a folder that has room for what is in it, and for no further file."""
    content = {path.name: path.read_bytes() for path in folder.iterdir()}
    options = f"size=1m,nr_inodes={len(content) + 1},mode=0700"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    try:
        for name, data in content.items():
            (folder / name).write_bytes(data)
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
