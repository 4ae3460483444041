"""Specifies the process that holds a service's terminal, with real programs in real terminals."""

from __future__ import annotations

import errno
import os
import resource
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

from devinit.errors import ServiceError
from devinit.model.process import ProcessSpec, TerminalHolder
from devinit.system.holder import frames, program
from devinit.system.processes import RUN_VARIABLE
from devinit.system.terminal_holder import connected, noted_code, push, start_holder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from devinit.system.process import Process
    from tests.system.conftest import Unprivileged

PATIENCE = 30.0
PYTHON = f"{sys.executable} -S -E -u"


class Held:
    """A program in a terminal, and the process that holds that."""

    def __init__(self, folder: Path, *argv: str, log: Path | None = None) -> None:
        self.log = log or folder / "program.log"
        output = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        spec = ProcessSpec(
            argv=argv, directory=folder, environment={"PATH": os.environ["PATH"], RUN_VARIABLE: "test/held"}
        )
        address, endings = str(folder / "held.tty"), str(folder / "held.endings")
        try:
            starting = start_holder(spec, "held", address, endings, output=output, keep=())
        finally:
            os.close(output)
        self.holder = starting.holder
        self.known = TerminalHolder(self.holder.identity, address, endings)
        try:
            select.select([starting.told], [], [], PATIENCE)
            self.process: Process = starting.service(self.known)
        except ServiceError:
            self.holder.wait(PATIENCE)
            self.holder.returncode()
            self.holder.close()
            raise
        finally:
            starting.close()

    def printed(self, text: str) -> str:
        """Wait until the log has this."""
        until(
            lambda: text in self.log.read_text(errors="replace"), lambda: self.log.read_text(errors="replace")
        )
        return self.log.read_text(errors="replace")

    def end(self) -> None:
        if self.process.fileno() < 0:
            return
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        for process in (self.process, self.holder):
            if not process.wait(5):
                process.send(signal.SIGKILL)
            process.returncode()
            process.close()


class Viewer:
    """A client of a holder."""

    def __init__(self, held: Held, rows: int = 24, columns: int = 80, *, wants: bool = True) -> None:
        self.connection = connected(held.known.socket, 0.2)
        self._frames = frames.Frames()
        self.seen: list[tuple[bytes, bytes]] = []
        self.say(frames.ATTACH, frames.ATTACHMENT.pack(rows, columns, rows, wants))

    def say(self, kind: bytes, content: bytes = b"") -> None:
        self.connection.sendall(frames.frame(kind, content))

    def type(self, text: str) -> None:
        self.say(frames.INPUT, text.encode())

    @property
    def output(self) -> str:
        return b"".join(content for kind, content in self.seen if kind == frames.OUTPUT).decode(
            errors="replace"
        )

    @property
    def has_keyboard(self) -> bool:
        return [content for kind, content in self.seen if kind == frames.KEYBOARD][-1:] == [b"\1"]

    def until(self, condition: Callable[[], bool]) -> None:
        def look() -> bool:
            with suppress(TimeoutError):
                if data := self.connection.recv(65536):
                    self.seen += self._frames.take(data)
            return condition()

        until(look, lambda: repr(self.seen[-5:]))

    def shows(self, text: str) -> str:
        self.until(lambda: text in self.output)
        return self.output


class Look(Protocol):
    """Attaches to a holder; hung up on at the end of the test."""

    def __call__(self, held: Held, rows: int = 24, columns: int = 80, *, wants: bool = True) -> Viewer: ...


def until(condition: Callable[[], bool], said: Callable[[], str] = lambda: "") -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, said()
        time.sleep(0.02)


@pytest.fixture
def hold(tmp_path: Path) -> Iterator[Callable[..., Held]]:
    made: list[Held] = []

    def begin(*argv: str, **keys: Path) -> Held:
        made.append(Held(tmp_path, *argv, **keys))
        return made[-1]

    yield begin
    for each in made:
        each.end()


