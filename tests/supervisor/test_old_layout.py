"""Specifies `devinit.system.old_layout` on real projects: what earlier versions kept in `.devinit` moves over."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from devinit.control import checkouts
from devinit.errors import StateFileError
from devinit.system import old_layout
from devinit.system.checkout import claim
from devinit.system.paths import SUPERVISOR_LOCK
from devinit.system.writer import LABEL, WRITER_FILE
from tests.places import deep, state_of
from tests.supervisor.conftest import Shop

needs_redis = pytest.mark.skipif(shutil.which("redis-server") is None, reason="needs a redis-server")


def as_before(shop: Shop) -> None:
    """Put the state of a project where earlier versions kept it."""
    own, folder = shop.root / ".devinit", state_of(shop.root)
    # A supervisor lists its project after the answer to a start: one that was killed at once has not.
    checkouts.record(shop.root, "shop")
    (folder / "checkout").unlink()
    (own / "identity").unlink()
    forget_writer(shop)
    for path in folder.iterdir():
        shutil.move(path, own / path.name)
    folder.rmdir()


def forget_writer(shop: Shop) -> None:
    """Let a project be as if no version had written whose `.env.runtime` is."""
    (state_of(shop.root) / WRITER_FILE).unlink(missing_ok=True)
    published = shop.root / ".env.runtime"
    if published.exists():
        lines = published.read_text().splitlines(keepends=True)
        published.write_text("".join(line for line in lines if not line.startswith(LABEL)))


@pytest.fixture
def another_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A state directory on another file system than the checkout."""
    folder = Path(tempfile.mkdtemp(prefix="dv-", dir="/dev/shm"))
    monkeypatch.setenv("XDG_STATE_HOME", str(folder))
    yield folder
    shutil.rmtree(folder)


