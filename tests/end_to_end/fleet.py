"""Many projects on one machine, started simultaneously."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from devinit.system.paths import project_id, state_directory
from devinit.system.processes import RUN_VARIABLE, process_ids, variable_of
from tests.supervisor.conftest import wait_for_end

PATIENCE_SECONDS = 240

SERVER = r"""
import os, socket, sys, time
# As long as a real one takes to boot, when a test wants that: whoever is faster gets the port.
time.sleep(float(sys.argv[2]))
server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("127.0.0.1", int(os.environ["PORT"])))
server.listen()
body = sys.argv[1].encode()
while True:
    connection, _ = server.accept()
    with connection:
        # A probe connects and says nothing.
        if connection.recv(1000):
            connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
"""


class Fleet:
    """Projects with the same services and the same preferred ports."""

    def __init__(
        self, folder: Path, count: int, ports: Mapping[str, int], *, boot_seconds: Sequence[float] = (0.0,)
    ) -> None:
        self.roots = [folder / f"shop-{number:02}" for number in range(count)]
        self.services = tuple(ports)
        server = folder / "server.py"
        server.write_text(SERVER)
        for number, root in enumerate(self.roots):
            root.mkdir()
            (root / "devinit.toml").write_text(
                "\n".join(
                    f"[services.{name}]\nport = {port}\nready = {{ tcp = true, timeout = 120 }}\n"
                    f'command = "{sys.executable} -S -E {server} {root.name}/{name} '
                    f'{boot_seconds[(number + index) % len(boot_seconds)]}"\n'
                    for index, (name, port) in enumerate(ports.items())
                )
            )

    def start(self) -> list[subprocess.CompletedProcess[str]]:
        """Start all projects simultaneously."""
        return at_once([root_of(root, "start", "--json") for root in self.roots])

    def stop(self) -> list[subprocess.CompletedProcess[str]]:
        """Stop all projects simultaneously."""
        return at_once([root_of(root, "stop") for root in self.roots])

    def running(self) -> dict[str, dict[str, Any]]:
        """Return the entry of each project in `status --all`."""
        done = at_once([[sys.executable, "-m", "devinit", "status", "--all", "--json"]])
        return {project["project"]: project for project in json.loads(done[0].stdout)["projects"]}

    def bodies(self) -> dict[str, str]:
        """Return the response on the port of each service, according to the project's own files."""
        found = {}
        for root in self.roots:
            ports: dict[str, int] = json.loads((root / ".ports.json").read_text())
            for name in self.services:
                with urlopen(f"http://127.0.0.1:{ports[name]}/", timeout=20) as answer:
                    found[f"{root.name}/{name}"] = answer.read().decode()
        return found

    def ports(self) -> list[int]:
        """Return the ports of all services."""
        return [
            port for root in self.roots for port in json.loads((root / ".ports.json").read_text()).values()
        ]

    def pids(self) -> list[int]:
        """Return every process of the projects: supervisors, services, and their descendants."""
        marks = tuple(f"{project_id(root)}/" for root in self.roots)
        services = [pid for pid in process_ids() if (variable_of(pid, RUN_VARIABLE) or "").startswith(marks)]
        return sorted({*self.supervisors(), *services})

    def supervisors(self) -> list[int]:
        """Return the supervisors of all projects."""
        roots = {os.fsencode(root) for root in self.roots}
        return [pid for pid in process_ids() if is_supervisor_of(pid, roots)]

    def left(self) -> list[int]:
        """Return the remaining processes after the supervisors have exited, which a stop does not wait for."""
        for pid in self.supervisors():
            wait_for_end(pid)
        return self.pids()

    def finish(self) -> None:
        """Leave nothing behind, whatever the outcome of the test."""
        for pid in self.pids():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def root_of(root: Path, *words: str) -> list[str]:
    """Return a command of a project."""
    return [sys.executable, "-m", "devinit", "-C", str(root), *words]


def at_once(commands: Iterable[list[str]]) -> list[subprocess.CompletedProcess[str]]:
    """Run commands simultaneously: each is a shell that waits until one pipe closes."""
    commands = list(commands)
    waiting, holding = os.pipe()
    try:
        processes = [
            subprocess.Popen(
                ["sh", "-c", 'read _; exec "$@" < /dev/null', "sh", *command],
                stdin=waiting,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for command in commands
        ]
    finally:
        os.close(waiting)
        os.close(holding)
    said = [process.communicate(timeout=PATIENCE_SECONDS) for process in processes]
    return [
        subprocess.CompletedProcess(command, process.returncode, out, talk)
        for command, process, (out, talk) in zip(commands, processes, said, strict=True)
    ]


def leased() -> list[int]:
    """Return the ports whose lease is locked at this moment."""
    return sorted(int(path.stem) for path in (state_directory() / "leases").glob("*.lock") if is_locked(path))


def is_locked(path: Path) -> bool:
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def is_supervisor_of(pid: int, roots: set[bytes]) -> bool:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return b"devinit.supervisor" in words and bool(roots & {*words})
