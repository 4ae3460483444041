"""The start of a process, with the exact reason if it fails."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress

from devinit.errors import ServiceError
from devinit.model.process import ProcessSpec
from devinit.model.shell_words import advice_about, windows_line_ends
from devinit.system.descriptors import descriptors
from devinit.system.facts import identity_of, user_name
from devinit.system.forking import Child, start
from devinit.system.limits import MORE_PROCESSES, cure_of_limit
from devinit.system.process import Process
from devinit.system.regular import open_regular

_DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin"
_LONGEST_FIRST_LINE = 256


def spawn(spec: ProcessSpec, *, output: int, stdin: int, keep: tuple[int, ...] = ()) -> Process:
    """Start a process in its own session, which inherits only `output`, `stdin` and `keep`.

    A database server also inherits the lock on its data; ServiceError is raised if another process holds that.
    Signals that the calling program ignores stay ignored in it; the kernel resets those that it handles.
    """
    if spec.data is None:
        return _spawn(spec, output=output, stdin=stdin, keep=keep)
    from devinit.system import data_lock  # only for databases

    with data_lock.take(spec.data) as lock:
        process = _spawn(spec, output=output, stdin=stdin, keep=(*keep, lock.fileno()))
        data_lock.record(lock, process.pid)
    return process


def _spawn(spec: ProcessSpec, *, output: int, stdin: int, keep: tuple[int, ...]) -> Process:
    program = find_program(spec)
    try:
        with descriptors.as_called():
            child = start(spec, program, stdin=stdin, output=output, keep=keep)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise not_started(spec, program, error) from error
    return _own(child)


def _own(child: Child) -> Process:
    # The process is not reaped yet, so the pid is still its own even if it has already ended.
    identity = identity_of(child.pid)
    if identity is None:  # pragma: no cover -- another thread reaps our children
        child.wait()
        raise ServiceError(f"process {child.pid} vanished while it was started")
    try:
        return Process(identity, child)
    except OSError as error:  # no free descriptor: a process that cannot be watched must not stay
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        raise ServiceError(f"process {child.pid} cannot be watched: {error.strerror}") from error


def find_program(spec: ProcessSpec) -> str:
    """Return the absolute path of argv[0], as the process itself would find it with its PATH and directory.

    Raise ServiceError if there is no such program or directory.
    """
    if not spec.directory.is_dir():
        raise ServiceError(
            f"the directory {spec.directory} does not exist", hint="create it, or correct `directory`"
        )
    name = spec.argv[0] if spec.argv else ""
    if not name:
        raise ServiceError("the command is empty", hint="set `command`")
    if "/" in name:
        return _existing_program(os.path.join(spec.directory, name), name)
    places = _search_path(spec)
    refused = None
    for place in places:
        candidate = os.path.join(place, name)
        if os.path.isfile(candidate):
            if os.access(candidate, os.X_OK):
                return candidate
            refused = refused or candidate
    if refused:
        raise ServiceError(f"{refused} is not executable", hint=f"chmod +x {refused}")
    raise _command_not_found(name, places)


def _search_path(spec: ProcessSpec) -> list[str]:
    parts = spec.environment.get("PATH", _DEFAULT_PATH).split(":")
    # An empty or relative entry is relative to the process's directory, not ours.
    return list(dict.fromkeys(os.path.join(spec.directory, part) for part in parts))


def _existing_program(path: str, name: str) -> str:
    path = os.path.normpath(path)
    if os.path.isdir(path):
        raise ServiceError(f"{name} is a directory, not a command ({path})")
    if not os.path.exists(path):
        raise _command_not_found(name, [os.path.dirname(path)])
    if not os.access(path, os.X_OK):
        raise ServiceError(f"{path} is not executable", hint=f"chmod +x {path}")
    return path


def _command_not_found(name: str, places: Sequence[str]) -> ServiceError:
    from difflib import get_close_matches  # only for an error

    known: set[str] = set()
    for place in places:
        with suppress(OSError):
            known.update(os.listdir(place))
    near = get_close_matches(os.path.basename(name), known, n=1, cutoff=0.75)
    guess = f"did you mean {near[0]}? " if near else ""
    hint = advice_about(name) or f"{guess}searched: {', '.join(places)}"
    return ServiceError(f"command not found: {name}", hint=hint)


def not_started(spec: ProcessSpec, program: str, error: Exception) -> ServiceError:
    """Return the error for a process that the system could not start, with advice."""
    name = spec.argv[0]
    hint: str | None
    match error:
        case OSError(errno=errno.ENOENT | errno.ENOTDIR):
            return _vanished_or_without_interpreter(spec, program)
        case OSError(errno=errno.ENOEXEC):
            reason = "it is neither a program for this machine nor a script that names its interpreter"
            hint = f"if it is a shell script, start it with #!/bin/sh: {program}"
        case OSError(errno=errno.EACCES | errno.EPERM) if spec.run_as:
            who = user_name(spec.run_as.uid)
            reason = f"it may not be started as user {who}, or {who} may not enter {spec.directory}"
            hint = _why_not_as(who, spec, program)
        case OSError(errno=errno.EACCES | errno.EPERM):
            reason = f"{error.strerror}: the system does not let us execute {program} in {spec.directory}"
            hint = "is its file system mounted noexec, or its interpreter not executable?"
        case OSError(errno=errno.E2BIG):
            size = sum(len(key) + len(value) + 2 for key, value in spec.environment.items())
            reason = f"its arguments and environment are too large ({size} bytes of environment)"
            largest = max(spec.environment, key=lambda key: len(spec.environment[key]), default="")
            length = len(spec.environment.get(largest, ""))
            hint = f"one value may have at most 131071 bytes; the largest is that of {largest}, {length}"
        case OSError(errno=errno.EAGAIN | errno.ENOMEM):
            reason = f"the system has no room for another process ({error.strerror})"
            hint = MORE_PROCESSES
        case OSError(errno=errno.EMFILE | errno.ENFILE):
            reason = f"there are no file descriptors left ({error.strerror})"
            hint = cure_of_limit(error)
        case OSError():
            reason, hint = error.strerror or str(error), None
        case _:  # a NUL byte or an invalid variable name
            reason, hint = str(error), "look for NUL bytes and '=' in its arguments and variable names"
    return ServiceError(f"{name} cannot be started: {reason}", hint=hint)


def _why_not_as(who: str, spec: ProcessSpec, program: str) -> str:
    """Return the reason why a program cannot be started as another user."""
    from devinit.system.permissions import SETGID, SETUID, has_capability  # for an error only

    if os.geteuid() == 0 and not (has_capability(SETUID) and has_capability(SETGID)):
        return (
            f"this root may not become {who} (capabilities SETUID and SETGID, dropped in this container): run "
            "devinit as an ordinary user, or start the container with --cap-add SETUID --cap-add SETGID"
        )
    return f"only root can start it as another user; as that user try: ls -ld {spec.directory} {program}"


def _vanished_or_without_interpreter(spec: ProcessSpec, program: str) -> ServiceError:
    if not spec.directory.is_dir():
        return ServiceError(f"the directory {spec.directory} was removed")
    first_line = _first_line(program)
    if first_line.startswith(b"#!"):
        if first_line.endswith(b"\r"):
            return ServiceError(f"{program} cannot be started", hint=windows_line_ends(program))
        interpreter = first_line[2:].strip().decode(errors="replace")
        return ServiceError(
            f"{program} names an interpreter that does not exist: {interpreter}",
            hint="a virtual environment that was moved or copied must be made again",
        )
    return ServiceError(
        f"{program} cannot be started: its loader does not exist",
        hint="it was built for another system (musl or glibc, 32 or 64 bits)",
    )


def _first_line(program: str) -> bytes:
    try:
        with open(open_regular(program), "rb") as file:
            return file.readline(_LONGEST_FIRST_LINE).rstrip(b"\n")
    except OSError:  # executable, but not readable
        return b""
