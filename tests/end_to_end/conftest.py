"""Copies of the example for real starts; pip and npm run only once, and nothing is left behind."""

from __future__ import annotations

import random
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from tests.conftest import Machine
from tests.end_to_end.guestbook import (
    SERVICES,
    Guestbook,
    Outcome,
    User,
    copy_installed,
    copy_sources,
    hand_over,
)

Checkouts = Callable[..., Guestbook]

BLOCK = 50
"""The distance between the ports of two tests, which leaves room for moved ports."""


@pytest.fixture(scope="session")
def first_start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Guestbook, Outcome]]:
    """The first start of a fresh clone, with all installations, in a path with several alphabets.

    It has been stopped since, so that other tests can copy the installed files.
    """
    with checkouts(tmp_path_factory.mktemp("first")) as make:
        guestbook = make("Gästebuch 一号 (copy)")
        outcome = guestbook.start("--json")
        guestbook.stop()
        yield guestbook, outcome


@pytest.fixture
def checkout(
    tmp_path_factory: pytest.TempPathFactory, first_start: tuple[Guestbook, Outcome]
) -> Iterator[Checkouts]:
    """Return further checkouts with their own ports."""
    with checkouts(tmp_path_factory.mktemp("checkouts"), first_start[0]) as make:
        yield make


@pytest.fixture(scope="module")
def checkout_of_module(
    tmp_path_factory: pytest.TempPathFactory, first_start: tuple[Guestbook, Outcome]
) -> Iterator[Checkouts]:
    """Return further checkouts that several tests share."""
    with checkouts(tmp_path_factory.mktemp("checkouts"), first_start[0]) as make:
        yield make


@pytest.fixture(scope="module")
def running(checkout_of_module: Checkouts) -> Guestbook:
    """A running checkout, for tests that do not change it."""
    guestbook = checkout_of_module("running")
    guestbook.start()
    return guestbook


@contextmanager
def checkouts(folder: Path, installed: Guestbook | None = None) -> Iterator[Checkouts]:
    """Yield a function that creates checkouts in a folder; end all of them at the end."""
    if shutil.which("npm") is None:
        pytest.skip("there is no npm on PATH (scripts/test brings one along)")
    with ExitStack() as stack:

        def machine() -> Machine:
            # Not below pytest's directory, because Unix socket paths have at most 107 bytes.
            runtime = Path(tempfile.mkdtemp(prefix="dv-", dir="/tmp"))
            stack.callback(shutil.rmtree, runtime, ignore_errors=True)
            state = runtime / "state"
            state.mkdir(mode=0o700)
            return Machine(state, runtime)

        def make(
            name: str = "guestbook", *, on: Machine | None = None, user: User | None = None
        ) -> Guestbook:
            """Create a checkout: on the machine of another one, else on a machine that never had devinit."""
            root = folder / name
            copy_sources(root)
            guestbook = Guestbook(root, on or machine(), user)
            if installed is not None:
                copy_installed(installed, guestbook)
            stack.callback(guestbook.finish)
            guestbook.prefer(free_ports())
            if user is not None:
                hand_over(guestbook, user)
            return guestbook

        yield make


def free_ports() -> dict[str, int]:
    """Return a free port for each service, whose successors are free as well."""
    while True:
        first = random.randrange(28000, 32000, BLOCK * len(SERVICES))  # noqa: S311  not a secret
        ports = {service: first + BLOCK * number for number, service in enumerate(SERVICES)}
        if all(is_free(port + more) for port in ports.values() for more in range(3)):
            return ports


def is_free(port: int) -> bool:
    with socket.socket() as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):
            attempt.bind(("", port))
            return True
    return False


def listen(port: int) -> socket.socket:
    """Listen on a port as a foreign process would."""
    stranger = socket.create_server(("127.0.0.1", port))
    stranger.settimeout(0)
    return stranger


@pytest.fixture
def stranger() -> Iterator[Callable[[int], subprocess.Popen[str]]]:
    """Return a function that starts a process of the user's own which listens on a port."""
    started: list[subprocess.Popen[str]] = []

    def start(port: int) -> subprocess.Popen[str]:
        program = (
            "import socket, sys\n"
            "server = socket.create_server(('127.0.0.1', int(sys.argv[1])))\n"
            "print('listening', flush=True)\n"
            "server.accept()\n"
        )
        process = subprocess.Popen(
            [sys.executable, "-c", program, str(port)], stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "listening\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
