"""Specifies signals that come before a command has begun, or when it is done: no traceback, the promised code."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import PATIENCE

if TYPE_CHECKING:
    from tests.cli.conftest import Shop

WITH_A_SIGNAL = """
import atexit, os, runpy, sys

number, moment, *words = sys.argv[1:]
send = lambda: os.kill(os.getpid(), int(number))

class Sender:
    def find_spec(self, name, path=None, target=None):
        if name == moment:
            sys.meta_path.remove(self)
            send()

if moment == "end":
    atexit.register(send)
sys.meta_path.insert(0, Sender())
sys.argv = ["devinit", *words]
runpy.run_module("devinit", run_name="__main__")
"""
"""Runs a command that gets a signal when it imports a module, or at its end."""


def with_signal(number: int, moment: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", WITH_A_SIGNAL, str(int(number)), moment, *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


class TestCtrlC:
    @pytest.mark.parametrize(
        "moment", ["devinit.cli.main", "devinit.errors", "devinit.cli.arguments", "devinit.cli.status", "end"]
    )
    def test_ends_a_command_without_a_traceback(self, shop: Shop, port: int, moment: str) -> None:
        shop.service("web", port=port)

        done = with_signal(signal.SIGINT, moment, "-C", str(shop.root), "status")

        # Ended by the signal, which shells call 130.
        assert done.returncode in (130, -signal.SIGINT)
        assert done.stderr == ""


class TestAForeground:
    @pytest.mark.parametrize(
        "moment", ["devinit.cli.arguments", "devinit.cli.foreground", "devinit.config.load"]
    )
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
    def test_that_has_not_begun_ends_well(self, shop: Shop, port: int, number: int, moment: str) -> None:
        shop.service("web", port=port)

        done = with_signal(number, moment, "-C", str(shop.root), "start", "--foreground")

        assert done.returncode == 0
        assert done.stderr == ""
