"""Detection of processes that wait for typed input: the kernel shows which threads read standard input."""

from __future__ import annotations

import os
import termios
from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple

from devinit.system.procfs import read

READS = {"x86_64": b"0", "aarch64": b"63", "riscv64": b"63", "i686": b"3", "armv7l": b"3"}
"""The number of the system call `read` on each machine (arch/*/syscall.tbl of Linux)."""
SLEEPS = b"pipe_read"
"""The end of the name of the kernel function in which a reader of a pipe sleeps: anon_pipe_read since Linux 6.14,
pipe_read before."""
POLLS = (b"epoll_wait", b"ep_poll")
"""The same for a thread in epoll: do_epoll_wait since Linux 5.11, ep_poll before."""
LOOKS = (b"poll_schedule_timeout", b"do_select", b"do_poll", b"wait_woken", b"n_tty_read", *POLLS)
"""The same for a thread that waits for a key of a terminal, by select, poll or read."""
TERMINALS = "/dev/pts/"
MOST_THREADS = 512
"""Threads of one process that are examined."""


class Proof(Enum):
    """The evidence that a process waits for its standard input."""

    READS = "a thread is in read(0)"
    SLEEPS = "a thread sleeps in the read of some pipe; which one is hidden from us"
    EDITS = (
        "a thread waits, and the terminal echoes nothing: the program edits the line, or asks for a password"
    )
    POLLS = "a thread waits by epoll for several things, as Node does: its input may be among them"


class InputReader(NamedTuple):
    """A process that may wait for typed input."""

    pid: int
    proof: Proof


def reader_of_input(pids: Iterable[int]) -> InputReader | None:
    """Return the process that most certainly waits for the same standard input as the first of these.

    None if no process waits, if there is no /proc, or if none of them reads from a pipe or a terminal.
    """
    found: InputReader | None = None
    wanted = ""
    for pid in pids:
        has = _input_of(pid)
        wanted = wanted or has
        if not has.startswith(("pipe:", TERMINALS)) or has != wanted:
            continue
        proof = _proof_of(pid, is_silent=has.startswith(TERMINALS) and echoes_nothing(pid))
        if proof is Proof.READS:
            return InputReader(pid, proof)
        if proof is not None and (found is None or found.proof is Proof.POLLS):
            found = InputReader(pid, proof)
    return found


def echoes_nothing(pid: int) -> bool:
    """Whether the terminal from which a process reads does not echo typed text."""
    try:
        # O_NONBLOCK and O_NOCTTY: do not wait for it, and do not make it our controlling terminal.
        flags = os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(f"/proc/{pid}/fd/0", flags)
    except OSError:
        return False
    try:
        return not termios.tcgetattr(descriptor)[3] & termios.ECHO
    except termios.error:
        return False
    finally:
        os.close(descriptor)


def _input_of(pid: int) -> str:
    try:
        return os.readlink(f"/proc/{pid}/fd/0")
    except OSError:
        return ""


def _proof_of(pid: int, *, is_silent: bool) -> Proof | None:
    try:
        threads = os.listdir(f"/proc/{pid}/task")[:MOST_THREADS]
    except OSError:
        return None
    proof: Proof | None = None
    number = READS.get(os.uname().machine)
    for thread in threads:
        folder = f"/proc/{pid}/task/{thread}"
        # Yama hides this for a process that is no descendant of ours, such as an adopted service.
        words = (read(f"{folder}/syscall") or b"").split(None, 2)
        is_seen = len(words) > 1 and number is not None
        if is_seen and words[0] == number and int(words[1], 16) == 0:
            return Proof.READS
        # For example `poll_schedule_timeout.constprop.0`: the compiler made a variant of the function.
        sleeps_in = (read(f"{folder}/wchan") or b"").partition(b".")[0]
        if not is_seen and sleeps_in.endswith(SLEEPS):
            proof = Proof.SLEEPS
        elif is_silent and sleeps_in.endswith(LOOKS) and proof is not Proof.SLEEPS:
            proof = Proof.EDITS
        elif not is_silent and sleeps_in.endswith(b"n_tty_read") and not is_seen:
            proof = Proof.SLEEPS
        elif sleeps_in.endswith(POLLS) and proof is None:
            proof = Proof.POLLS
    return proof
