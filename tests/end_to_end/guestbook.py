"""The documentation's example as a test subject: a checkout of it, and its page as a browser sees it."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import psutil

from devinit.system.listeners import tcp_listeners
from devinit.system.paths import project_id
from devinit.system.processes import RUN_VARIABLE, Process, identity_of
from tests.conftest import OBEYED, Machine

HERE = Path(__file__).parents[2]
SERVICES = ("postgres", "redis", "backend", "frontend")
PREFERRED = {"postgres": 5432, "redis": 6379, "backend": 8000, "frontend": 3000}
PATIENCE_SECONDS = 120
ANSWER_SECONDS = 20
INSTALLED = ("backend/.venv", "frontend/node_modules")

# JSON from a program or a server: asserted on, not modelled.
Json = Any


class User(NamedTuple):
    """Another user who runs devinit."""

    uid: int
    home: Path
    python: Path
    """A Python with devinit that this user can execute."""


class Outcome(NamedTuple):
    """The result of a command."""

    code: int
    out: str
    talk: str
    seconds: float

    @property
    def events(self) -> list[Json]:
        return [json.loads(line) for line in self.out.splitlines()]


class Guestbook:
    """A checkout of the example, on a machine without other devinit projects."""

    def __init__(self, root: Path, machine: Machine, user: User | None = None) -> None:
        self.root, self.machine, self.user = root, machine, user
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if name not in OBEYED and not name.startswith("DEVINIT_") and not name.endswith("_PORT")
        }
        self.environment |= {"XDG_STATE_HOME": str(machine.state), "XDG_RUNTIME_DIR": str(machine.runtime)}
        # The example sets itself up with the user's tools, not with those of the test environment.
        folders = self.environment["PATH"].split(os.pathsep)
        ours = Path(sys.executable).parent
        self.environment["PATH"] = os.pathsep.join(folder for folder in folders if Path(folder) != ours)
        if user is not None:
            self.environment["HOME"] = str(user.home)

    # Files

    @property
    def state(self) -> Path:
        """The folder of its logs, data and records."""
        return self.machine.state / "devinit" / "checkouts" / project_id(self.root)

    @property
    def preferred(self) -> dict[str, int]:
        """The ports that devinit.toml prefers."""
        services = tomllib.loads((self.root / "devinit.toml").read_text())["services"]
        return {name: service["port"] for name, service in services.items()}

    def prefer(self, ports: Mapping[str, int]) -> None:
        """Write other preferred ports into devinit.toml."""
        path = self.root / "devinit.toml"
        text = path.read_text()
        for service, port in self.preferred.items():
            text = text.replace(f"port = {port}\n", f"port = {ports[service]}\n")
        path.write_text(text)

    @property
    def remembered(self) -> dict[str, int]:
        """The contents of `.ports.json`."""
        ports: dict[str, int] = json.loads((self.root / ".ports.json").read_text())
        return ports

    @property
    def runtime_environment(self) -> dict[str, str]:
        """The variables that a shell reads from `.env.runtime`."""
        script = f"set -a; . ./.env.runtime; exec {sys.executable} -c 'import json, os; print(json.dumps(dict(os.environ)))'"
        said = subprocess.run(
            ["env", "-i", "sh", "-c", script], cwd=self.root, capture_output=True, text=True, check=True
        )
        values: dict[str, str] = json.loads(said.stdout)
        return values

    @property
    def discovery(self) -> Path:
        return self.root / ".backend-port.json"

    # Commands

    def devinit(self, *words: str, code: int | None = 0, **environment: str) -> Outcome:
        """Run a devinit command; `code` is the expected exit code."""
        python = Path(sys.executable) if self.user is None else self.user.python
        uid = None if self.user is None else self.user.uid
        began = time.monotonic()
        said = subprocess.run(
            [python, "-P", "-m", "devinit", *words],
            cwd=self.root,
            env=self.environment | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=PATIENCE_SECONDS,
            check=False,
            user=uid,
            group=uid,
            extra_groups=None if uid is None else (),
        )
        outcome = Outcome(said.returncode, said.stdout, said.stderr, time.monotonic() - began)
        if code is not None and outcome.code != code:
            raise AssertionError(
                f"devinit {' '.join(words)}: exit code {outcome.code}\n{self._report(outcome)}"
            )
        return outcome

    def start(self, *words: str, code: int | None = 0, **environment: str) -> Outcome:
        return self.devinit("start", "all", "--detach", *words, code=code, **environment)

    def stop(self) -> Outcome:
        """Stop everything, and wait until the supervisor has exited as well: the stop may have started it."""
        outcome = self.devinit("stop")
        with ExitStack() as stack:
            for supervisor in self._supervisors(stack):
                assert supervisor.wait(PATIENCE_SECONDS)
        return outcome

    def status(self) -> Json:
        return json.loads(self.devinit("status", "--json").out)

    def services(self) -> dict[str, Json]:
        return {service["name"]: service for service in self.status()["services"]}

    def phases(self) -> dict[str, str]:
        return {name: service["phase"] for name, service in self.services().items()}

    def ports(self) -> dict[str, int]:
        return {name: service["port"] for name, service in self.services().items()}

    def pids(self) -> dict[str, int]:
        return {name: service["pid"] for name, service in self.services().items()}

    def url(self, service: str) -> str:
        url: str = self.services()[service]["url"]
        return url

    def page(self) -> Page:
        """Open the page."""
        return Page(self.url("frontend"))

    def query(self, sql: str) -> list[list[Json]]:
        """Query PostgreSQL itself, as a developer's script would: through `devinit run`."""
        program = (
            "import asyncio, asyncpg, json, os, sys\n"
            "async def ask():\n"
            "    connection = await asyncpg.connect(os.environ['DATABASE_URL'])\n"
            "    print(json.dumps([list(row) for row in await connection.fetch(sys.argv[1])]))\n"
            "    await connection.close()\n"
            "asyncio.run(ask())\n"
        )
        python = self.root / "backend" / ".venv" / "bin" / "python"
        rows: list[list[Json]] = json.loads(self.devinit("run", "--", str(python), "-c", program, sql).out)
        return rows

    def redis(self, *words: str) -> str:
        """Query Redis itself, and return the last line of its answer."""
        with socket.create_connection(("127.0.0.1", self.ports()["redis"]), ANSWER_SECONDS) as connection:
            connection.sendall(" ".join(words).encode() + b"\r\n")
            connection.shutdown(socket.SHUT_WR)
            with connection.makefile("rb") as answer:
                lines = answer.read().decode().splitlines()
        return lines[-1]

    # Events

    @contextmanager
    def events(self) -> Iterator[Events]:
        """Subscribe to the supervisor's events, as any client may."""
        path = (self.state / "socket").read_text().strip()
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(PATIENCE_SECONDS)
            connection.connect(path)
            connection.sendall(b'{"jsonrpc": "2.0", "id": 1, "method": "subscribe"}\n')
            events = Events(connection)
            events.until(lambda message: message.get("id") == 1)
            yield events

    def kill(self, pid: int) -> None:
        """Kill a process, and return when it is gone."""
        identity = identity_of(pid)
        assert identity is not None
        process = Process.open(identity)
        assert process is not None
        with process:
            process.send(signal.SIGKILL)
            assert process.wait(PATIENCE_SECONDS)

    # Remains

    def processes(self) -> list[psutil.Process]:
        """Return every process of this checkout, by its marker, folder or arguments."""
        return [process for process in psutil.process_iter() if self._owns(process)]

    def listening(self) -> list[int]:
        """Return the ports in `.ports.json` that have a listener."""
        return [port for port in self.remembered.values() if tcp_listeners(port)]

    def leased(self) -> list[int]:
        """Return the ports whose lease is held."""
        files = self.machine.state.glob("devinit/leases/*.lock")
        return sorted(int(path.stem) for path in files if is_locked(path))

    def finish(self) -> None:
        """Leave nothing behind, whatever a test did."""
        if self.root.is_dir():
            with suppress(subprocess.TimeoutExpired):
                self.devinit("stop", code=None)
        left = self.processes()
        for process in left:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(left, timeout=10)

    def _supervisors(self, stack: ExitStack) -> Iterator[Process]:
        for each in self.processes():
            with suppress(psutil.NoSuchProcess):
                identity = identity_of(each.pid) if "devinit.supervisor" in each.cmdline() else None
                if identity is not None and (process := Process.open(identity)) is not None:
                    yield stack.enter_context(process)

    def _owns(self, process: psutil.Process) -> bool:
        with suppress(psutil.Error):
            if process.pid == os.getpid():
                return False
            arguments = process.cmdline()
            if "devinit.supervisor" in arguments and str(self.root) in arguments:
                return True
            if process.environ().get(RUN_VARIABLE, "").startswith(f"{project_id(self.root)}/"):
                return True
            folder = Path(process.cwd())
            return folder.is_relative_to(self.root) or folder.is_relative_to(self.state)
        return False

    def _report(self, outcome: Outcome) -> str:
        logs = sorted(self.state.glob("**/*.log"))
        tails = [f"== {path}\n{path.read_text(errors='replace')[-3000:]}" for path in logs]
        return "\n".join([outcome.out, outcome.talk, *tails])


