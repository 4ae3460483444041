"""Whether a process waits for something to be typed: what the kernel says of threads that read standard input."""

from __future__ import annotations

import os
import termios
from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple

from devinit.system.procfs import read

READS = {"x86_64": b"0", "aarch64": b"63", "riscv64": b"63", "i686": b"3", "armv7l": b"3"}
"""The number of the system call `read` (arch/*/syscall.tbl of Linux)."""
SLEEPS = b"pipe_read"
"""How the kernel function ends in which a reader of a pipe sleeps: anon_pipe_read since Linux 6.14, pipe_read."""
POLLS = (b"epoll_wait", b"ep_poll")
"""The same of a thread in epoll: do_epoll_wait since Linux 5.11, ep_poll."""
LOOKS = (b"poll_schedule_timeout", b"do_select", b"do_poll", b"wait_woken", b"n_tty_read", *POLLS)
"""The same of a thread that waits for a key of a terminal, by select, poll or read."""
TERMINALS = "/dev/pts/"
MOST_THREADS = 512
"""Of one process; further ones are not looked at."""


class Proof(Enum):
    """How sure it is that a process waits for its standard input."""

    READS = "a thread is in read(0)"
    SLEEPS = "a thread sleeps in the read of some pipe; which one is hidden from us"
    EDITS = (
        "a thread waits, and the terminal echoes nothing: the program edits the line, or asks for a password"
    )
    POLLS = "a thread waits by epoll for several things, as Node does: its input may be among them"


class InputReader(NamedTuple):
    """A process that may wait for what is typed."""

    pid: int
    proof: Proof


def reader_of_input(pids: Iterable[int]) -> InputReader | None:
    """Return the process that most surely waits for the standard input that the first of these has.

    None where none waits, or where there is no /proc, or where none of them reads from a pipe or a terminal.
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
    """Whether the terminal from which a process reads does not show what is typed."""
    try:
        # Without waiting for it, and without making it ours.
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
        # Hidden under Yama of what is no descendant of ours: an adopted service.
        words = (read(f"{folder}/syscall") or b"").split(None, 2)
        is_seen = len(words) > 1 and number is not None
        if is_seen and words[0] == number and int(words[1], 16) == 0:
            return Proof.READS
        # `poll_schedule_timeout.constprop.0`: the compiler has made a variant of it.
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
