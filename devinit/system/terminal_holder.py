"""The terminal of a service, from outside: starting the process that holds it, and asking it for exit codes."""

from __future__ import annotations

import marshal
import os
import socket
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from devinit.errors import ServiceError
from devinit.model.process import ProcessSpec
from devinit.system.descriptors import descriptors
from devinit.system.facts import identity_of
from devinit.system.holder import frames
from devinit.system.holder.endings import code_in
from devinit.system.holder.viewers import is_ours
from devinit.system.limits import cure_of_limit
from devinit.system.process import Process
from devinit.system.regular import open_regular
from devinit.system.spawning import find_program, not_started, spawn
from devinit.system.tree import RUN_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from devinit.model.process import TerminalHolder
    from devinit.system.holder.order import Order

BEGIN = os.path.join(os.path.dirname(os.path.abspath(frames.__file__)), "begin.py")
SIZE = (40, 120)
"""Rows and columns before the first viewer; at 80 columns, programs break the lines of their logs."""
ANSWER_SECONDS = 0.5
"""How long to wait for the answer of a running holder."""
OF_A_TERMINAL = {"TERM": "xterm-256color", "PROMPT_TOOLKIT_NO_CPR": "1"}
"""Variables of a service with a terminal. The second one stops queries for the cursor position, which remain
unanswered without a viewer."""
OF_ANOTHER = (
    "LINES",
    "COLUMNS",
    "TERM_PROGRAM",
    "TERM_PROGRAM_VERSION",
    "TERMCAP",
    "WINDOWID",
    "VTE_VERSION",
)
"""Variables that describe the terminal of the caller."""


class Starting:
    """A holder that was started, and has not yet reported the process of the service."""

    def __init__(self, holder: Process, told: int, spec: ProcessSpec, program: str) -> None:
        self.holder = holder
        self.told = told
        """Becomes readable when the holder reports."""
        self._spec, self._program = spec, program

    def service(self, known: TerminalHolder) -> Process:
        """Return the service's process. Raise ServiceError if it could not be started."""
        said = os.read(self.told, 64).split()
        match said:
            case [b"pid", pid]:
                identity = identity_of(int(pid))
                # It is not reaped before we close our end, so the pid is still its own.
                if identity is not None:
                    return Process(identity, code=lambda: exit_code(known, int(pid)))
            case [b"errno", number]:
                code = int(number)
                raise not_started(self._spec, self._program, OSError(code, os.strerror(code)))
        raise ServiceError(
            f"{self._spec.argv[0]} cannot be started: the process that holds its terminal has ended",
            hint="the log of the service may say more; without `tty = true` it needs none",
        )

    def close(self) -> None:
        """Close our end: from here on, the holder may reap the service."""
        os.close(self.told)


