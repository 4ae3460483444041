"""Specifies one checkout that two state folders share, as two users do, a host and a container, or two HOMEs.

Each has services of its own. Neither ends, kills or adopts those of the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import TYPE_CHECKING

import pytest

from devinit.system.paths import is_of_another_state, marked_service, run_mark
from devinit.system.processes import alive, identity_of

if TYPE_CHECKING:
    from devinit.model.process import ProcessIdentity
    from tests.supervisor.conftest import Shop

pytestmark = pytest.mark.timeout(120)


class Elsewhere:
    """Commands in the same checkout with another state folder."""

    def __init__(self, shop: Shop, home: Path) -> None:
        self._shop = shop
        self._environment = {"XDG_STATE_HOME": str(home / "state"), "XDG_RUNTIME_DIR": str(home / "run")}
        for path in self._environment.values():
            Path(path).mkdir(parents=True, mode=0o700)

    def __call__(self, *words: str) -> CompletedProcess[str]:
        return self._shop(*words, **self._environment)


@pytest.fixture
def elsewhere(shop: Shop, tmp_path: Path) -> Iterator[Elsewhere]:
    commands = Elsewhere(shop, tmp_path / "elsewhere")
    yield commands
    commands("stop")


@pytest.fixture
def running(shop: Shop, port: int) -> Shop:
    """A server, and a worker without a port, which nothing but its mark tells from a stranger."""
    shop.service("web", port=port)
    shop.service("worker", "never", ready={"after": 0.01})
    shop.up()
    return shop


def identities(shop: Shop) -> list[ProcessIdentity]:
    found = [identity_of(each["pid"]) for each in shop.status().values()]
    return [each for each in found if each is not None]


class TestAStartWithAnotherStateFolder:
    def test_ends_nothing_of_the_first_and_says_that_it_runs(
        self, running: Shop, elsewhere: Elsewhere
    ) -> None:
        before = identities(running)

        done = elsewhere("start", "-d")

        assert done.returncode == 0, done.stderr
        assert all(map(alive, before))
        assert "this checkout runs elsewhere, too: web, worker run with another state folder" in done.stderr
        assert "still ran without a supervisor" not in done.stderr

    def test_ends_nothing_of_the_first_by_force(self, running: Shop, elsewhere: Elsewhere) -> None:
        before = identities(running)

        done = elsewhere("start", "-d", "--force")

        assert done.returncode == 0, done.stderr
        assert all(map(alive, before))

    def test_is_refused_a_fixed_port_of_the_first_also_by_force(
        self, running: Shop, elsewhere: Elsewhere, port: int
    ) -> None:
        running.service("web", port=port, strict_port=True)
        before = identities(running)

        done = elsewhere("start", "-d", "--force")

        assert done.returncode == 3
        assert all(map(alive, before))
        assert "devinit runs it with another state folder" in done.stderr

    def test_ends_nothing_of_the_first_with_its_stop(self, running: Shop, elsewhere: Elsewhere) -> None:
        before = identities(running)
        elsewhere("start", "-d")

        stopped = elsewhere("stop")

        assert stopped.returncode == 0, stopped.stderr
        assert all(map(alive, before))
        assert [each["phase"] for each in running.status().values()] == ["ready", "ready"]

    def test_is_no_leftover_to_the_doctor_of_the_other(self, running: Shop, elsewhere: Elsewhere) -> None:
        before = identities(running)
        elsewhere("start", "-d")

        examined = elsewhere("doctor", "--fix")

        assert "runs without a supervisor" not in examined.stdout
        assert all(map(alive, before))

    def test_is_said_of_a_port_that_the_first_has(
        self, running: Shop, elsewhere: Elsewhere, port: int
    ) -> None:
        freed = elsewhere("ports", "free", str(port))

        assert freed.returncode == 3
        assert "devinit runs it with another state folder" in freed.stderr
        assert all(map(alive, identities(running)))


class TestAMark:
    def test_names_service_and_state_folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        mark = run_mark(tmp_path, "web")
        assert marked_service(mark, tmp_path) == "web"
        assert not is_of_another_state(mark)

        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "other"))

        assert marked_service(mark, tmp_path) is None
        assert is_of_another_state(mark)
        assert run_mark(tmp_path, "web") != mark

    def test_of_an_earlier_version_counts(self, tmp_path: Path) -> None:
        earlier = run_mark(tmp_path, "web").partition("@")[0]

        assert marked_service(earlier, tmp_path) == "web"
        assert not is_of_another_state(earlier)

    def test_of_another_checkout_does_not(self, tmp_path: Path) -> None:
        assert marked_service(run_mark(tmp_path / "other", "web"), tmp_path) is None
