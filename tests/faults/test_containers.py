"""A project that two containers share: other process numbers, other loopback addresses, the same files."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.places import state_of
from tests.providers.conftest import any_postgres

if TYPE_CHECKING:
    from pathlib import Path

    from tests.supervisor.conftest import Shop

__all__ = ["any_postgres"]

APART = ("unshare", "--pid", "--ipc", "--net", "--mount", "--fork", "--kill-child", "--mount-proc")
NEVER_THERE = "kill -"
"""No process of another container can be ended from here: its number is another process's."""


def in_container(shop: Shop, *words: str, hidden: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command as a dev container that has the same folders would; without `hidden`, as far as it has it."""
    hiding = f'mount -t tmpfs none "{hidden}" && chmod 700 "{hidden}" && ' if hidden else ""
    # What it starts must not outlive it, but what it says of that has to be read first.
    done = subprocess.run(
        [*APART, "sh", "-c", f'{hiding}ip link set lo up; "$@"', "sh", *shop.program(), *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if "unshare" in done.stderr:
        pytest.skip(f"no container can be made here: {done.stderr.strip()}")
    return done


@pytest.fixture(params=["postgres", "redis"])
def server(request: pytest.FixtureRequest, shop: Shop, port: int, any_postgres: Path) -> str:
    """A server of data that runs, on its own port."""
    name: str = request.param
    binaries = {"binaries": str(any_postgres)} if name == "postgres" else {}
    shop.server(name, provider=name, port=port, **binaries)
    shop.up()
    return name


class TestAServiceInAnotherContainer:
    def test_keeps_its_data_from_a_second_server(self, shop: Shop, server: str) -> None:
        pid = shop.status()[server]["pid"]
        shop.kill_supervisor()

        refused = in_container(shop, "start", "--detach")

        assert refused.returncode == 1, refused
        assert "in another container or namespace" in refused.stderr + refused.stdout
        assert NEVER_THERE not in refused.stderr + refused.stdout
        os.kill(pid, 0)
        assert "not properly shut down" not in shop.log(server)
        assert shop("start", "--detach").returncode == 0
        assert shop.status()[server]["phase"] == "ready"
        assert shop("stop").returncode == 0
        assert "not properly shut down" not in shop.log(server)

    def test_is_not_said_to_be_stopped(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up()
        shop.kill_supervisor()
        (state_of(shop.root) / "state.json").unlink()

        shown = in_container(shop, "status")
        stopped = in_container(shop, "stop")

        assert "runs in another container or namespace" in shown.stdout
        assert "runs in another container or namespace" in stopped.stderr
        assert "stopped" not in stopped.stdout + stopped.stderr
        assert "Orphaned: runs without a supervisor" in shop("status").stdout
        assert shop("stop").returncode == 0

    def test_is_found_by_doctor_which_does_not_offer_to_take_it_over(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up()
        shop.kill_supervisor()

        for words in (("doctor",), ("doctor", "--fix")):
            said = in_container(shop, *words)

            assert said.returncode == 1, said
            assert "web: running in another container or namespace" in said.stdout
            assert "takes them over" not in said.stdout + said.stderr
        assert shop("stop").returncode == 0


class TestASupervisorInAnotherContainer:
    def test_that_cannot_be_reached_is_said_to_be_there(self, shop: Shop, port: int) -> None:
        shop.service("web", port=port)
        shop.up()
        hidden = os.environ["XDG_RUNTIME_DIR"]

        for words, code in ((("start",), 5), (("doctor",), 0), (("status", "--all"), 0)):
            said = in_container(shop, *words, hidden=hidden)

            assert said.returncode == code, said
            assert "in another container or namespace" in said.stderr + said.stdout
            assert NEVER_THERE not in said.stderr + said.stdout
        assert shop.status()["web"]["phase"] == "ready"

    def test_that_can_be_reached_starts_nothing_for_other_loopback_addresses(
        self, shop: Shop, port: int
    ) -> None:
        shop.service("web", port=port)
        shop.up()

        refused = in_container(shop, "start", "--detach")

        assert refused.returncode == 5
        assert "in another container or namespace" in refused.stderr
        assert in_container(shop, "status").returncode == 0
        assert in_container(shop, "stop").returncode == 0
        shop.expect_nothing_left()