def in_terminal(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a service with its own terminal."""
    kept = {name: value for name, value in environment.items() if name not in OF_ANOTHER}
    return {**kept, **OF_A_TERMINAL}


def start_holder(
    spec: ProcessSpec, name: str, address: str, endings: str, *, output: int, keep: Sequence[int]
) -> Starting:
    """Start the holder of a terminal, which starts a service in it. Raise ServiceError when that is refused.

    `address`: its socket. `endings`: its file of exit codes. `output`: the service's log. `keep`: the descriptors
    that the service inherits.
    """
    program = find_program(spec)
    umask = os.umask(0o077)
    os.umask(umask)
    told, tells = os.pipe()
    order: Order = {
        "program": program,
        "argv": list(spec.argv),
        "environment": in_terminal(spec.environment),
        "socket": address,
        "endings": endings,
        "log": output,
        "told": tells,
        "keep": list(keep),
        "size": SIZE,
        "umask": umask,
    }
    begin = ProcessSpec(
        argv=(sys.executable, *_isolated(), BEGIN, name),
        directory=spec.directory,
        environment=_environment(spec),
    )
    try:
        source = _as_file(marshal.dumps({**order}))
        try:
            holder = spawn(begin, output=output, stdin=source, keep=(output, tells, *keep))
        finally:
            os.close(source)
    except OSError as error:
        os.close(told)
        said = f"{name}: its terminal cannot be held: {error.strerror}"
        raise ServiceError(said, hint=cure_of_limit(error)) from error
    except ServiceError:
        os.close(told)
        raise
    finally:
        os.close(tells)
    return Starting(holder, descriptors.keep(told), spec, program)


def exit_code(holder: TerminalHolder, pid: int) -> int | None:
    """Return the exit code of a process in a terminal, whether its holder still runs or not; None if unknown."""
    told = None
    with (
        suppress(OSError, frames.Broken, ServiceError),
        connected(holder.socket, ANSWER_SECONDS) as connection,
    ):
        connection.sendall(frames.frame(frames.ASK_CODE, frames.NUMBER.pack(pid)))
        kind, content = next(answers(connection), (b"", b""))
        if kind == frames.CODE:
            _, state, code = frames.CODES.unpack(content)
            told = int(code) if state == frames.ENDED else None
    return noted_code(holder, pid) if told is None else told


def noted_code(holder: TerminalHolder, pid: int) -> int | None:
    """Return an exit code that a holder has recorded; None if it has not."""
    try:
        descriptor = open_regular(holder.endings)
    except OSError:
        return None
    try:
        return code_in(os.read(descriptor, 4096), pid)
    finally:
        os.close(descriptor)


def connected(address: str, seconds: float | None) -> socket.socket:
    """Return a connection to a holder, after its greeting.

    Raise OSError if there is none, ServiceError for one of another version or user. `seconds`: how long to wait
    for an answer; None: forever.
    """
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(ANSWER_SECONDS)
        connection.connect(address)
        _require_own(connection, address)
        _require_version(connection.recv(1))
        connection.settimeout(seconds)
    except BaseException:
        connection.close()
        raise
    return connection


def answers(connection: socket.socket) -> Iterator[tuple[bytes, bytes]]:
    """Yield frames until the holder closes the connection."""
    taken = frames.Frames()
    while data := connection.recv(65536):
        yield from taken.take(data)


def push(address: str, data: bytes) -> bool:
    """Type a text into a terminal without attaching to it; return whether it was accepted. Raise OSError."""
    with connected(address, ANSWER_SECONDS) as connection:
        connection.sendall(frames.frame(frames.PUSH, data))
        return next(answers(connection), (b"", b"")) == (frames.PUSHED, b"\1")


def _require_own(connection: socket.socket, address: str) -> None:
    if not is_ours(connection):
        raise ServiceError(
            f"{address} is held by another user", hint="it may be an attempt to read what you type"
        )


def _require_version(greeting: bytes) -> None:
    if not greeting:
        raise ConnectionResetError("the holder has ended")
    if greeting[0] != frames.VERSION:
        raise ServiceError(
            f"the terminal is held by another version of devinit (protocol {greeting[0]})",
            hint="restart the service: then this version holds its terminal",
        )


def _isolated() -> tuple[str, ...]:
    """Return options that keep the installation, the user and the caller from influencing Python."""
    # As in `system.import_path`: a relocated Python needs PYTHONHOME, which -I would ignore.
    return ("-P", "-s", "-S") if os.environ.get("PYTHONHOME") else ("-I", "-S")


def _environment(spec: ProcessSpec) -> dict[str, str]:
    """Return the holder's own environment: the mark of the service, by which it is found."""
    mark = spec.environment.get(RUN_VARIABLE)
    own = {name: os.environ[name] for name in ("PYTHONHOME",) if name in os.environ}
    return {**own, "PYTHONUTF8": "1", **({RUN_VARIABLE: mark} if mark is not None else {})}


def _as_file(data: bytes) -> int:
    """Return a descriptor of a file without a name that contains the data."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("devinit")
    else:  # macOS
        import tempfile  # 9 ms that Linux does not pay

        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    written = 0
    while written < len(data):
        written += os.write(descriptor, data[written:])
    return descriptor
