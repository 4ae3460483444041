"""Errors about a supervisor that could not be launched, with advice. Loaded only after a failure."""

# ruff: noqa: PTH123 -- paths are text here

from __future__ import annotations

import errno
import os
from shlex import quote

from devinit.errors import SupervisorError
from devinit.system.limits import cure_of_limit
from devinit.system.permissions import REFUSED as PERMISSIONS
from devinit.system.permissions import cure_of
from devinit.system.regular import open_regular

REFUSED = (errno.EACCES, errno.EPERM)
LONGEST_LINE = 300
"""Characters of the last line of a log that an error repeats."""


def log_refused(path: str, error: OSError) -> SupervisorError:
    """Return the error for a supervisor's log that cannot be opened."""
    hint = f"move it away: mv {quote(path)} {quote(path + '.old')}"
    if error.errno in PERMISSIONS:
        hint = cure_of(path, error, otherwise=hint)
    return SupervisorError(
        f"the supervisor cannot start: its log {path} cannot be opened: {reason_of(error)}",
        hint=cure_of_limit(error) or hint,
    )


def not_spawned(program: str, error: OSError) -> SupervisorError:
    """Return the error for a process that could not be started."""
    hint = cure_of_limit(error)
    if error.errno == errno.EAGAIN:
        hint = (
            "the limit of processes is reached: end some, or raise it; `ulimit -u` shows the user's limit, "
            "and a container has one of its own (pids.max)"
        )
    elif error.errno == errno.ENOMEM:
        hint = "the memory is used up: end something that uses much"
    elif error.errno in REFUSED:
        hint = (
            "this user may not run the Python that devinit was installed with: install devinit for this user, "
            "for example with `uv tool install devinit`"
        )
    elif error.errno in (errno.ENOENT, errno.ENOTDIR):
        hint = (
            "devinit runs with this Python, which was removed or replaced: install devinit again, "
            "or activate another environment"
        )
    return SupervisorError(
        f"the supervisor cannot start: {program or 'the Python of devinit'} cannot be run: {reason_of(error)}",
        hint=hint,
    )


def died(log: str, offset: int, said: str, status: int | None) -> SupervisorError:
    """Return the error for a supervisor that ended before it listened.

    `said` is its message about that, and `status` the result of `os.waitpid`. `offset` is the
    length of its log at its start.
    """
    reason = said or f"{how_it_ended(status)}{last_line(log, offset)}"
    return SupervisorError(f"the supervisor could not start: {reason}", hint=f"see {log}")


def silent(log: str, pid: int, seconds: float) -> SupervisorError:
    """Return the error for a supervisor that neither listens nor ends."""
    return SupervisorError(
        f"the supervisor (pid {pid}) was started and does not listen after {seconds:g} s",
        hint=f"run the command again if the machine is busy, or end it with `kill -9 {pid}`, which "
        f"leaves services running; see {log}",
    )


def kept_waiting(lock: str, seconds: float) -> SupervisorError:
    """Return the error for a launch that waits for another command's launch in vain."""
    from devinit.system.open_files import openers_of

    pids = [each.pid for each in openers_of(lock)]
    who = f"another command (pid {pids[0]})" if pids else "a command in another container or namespace"
    hint = "look there: it may be stopped; then run the command again"
    if pids:
        hint = (
            f"`kill -CONT {pids[0]}` lets a stopped one go on, `kill {pids[0]}` ends it; "
            "then run the command again"
        )
    return SupervisorError(
        f"{who} has been starting this project's supervisor for more than {seconds:g} s", hint=hint
    )


def reason_of(error: OSError) -> str:
    """Return the system's message for a failure, without the path, which the error already contains."""
    return error.strerror or str(error)


def how_it_ended(status: int | None) -> str:
    """Return how a process ended, according to its exit status."""
    if status is None:
        return "it ended without a word"
    code = os.waitstatus_to_exitcode(status)
    return f"it was ended by signal {-code}" if code < 0 else f"it ended with exit code {code}"


def last_line(log: str, offset: int) -> str:
    """Return the last line added to a log after an offset, with a colon before it; "" if there is none."""
    try:
        with open(open_regular(log), "rb") as file:
            file.seek(offset)
            lines = file.read().decode(errors="replace").split("\n")
    except OSError:
        return ""
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return f": {last[:LONGEST_LINE]}" if last else ""