@pytest.fixture
def look() -> Iterator[Look]:
    made: list[Viewer] = []

    def begin(held: Held, rows: int = 24, columns: int = 80, *, wants: bool = True) -> Viewer:
        made.append(Viewer(held, rows, columns, wants=wants))
        return made[-1]

    yield begin
    for each in made:
        each.connection.close()


@pytest.fixture
def python(hold: Callable[..., Held]) -> Callable[[str], Held]:
    return lambda code: hold(*PYTHON.split(), "-c", code)


class TestTheService:
    def test_has_a_terminal_of_a_size_and_leads_a_session_of_its_own(
        self, python: Callable[[str], Held]
    ) -> None:
        held = python(
            "import os; print(os.isatty(0), os.isatty(2), *os.get_terminal_size(), os.getsid(0) == os.getpid(),"
            " os.open('/dev/tty', os.O_RDWR) > 2, os.environ['TERM'])"
        )

        assert held.process.wait(PATIENCE)
        assert held.printed("\n") == "True True 120 40 True True xterm-256color\n"

    def test_ignores_no_signal_that_its_holder_ignores(self, python: Callable[[str], Held]) -> None:
        held = python(
            "import signal; print([n.name for n in signal.Signals if n not in (signal.SIGPIPE, signal.SIGXFSZ) and"
            " signal.getsignal(n) == signal.SIG_IGN])"
        )

        assert held.printed("]").strip() == "[]"

    def test_inherits_nothing_else(self, hold: Callable[..., Held]) -> None:
        held = hold("sh", "-c", "ls /proc/self/fd; env | sort")

        assert held.process.wait(PATIENCE)
        names = held.printed("TERM").split()
        assert names[:4] == ["0", "1", "2", "3"]  # the last one is that of ls itself
        assert {each.partition("=")[0] for each in names[4:]} == {
            "PATH", RUN_VARIABLE, "TERM", "PROMPT_TOOLKIT_NO_CPR", "PWD", *({"OLDPWD", "SHLVL", "_"} & {
                each.partition("=")[0] for each in names[4:]
            }),
        }  # fmt: skip

    @pytest.mark.parametrize(("command", "code"), [("exit 7", 7), ("kill -9 $$", -9), ("true", 0)])
    def test_gives_its_exit_code_to_who_asks_later(
        self, hold: Callable[..., Held], command: str, code: int
    ) -> None:
        held = hold("sh", "-c", command)

        assert held.process.wait(PATIENCE)
        assert held.process.returncode() == code
        assert held.holder.wait(PATIENCE)
        assert noted_code(held.known, held.process.pid) == code
        assert held.process.returncode() == code
        assert not Path(held.known.socket).exists()

    def test_all_that_it_printed_before_its_end_is_in_the_log(self, python: Callable[[str], Held]) -> None:
        held = python(
            "import os; os.write(1, b'x' * 99 + b'\\n'); [print('y' * 99) for _ in range(2000)]; os._exit(3)"
        )

        assert held.holder.wait(PATIENCE)
        assert held.log.read_text().count("\n") == 2001

    def test_that_cannot_be_started_is_said_as_without_a_terminal(
        self, hold: Callable[..., Held], tmp_path: Path
    ) -> None:
        (tmp_path / "script").write_text("#!/no/such/interpreter\n")
        (tmp_path / "script").chmod(0o755)

        with pytest.raises(ServiceError, match="names an interpreter that does not exist"):
            hold("./script")

    def test_that_no_process_is_left_for_is_said_as_without_a_terminal(
        self, unprivileged: Unprivileged
    ) -> None:
        """`ulimit -u` is reached with the holder itself."""

        def told() -> bytes:
            readable, writable = os.pipe()
            pid = os.fork()
            if pid == 0:
                resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
                with suppress(BaseException):
                    program.start({"told": writable}, 0)  # type: ignore[typeddict-item]  # nothing else is read
                os._exit(2)
            os.close(writable)
            with os.fdopen(readable, "rb") as said:
                answer = said.read()
            os.waitpid(pid, 0)
            return answer

        assert unprivileged(told) == b"errno %d\n" % errno.EAGAIN

    def test_is_not_in_the_arguments_of_its_holder(self, python: Callable[[str], Held]) -> None:
        held = python("print('up'); input()")

        arguments = Path(f"/proc/{held.holder.pid}/cmdline").read_text()

        assert "input" not in arguments
        assert arguments.rstrip("\0").endswith("held")


