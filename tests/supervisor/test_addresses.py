"""Specifies what an application is told about addresses, with real services under a real supervisor."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

import devinit
from devinit.control import client
from tests.supervisor.conftest import PATIENCE, RunRedis, Shop, end

LONG_AGO = 1_580_674_820


@pytest.fixture
def running(shop: Shop, port: int) -> Shop:
    """A backend that is ready, below it something without a port."""
    shop.service("backend", port=port)
    shop.service("worker", ready={"after": 0.01})
    shop.up()
    return shop


def file_of(shop: Shop) -> Path:
    return shop.root / ".backend-port.json"


def rewrite(shop: Shop, **changed: object) -> None:
    """Change what the discovery file says."""
    said = json.loads(file_of(shop).read_text())
    file_of(shop).write_text(json.dumps(said | changed))


def reason(service: str, start: Path) -> str:
    """Return why a service is not found."""
    with pytest.raises(TimeoutError) as caught:
        devinit.wait_for(service, timeout=0, start=start)
    return str(caught.value)


@contextmanager
def standing_still(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


class TestAServiceThatIsReady:
    def test_is_found_where_the_applications_are_told_it_is(self, running: Shop, port: int) -> None:
        found = devinit.discover("backend", start=running.root)

        assert found == devinit.Discovered("backend", "127.0.0.1", port, f"http://localhost:{port}")
        told = running.environment()
        assert [found.host, str(found.port), found.url] == [
            told[f"BACKEND_{name}"] for name in ("HOST", "PORT", "URL")
        ]

    def test_is_found_from_any_folder_and_file_of_the_checkout(
        self, running: Shop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        inside = running.root / "backend" / "tests"
        inside.mkdir(parents=True)
        (inside / "conftest.py").touch()
        here = devinit.discover(start=running.root)
        monkeypatch.chdir(inside)

        assert here is not None
        assert devinit.discover() == here
        assert devinit.discover(start=inside / "conftest.py") == here

    def test_is_found_without_a_discovery_file(self, shop: Shop, port: int) -> None:
        shop.service("my-api", port=port)
        shop.up()

        found = devinit.discover("my-api", start=shop.root)

        assert found is not None
        assert found.url == f"http://localhost:{port}"
        assert not list(shop.root.glob("*-port.json"))

    def test_is_told_with_the_password_that_its_applications_use(
        self, shop: Shop, port: int, run_redis: RunRedis
    ) -> None:
        run_redis(port, "--requirepass", "it-is-secret")
        url = f"redis://:it-is-secret@127.0.0.1:{port}/0"
        shop.server("cache", provider="redis", url=url)
        shop.up()

        assert devinit.discover("cache", start=shop.root) == ("cache", "127.0.0.1", port, url)

    def test_is_found_while_its_health_checks_fail(self, shop: Shop, port: int) -> None:
        shop.service(
            "backend",
            f"sick-while={shop.root}/sick",
            port=port,
            health={"http": "/", "every": 0.05, "failures": 1},
        )
        shop.up()
        with shop.subscribe() as events:
            (shop.root / "sick").touch()
            events.until(type="phase", service="backend", phase="unhealthy")

            assert devinit.discover(start=shop.root) is not None


class TestWhatIsNotThere:
    def test_is_none_and_no_error(self, running: Shop, tmp_path: Path) -> None:
        assert devinit.discover("frontend", start=running.root) is None
        assert devinit.discover("worker", start=running.root) is None
        assert devinit.discover(start=tmp_path) is None
        assert devinit.discover(start=tmp_path / "missing") is None

    def test_starts_nothing_when_it_is_asked_for(self, shop: Shop, port: int) -> None:
        shop.service("backend", port=port)

        assert devinit.discover(start=shop.root) is None
        assert shop.supervisors() == []

    def test_may_be_the_current_folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        gone = tmp_path / "gone"
        gone.mkdir()
        monkeypatch.chdir(gone)
        gone.rmdir()

        assert devinit.discover() is None

    def test_is_a_service_that_was_stopped_whatever_a_file_says(self, running: Shop) -> None:
        content = file_of(running).read_bytes()
        assert running("stop", "backend").returncode == 0
        file_of(running).write_bytes(content)

        assert devinit.discover(start=running.root) is None
        assert running("stop").returncode == 0
        assert devinit.discover(start=running.root) is None

    def test_is_no_name_of_the_module(self) -> None:
        with pytest.raises(AttributeError, match="has no attribute 'discovered'"):
            devinit.discovered  # type: ignore[attr-defined]  # noqa: B018


class TestAServiceWhoseSupervisorWasKilled:
    @pytest.fixture
    def left(self, running: Shop) -> Shop:
        """A backend that runs on alone."""
        running.kill_supervisor()
        return running

    def test_is_found_by_its_file_and_the_process_that_listens_however_old_that_is(
        self, left: Shop, port: int
    ) -> None:
        rewrite(left, timestamp=LONG_AGO)

        found = devinit.discover(start=left.root)

        assert found == devinit.Discovered("backend", "127.0.0.1", port, f"http://localhost:{port}")
        assert left.supervisors() == []

    def test_is_found_by_a_fresh_file_when_another_process_listens_by_now(self, left: Shop) -> None:
        rewrite(left, process_id=1)
        assert devinit.discover(start=left.root) is not None

        rewrite(left, timestamp=LONG_AGO)
        assert devinit.discover(start=left.root) is None

    def test_is_gone_with_its_process_however_fresh_the_file_is(self, left: Shop) -> None:
        for pid in left.pids("backend"):
            end(pid, signal.SIGKILL)

        assert file_of(left).exists()
        assert devinit.discover(start=left.root) is None

    def test_is_found_by_the_file_that_is_configured(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.write(more='[discovery]\nweb = ".web.json"\n')
        shop.up()
        shop.kill_supervisor()

        found = devinit.discover("web", start=shop.root)
        shop.write(more="[discovery]\nweb = false\n")

        assert found is not None
        assert found.port == port
        assert devinit.discover("web", start=shop.root) is None

    def test_is_found_with_the_url_that_its_applications_were_told(self, shop: Shop, port: int) -> None:
        shop.service("backend", port=port, url_path="/app")
        shop.up()
        before = devinit.discover(start=shop.root)
        shop.kill_supervisor()

        assert devinit.discover(start=shop.root) == before
        (shop.root / ".env.runtime").unlink()
        assert devinit.discover(start=shop.root) == (
            "backend", "localhost", port, f"http://localhost:{port}"
        )  # fmt: skip

    @pytest.mark.parametrize(
        "content",
        [
            "",
            "{",
            "[]",
            "{}",
            '{"port": null}',
            "\udcff",
            "[" * 9000,
            '{"port": 8001, "host": "", "url": "", "process_id": 1, "timestamp": 1' + "0" * 400 + "}",
        ],
    )
    def test_is_not_found_by_a_file_that_is_none(self, left: Shop, content: str) -> None:
        file_of(left).write_bytes(content.encode(errors="surrogateescape"))

        assert devinit.discover(start=left.root) is None

    def test_is_not_lost_for_a_configuration_that_is_being_edited(self, left: Shop) -> None:
        (left.root / "devinit.toml").write_text("[services.")

        assert devinit.discover(start=left.root) is not None


class TestASupervisorThatHangs:
    def test_is_not_waited_for_where_a_file_tells(
        self, running: Shop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(client, "GREETING_SECONDS", 0.1)
        with standing_still(running.supervisor()):
            assert devinit.discover(start=running.root) is not None
            file_of(running).unlink()
            assert "does not answer within" in reason("backend", running.root)


class TestWaiting:
    def test_ends_as_soon_as_the_service_answers(self, shop: Shop, port: int) -> None:
        os.mkfifo(shop.root / "held")
        shop.service("backend", port=port, before_start=f"cat {shop.root}/held")
        with ThreadPoolExecutor() as threads:
            waiting = threads.submit(devinit.wait_for, timeout=PATIENCE, start=shop.root)
            start = shop.begin("start")
            start.until(type="phase", service="backend", phase="starting")
            assert not waiting.done()
            (shop.root / "held").write_text("go")

            assert waiting.result().port == port
            assert start.finish() == 0

    def test_returns_at_once_what_is_there(self, running: Shop) -> None:
        assert devinit.wait_for(timeout=0, start=running.root) == devinit.discover(start=running.root)

    def test_ends_in_time(self, tmp_path: Path) -> None:
        began = time.monotonic()

        with pytest.raises(TimeoutError, match=r"backend does not answer after 0\.2 s: there is no project"):
            devinit.wait_for(timeout=0.2, start=tmp_path)

        assert time.monotonic() - began >= 0.2

    def test_says_why_it_was_in_vain(self, shop: Shop, port: int) -> None:
        shop.service("backend", "exit=3", port=port)
        shop.service("web", port=port + 1)
        shop.service("worker", ready={"after": 0.01})
        assert f"no supervisor looks after {shop.root}: `devinit start` starts it" in reason(
            "backend", shop.root
        )

        assert shop("start").returncode == 1
        assert shop("stop", "web").returncode == 0

        assert "it is failed (" in (why := reason("backend", shop.root))
        assert why.endswith("): see `devinit why backend`")
        assert "it is stopped (stopped by `devinit stop web`" in (why := reason("web", shop.root))
        assert why.endswith(": see `devinit start web`")
        assert reason("worker", shop.root).endswith("it has no port")
        assert reason("bakend", shop.root).endswith(
            "has no service of this name; services: backend, web, worker"
        )
