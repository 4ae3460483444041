"""What `devinit doctor` finds after real accidents, and what it does about them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pexpect
import pytest

from devinit.cli.doctor import exposure, files
from devinit.cli.doctor.toolchains import toolchains
from devinit.control.client import GREETING_SECONDS
from devinit.model.port import LeaseOwner
from devinit.ports.leases import Claim, Lease, LeaseStore
from devinit.system.paths import state_directory
from devinit.system.processes import Process, alive, identity_of
from tests.places import state_of

if TYPE_CHECKING:
    from devinit.cli.doctor.finding import Finding
    from tests.cli.conftest import Shop

pytestmark = pytest.mark.timeout(120)

NOBODY = 65534
Json = Any  # what a command printed: asserted on, not modelled


def examined(shop: Shop, *words: str) -> tuple[int, dict[str, list[Json]]]:
    """Return the exit code, and the findings of each check."""
    said = shop("doctor", "--json", *words)
    assert "Traceback" not in said.stderr
    found: dict[str, list[Json]] = {}
    for finding in json.loads(said.stdout)["findings"]:
        found.setdefault(finding["check"], []).append(finding)
    return said.returncode, found


def kill_supervisor(shop: Shop) -> None:
    status = json.loads(shop("status", "--json").stdout)
    end(status["supervisor"]["pid"], signal.SIGKILL)


def end(pid: int, number: signal.Signals = signal.SIGKILL) -> None:
    identity = identity_of(pid)
    assert identity is not None
    with Process.open(identity) or pytest.fail("it is gone") as process:
        process.send(number)
        assert process.wait(10)


class TestAValueOfTheProjectsOwn:
    def test_that_stays_as_it_is_is_told_with_its_line(self, shop: Shop, port: int) -> None:
        shop.service("backend", port=port)
        (shop.root / ".env").write_text("NAME=ada\nBACKEND_URL=https://shop.example.com\n")
        shop("start")

        code, found = examined(shop)

        assert [each["problem"] for each in found["services"]] == [
            "backend talks to shop.example.com: BACKEND_URL in .env:2 is left as it is"
        ]
        assert found["services"][0]["harmless"]
        assert code == 0


@pytest.fixture
def squatter(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """What is called like a server and works in the data of a service of ours."""
    program = tmp_path / "redis-server"
    program.symlink_to(os.path.realpath(sys.executable))
    data = state_of(tmp_path / "Ölmühle ünï") / "data" / "cache" / "redis7"
    data.mkdir(parents=True)
    process = subprocess.Popen(
        [program, "-S", "-c", "import signal; print('in', flush=True); signal.pause()"],
        cwd=data,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.readline()
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


class TestAProjectThatIsWell:
    def test_is_told_so_check_by_check(self, shop: Shop) -> None:
        shop.service("worker", ready={"after": 0.1})

        said = shop("doctor")

        assert said.returncode == 0
        assert "✓ leftovers" in said.stdout
        assert "⚠" not in said.stdout

    def test_stays_well_while_it_runs(self, shop: Shop, port: int) -> None:
        shop.service("backend", port=port)
        shop("start", "-d")

        assert examined(shop) == (0, {})


class TestAServiceThatIsNotWell:
    def test_is_named_with_the_reason(self, shop: Shop) -> None:
        shop.service("worker", "exit=3")
        shop("start", "-d")

        code, found = examined(shop)

        assert code == 1
        assert found["services"][0]["problem"] == "worker is failed: exited with code 3 before it was ready"

    def test_is_asked_before_it_is_believed_to_be_ready(self, shop: Shop, port: int) -> None:
        shop.service("backend", port=port)
        shop("start", "-d")
        os.kill(shop.status()["backend"]["pid"], signal.SIGSTOP)

        code, found = examined(shop)

        assert code == 1
        assert found["services"][0]["problem"].startswith(
            "backend is starting: it listens, but no process accepted a connection"
        )


class TestAFolderWithoutAProject:
    def test_has_the_machine_looked_at(self, tmp_path: Path) -> None:
        said = subprocess.run(
            [sys.executable, "-m", "devinit", "doctor"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

        assert said.returncode == 0
        assert "✓ neighbours" in said.stdout
        assert "only the machine" in said.stderr


class TestAKilledSupervisor:
    def test_is_noticed_and_replaced(self, shop: Shop, port: int) -> None:
        shop.service("backend", port=port)
        shop("start", "-d")
        before = shop.status()["backend"]["pid"]
        kill_supervisor(shop)

        code, found = examined(shop)

        assert code == 1
        assert found["leftovers"][0]["problem"] == "services run although their supervisor was killed"

        code, found = examined(shop, "--fix")

        assert (code, found["leftovers"][0]["cured"]) == (0, True)
        assert shop.status()["backend"]["pid"] == before


class TestAServiceThatNobodyKnowsOf:
    def test_is_named_and_ended(self, shop: Shop, port: int) -> None:
        shop.service("backend", port=port)
        shop("start", "-d")
        pid = shop.status()["backend"]["pid"]
        service = identity_of(pid)
        assert service is not None
        kill_supervisor(shop)
        shutil.rmtree(state_of(shop.root))

        code, found = examined(shop)

        assert code == 1
        [finding] = found["leftovers"]
        assert f"(pid {pid})" in finding["problem"]
        assert "runs without a supervisor" in finding["problem"]

        examined(shop, "--fix")

        assert not alive(service)
        assert examined(shop) == (0, {})

    def test_is_ended_also_when_it_is_not_configured_any_more(self, shop: Shop) -> None:
        shop.service("worker", ready={"after": 0.1})
        shop("start", "-d")
        service = identity_of(shop.status()["worker"]["pid"])
        assert service is not None
        kill_supervisor(shop)
        shutil.rmtree(state_of(shop.root))
        (shop.root / "devinit.toml").write_text('[services.other]\ncommand = "sleep 60"\n')

        examined(shop, "--fix")

        assert not alive(service)


class TestAStrangerInTheData:
    def test_is_named_and_ended_only_on_demand(self, shop: Shop, squatter: subprocess.Popen[bytes]) -> None:
        shop.service("worker", ready={"after": 0.1})

        code, found = examined(shop)

        assert code == 1
        assert f"(pid {squatter.pid}, " in found["data"][0]["problem"]
        assert "works in the data of cache" in found["data"][0]["problem"]
        assert squatter.poll() is None

        code, _ = examined(shop, "--fix")

        assert code == 0
        assert squatter.wait(10) != 0

    @pytest.mark.parametrize("command", ["bash --norc -i", "cat"])
    def test_is_never_ended_where_it_is_no_server(
        self, shop: Shop, squatter: subprocess.Popen[bytes], command: str
    ) -> None:
        shop.service("worker", ready={"after": 0.1})
        folder = Path(f"/proc/{squatter.pid}/cwd").readlink()
        squatter.kill()
        squatter.wait()
        terminal = pexpect.spawn(command, cwd=folder)

        code, found = examined(shop, "--fix")

        assert (code, found) == (0, {})
        assert terminal.isalive()
        terminal.close(force=True)

    def test_that_is_no_server_and_runs_in_the_background_is_only_named(
        self, shop: Shop, squatter: subprocess.Popen[bytes]
    ) -> None:
        shop.service("worker", ready={"after": 0.1})
        folder = Path(f"/proc/{squatter.pid}/cwd").readlink()
        squatter.kill()
        squatter.wait()
        with subprocess.Popen(["sleep", "1000"], cwd=folder, start_new_session=True) as backup:
            code, found = examined(shop, "--fix")
            still_runs = backup.poll() is None
            backup.kill()

        assert code == 0
        assert f"sleep 1000 (pid {backup.pid}" in found["data"][0]["problem"]
        assert found["data"][0]["advice"].startswith("it is no database server")
        assert still_runs


class TestAReservationOfAFolderThatIsGone:
    def test_is_dropped_without_a_question(self, shop: Shop, port: int, tmp_path: Path) -> None:
        shop.service("worker", ready={"after": 0.1})
        store = LeaseStore(state_directory() / "leases")
        gone = tmp_path / "deleted"
        gone.mkdir()
        owner = LeaseOwner(root=str(gone), project="gone", service="api", pid=1, at=time.time())
        lease = store.take(port, owner)
        assert isinstance(lease, Lease)
        lease.claim(Claim.KEPT)
        lease.release(keep_reservation=True)
        gone.rmdir()

        assert examined(shop) == (0, {})
        assert (state_directory() / "leases" / f"{port}.lock").read_text() == ""


class TestFilesThatCannotBeRead:
    def test_are_moved_away_and_kept(self, shop: Shop) -> None:
        shop.service("worker", ready={"after": 0.1})
        (shop.root / ".ports.json").write_text("<<<<<<< HEAD\n")

        code, found = examined(shop)

        assert code == 1
        assert ".ports.json is not JSON" in found["state"][0]["problem"]

        code, _ = examined(shop, "--fix")

        assert code == 0
        assert (shop.root / ".ports.json.broken").read_text() == "<<<<<<< HEAD\n"
        assert not (shop.root / ".ports.json").exists()

    def test_that_were_broken_before_are_still_there(self, shop: Shop) -> None:
        shop.service("worker", ready={"after": 0.1})
        (shop.root / ".ports.json.broken").write_text("of yesterday")
        (shop.root / ".ports.json").write_text("<<<<<<< HEAD\n")

        shop("doctor", "--fix")

        assert (shop.root / ".ports.json.broken").read_text() == "of yesterday"
        assert (shop.root / ".ports.json.broken-2").read_text() == "<<<<<<< HEAD\n"
        assert not (shop.root / ".ports.json").exists()

    def test_are_findings_however_they_are_broken(self, shop: Shop) -> None:
        shop.service("worker", ready={"after": 0.1})
        state_of(shop.root).mkdir(parents=True)
        (state_of(shop.root) / "state.json").write_text("[" * 100_000)

        code, found = examined(shop, "--fix")

        assert code == 0
        assert "state.json cannot be read" in found["state"][0]["problem"]
        assert (state_of(shop.root) / "state.json.broken").exists()

    def test_a_configuration_is_only_explained(self, shop: Shop) -> None:
        (shop.root / "devinit.toml").write_text("[services.api]\nprot = 8000\n")

        code, found = examined(shop, "--fix")

        assert code == 1
        assert "services.api.prot" in found["configuration"][0]["problem"]
        assert found["configuration"][0]["cured"] is False

    @pytest.mark.parametrize("content", ["NAME=Jos\u00e9\n".encode("latin-1"), "NAME=a\n".encode("utf-16")])
    @pytest.mark.parametrize("file", [".env", "api/.env", "api/secret.env"])
    def test_an_env_file_that_a_start_refuses_is_a_finding_with_the_same_words(
        self, shop: Shop, file: str, content: bytes
    ) -> None:
        (shop.root / "api").mkdir()
        (shop.root / "api" / "secret.env").write_text("NAME=ada\n")
        shop.service("api", command="sleep 600", directory="api", env_file=["api/secret.env"])
        shop.service("worker", ready={"after": 0.1})
        assert "configuration" not in examined(shop)[1]
        (shop.root / file).write_bytes(content)

        code, found = examined(shop)

        assert code == 1
        [finding] = found["configuration"]
        start = shop("start")
        assert start.returncode == 2
        assert f"{shop.root / file}, line 1: " in finding["problem"]
        assert finding["problem"] in start.stderr
        assert finding["advice"] in start.stderr

    def test_a_named_pipe_in_the_place_of_an_env_file_is_left_to_the_start(self, shop: Shop) -> None:
        shop.service("worker", ready={"after": 0.1})
        os.mkfifo(shop.root / ".env")

        _, found = examined(shop)

        assert "configuration" not in found

    def test_a_configuration_without_services_is_one_finding(self, shop: Shop) -> None:
        (shop.root / "devinit.toml").write_text("[project]\nname = 'shop'\n")

        _, found = examined(shop)

        [empty] = found["configuration"]
        assert empty["problem"].endswith("devinit.toml describes no services")
        assert "add a [services.NAME]" in empty["advice"]


class TestARedisWithoutAPassword:
    @pytest.fixture
    def others(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """The people who have accounts on the machine."""
        found: list[str] = []
        monkeypatch.setattr(exposure, "other_people", lambda: tuple(found))
        return found

    def look(self, folder: Path, text: str) -> list[Finding]:
        (folder / "devinit.toml").write_text(text)
        return list(exposure.databases(folder))

    def test_is_a_finding_where_other_people_have_accounts(self, tmp_path: Path, others: list[str]) -> None:
        others.append("ada")

        [found] = self.look(tmp_path, '[services.cache]\nprovider = "redis"\n')

        assert found.problem == (
            "cache has no password, and other people have accounts on this machine (ada)"
        )
        assert found.advice.startswith('`password = "random"` in [services.cache] of devinit.toml')
        assert found.harmless

    def test_is_none_where_no_other_person_has_an_account(self, tmp_path: Path, others: list[str]) -> None:
        assert others == []
        assert self.look(tmp_path, '[services.cache]\nprovider = "redis"\n') == []

    @pytest.mark.parametrize("key", ['password = "random"', 'url = "redis://cache.example.org"'])
    def test_is_none_with_a_password_or_elsewhere(self, tmp_path: Path, others: list[str], key: str) -> None:
        others.append("ada")

        assert self.look(tmp_path, f'[services.cache]\nprovider = "redis"\n{key}\n') == []


class TestWhatCannotBeLookedAt:
    def test_is_a_finding_too(self, shop: Shop) -> None:
        shop.service("worker", ready={"after": 0.1})
        logs = state_of(shop.root) / "logs"
        logs.mkdir(parents=True)
        (logs / "worker.log").symlink_to("/nowhere/worker.log")

        code, found = examined(shop)

        assert code == 1
        assert found["disk"][0]["problem"].startswith("this cannot be looked at: ")
        assert found["disk"][0]["problem"].endswith("worker.log: No such file or directory")

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
    def test_is_another_user_s_record_and_not_moved_away(self, shop: Shop) -> None:
        record = state_of(shop.root) / "state.json"
        record.parent.mkdir(mode=0o700, parents=True)
        record.write_text("{}")
        receiving, sending = os.pipe()

        if (child := os.fork()) == 0:
            try:
                os.setresuid(NOBODY, NOBODY, NOBODY)
                # `.ports.json` and `.env.runtime` cannot be read either.
                *published, recorded = islice(files.state(shop.root), 3)
                cures = [each.cure for each in (*published, recorded)]
                os.write(sending, f"{recorded.problem}, {cures}".encode())
            finally:
                os._exit(0)
        os.close(sending)
        with os.fdopen(receiving) as said:
            assert said.read() == f"{record} cannot be read: Permission denied, [None, None, None]"
        os.waitpid(child, 0)


class TestASupervisorThatDoesNotAnswer:
    def test_is_named_with_what_ends_it(self, shop: Shop) -> None:
        shop.service("worker", ready={"after": 0.1})
        shop("start", "-d")
        pid = json.loads(shop("status", "--json").stdout)["supervisor"]["pid"]
        os.kill(pid, signal.SIGSTOP)
        began = time.monotonic()

        try:
            code, found = examined(shop)
        finally:
            os.kill(pid, signal.SIGCONT)

        assert code == 1
        # Asked once: each check that waited for it by itself would take as long again.
        assert time.monotonic() - began < 2 * GREETING_SECONDS
        assert f"(pid {pid})" in found["supervisor"][0]["problem"]
        assert f"kill -9 {pid}" in found["supervisor"][0]["advice"]
        assert list(found) == ["supervisor"]


class TestALogThatWasDeleted:
    def test_is_told_with_what_begins_a_new_one(self, shop: Shop) -> None:
        shop.service("worker", ready={"after": 0.1})
        shop("start", "-d")
        shutil.rmtree(state_of(shop.root))

        code, found = examined(shop)

        assert code == 1
        assert found["logs"][0]["problem"] == "what worker prints is lost: the log was deleted"
        assert "`devinit restart worker`" in found["logs"][0]["advice"]

        shop("restart", "worker", "-d")

        assert examined(shop) == (0, {})


class TestAtATerminal:
    def test_nothing_is_done_without_a_yes(self, shop: Shop) -> None:
        shop.service("worker", ready={"after": 0.1})
        (shop.root / ".ports.json").write_text("{")

        terminal = shop.terminal("doctor", TERM="dumb")
        terminal.expect("May I move it to .ports.json.broken")
        terminal.sendline("1")
        terminal.expect("would move it")
        terminal.wait()

        assert (shop.root / ".ports.json").read_text() == "{"

        terminal = shop.terminal("doctor", TERM="dumb")
        terminal.expect("choose")
        terminal.sendline("2")
        terminal.expect("is .ports.json.broken now")
        terminal.wait()

        assert not (shop.root / ".ports.json").exists()


class TestToolchains:
    def test_that_do_not_fit_are_findings(self, shop: Shop) -> None:
        (shop.root / "api/.venv/bin").mkdir(parents=True)
        (shop.root / "api/.venv/bin/uvicorn").touch(mode=0o755)
        (shop.root / "api/.venv/pyvenv.cfg").write_text("version = 3.8.1\n")
        (shop.root / "api/pyproject.toml").write_text("[project]\nname = 'x'\nrequires-python = '>=3.9'\n")
        (shop.root / "api/.python-version").write_text("3.8\n")
        (shop.root / "web").mkdir()
        (shop.root / "web/package.json").write_text('{"dependencies": {"vite": "7"}}')
        (shop.root / "worker").mkdir()
        (shop.root / "worker/.venv/bin").mkdir(parents=True)
        (shop.root / "worker/.venv/bin/celery").touch(mode=0o755)
        (shop.root / "worker/.venv/pyvenv.cfg").write_text("version = 3.12.1\n")
        (shop.root / "worker/.python-version").write_text("3.13\n")
        (shop.root / "devinit.toml").write_text(
            '[services.api]\ncommand = "uvicorn main:app"\ndirectory = "api"\n'
            '[services.web]\ncommand = "npm run dev"\ndirectory = "web"\n'
            '[services.worker]\ncommand = "celery worker"\ndirectory = "worker"\n'
        )

        code, found = examined(shop)

        assert code == 1
        assert [(each["problem"], each["harmless"]) for each in found["toolchains"]] == [
            (
                (
                    "Python 3.8.1 (api/.venv/bin/uvicorn) does not meet >=3.9 (api/pyproject.toml:3), and pip "
                    "refuses it"
                ),
                False,
            ),
            (f"web: the packages of web are not installed: {shop.root}/web has no node_modules", False),
            ("Python 3.12.1 (worker/.venv/bin/celery) does not meet 3.13 (worker/.python-version:1)", True),
        ]
        assert all(each["advice"] for each in found["toolchains"])

    def test_that_only_one_service_is_refused_for_are_said_once(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("ruby", "bundle"):
            program = tmp_path / "versions/3.1.2/bin" / name
            program.parent.mkdir(parents=True, exist_ok=True)
            program.touch(mode=0o755)
        monkeypatch.setenv("PATH", str(program.parent))
        root = tmp_path / "shop"
        root.mkdir()
        (root / "Gemfile").write_text('ruby "3.3.0"\n')
        (root / "devinit.toml").write_text(
            '[services.a]\ncommand = "ruby a.rb"\n[services.b]\ncommand = "bundle exec b"\n'
            '[services.c]\ncommand = "ruby c.rb"\n'
        )

        [finding] = toolchains(root)

        assert finding.problem == (
            f"Ruby 3.1.2 ({program.parent}/ruby) does not meet 3.3.0 (Gemfile:1), and Bundler refuses it"
        )
        assert not finding.harmless