class TestTheHolder:
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT])
    def test_is_ended_by_no_signal_that_asks(self, python: Callable[[str], Held], number: int) -> None:
        held = python("print('got', input())")

        held.holder.send(number)
        push(held.known.socket, b"x\r")

        held.printed("got x")
        assert held.process.returncode() in (None, 0)

    def test_keeps_the_terminal_for_a_child_that_outlives_the_service(
        self, hold: Callable[..., Held]
    ) -> None:
        held = hold("sh", "-c", "trap '' HUP; (sleep 0.5; echo late) & exit 4")

        assert held.process.wait(PATIENCE)
        assert held.process.returncode() == 4
        held.printed("late")
        assert held.holder.wait(PATIENCE)

    def test_is_the_parent_of_what_leaves_session_and_environment(
        self, python: Callable[[str], Held], tmp_path: Path
    ) -> None:
        held = python(
            "import os\nif os.fork() == 0:\n os.setsid()\n if os.fork() == 0:\n  os.closerange(0, 3)\n"
            "  os.execve('/bin/sleep', ['sleep', '600'], {})\n os._exit(0)\nos.wait()"
        )
        assert held.process.wait(PATIENCE)

        def children() -> list[int]:
            path = Path(f"/proc/{held.holder.pid}/task/{held.holder.pid}/children")
            return [int(each) for each in path.read_text().split()]

        until(lambda: len(children()) == 1)
        (left,) = children()
        assert not held.holder.wait(0.3)
        os.kill(left, signal.SIGKILL)
        assert held.holder.wait(PATIENCE)
        assert noted_code(held.known, left) == -9

    def test_is_small(self, python: Callable[[str], Held]) -> None:
        held = python("print('up'); input()")
        held.printed("up")

        rollup = Path(f"/proc/{held.holder.pid}/smaps_rollup").read_text().split("\n")
        private = next(int(line.split()[1]) for line in rollup if line.startswith("Private_Dirty:"))

        assert private < 8_000  # 4,400 here

    def test_has_the_terminal_that_others_cannot_reach(self, python: Callable[[str], Held]) -> None:
        held = python("print('up'); input()")

        assert Path(held.known.socket).stat().st_mode & 0o777 == 0o600
        assert Path(held.known.endings).stat().st_mode & 0o777 == 0o600

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")
    def test_hangs_up_on_another_user(self, hold: Callable[..., Held]) -> None:
        with tempfile.TemporaryDirectory(prefix="devinit-") as name:
            folder = Path(name)
            held = Held(folder, "sh", "-c", "echo up; read x")
            try:
                # As if the folder and the socket were open to all.
                folder.chmod(0o755)
                Path(held.known.socket).chmod(0o666)
                code = (
                    "import os, socket; os.setgid(65534); os.setuid(65534); s = socket.socket(socket.AF_UNIX);"
                    f" s.connect({held.known.socket!r}); print(s.recv(1))"
                )
                answer = subprocess.run(
                    [sys.executable, "-S", "-E", "-c", code], capture_output=True, text=True, check=True
                )
                assert answer.stdout == "b''\n"
            finally:
                held.end()

    def test_makes_a_socket_anew_that_was_removed(self, python: Callable[[str], Held], look: Look) -> None:
        held = python("print('up'); input()")
        held.printed("up")
        Path(held.known.socket).unlink()

        held.holder.send(signal.SIGUSR1)

        until(Path(held.known.socket).exists)
        look(held).shows("up")

    @pytest.mark.parametrize("data", [b"\xff" * 100, b"a\0\0\0\1x", b"z" + b"\0" * 4, b"q\0\0\0\0"])
    def test_hangs_up_on_who_speaks_otherwise(self, python: Callable[[str], Held], data: bytes) -> None:
        held = python("print('got', input())")
        with socket.socket(socket.AF_UNIX) as odd:
            odd.connect(held.known.socket)
            odd.sendall(data)
            odd.shutdown(socket.SHUT_WR)
            push(held.known.socket, b"x\r")

        held.printed("got x")

    def test_survives_a_full_disk_and_says_what_is_lost(
        self, hold: Callable[..., Held], tmp_path: Path
    ) -> None:
        disk = tmp_path / "disk"
        disk.mkdir()
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)], check=False, capture_output=True
        )
        if mounted.returncode != 0:
            pytest.skip("mounting a tmpfs is not permitted")
        try:
            code = "import sys\nfor line in sys.stdin:\n  print('x' * 99, *range(int(line)), sep='\\n')\n"
            held = hold(*PYTHON.split(), "-c", code, log=disk / "program.log")
            push(held.known.socket, b"30000\r")
            until(lambda: (disk / "program.log").stat().st_size >= 60_000)
            time.sleep(0.5)
            os.truncate(disk / "program.log", 0)
            push(held.known.socket, b"3\r")

            assert "bytes are lost: No space left on device ---" in held.printed("\n2\n")
            assert held.process.returncode() is None
        finally:
            held.end()
            subprocess.run(["umount", str(disk)], check=True)


