"""Fork and exec, as in `subprocess.Popen`, with an environment that is encoded in one step.

`Popen` encodes each variable separately, in Python. Each of 200 services has 650 variables, because each
has the addresses of all others: that took 0.45 ms of the 0.55 ms of CPU for its start. With 1,000
services it is five times as many.
"""

from __future__ import annotations

import _posixsubprocess
import os
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from devinit.model.process import ProcessSpec

_TOLD_BYTES = 50_000
"""Most bytes of an error message from a child that cannot become the program."""
_IS_KNOWN = sys.version_info < (3, 15)
"""Whether the arguments of `fork_exec`, a private function, are known for this Python version."""
_VFORK = (True,) if sys.version_info < (3, 14) else ()
"""The last argument of `fork_exec`, which Python 3.14 removed."""


class Child:
    """A process that we have started and have to reap."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._returncode: int | None = None

    def poll(self) -> int | None:
        """Reap the process if it has ended; return its exit code (-9: signal 9), or None while it runs."""
        return self._reap(os.WNOHANG)

    def wait(self) -> int | None:
        """Wait until the process has ended, and reap it."""
        return self._reap(0)

    def _reap(self, options: int) -> int | None:
        if self._returncode is None:
            try:
                pid, status = os.waitpid(self.pid, options)
            except ChildProcessError:  # another process reaped it and knows its code
                self._returncode = 0
            else:
                self._returncode = os.waitstatus_to_exitcode(status) if pid else None
        return self._returncode


def start(spec: ProcessSpec, program: str, *, stdin: int, output: int, keep: tuple[int, ...]) -> Child:
    """Start a program in its own session, which inherits only `output`, `stdin` and `keep`.

    Raise OSError or SubprocessError when it cannot be started, ValueError for a NUL byte or an invalid name.
    """
    if spec.run_as is not None or not _IS_KNOWN:
        return _by_subprocess(spec, program, stdin=stdin, output=output, keep=keep)
    words, variables = [os.fsencode(each) for each in spec.argv], encoded(spec.environment)
    # These get numbers above the standard streams, which the caller of devinit has open, or devinit opens itself.
    receiving, telling = os.pipe()
    try:
        try:
            pid = _posixsubprocess.fork_exec(
                words,
                (os.fsencode(program),),
                True,  # noqa: FBT003  close what is not kept
                tuple(sorted({*keep, telling})),
                str(spec.directory),
                variables,
                stdin, -1, -1, output, -1, output,
                receiving, telling,
                True,  # noqa: FBT003  have the signals that Python ignores as they were
                True,  # noqa: FBT003  begin a session
                -1, None, None, None, -1,
                None,  # type: ignore[arg-type]  # typeshed knows no call without a function before the exec
                *_VFORK,
            )  # fmt: skip
        finally:
            os.close(telling)
        told = _all_of(receiving)
    finally:
        os.close(receiving)
    child = Child(pid)
    if told:
        child.wait()
        raise _error_of(told)
    return child


def encoded(environment: Mapping[str, str]) -> list[bytes]:
    """Return an environment in the kernel's format. Raise ValueError for a NUL byte or a name with `=`."""
    if "=" in "".join(environment):
        raise ValueError("illegal environment variable name")
    text = "\0".join([f"{name}={value}" for name, value in environment.items()])
    lines = text.encode(sys.getfilesystemencoding(), sys.getfilesystemencodeerrors()).split(b"\0")
    if len(lines) != max(1, len(environment)):
        raise ValueError("embedded null byte")
    return lines if environment else []


def _all_of(pipe: int) -> bytes:
    """Return the error message of a child that cannot become the program; empty on success."""
    told = b""
    while len(told) < _TOLD_BYTES and (part := os.read(pipe, _TOLD_BYTES)):
        told += part
    return told


def _error_of(told: bytes) -> Exception:
    """Return the error that a child reports: "OSError:2:noexec", with the number in hexadecimal."""
    kind, _, rest = told.partition(b":")
    number, _, said = rest.partition(b":")
    if kind == b"OSError":
        code = int(number, 16)
        return OSError(code, os.strerror(code))
    return subprocess.SubprocessError((said or told).decode(errors="replace"))


def _by_subprocess(
    spec: ProcessSpec, program: str, *, stdin: int, output: int, keep: tuple[int, ...]
) -> Child:
    """Start a program by `subprocess`, for the rare case of another user."""
    run_as = spec.run_as
    child = subprocess.Popen(
        spec.argv,
        executable=program,
        stdin=stdin,
        stdout=output,
        stderr=output,
        cwd=spec.directory,
        env=spec.environment,
        close_fds=True,
        pass_fds=keep,
        start_new_session=True,
        user=run_as.uid if run_as else None,
        group=run_as.gid if run_as else None,
        extra_groups=() if run_as else None,
    )
    # The process is reaped by its pid; without a code, `Popen` would warn that it still runs.
    child.returncode = 0
    return Child(child.pid)
