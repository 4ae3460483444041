"""What `.devinit/state.json` may say in a checkout in which devinit is used: `git pull` can bring any such file."""

from __future__ import annotations

import json
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
from devinit.model.service import Service
from devinit.model.status import Phase
from devinit.supervisor.record.state_file import ServiceRecord, State, encoder
from devinit.system import old_record
from devinit.system.checkout import claim
from devinit.system.paths import project_id
from devinit.system.processes import RUN_VARIABLE, boot_id, facts_of, identity_of
from tests.supervisor.conftest import Shop

ORDERS = [("status",), ("env",), ("why", "web"), ("logs",), ("stop",), ("start", "-d")]
WAITS = [sys.executable, "-S", "-c", "import signal; print(flush=True); signal.pause()"]
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root sees other users' environments")


@contextmanager
def process(words: list[str] = WAITS, **options: object) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process until the end of the block."""
    with subprocess.Popen(words, stdout=subprocess.PIPE, **options) as running:  # type: ignore[call-overload]  # its options are those of Popen
        try:
            yield running
        finally:
            running.kill()


@contextmanager
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    """Run a process that shows no environment, like ssh-agent and what runs as another user."""
    with process(env={}) as running:
        running.stdout.readline()  # type: ignore[union-attr]  # it has one
        yield running


@pytest.fixture
def known(shop: Shop, port: int) -> Shop:
    """A project that was started and stopped."""
    shop.service("web", port=port)
    shop.up()
    assert shop("stop").returncode == 0
    shop.expect_nothing_left()
    assert checkouts.recorded_at(shop.root) is not None
    return shop


def forged(root: Path, records: dict[str, tuple[int | None, Phase]]) -> bytes:
    """Return a record that names processes as services of a checkout, each with its phase."""

    def service(name: str) -> Service:
        return Service(name=name, directory=root, provider="process", command=f"touch {root}/pwned")

    services = {
        name: ServiceRecord(
            service=service(name), identity=identity_of(pid) if pid else None, phase=phase, proven=True
        )
        for name, (pid, phase) in records.items()
    }
    return encoder.encode(State(root=os.path.realpath(root), boot_id=boot_id(), services=services))


def ship(root: Path, content: bytes) -> None:
    """Put a record where a repository puts it."""
    (root / ".devinit").mkdir(exist_ok=True)
    (root / ".devinit" / "state.json").write_bytes(content)


class TestAForgedRecord:
    def test_runs_no_command_for_a_process_that_hides_its_environment(self, known: Shop) -> None:
        with bystander() as running:
            named: dict[str, tuple[int | None, Phase]] = {
                "init": (1, Phase.READY),
                "agent": (running.pid, Phase.READY),
                "evil": (None, Phase.STARTING),
            }
            for order in ORDERS:
                ship(known.root, forged(known.root, named))
                known(*order)

            assert not (known.root / "pwned").exists()
            assert set(known.status()) == {"web"}

    def test_ends_no_process_that_hides_its_environment(self, known: Shop) -> None:
        with bystander() as running:
            record = forged(known.root, {"agent": (running.pid, Phase.STOPPING)})

            for order in (*ORDERS, ("stop", "--force")):
                ship(known.root, record)
                known(*order)

            assert running.poll() is None

    def test_brings_no_environment_along(self, known: Shop) -> None:
        with bystander() as running:
            ship(known.root, forged(known.root, {"agent": (running.pid, Phase.READY)}))
            (known.root / ".devinit" / "caller.json").write_text('{"PATH": "/evil"}')

            folder = Path(claim(known.root))

            assert not (folder / "caller.json").exists()
            assert "agent" not in (folder / "state.json").read_text()

    def test_counts_for_the_services_alone_whose_processes_are_proven(self, known: Shop) -> None:
        mark = {RUN_VARIABLE: f"{project_id(known.root)}/job"}
        with bystander() as stranger, process(env=mark) as job:
            named: dict[str, tuple[int | None, Phase]] = {
                "job": (job.pid, Phase.READY),
                "agent": (stranger.pid, Phase.READY),
                "evil": (None, Phase.STARTING),
            }
            ship(known.root, forged(known.root, named))

            assert known.status()["job"]["pid"] == job.pid
            assert set(known.status()) == {"web", "job"}
            assert not (known.root / "pwned").exists()

    def test_does_not_take_the_place_of_the_one_of_services_that_run(self, known: Shop) -> None:
        known.up()
        web = known.status()["web"]["pid"]
        known.kill_supervisor()
        ship(known.root, forged(known.root, {"web": (web, Phase.READY), "evil": (None, Phase.STARTING)}))

        known("status")
        known("restart", "web")

        assert known.status()["web"]["phase"] == "ready"
        assert not (known.root / "pwned").exists()


class TestACloneWhereAnotherCheckoutWas:
    @pytest.fixture
    def clone(self, known: Shop) -> Callable[[], None]:
        """Makes the clone, with a forged record, in the place that has become free."""
        described = (known.root / "devinit.toml").read_text()

        def make() -> None:
            known.root.mkdir()
            (known.root / "devinit.toml").write_text(described)
            ship(known.root, forged(known.root, {"evil": (None, Phase.STARTING)}))

        return make

    def test_runs_no_command_after_a_removal(self, known: Shop, clone: Callable[[], None]) -> None:
        shutil.rmtree(known.root)
        clone()

        known("start", "-d")

        assert not (known.root / "pwned").exists()
        assert set(known.status()) == {"web"}

    @pytest.mark.parametrize("order", [("status",), ("start", "-d")], ids=" ".join)
    def test_runs_no_command_after_a_move(
        self, known: Shop, clone: Callable[[], None], order: tuple[str, ...], tmp_path: Path
    ) -> None:
        known.root.rename(tmp_path / "market")
        claim(tmp_path / "market")
        assert checkouts.recorded_at(known.root) is None
        clone()

        known(*order)

        assert not (known.root / "pwned").exists()
        assert set(known.status()) == {"web"}


class TestAProofOfAProcess:
    def counts(self, root: Path, pid: int) -> bool:
        ship(root, forged(root, {"web": (pid, Phase.READY)}))
        return old_record.proven(f"{root}/.devinit/state.json", os.path.realpath(root)) is not None

    def test_is_its_mark(self, known: Shop) -> None:
        with process(env={RUN_VARIABLE: f"{project_id(known.root)}/web"}) as running:
            assert self.counts(known.root, running.pid)

    def test_is_not_the_mark_of_another_service(self, known: Shop) -> None:
        with process(env={RUN_VARIABLE: f"{project_id(known.root)}/worker"}) as running:
            assert not self.counts(known.root, running.pid)

    @needs_root
    def test_is_not_the_mark_of_another_user_s(self, known: Shop) -> None:
        mark = {RUN_VARIABLE: f"{project_id(known.root)}/web"}
        with process(["sleep", "1000"], env={**os.environ, **mark}, user=65534, cwd="/") as running:
            assert not self.counts(known.root, running.pid)

    @needs_root
    def test_is_not_the_mark_that_another_user_gave_to_a_program_of_root_s(self, known: Shop) -> None:
        mark = {RUN_VARIABLE: f"{project_id(known.root)}/web"}
        with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
            Path(folder).chmod(0o755)
            program = Path(shutil.copy(shutil.which("sleep") or "", folder))
            program.chmod(0o4755)
            if os.statvfs(folder).f_flag & os.ST_NOSUID:
                pytest.skip("programs of root's get no rights there")
            with process([str(program), "1000"], env={**os.environ, **mark}, user=65534, cwd="/") as running:
                facts = facts_of(running.pid)
                assert facts is not None
                assert facts.uid == 0

                assert not self.counts(known.root, running.pid)

    def test_is_a_lease_where_the_program_has_written_over_its_mark(self, known: Shop, port: int) -> None:
        known.service("web", port=port, command=f"env -i PORT={port} {known.command()}")
        known.up()

        assert self.counts(known.root, known.status()["web"]["pid"])

    def test_is_no_lease_of_another_checkout(self, known: Shop, make_shop: Callable[[str], Shop]) -> None:
        known.up()
        other = make_shop("other")

        assert not self.counts(other.root, known.status()["web"]["pid"])

    @pytest.mark.parametrize(
        "identity", [{"pid": 10**400}, {"pid": 4.5}, {"pid": "self"}, {"pid": True}, [], 7]
    )
    def test_is_no_identity_that_devinit_did_not_write(self, known: Shop, identity: object) -> None:
        times = {"start_time": 0, "boot_id": boot_id()}
        written = {**times, **identity} if isinstance(identity, dict) else identity
        ship(known.root, json.dumps({"services": {"web": {"identity": written}}}).encode())

        assert old_record.proven(f"{known.root}/.devinit/state.json", str(known.root)) is None