class TestAViewer:
    def test_is_shown_what_there_is_and_types_into_it(
        self, python: Callable[[str], Held], look: Look
    ) -> None:
        held = python("while True: print('got', input('>>> '))")
        held.printed(">>> ")

        viewer = look(held)
        viewer.shows(">>> ")
        viewer.type("abcX\x7f\r")

        viewer.shows("got abc\r\n>>> ")
        assert viewer.has_keyboard

    def test_gives_the_terminal_its_size(self, python: Callable[[str], Held], look: Look) -> None:
        held = python("import os\nwhile True: text = input(); print(*os.get_terminal_size(), text)")
        viewer = look(held, 33, 99)

        viewer.type("a\r")
        viewer.shows("99 33 a")
        viewer.say(frames.SIZE, frames.SIZES.pack(20, 70))
        viewer.type("b\r")

        viewer.shows("70 20 b")

    def test_who_comes_second_watches_until_taking_the_keyboard(
        self, python: Callable[[str], Held], look: Look
    ) -> None:
        held = python("import os\nwhile True: text = input(); print(*os.get_terminal_size(), text)")
        first, second = look(held, 33, 99), look(held, 20, 70)
        second.until(lambda: bool(second.seen))

        second.type("nothing\r")
        first.type("a\r")
        assert "nothing" not in second.shows("99 33 a")
        assert not second.has_keyboard
        second.say(frames.TAKE)
        second.until(lambda: second.has_keyboard)
        first.until(lambda: not first.has_keyboard)
        second.type("b\r")

        first.shows("70 20 b")

    def test_inherits_the_keyboard_of_one_who_leaves(self, python: Callable[[str], Held], look: Look) -> None:
        held = python("input()")
        first = look(held)
        first.until(lambda: first.has_keyboard)
        second = look(held)

        first.connection.close()

        second.until(lambda: second.has_keyboard)

    def test_who_only_watches_is_not_asked_by_the_program(
        self, hold: Callable[..., Held], look: Look
    ) -> None:
        held = hold("sh", "-c", r"read x; printf '\033[6nend'; read x")
        first = look(held)
        first.until(lambda: first.has_keyboard)
        second = look(held)
        second.until(lambda: bool(second.seen))

        first.type("\r")

        assert "\x1b[6n" in first.shows("end")
        assert "\x1b[6n" not in second.shows("end")

    def test_who_does_not_read_slows_nothing_and_sees_the_end(
        self, python: Callable[[str], Held], look: Look
    ) -> None:
        held = python("input()\nfor n in range(100_000): print('line', n)\nprint('all'); input()")
        slow, other = look(held), look(held, wants=False)

        slow.type("\r")
        log = held.printed("all\n")

        assert log.count("line ") == 100_000
        assert "all" in other.shows("all")
        slow.shows("all")
        assert any(kind == frames.SKIPPED for kind, _ in slow.seen)
        assert slow.has_keyboard

    def test_a_megabyte_that_is_pasted_arrives(self, python: Callable[[str], Held], look: Look) -> None:
        held = python(
            "import sys, tty; tty.setraw(0); print('raw'); total = 0\n"
            "while total < 1_000_000: total += len(sys.stdin.buffer.read1(65536))\nprint('total', total)"
        )
        held.printed("raw")
        viewer = look(held)

        for _ in range(100):
            viewer.type("x" * 10_000)

        viewer.shows("total 1000000")

    def test_hears_when_the_service_does_not_read(self, python: Callable[[str], Held], look: Look) -> None:
        held = python("import time, tty; tty.setraw(0); print('raw'); time.sleep(600)")
        held.printed("raw")
        viewer = look(held)

        for _ in range(150):
            viewer.type("x" * 10_000)

        viewer.until(lambda: any(kind == frames.REFUSED for kind, _ in viewer.seen))

    def test_is_shown_a_full_screen_by_the_program_itself(
        self, python: Callable[[str], Held], look: Look
    ) -> None:
        held = python(
            "import signal, sys\ndef paint(*_): sys.stdout.write('\\x1b[Hpainted'); sys.stdout.flush()\n"
            "signal.signal(signal.SIGWINCH, paint)\nsys.stdout.write('\\x1b[?1049hfirst'); sys.stdout.flush()\n"
            "while True: signal.pause()"
        )
        held.printed("--- full screen: ")

        viewer = look(held, 40, 120)

        viewer.shows("painted")
        assert "first" not in viewer.output
        assert viewer.output.startswith("\x1b[?1049h")

    def test_hears_how_the_service_ended(self, python: Callable[[str], Held], look: Look) -> None:
        held = python("input(); raise SystemExit(5)")
        viewer = look(held)

        viewer.type("\r")

        viewer.until(lambda: any(kind == frames.CODE for kind, _ in viewer.seen))
        content = next(content for kind, content in viewer.seen if kind == frames.CODE)
        assert frames.CODES.unpack(content) == (held.process.pid, frames.ENDED, 5)

    def test_ctrl_c_that_would_end_the_service_is_held_back_and_at_a_prompt_is_not(
        self, python: Callable[[str], Held], look: Look
    ) -> None:
        held = python(
            "import time\nprint('busy')\ntry: time.sleep(600)\nexcept KeyboardInterrupt: pass\n"
            "try: input('name? ')\nexcept KeyboardInterrupt: print('interrupted')"
        )
        viewer = look(held)
        viewer.shows("busy\r\n")

        viewer.say(frames.GUARDED, b"\x03")
        viewer.until(lambda: (frames.GUARD, b"\x03") in viewer.seen)
        viewer.type("\x03")
        viewer.shows("name? ")
        viewer.say(frames.GUARDED, b"\x03")

        viewer.shows("interrupted")


class TestAProgramThatAsksItsTerminal:
    def test_is_answered_while_no_viewer_is_there(self, python: Callable[[str], Held]) -> None:
        held = python(
            "import sys, tty; tty.setraw(0); sys.stdout.write('\\x1b[6n'); sys.stdout.flush()\n"
            "print(ascii(sys.stdin.buffer.read1(100)))"
        )

        held.printed(r"\x1b[1;1R")

    def test_is_answered_by_the_viewer_alone(self, python: Callable[[str], Held], look: Look) -> None:
        held = python(
            "import sys, tty; input('go'); tty.setraw(0); sys.stdout.write('\\x1b[6n'); sys.stdout.flush()\n"
            "print(ascii(sys.stdin.buffer.read1(100)))"
        )
        viewer = look(held)
        viewer.until(lambda: viewer.has_keyboard)
        viewer.type("\r")
        viewer.shows("\x1b[6n")
        viewer.type("\x1b[7;9R")

        assert "1;1R" not in viewer.shows(r"\x1b[7;9R")
