"""A project with lightweight services, the real command line for it, and terminals to inspect."""

from __future__ import annotations

import fcntl
import io
import json
import os
import random
import re
import signal
import struct
import subprocess
import sys
import termios
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

import pexpect
import pytest

from devinit.ports.hold import Hold, hold
from devinit.system.paths import run_mark
from devinit.system.processes import members_of, process_ids
from tests.places import state_of

PATIENCE = 30
"""The time limit for any step on a busy machine; none is expected to take that long."""

SERVICE = r"""
import signal, socket, sys, os
for word in sys.argv[1:]:
    name, _, value = word.partition("=")
    if name == "lines":
        for number in range(int(value)):
            print("line", number + 1, flush=True)
    if name == "exit":
        sys.exit(int(value))
    if name == "never":
        signal.pause()
if "PORT" not in os.environ:
    signal.pause()
server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("127.0.0.1", int(os.environ["PORT"])))
server.listen()
while True:
    server.accept()[0].close()
"""

STRANGER = """
import socket, signal, sys
server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("127.0.0.1", int(sys.argv[1])))
server.listen()
print("ready", flush=True)
signal.pause()
"""


DOWN, ENTER = "\x1b[B", "\r"
Listen = Callable[..., "subprocess.Popen[str]"]


class Shop:
    """A project, with the operations of the tests on it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True)
        (root / "service.py").write_text(SERVICE)
        self._text: dict[str, str] = {}
        self._terminals: list[pexpect.spawn[str]] = []

    def service(self, name: str, *options: str, **keys: object) -> None:
        """Configure a service that runs `service.py`."""
        command = " ".join(["exec", sys.executable, "-S", "-E", "service.py", *options])
        lines = [f"[services.{name}]"]
        for key, value in {"command": command, **keys}.items():
            shown = (
                f"{{ {', '.join(f'{k} = {v}' for k, v in value.items())} }}"
                if isinstance(value, dict)
                else None
            )
            lines.append(f"{key} = {shown or json.dumps(value)}")
        self._text[name] = "\n".join(lines)
        (self.root / "devinit.toml").write_text(
            '[project]\nname = "shop"\n\n' + "\n\n".join(self._text.values())
        )

    def program(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "devinit", "-C", str(self.root), *words]

    def __call__(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command without a terminal until it ends."""
        return self.run(self.program(*words), env={**os.environ, **environment})

    def sh(self, script: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a shell command in which `devinit` is the command line."""
        begin = f'devinit() {{ {sys.executable} -m devinit "$@"; }}\n'
        return self.run(["bash", "-c", begin + script], env={**os.environ, **environment})

    def run(self, command: list[str], env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            env=env,
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            timeout=PATIENCE,
            check=False,
        )

    def begin(self, *words: str, **environment: str) -> subprocess.Popen[str]:
        """Start a command without a terminal."""
        return subprocess.Popen(
            self.program(*words),
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def terminal(self, *words: str, columns: int = 80, **environment: str) -> pexpect.spawn[str]:
        """Run a command at a terminal."""
        child = pexpect.spawn(
            sys.executable,
            self.program(*words)[1:],
            env={**os.environ, "TERM": "xterm-256color", **environment},
            cwd=str(self.root),
            dimensions=(24, columns),
            encoding="utf-8",
            timeout=PATIENCE,
        )
        self._terminals.append(child)
        return child

    def status(self) -> dict[str, dict[str, Any]]:
        answer = self("status", "--json")
        assert answer.returncode == 0, answer.stderr
        return {service["name"]: service for service in json.loads(answer.stdout)["services"]}

    def log(self, name: str) -> Path:
        """Return the path of a service's log, in a folder that exists."""
        folder = state_of(self.root) / "logs"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{name}.log"

    def finish(self) -> None:
        for child in self._terminals:
            child.close(force=True)
        # An existing checkout without a state folder never had anything started.
        if state_of(self.root).is_dir() or not self.root.is_dir():
            with suppress(subprocess.TimeoutExpired):
                self("stop")
        for pid in process_ids():
            with suppress(OSError):
                words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                if b"devinit.supervisor" in words and os.fsencode(self.root) in words:
                    os.kill(pid, signal.SIGKILL)
        for service in self._text:
            for member in members_of(None, run_mark(self.root, service)):
                with suppress(ProcessLookupError):
                    os.kill(member.pid, signal.SIGKILL)


class Screen:
    """An emulated terminal screen with the sequences that the progress lines need."""

    TOKEN = re.compile(r"\x1b\[(\d*)([A-Za-z])|([\r\n])|(.)")

    def __init__(self, columns: int) -> None:
        self.columns = columns
        self.rows: list[str] = [""]
        self._row, self._column = 0, 0

    def feed(self, text: str) -> None:
        for number, command, control, character in self.TOKEN.findall(text):
            if command == "A":
                self._row = max(0, self._row - int(number or 1))
            elif command == "J":
                self.rows[self._row] = self.rows[self._row][: self._column]
                del self.rows[self._row + 1 :]
            elif command == "K":
                self.rows[self._row] = self.rows[self._row][: self._column]
            elif control == "\r":
                self._column = 0
            elif control == "\n":
                self._line_feed()
            elif character:
                self._put(character)

    def _put(self, character: str) -> None:
        cells = 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if self._column + cells > self.columns:
            self._line_feed()
            self._column = 0
        row = self.rows[self._row].ljust(self._column)
        # A wide character takes two places here, so that columns can be counted.
        shown = character + "\0" * (cells - 1)
        self.rows[self._row] = row[: self._column] + shown + row[self._column + cells :]
        self._column += cells

    def _line_feed(self) -> None:
        self._row += 1
        if self._row == len(self.rows):
            self.rows.append("")

    def narrow(self, columns: int) -> None:
        """Become narrower, and wrap the existing lines again, as terminals do."""
        rows = [
            row[start : start + columns] for row in self.rows for start in range(0, max(len(row), 1), columns)
        ]
        self.columns, self.rows, self._row, self._column = columns, rows, len(rows) - 1, 0

    @property
    def lines(self) -> list[str]:
        return [row.replace("\0", "").rstrip() for row in self.rows]


class Pty:
    """A terminal of this process: a stream to write to, and the screen that shows it."""

    def __init__(self, columns: int, rows: int) -> None:
        self._master, slave = os.openpty()
        self.stream: TextIO = io.TextIOWrapper(io.FileIO(slave, "w"), encoding="utf-8", write_through=True)
        self.screen = Screen(columns)
        self.rows = rows
        self._size(columns)

    def _size(self, columns: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("4H", self.rows, columns, 0, 0))

    def narrow(self, columns: int) -> None:
        self.look()
        self._size(columns)
        self.screen.narrow(columns)

    def look(self) -> list[str]:
        """Return the lines on the screen."""
        os.set_blocking(self._master, False)
        with suppress(BlockingIOError):
            while True:
                self.screen.feed(os.read(self._master, 1_000_000).decode())
        return self.screen.lines

    def close(self) -> None:
        self.stream.close()
        os.close(self._master)


MakePty = Callable[[int, int], Pty]


@pytest.fixture
def make_pty() -> Iterator[MakePty]:
    """Create terminals with a number of columns and rows."""
    made: list[Pty] = []

    def make(columns: int, rows: int) -> Pty:
        made.append(Pty(columns, rows))
        return made[-1]

    yield make
    for pty in made:
        pty.close()


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A project with no services yet, in a folder with a space and letters beyond ASCII."""
    made = Shop(tmp_path / "Ölmühle ünï")
    yield made
    made.finish()


@pytest.fixture
def port() -> int:
    """A port that is free, as are the nine after it."""
    while True:
        first = random.randrange(25300, 25990)  # noqa: S311  concurrent test runs differ
        holds = [hold(each) for each in range(first, first + 10)]
        for each in holds:
            if isinstance(each, Hold):
                each.close()
        if all(isinstance(each, Hold) for each in holds):
            return first


@pytest.fixture
def stranger(port: int) -> Iterator[subprocess.Popen[str]]:
    """A foreign process that listens on the port."""
    process = subprocess.Popen(
        [sys.executable, "-S", "-c", STRANGER, str(port)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    process.stdout.readline()
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.fixture
def listen(tmp_path: Path) -> Iterator[Listen]:
    """Start a foreign process that listens on a port, with a short command unless more words are given."""
    started: list[subprocess.Popen[str]] = []
    folder = tmp_path / "blog"
    folder.mkdir()
    (folder / "serve.py").write_text(STRANGER)

    def start(port: int, *words: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            ["python3", "serve.py", str(port), *words],
            executable=sys.executable,
            cwd=folder,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def code_of(child: pexpect.spawn[str]) -> int | None:
    """Return the exit code after the end, or the negated signal number."""
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus if child.signalstatus is None else -child.signalstatus


def choose(child: pexpect.spawn[str], text: str) -> None:
    """Move the pointer to a choice and select it."""
    for _ in range(8):
        child.expect(r"» ([^\r\n]*)")
        match = child.match
        if isinstance(match, re.Match) and text in re.sub(r"\x1b\[[^A-Za-z]*[A-Za-z]", "", match[1]):
            child.send(ENTER)
            return
        child.send(DOWN)
    raise AssertionError(f"{text} is not offered")
