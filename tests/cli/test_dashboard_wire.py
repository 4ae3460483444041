"""Specifies what the dashboard asks a real supervisor: ports chosen and freed, and what a service is given."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from devinit.control.client import Client, RemoteError
from devinit.control.launch import connect_to

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from tests.cli.conftest import Shop


@pytest.fixture
def supervisor(shop: Shop, port: int) -> Iterator[Client]:
    """The supervisor of a backend that runs, and of one that was never started."""
    shop.service("backend", port=port, range=f"{port}-{port + 5}")
    shop.service("other", port=port + 6, strict_port=True)
    shop("start", "backend")
    client = connect_to(shop.root)
    assert client is not None
    yield client
    client.close()


class TestThePorts:
    def test_are_told_with_where_they_are_and_may_be(self, supervisor: Client, port: int) -> None:
        backend, other = supervisor.call("ports")

        assert (backend["service"], backend["port"], backend["phase"]) == ("backend", port, "ready")
        assert backend["range"] == [port, port + 5]
        assert backend["holder"] is None
        assert (other["strict"], other["phase"]) == (True, "stopped")

    def test_move_to_the_next_free_one_with_the_next_start(
        self, supervisor: Client, shop: Shop, port: int
    ) -> None:
        assert supervisor.call("choose_port", {"service": "backend"}) == {"port": port + 1}

        assert shop.status()["backend"]["port"] == port
        shop("restart", "backend")
        assert shop.status()["backend"]["port"] == port + 1
        assert supervisor.call("forget_ports", {"services": ["backend"]})["backend"] == port + 1

    @pytest.mark.parametrize(
        ("service", "offset", "said"),
        [
            ("backend", 50, "outside of the range"),
            ("other", 1, "is fixed to"),
            ("nobody", 0, "no service has"),
        ],
    )
    def test_are_not_chosen_where_they_may_not_be(
        self, supervisor: Client, port: int, service: str, offset: int, said: str
    ) -> None:
        with pytest.raises(RemoteError, match=said):
            supervisor.call("choose_port", {"service": service, "port": port + offset})


class TestAPortThatSomebodyHas:
    def test_is_freed_of_exactly_who_was_shown(
        self, shop: Shop, port: int, stranger: subprocess.Popen[str]
    ) -> None:
        shop.service("backend", port=port)
        shop.service("worker", ready={"after": 0.01})
        shop("start", "worker")
        client = connect_to(shop.root)
        assert client is not None
        [row] = client.call("ports")
        assert f"pid {stranger.pid}" in row["holder"]
        report = client.call("who", {"port": port})
        shown = [holder["identity"] for holder in report["holders"]]

        with pytest.raises(RemoteError):
            client.call("free_port", {"port": port, "holders": [{**shown[0], "start_time": 1}]})
        assert stranger.poll() is None
        freed = client.call("free_port", {"port": port, "holders": shown})

        assert stranger.wait(5) == -signal.SIGTERM
        assert len(freed["ended"]) == 1
        client.close()


class TestWhatAServiceIsGiven:
    def test_is_told_with_what_changed_since_it_was_started(
        self, supervisor: Client, shop: Shop, port: int
    ) -> None:
        before = supervisor.call("inspect", {"service": "backend"})
        (shop.root / ".env").write_text("COLOUR=blue\n")

        after = supervisor.call("inspect", {"service": "backend"})

        assert before["environment"]["PORT"] == str(port)
        assert "DEVINIT_RUN" not in before["environment"]
        assert before["changed"] == []
        assert before["files"]["log"].endswith("/logs/backend.log")
        assert after["changed"] == [{"name": "COLOUR", "then": None, "now": "blue"}]
