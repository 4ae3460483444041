"""Data of /proc about processes, read with as few system calls as possible.

A scan reads it for every process on the machine, so this module uses plain `os.open` and splits bytes: 500
processes take 6 ms, where psutil takes 30.
"""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Iterator

from devinit.system.process_stat import Stat

_FAULTS_OF_CHILDREN = 8
"""The index of `cminflt` in /proc/PID/stat, after the name."""
LINUX = sys.platform.startswith("linux")
"""On other systems, `macos` provides the same data."""
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")

_ENOUGH = 65536
_EXEC_SECONDS = 0.005
"""How long an empty environment is read again: `execve` takes microseconds, and few programs have no variables."""
_EXEC_LOOKS = 4
"""The fewest attempts: on a busy machine one `sched_yield` can take longer than that."""
_GONE_OR_HIDDEN = frozenset({errno.ENOENT, errno.ESRCH, errno.EACCES, errno.EPERM, errno.ENOTDIR})


def process_ids() -> Iterator[int]:
    """Yield the pids of all visible processes."""
    if not LINUX:
        from devinit.system import macos  # loads psutil

        yield from macos.process_ids()
        return
    for name in os.listdir("/proc"):
        if name.isdecimal():
            yield int(name)


def stat_of(pid: int) -> Stat | None:
    """Return the state of a process, or None if no process has this pid."""
    if not LINUX:
        from devinit.system import macos  # loads psutil

        return macos.stat_of(pid)
    raw = read(f"/proc/{pid}/stat")
    if not raw:
        return None
    # The name is in parentheses and may contain any character, even a parenthesis: count from the last one.
    end = raw.rindex(b")")
    fields = raw[end + 2 :].split(None, 20)
    name = raw[raw.index(b"(") + 1 : end].decode(errors="replace")
    state, threads = chr(fields[0][0]), int(fields[17])
    if state == "Z" and threads > 1:
        state = "S"  # its main thread has ended, but others still run
    return Stat(state, int(fields[1]), int(fields[3]), int(fields[19]), int(fields[4]), name)


def thread_folders(pid: int) -> list[str]:
    """Return the /proc folders of a process's threads; empty if it is gone or hidden. Linux only."""
    try:
        return [f"/proc/{pid}/task/{name}" for name in os.listdir(f"/proc/{pid}/task")]
    except OSError:
        return []


def exit_status_of(pid: int) -> int | None:
    """Return the status of a zombie, as in `waitpid`.

    None for a process that runs, is gone, or hides its status. A status of 0 is ambiguous: the kernel also shows 0
    to processes that may not read the status.
    """
    raw = read(f"/proc/{pid}/stat") if LINUX else None
    if not raw:
        return None
    fields = raw[raw.rindex(b")") + 2 :].split()
    # proc_pid_stat(5): the last field, 52, is exit_code; the state is the third.
    return int(fields[49]) if fields[0] == b"Z" and len(fields) > 49 else None  # noqa: PLR2004 - as above


def command_line_of(pid: int) -> str:
    """Return a process's command line, with spaces between the words; empty if it is gone or hidden."""
    raw = read(f"/proc/{pid}/cmdline") if LINUX else None
    return os.fsdecode((raw or b"").replace(b"\0", b" ")).strip()


def terminal_of(pid: int) -> str | None:
    """Return the terminal that a process reads from or writes to, "pts/3"; None if it has none, or is hidden."""
    for descriptor in (0, 2, 1):
        try:
            path = os.readlink(f"/proc/{pid}/fd/{descriptor}") if LINUX else ""
        except OSError:
            continue
        if path.startswith(("/dev/pts/", "/dev/tty")):
            return path.removeprefix("/dev/")
    return None


def all_processes() -> dict[int, Stat]:
    """Return every visible process."""
    found = ((pid, stat_of(pid)) for pid in process_ids())
    return {pid: stat for pid, stat in found if stat is not None}