class Events:
    """The messages of a supervisor, line by line."""

    def __init__(self, connection: socket.socket) -> None:
        self._lines = connection.makefile("r", encoding="utf-8")

    def until(self, meant: Any) -> Json:
        """Return the first message that `meant` accepts. Any: a predicate over free-form JSON."""
        for line in self._lines:
            message = json.loads(line)
            if meant(message):
                return message
        raise AssertionError("the supervisor hung up")

    def until_phase(self, service: str, phase: str) -> Json:
        """Return the event about a service's new phase."""

        def meant(message: Json) -> bool:
            event = message.get("params", {})
            return (event.get("type"), event.get("service"), event.get("phase")) == ("phase", service, phase)

        return self.until(meant)["params"]


class Refused(Exception):
    """The error that a browser would not let the page read the answer."""


class Page:
    """The page, with a browser's behaviour towards ports: its modules, the address in them, CORS."""

    def __init__(self, url: str, origin: str | None = None) -> None:
        self.url = url
        self.origin = origin or url
        self.html = get(f"{url}/")

    def modules(self) -> dict[str, str]:
        """Return the application's own modules, found as in a browser: from one import to the next."""
        found: dict[str, str] = {}
        missing = re.findall(r'<script type="module" src="(/src/[^"]+)"', self.html)
        while missing:
            path = missing.pop()
            if path not in found:
                found[path] = get(self.url + path)
                missing += re.findall(r'from "(/src/[^"?]+)"', found[path])
        return found

    @property
    def api_url(self) -> str:
        """The backend's address in the page: Vite inserted it into the module that requests it."""
        [module] = [source for path, source in self.modules().items() if path.endswith("/api.ts")]
        matched = re.search(r"import\.meta\.env = (\{.*?\});", module)
        assert matched is not None, module
        address: str = json.loads(matched[1])["VITE_API_URL"]
        return address

    def ask(self, method: str, path: str, body: Json = None) -> Json:
        """Do what the page's `fetch` does in a browser: a preflight if required, and the CORS checks."""
        if method not in {"GET", "POST"} or body is not None:
            self.preflight(method, path)
        request = self._request(method, path, body)
        with urlopen(request, timeout=ANSWER_SECONDS) as response:  # noqa: S310  http, by construction
            if response.headers["access-control-allow-origin"] != self.origin:
                raise Refused(response.headers)
            content = response.read()
        return json.loads(content) if content else None

    def preflight(self, method: str, path: str) -> None:
        """Check whether the page may send the request."""
        request = self._request("OPTIONS", path)
        request.add_header("Access-Control-Request-Method", method)
        request.add_header("Access-Control-Request-Headers", "content-type")
        try:
            with urlopen(request, timeout=ANSWER_SECONDS) as response:  # noqa: S310  http, by construction
                headers = response.headers
        except HTTPError as error:
            with error:
                raise Refused(error.headers) from error
        if headers["access-control-allow-origin"] != self.origin:
            raise Refused(headers)
        assert method in headers["access-control-allow-methods"]

    def pin(self, message: str) -> Json:
        return self.ask("POST", "/api/notes", {"author": "Ada", "message": message, "paper": "mint"})

    def messages(self) -> list[str]:
        return [note["message"] for note in self.ask("GET", "/api/notes")]

    def visit(self) -> int:
        visits: int = self.ask("POST", "/api/visits")["visits"]
        return visits

    def visits(self) -> int:
        visits: int = self.ask("GET", "/api/visits")["visits"]
        return visits

    def _request(self, method: str, path: str, body: Json = None) -> Request:
        data = None if body is None else json.dumps(body).encode()
        request = Request(self.api_url + path, data=data, method=method)  # noqa: S310  http, by construction
        request.add_header("Origin", self.origin)
        if data is not None:
            request.add_header("Content-Type", "application/json")
        return request


