"""Who is never ended, whoever asks: each with real processes, and with what to do instead."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import devinit
from devinit.errors import PortConflict
from devinit.ports.ending.release import release
from devinit.ports.holder.lookup import holders_of_port
from tests.ports.conftest import Stranger

RELEASE = """
import sys
from devinit.errors import PortConflict
from devinit.ports.holder.lookup import holders_of_port
from devinit.ports.ending.release import release
port = int(sys.argv[1])
try:
    release(port, holders_of_port(port).identities)
except PortConflict as refused:
    print(refused.message, refused.hint, sep="\\n")
"""
FIRST = """
import subprocess, sys
port, ask = sys.argv[1:]
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
server = __import__("socket").create_server(("127.0.0.1", int(port)))
subprocess.run([sys.executable, "-c", ask, port], check=True)
"""

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")


def refused(port: int) -> str:
    with pytest.raises(PortConflict) as error:
        release(port, holders_of_port(port).identities)
    return str(error.value.hint)


def ask(*words: str, directory: Path | None = None) -> list[str]:
    """Run a program that asks for a release; return what it was told."""
    done = subprocess.run(
        [*words],
        env={**os.environ, "PYTHONPATH": str(Path(devinit.__file__).parents[1])},
        cwd=directory,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


class TestAHolderThatIsNeverEnded:
    @root_only
    def test_is_another_users(self, port: int, stranger: Stranger) -> None:
        process = stranger(port, "127.0.0.1", "nobody")

        hint = refused(port)

        assert process.poll() is None
        assert re.fullmatch(
            rf"it belongs to user \w+: ask them, or end it yourself with `kill {process.pid}`", hint
        )

    def test_is_what_asks(self, port: int) -> None:
        with socket.create_server(("127.0.0.1", port)):
            assert refused(port).startswith("devinit itself runs in ")

    def test_is_what_the_asking_one_runs_in(self, port: int) -> None:
        with socket.create_server(("127.0.0.1", port)):
            _, hint = ask(sys.executable, "-c", RELEASE, str(port))

        assert hint.startswith("devinit itself runs in ")
        assert f"(pid {os.getpid()})" in hint

    @root_only
    @pytest.mark.skipif(shutil.which("unshare") is None, reason="unshare is not installed (util-linux)")
    def test_is_the_first_process(self, port: int) -> None:
        _, hint = ask(
            *("unshare", "--pid", "--net", "--fork", "--mount-proc"),
            *(sys.executable, "-c", FIRST, str(port), RELEASE),
        )

        assert (
            hint == "it is the first process of this system or container: stop the server inside it instead"
        )

    @linux_only
    @pytest.mark.parametrize(
        ("name", "advice"),
        [
            ("docker-proxy", "docker stop NAME"),
            ("rootlessport", "podman stop NAME"),
            ("systemd", "systemctl stop NAME.socket"),
            ("ssh", "-L, -R or -D forward"),
            ("code", "Ports panel"),
            ("Xorg", "your desktop session"),
            ("supervisord", "all that supervisord runs would end with it"),
            ("process-compose", "all that process-compose runs would end with it"),
        ],
    )
    def test_is_a_program_with_which_something_else_would_end(
        self, port: int, stranger: Stranger, name: str, advice: str
    ) -> None:
        process = stranger(port, "127.0.0.1", f"name={name}")

        assert advice in refused(port)
        assert process.poll() is None


class TestAHolderThatIsHidden:
    @root_only
    def test_is_told_by_its_user_and_how_to_look(self, port: int, stranger: Stranger) -> None:
        process = stranger(port)
        # Once everything is imported: another user may not be able to read this Python.
        become = "import os, devinit.ports.holder.containers; os.setgid(65534); os.setuid(65534)"
        as_nobody = RELEASE.replace("port =", f"{become}\nport =")

        message, hint = ask(sys.executable, "-c", as_nobody, str(port))

        assert message == f"port {port} is held by user root, pid hidden"
        assert f"`sudo ss -ltnp 'sport = :{port}'`" in hint
        assert process.poll() is None


class TestAPortWithoutAListener:
    def test_has_nobody_to_end(self, port: int, stranger: Stranger) -> None:
        process = stranger(port, "127.0.0.1", "plain", "bound")

        assert "no process listens there, so there is nothing to end" in refused(port)
        assert process.poll() is None