def family_of(pid: int) -> tuple[int, ...]:
    """Return a process and its descendants from the kernel's own lists, without reading all processes.

    A child that is forked meanwhile may be missing. On kernels without such lists, all descendants are missing.
    """
    found = [pid]
    for parent in found:
        found += _children_of(parent) if LINUX else ()
    return tuple(found)


def _children_of(pid: int) -> Iterator[int]:
    """Yield the children that each thread of a process has started, unless another process adopted them."""
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError as error:
        if error.errno in _GONE_OR_HIDDEN:
            return
        raise
    for thread in threads:
        yield from map(int, (read(f"/proc/{pid}/task/{thread}/children") or b"").split())


def reaped_by(pid: int) -> int:
    """Return a number that grows with each reaped child of a process: the page faults of all of them."""
    _, _, fields = (read(f"/proc/{pid}/stat") or b"").rpartition(b")") if LINUX else (b"", b"", b"")
    words = fields.split()
    return int(words[_FAULTS_OF_CHILDREN]) if len(words) > _FAULTS_OF_CHILDREN else 0


def variable_of(pid: int, name: str) -> str | None:
    """Return a variable of a process's initial environment; None if it is not set or hidden."""
    if not LINUX:
        from devinit.system import macos  # loads psutil

        return macos.variable_of(pid, name)
    environment = _environment_of(pid)
    if not environment:
        return None
    _, found, rest = (b"\0" + environment).partition(f"\0{name}=".encode())
    return os.fsdecode(rest.partition(b"\0")[0]) if found else None


def has_legible_environment(pid: int) -> bool:
    """Whether the initial environment of a process can still be read.

    Redis, Ruby and others overwrite it with their title, and processes of other users hide it.
    """
    if not LINUX:
        from devinit.system import macos  # loads psutil

        return macos.has_legible_environment(pid)
    first = (_environment_of(pid) or b"").partition(b"\0")[0]
    return b"=" in first


def _environment_of(pid: int) -> bytes | None:
    """Return the initial environment of a process, also of one that is in `execve` at this moment.

    The kernel closes the caller's descriptors, by which `Popen` knows that a program runs, before it gives the
    program its environment. A file that was opened before an `execve` is empty after it. A single read can hit
    either case, and would miss the process of a service.
    """
    environment = read(f"/proc/{pid}/environ")
    if environment == b"" and _has_memory(pid):
        deadline = time.monotonic() + _EXEC_SECONDS
        looks = 0
        while not environment and (looks < _EXEC_LOOKS or time.monotonic() < deadline):
            os.sched_yield()
            environment = read(f"/proc/{pid}/environ")
            looks += 1
    return environment


def _has_memory(pid: int) -> bool:
    """Whether a process has memory (proc_pid_stat(5): vsize); kernel threads and zombies have none."""
    raw = read(f"/proc/{pid}/stat")
    return raw is not None and raw[raw.rindex(b")") + 2 :].split(None, 21)[20] != b"0"


def cgroups_of(pid: int) -> tuple[str, ...]:
    """Return the control groups that identify a process's owner: the unified one and systemd's; may be empty."""
    lines = (read(f"/proc/{pid}/cgroup") or b"").decode(errors="replace").splitlines() if LINUX else []
    fields = (line.split(":", 2) for line in lines)
    return tuple(path for _, controllers, path in fields if controllers in ("", "name=systemd"))


def read(path: str) -> bytes | None:
    """Return the content of a /proc file, or None if it is gone or hidden from us."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return _read_all(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        # Any other error (such as no free descriptor) must not look as if the process had ended.
        if error.errno in _GONE_OR_HIDDEN:
            return None
        raise


def _read_all(descriptor: int) -> bytes:
    content = part = os.read(descriptor, _ENOUGH)
    # /proc returns whole pages as far as the buffer reaches; only a long environment needs another read.
    while len(part) == _ENOUGH:
        part = os.read(descriptor, _ENOUGH)
        content += part
    return content