def get(url: str) -> str:
    with urlopen(url, timeout=ANSWER_SECONDS) as response:  # noqa: S310  http, by construction
        text: str = response.read().decode()
    return text


def is_locked(path: Path) -> bool:
    """Return whether a process holds the flock on a file."""
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def copy_sources(folder: Path) -> None:
    """Copy the files of the example that a fresh clone has."""
    example = HERE / "docs" / "example"
    shutil.copytree(
        example,
        folder,
        ignore=shutil.ignore_patterns(
            ".venv",
            "node_modules",
            "__pycache__",
            ".devinit",
            ".ports.json",
            ".env.runtime",
            ".backend-port.json",
        ),
    )


def copy_installed(source: Guestbook, copy: Guestbook) -> None:
    """Copy the results of another checkout's set-up, so that not every test waits for pip and npm.

    Files are linked, not copied: 3500 of them take 0.1 s. Scripts name their interpreter, so they are
    rewritten.
    """
    for name in INSTALLED:
        shutil.copytree(
            source.root / name,
            copy.root / name,
            symlinks=True,
            copy_function=os.link,
            ignore=shutil.ignore_patterns(".vite"),
        )
    shutil.copytree(source.state / "setup", copy.state / "setup")
    environment = copy.root / "backend" / ".venv"
    for script in (environment / "bin").iterdir():
        if script.is_file() and not script.is_symlink():
            adapt_script(script, environment / "bin" / "python")


def hand_over(guestbook: Guestbook, user: User) -> None:
    """Change the owner of a checkout, and of devinit's files, to another user."""
    for top in (guestbook.root, guestbook.machine.runtime):
        for path in (top, *top.rglob("*")):
            os.chown(path, user.uid, user.uid, follow_symlinks=False)


def adapt_script(script: Path, python: Path) -> None:
    """Make a script of a virtual environment use its own copy's interpreter, in the two forms that pip writes."""
    first = f"#!{python}\n"
    if " " in first or len(first.encode()) > len("#!") + 125:
        first = f"#!/bin/sh\n'''exec' \"{python}\" \"$0\" \"$@\"\n' '''\n"
    content = script.read_bytes()
    body = re.sub(rb"\A#!(?:/bin/sh\n'''exec' .*\n' '''\n|.*python.*\n)", lambda _: first.encode(), content)
    if body != content:
        mode = script.stat().st_mode
        script.unlink()
        script.write_bytes(body)
        script.chmod(mode)