def keys_of(port: int) -> str:
    """Return the value that a test left in a Redis."""
    command = ["redis-cli", "-p", str(port), "get", "kept"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def set_key(port: int) -> None:
    subprocess.run(["redis-cli", "-p", str(port), "set", "kept", "row"], check=True, capture_output=True)


@contextmanager
def holder_of(lock: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """Run a process that has a lock, with these words on its command line."""
    locks = (
        "import fcntl, signal, sys; f = open(sys.argv[1]); fcntl.flock(f, fcntl.LOCK_EX); print(flush=True)"
    )
    command = [sys.executable, "-S", "-c", f"{locks}; signal.pause()", str(lock), *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        try:
            yield holder
        finally:
            holder.kill()


class TestAProjectThatRuns:
    @needs_redis
    def test_is_taken_over_with_its_processes_its_logs_and_its_data(
        self, shop: Shop, free_ports: Callable[[int], list[int]]
    ) -> None:
        web, cache = free_ports(2)
        shop.service("web", "say=printed-before", port=web)
        shop.server("cache", provider="redis", port=cache)
        shop.up()
        set_key(cache)
        before = {name: row["pid"] for name, row in shop.status().items()}
        shop.kill_supervisor()
        as_before(shop)

        after = {name: row["pid"] for name, row in shop.status().items()}

        assert after == before
        assert "printed-before" in shop("logs", "web").stdout
        assert {path.name for path in (shop.root / ".devinit").iterdir()} == {".gitignore", "identity"}
        assert shop("restart", "cache").returncode == 0
        assert keys_of(cache) == "row"


class TestLogsThatHaveNotMovedYet:
    def test_are_shown_while_the_service_runs(self, shop: Shop, port: int) -> None:
        shop.service("web", "say=printed-before", port=port)
        shop.up()
        shop.kill_supervisor()
        as_before(shop)

        shown, path = shop("logs", "web"), shop("logs", "web", "--path")

        assert "printed-before" in shown.stdout
        assert "deleted" not in shown.stderr
        assert path.stdout == f"{shop.root}/.devinit/logs/web.log\n"

    def test_are_shown_after_a_stop(self, shop: Shop, port: int) -> None:
        shop.service("web", "say=printed-before", port=port)
        shop.up()
        assert shop("stop").returncode == 0
        as_before(shop)

        assert "printed-before" in shop("logs").stdout

    def test_are_not_shown_when_the_checkout_brought_them_along(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.root.joinpath(".devinit", "logs").mkdir(parents=True)
        shop.root.joinpath(".devinit", "logs", "web.log").write_text("from the repository\n")

        assert "from the repository" not in shop("logs", "web").stdout


class TestAProjectThatIsStopped:
    @needs_redis
    def test_keeps_its_data_on_another_disk_as_well(self, another_disk: Path, shop: Shop, port: int) -> None:
        shop.server("cache", provider="redis", port=port)
        shop.up()
        set_key(port)
        assert shop("stop").returncode == 0
        as_before(shop)

        shop.up()

        assert keys_of(port) == "row"
        assert state_of(shop.root).is_relative_to(another_disk)
        assert not (shop.root / ".devinit" / "data").exists()

    def test_does_not_run_its_set_up_again(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port, setup=["sh -c 'echo once >>set-up'"])
        shop.up()
        shop("stop")
        as_before(shop)

        shop.up()

        assert (shop.root / "set-up").read_text() == "once\n"


class TestDataThatIsInUse:
    def test_is_not_copied_to_another_disk(self, another_disk: Path, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        data = shop.root / ".devinit" / "data" / "cache" / "redis7"
        data.mkdir(parents=True)
        (data / "dump.rdb").write_text("rows")
        with subprocess.Popen(
            [sys.executable, "-S", "-c", "import signal; signal.pause()"], cwd=data
        ) as server:
            refused = shop("start", "--detach")
            server.kill()

        assert refused.returncode != 0
        assert "on another disk" in refused.stderr
        assert f"kill -INT {server.pid}" in refused.stderr
        assert (data / "dump.rdb").exists()
        shop.up()
        assert (state_of(shop.root) / "data" / "cache" / "redis7" / "dump.rdb").read_text() == "rows"
        assert state_of(shop.root).is_relative_to(another_disk)


class TestASupervisorOfAnEarlierVersion:
    @pytest.fixture
    def lock(self, shop: Shop) -> Path:
        """Its lock, with a pid in it that is another process's, in a checkout in which devinit was started."""
        checkouts.record(shop.root, "shop")
        (shop.root / ".devinit").mkdir()
        lock = shop.root / ".devinit" / SUPERVISOR_LOCK
        lock.touch(mode=0o600)
        lock.write_text(f"{os.getpid()}\n")
        return lock

    def test_that_still_runs_is_left_alone_and_named(self, shop: Shop, lock: Path) -> None:
        with holder_of(lock, "devinit.supervisor") as supervisor:
            with pytest.raises(
                StateFileError, match="supervisor of an earlier version of devinit still"
            ) as told:
                claim(shop.root)

            assert f"send SIGTERM to it: kill {supervisor.pid} (" in str(told.value.hint)

    def test_that_cannot_be_seen_is_left_alone_and_no_process_is_named(self, shop: Shop, lock: Path) -> None:
        """The pid in the lock can be any process's: the supervisor may run in another container."""
        with holder_of(lock), pytest.raises(StateFileError, match="still runs") as told:
            claim(shop.root)

        assert "end it where it runs, perhaps in another container" in str(told.value.hint)
        assert str(os.getpid()) not in f"{told.value} {told.value.hint}"

    def test_is_not_what_locks_a_file_that_other_users_can_open(self, shop: Shop, lock: Path) -> None:
        lock.chmod(0o644)

        with holder_of(lock):
            claim(shop.root)

        assert not lock.exists()

    def test_is_not_what_locks_a_file_that_came_with_the_checkout(self, shop: Shop, lock: Path) -> None:
        checkouts.forget(shop.root)

        with holder_of(lock):
            claim(shop.root)

        assert not lock.exists()


class TestWhatARepositoryShips:
    @pytest.fixture
    def own(self, shop: Shop) -> Path:
        """The `.devinit` of a checkout in which this user never started anything."""
        own = shop.root / ".devinit"
        (own / "logs").mkdir(parents=True)
        return own

    def test_is_no_record(self, shop: Shop, own: Path) -> None:
        (own / "state.json").write_text("{}")
        (own / "caller.json").write_text('{"PATH": "/evil"}')

        folder = Path(claim(shop.root))

        assert not (folder / "state.json").exists()
        assert not (folder / "caller.json").exists()
        assert not old_layout.has_record(shop.root)

    def test_brings_no_link_along(self, shop: Shop, own: Path) -> None:
        (own / "logs" / "web.log").symlink_to("/etc/hostname")
        (own / "secrets").symlink_to("/etc/hostname")
        (own / "data").symlink_to("/etc")

        folder = Path(claim(shop.root))

        assert not [path for path in folder.rglob("*") if path.is_symlink()]

    def test_brings_no_pipe_among_its_data(self, shop: Shop, own: Path) -> None:
        (own / "data" / "postgres" / "pg15").mkdir(parents=True)
        os.mkfifo(own / "data" / "postgres" / "pg15" / "postmaster.pid")

        with pytest.raises(StateFileError, match=r"postmaster\.pid is a named pipe"):
            claim(shop.root)

    def test_brings_no_data_along_that_is_deeper_than_any_database(self, shop: Shop, own: Path) -> None:
        (own / "data" / "postgres" / "pg15").mkdir(parents=True)
        refused = pytest.raises(StateFileError, match="is deeper than 100 folders")
        with deep(own / "data" / "postgres" / "pg15"), refused:
            claim(shop.root)

    def test_brings_no_pipe_along(self, shop: Shop, own: Path) -> None:
        os.mkfifo(own / "logs" / "web.log")
        os.mkfifo(own / "supervisor.log")

        folder = Path(claim(shop.root))

        assert {path.name for path in folder.rglob("*")} == {"checkout", "logs"}

    @pytest.mark.parametrize("name", ["cache", "cache/redis7", "cache/password", "db/pg15/pg_wal"])
    def test_brings_no_link_among_its_data(self, shop: Shop, own: Path, name: str) -> None:
        precious = shop.root.parent / "precious"
        precious.mkdir()
        (own / "data" / name).parent.mkdir(parents=True)
        (own / "data" / name).symlink_to(precious)

        with pytest.raises(StateFileError, match=f"{name} is a symbolic link"):
            claim(shop.root)

        assert not (state_of(shop.root) / "data").exists()

    def test_brings_no_link_that_a_database_would_write_through(
        self, shop: Shop, own: Path, port: int
    ) -> None:
        precious = shop.root.parent / "precious"
        precious.mkdir()
        shop.server("db", provider="postgres", port=port)
        (own / "data").mkdir()
        (own / "data" / "db").symlink_to(precious)

        for words in (("env",), ("start", "--detach")):
            shop(*words)

        assert not list(precious.iterdir())

    def test_may_have_the_links_of_a_database_where_devinit_was_started(self, shop: Shop, own: Path) -> None:
        checkouts.record(shop.root, "shop")
        write_ahead_log = shop.root.parent / "fast-disk"
        (own / "data" / "db" / "pg15").mkdir(parents=True)
        (own / "data" / "db" / "pg15" / "pg_wal").symlink_to(write_ahead_log)

        moved = Path(claim(shop.root), "data/db/pg15/pg_wal")

        assert moved.readlink() == write_ahead_log


class TestTwoCommandsAtOnce:
    def test_move_everything_once(self, shop: Shop) -> None:
        (shop.root / ".devinit" / "logs").mkdir(parents=True)
        for number in range(200):
            (shop.root / ".devinit" / "logs" / f"web{number}.log").write_text("printed\n")
        program = f"from devinit.system.checkout import claim; print(claim({str(shop.root)!r}))"

        commands = [
            subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
            for _ in range(4)
        ]

        assert {command.communicate()[0].strip() for command in commands} == {str(state_of(shop.root))}
        assert len(list((state_of(shop.root) / "logs").iterdir())) == 200
