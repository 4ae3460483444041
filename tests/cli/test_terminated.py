"""Specifies SIGTERM: a command that waits says what goes on without it."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import PATIENCE

if TYPE_CHECKING:
    import subprocess

    from tests.cli.conftest import Shop


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Return the exit code of a command that got SIGTERM, and what it said after that."""
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=PATIENCE)
    return process.returncode, said


def until(process: subprocess.Popen[str], said: str) -> None:
    assert process.stderr is not None
    assert any(said in line for line in iter(process.stderr.readline, "")), f"never said {said}"


class TestAStart:
    @pytest.mark.parametrize("command", ["start", "restart"])
    def test_says_that_it_goes_on_and_does(self, shop: Shop, port: int, command: str) -> None:
        shop.service("backend", port=port)
        shop.service("job", command="sleep 1.5", depends_on=["backend"])
        if command == "restart":
            assert shop("start", "backend").returncode == 0
        process = shop.begin(command)
        until(process, "job")

        code, said = ended(process)

        assert code == 143
        assert f"terminated: the {command} goes on without this command" in said
        assert "`devinit status`" in said
        assert shop("start").returncode == 0
        assert {each["restarts"] for each in shop.status().values()} == {0}

    def test_is_reported_to_a_program(self, shop: Shop, port: int) -> None:
        shop.service("backend", "never", port=port)
        process = shop.begin("start", "--json")
        assert process.stdout is not None
        assert any('"starting"' in line for line in iter(process.stdout.readline, ""))

        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=PATIENCE)

        assert process.returncode == 143
        assert '"exit_code": 143' in out.splitlines()[-1]


class TestAStop:
    def test_says_that_it_goes_on_and_does(self, shop: Shop) -> None:
        shop.service("stubborn", command="sh -c 'trap : TERM; echo up; while :; do sleep 0.1; done'")
        assert shop("start").returncode == 0
        process = shop.begin("stop")
        until(process, "stopping")

        code, said = ended(process)

        assert code == 143
        assert "the stop goes on in the background" in said
        shop("stop")
        assert shop.status()["stubborn"]["phase"] == "stopped"


class TestLogsThatAreFollowed:
    def test_end(self, shop: Shop) -> None:
        shop.service("backend")
        shop.log("backend").write_text("up\n")
        process = shop.begin("logs", "-f")
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"

        assert ended(process)[0] == 143
