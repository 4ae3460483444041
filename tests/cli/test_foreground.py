"""Specifies `start --foreground`: it stays, shows what services print, and takes all of them down."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pexpect
import pytest

from devinit.cli.foreground import Output, stay, take_down
from devinit.control.waking import supervisor_of
from tests.cli.conftest import PATIENCE, Shop
from tests.kinds.conftest import embedded_postgres, embedded_valkey, system_postgres, system_redis

READY = "services? ready"
PATIENCE_OF_DATABASES = 120
NAMESPACES = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")


def can_be_process_1() -> bool:
    done = (
        subprocess.run([*NAMESPACES, "true"], capture_output=True, check=False)
        if shutil.which("unshare")
        else None
    )
    return done is not None and done.returncode == 0


needs_namespaces = pytest.mark.skipif(
    not can_be_process_1(), reason="unshare may not make a pid namespace here"
)
needs_databases = pytest.mark.skipif(
    not (system_postgres() or embedded_postgres()) or not (system_redis() or embedded_valkey()),
    reason="needs PostgreSQL and Redis",
)


class Foreground:
    """A `start --foreground` that has been begun, and the files that it writes to."""

    def __init__(self, process: subprocess.Popen[bytes], out: Path, err: Path) -> None:
        self.process, self._out, self._err = process, out, err

    @property
    def output(self) -> str:
        return self._out.read_text()

    @property
    def talk(self) -> str:
        return self._err.read_text()

    def until(self, said: str, of: str = "talk", seconds: float = PATIENCE) -> None:
        """Wait until a pattern has been printed."""
        deadline = time.monotonic() + seconds
        while not re.search(said, getattr(self, of)):
            assert time.monotonic() < deadline, f"never said {said}:\n{self.talk}\n{self.output}"
            assert self.process.poll() is None, f"ended without saying {said}:\n{self.talk}"
            time.sleep(0.02)

    def end(self, seconds: float = PATIENCE) -> int:
        return self.process.wait(seconds)


Begin = Callable[..., Foreground]


@pytest.fixture
def begin(shop: Shop, tmp_path: Path) -> Iterator[Begin]:
    """Begin a foreground; `before` are the words of a program that runs it, `stdout` another place for output."""
    begun: list[Foreground] = []

    def start(*words: str, before: tuple[str, ...] = (), stdout: IO[bytes] | int | None = None) -> Foreground:
        out, err = tmp_path / "out", tmp_path / "err"
        with out.open("wb") as output, err.open("wb") as talk:
            process = subprocess.Popen(
                [*before, *shop.program("start", "--foreground", *words)],
                stdin=subprocess.DEVNULL,
                stdout=output if stdout is None else stdout,
                stderr=talk,
            )
        begun.append(Foreground(process, out, err))
        return begun[-1]

    yield start
    for each in begun:
        each.process.kill()
        each.process.wait()


def children_of(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def order_of_stops(talk: str) -> list[str]:
    return re.findall(r"^· (\S+) .*stopped", talk, re.MULTILINE)


@pytest.fixture
def pair(shop: Shop, port: int) -> Shop:
    shop.service("backend", "lines=2", port=port)
    shop.service("web", port=port + 1, depends_on=["backend"])
    return shop


class TestASignal:
    @pytest.mark.parametrize(
        ("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130), (signal.SIGHUP, 0)]
    )
    def test_stops_everything_in_order(
        self, pair: Shop, begin: Begin, number: signal.Signals, code: int
    ) -> None:
        foreground = begin()
        foreground.until(READY)

        foreground.process.send_signal(number)

        assert foreground.end() == code
        assert order_of_stops(foreground.talk) == ["web", "backend"]
        assert supervisor_of(pair.root) is None
        assert pair("stop").stderr == "nothing runs\n"

    def test_that_comes_again_ends_at_once_what_is_left(self, shop: Shop, begin: Begin) -> None:
        shop.service(
            "stubborn",
            command="sh -c 'trap : TERM; echo up; while :; do sleep 0.1; done'",
            stop={"grace": 600},
        )
        foreground = begin()
        foreground.until(READY)
        foreground.process.send_signal(signal.SIGINT)
        foreground.until("stubborn .*stopping")

        foreground.process.send_signal(signal.SIGINT)

        assert foreground.end() == 130
        assert "ended by force" in foreground.talk
        assert shop("stop").stderr == "nothing runs\n"

    def test_during_the_start_stops_what_it_has_brought_up(self, pair: Shop, begin: Begin, port: int) -> None:
        pair.service("slow", "never", port=port + 2, depends_on=["web"])
        foreground = begin()
        foreground.until("web .*ready")

        foreground.process.send_signal(signal.SIGTERM)

        assert foreground.end() == 0
        assert order_of_stops(foreground.talk)[-2:] == ["web", "backend"]
        assert pair("stop").stderr == "nothing runs\n"

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
    def test_at_the_question_about_a_port_stops_nothing_that_ran_before(
        self, shop: Shop, port: int, stranger: subprocess.Popen[str], number: signal.Signals
    ) -> None:
        shop.service("worker")
        assert shop("start", "-d").returncode == 0
        before = shop.status()["worker"]["pid"]
        shop.service("web", port=port)
        child = shop.terminal("start", "--foreground")
        child.expect("move to")

        child.kill(number)

        child.expect(pexpect.EOF)
        assert shop.status()["worker"]["pid"] == before
        assert shop.status()["web"]["phase"] == "stopped"
        assert stranger.poll() is None

    def test_during_the_start_leaves_what_ran_before(self, pair: Shop, begin: Begin, port: int) -> None:
        assert pair("start", "-d", "backend").returncode == 0
        before = pair.status()["backend"]["pid"]
        pair.service("slow", "never", port=port + 2, depends_on=["web"])
        foreground = begin()
        foreground.until("web .*ready")

        foreground.process.send_signal(signal.SIGTERM)

        assert foreground.end() == 0
        phases = {name: each["phase"] for name, each in pair.status().items()}
        assert phases == {"backend": "ready", "web": "stopped", "slow": "stopped"}
        assert pair.status()["backend"]["pid"] == before

    def test_after_the_start_stops_what_ran_before_as_well(self, pair: Shop, begin: Begin) -> None:
        assert pair("start", "-d", "backend").returncode == 0
        foreground = begin()
        foreground.until(READY)

        foreground.process.send_signal(signal.SIGTERM)

        assert foreground.end() == 0
        assert pair("stop").stderr == "nothing runs\n"

    def test_that_ends_the_reader_of_the_output_ends_the_services_too(self, pair: Shop, begin: Begin) -> None:
        reading, writing = os.pipe()
        foreground = begin(stdout=writing)
        os.close(writing)
        foreground.until(READY)

        os.close(reading)

        assert foreground.end() == 141
        assert pair("stop").stderr == "nothing runs\n"

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device")
    def test_is_not_needed_where_the_output_cannot_be_written(self, pair: Shop, begin: Begin) -> None:
        with Path("/dev/full").open("wb") as full:
            foreground = begin(stdout=full)

        assert foreground.end() == 1
        assert "the output cannot be written: No space left" in foreground.talk
        assert pair("stop").stderr == "nothing runs\n"


class TestProcess1:
    """Of a pid namespace, as in a container: signals have no default there, and orphans are its own."""

    @needs_namespaces
    @needs_databases
    @pytest.mark.timeout(240)
    def test_stops_databases_after_what_uses_them_and_reaps_orphans(
        self, shop: Shop, begin: Begin, port: int
    ) -> None:
        shop.service("backend", "lines=1", port=port, depends_on=["db", "cache"])
        shop.service("worker", command="sh -c '(sh -c \"sleep 0.1\" &) ; echo made; exec sleep 1000'")
        text = (shop.root / "devinit.toml").read_text()
        databases = f"""
            [services.db]
            provider = "postgres"
            port = {port + 1}
            [services.cache]
            provider = "redis"
            port = {port + 2}
        """
        (shop.root / "devinit.toml").write_text(text + databases)
        foreground = begin(before=NAMESPACES)
        foreground.until(READY, seconds=PATIENCE_OF_DATABASES)
        (first,) = children_of(foreground.process.pid)

        # The orphan has ended meanwhile, or does so now; it stays only where nobody waits for it.
        deadline = time.monotonic() + PATIENCE
        while len(children_of(first)) > 1 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert len(children_of(first)) == 1, "more than the supervisor is left"
        os.kill(first, signal.SIGTERM)

        assert foreground.end(PATIENCE_OF_DATABASES) == 0
        stops = order_of_stops(foreground.talk)
        assert stops.index("backend") < stops.index("db")
        assert sorted(stops) == ["backend", "cache", "db", "worker"]
        assert re.search(r"^db +\| .*database system is shut down", foreground.output, re.MULTILINE)
        assert re.search(r"^cache +\| .*bye bye", foreground.output, re.MULTILINE)
        assert "worker  | made" in foreground.output

    @needs_namespaces
    def test_ends_logs_that_are_followed_as_well(self, pair: Shop) -> None:
        assert pair("start", "-d").returncode == 0
        logs = subprocess.Popen(
            [*NAMESPACES, *pair.program("logs", "-f", "backend")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert logs.stdout is not None
        try:
            assert any("line 2" in line for line in iter(logs.stdout.readline, ""))
            (first,) = children_of(logs.pid)

            os.kill(first, signal.SIGTERM)

            assert logs.wait(PATIENCE) == 143
        finally:
            logs.kill()
            logs.wait()
            logs.stdout.close()


class TestTheOutput:
    def test_is_what_the_services_print_in_this_run(self, pair: Shop, begin: Begin) -> None:
        pair.log("backend").write_text("of an earlier run\n")
        foreground = begin()

        foreground.until("backend \\| line 2", "output")

        assert "earlier" not in foreground.output
        assert "backend | line 1\n" in foreground.output
        foreground.until(READY)
        assert "http://localhost" in foreground.talk

    def test_has_last_words_without_a_line_end(self, shop: Shop, begin: Begin) -> None:
        shop.service("job", command="printf 'first\\nlast'")
        foreground = begin()

        assert foreground.end() == 0
        assert foreground.output.endswith("first\nlast\n")

    def test_is_only_that_and_no_events(self, pair: Shop) -> None:
        for words in (["--json"], ["-d"]):
            done = pair("start", "--foreground", *words)

            assert (done.returncode, "--foreground goes neither with" in done.stderr) == (2, True)


class TestTheEnd:
    def test_comes_when_another_terminal_stops_everything(self, pair: Shop, begin: Begin) -> None:
        foreground = begin()
        foreground.until(READY)

        assert pair("stop").returncode == 0

        assert foreground.end() == 0
        assert "nothing runs any more" in foreground.talk

    def test_does_not_come_with_a_restart_or_with_the_death_of_the_supervisor(
        self, shop: Shop, begin: Begin, port: int
    ) -> None:
        shop.service("backend", port=port)
        foreground = begin()
        foreground.until(READY)

        assert shop("restart").returncode == 0
        supervisor = supervisor_of(shop.root)
        assert supervisor is not None
        os.kill(supervisor, signal.SIGKILL)
        foreground.until("the supervisor went away")
        status = json.loads(shop("status", "--json").stdout)

        assert [each["phase"] for each in status["services"]] == ["ready"]
        assert foreground.process.poll() is None
        foreground.process.send_signal(signal.SIGTERM)
        assert foreground.end() == 0
        assert shop("stop").stderr == "nothing runs\n"

    def test_comes_when_the_checkout_is_moved_and_says_so(
        self, shop: Shop, begin: Begin, port: int, tmp_path: Path
    ) -> None:
        shop.service("backend", port=port)
        foreground = begin()
        foreground.until(READY)

        moved = shop.root.rename(tmp_path / "moved")

        code = foreground.end()
        moved.rename(shop.root)
        assert code == 1, foreground.talk
        assert "was deleted or moved" in foreground.talk
        assert "error:" not in foreground.talk

    def test_comes_also_when_it_is_moved_while_the_supervisor_is_looked_for(
        self, shop: Shop, port: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        shop.service("backend", port=port)
        assert shop("start", "-d").returncode == 0
        supervisor = supervisor_of(shop.root)
        assert supervisor is not None
        os.kill(supervisor, signal.SIGKILL)

        with Output(str(shop.root), ["backend"]) as output:
            moved = shop.root.rename(tmp_path / "moved")
            code = stay(str(shop.root), output, set())
            take_down(str(shop.root), [], output)

        moved.rename(shop.root)
        assert code == 1
        assert f"{shop.root} was deleted or moved" in capsys.readouterr().err
        assert shop("stop").returncode == 0

    def test_is_that_of_a_start_that_failed_and_nothing_stays(self, pair: Shop, begin: Begin) -> None:
        pair.service("broken", "lines=1", "exit=3", ready={"after": 5})
        foreground = begin()

        assert foreground.end() == 1
        assert "exited with code 3" in foreground.talk
        assert pair("stop").stderr == "nothing runs\n"

    def test_is_that_of_its_jobs(self, shop: Shop, begin: Begin) -> None:
        shop.service("migrate", "lines=1", "exit=0")

        assert begin().end() == 0
