"""Faults of terminals: without a size, resized all the time, and with nobody who reads them."""

from __future__ import annotations

import fcntl
import os
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from tests.places import state_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.supervisor.conftest import Shop, Until

PATIENCE = 30.0
TALKER = """
import itertools, os, time
for number in itertools.count():
    os.write(1, b"line %d\\n" % number)
    if number > 2000:
        time.sleep(0.005)
"""


class Terminal:
    """A terminal, and a command in it."""

    def __init__(self, rows: int, columns: int) -> None:
        self.descriptor, self._inside = os.openpty()
        self.resize(rows, columns)
        self.command: subprocess.Popen[bytes]

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.descriptor, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))

    def run(self, shop: Shop, *words: str) -> None:
        self.command = subprocess.Popen(
            [*shop.program(), *words],
            stdin=self._inside,
            stdout=self._inside,
            stderr=self._inside,
            env={**os.environ, "TERM": "xterm-256color"},
            start_new_session=True,
        )

    def read(self, seconds: float) -> bytes:
        """Return what comes next; nothing when nothing comes in that time."""
        ready, _, _ = select.select([self.descriptor], [], [], seconds)
        return os.read(self.descriptor, 65536) if ready else b""

    def finish(self) -> str:
        """Read until the command has ended; return all that it showed."""
        shown, deadline = b"", time.monotonic() + PATIENCE
        while self.command.poll() is None:
            assert time.monotonic() < deadline, shown
            shown += self.read(0.1)
        while more := self.read(0):
            shown += more
        return shown.decode(errors="replace")

    def close(self) -> None:
        with suppress(AttributeError):
            self.command.kill()
            self.command.wait()
        os.close(self.descriptor)
        os.close(self._inside)


@pytest.fixture(params=[(0, 0), (1, 1), (24, 3)], ids=["no size", "one cell", "three columns"])
def tiny(request: pytest.FixtureRequest) -> Iterator[Terminal]:
    terminal = Terminal(*request.param)
    yield terminal
    terminal.close()


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    made = Terminal(24, 80)
    yield made
    made.close()


class TestATerminalWithoutRoom:
    def test_is_enough_for_every_command(self, shop: Shop, port: int, tiny: Terminal) -> None:
        shop.service("web", "say=hello", port=port)
        for words in (("start", "-d"), ("status",), ("logs", "-n", "3"), ("ports",), ("restart",), ("stop",)):
            tiny.run(shop, *words)

            shown = tiny.finish()

            assert tiny.command.returncode == 0, shown
            assert "Traceback" not in shown


class TestATerminalThatIsResizedAllTheTime:
    def test_shows_a_log_that_grows_all_the_same(self, shop: Shop, terminal: Terminal) -> None:
        (shop.root / "talker.py").write_text(TALKER)
        shop.service("talker", command=f"{sys.executable} -S -E talker.py", ready={"after": 0.1})
        shop.up()
        terminal.run(shop, "logs", "-f", "talker")
        shown, number = b"", 0

        while b"line 2050" not in shown:
            terminal.resize(number % 40, number * 7 % 100)
            shown = shown[-100:] + terminal.read(PATIENCE)
            number += 1
            assert terminal.command.poll() is None, shown
        os.kill(terminal.command.pid, signal.SIGINT)

        assert "Traceback" not in terminal.finish()


class TestATerminalThatNobodyReads:
    def test_holds_up_neither_the_service_nor_a_stop(
        self, shop: Shop, terminal: Terminal, until: Until
    ) -> None:
        (shop.root / "talker.py").write_text(TALKER)
        shop.service("talker", command=f"{sys.executable} -S -E talker.py", ready={"after": 0.1})
        terminal.run(shop, "logs", "-f", "talker")

        shop.up()
        assert shop("restart").returncode == 0

        until(lambda: shop.log("talker").count("line 1999\n") == 2, state_of(shop.root) / "logs/talker.log")
        assert terminal.command.poll() is None
        assert shop("stop").returncode == 0
        shop.expect_nothing_left()
