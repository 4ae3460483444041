"""The identity of a process, which survives the reuse of pids, and the facts that messages show."""

from __future__ import annotations

import os
import pwd
import time
from functools import cache

from devinit.model.process import ProcessFacts, ProcessIdentity
from devinit.system.process_stat import Stat
from devinit.system.procfs import LINUX, TICKS_PER_SECOND, read, stat_of


@cache
def boot_id() -> str:
    """Return a name for the current boot.

    A container shares the boot of its machine and ends with its first process, so the start time of that process
    distinguishes its boots. On the machine itself, the first process starts with the boot.
    """
    found = read("/proc/sys/kernel/random/boot_id") if LINUX else None
    if found:
        first = stat_of(1)
        return found.decode().strip() + (f"/{first.start_time}" if first else "")
    from devinit.system import macos  # loads psutil

    return macos.boot_id()


def identity_of(pid: int) -> ProcessIdentity | None:
    """Return the identity of the process that currently has this pid, or None if there is none."""
    found = stat_of(pid)
    return None if found is None else ProcessIdentity(pid, found.start_time, boot_id())


def alive(identity: ProcessIdentity) -> bool:
    """Return whether exactly this process still runs; a zombie does not."""
    found = stat_of(identity.pid)
    return found is not None and found.runs and is_same(identity, found)


def is_same(identity: ProcessIdentity, found: Stat) -> bool:
    """Return whether the current process with this pid is the one that was meant."""
    return found.start_time == identity.start_time and identity.boot_id == boot_id()


def facts_of(pid: int) -> ProcessFacts | None:
    """Return the known facts about a process; hidden facts are None or empty, never an error."""
    found = stat_of(pid)
    if found is None:
        return None
    identity = ProcessIdentity(pid, found.start_time, boot_id())
    if not LINUX:
        from devinit.system import macos  # loads psutil

        return macos.facts_of(identity, found)
    status = read(f"/proc/{pid}/status")
    if not status:
        return None
    uid = _effective_uid(status)
    return ProcessFacts(
        identity=identity,
        parent_pid=found.parent,
        name=_text((read(f"/proc/{pid}/comm") or b"").rstrip(b"\n")),
        command=_words(read(f"/proc/{pid}/cmdline") or b""),
        user=user_name(uid),
        uid=uid,
        directory=_directory_of(pid),
        age_seconds=max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - found.start_time / TICKS_PER_SECOND),
        stopped=found.stopped,
        executable=_program_of(pid),
        terminal=found.terminal != 0,
    )


def runs_as_us(pid: int) -> bool:
    """Whether a process runs as our user and was started by us: another user can start a program of root.

    `passwd`, for example, then has root's rights, but the environment that its caller chose.
    """
    if not LINUX:
        found = facts_of(pid)
        return found is not None and found.uid == os.geteuid()
    _, _, rest = (read(f"/proc/{pid}/status") or b"").partition(b"\nUid:")
    # Real, effective, saved and file system user ids.
    uids = {int(word) for word in rest.partition(b"\n")[0].split()}
    return uids == {os.geteuid()}


def ancestors_of(pid: int) -> tuple[int, ...]:
    """Return the pids of a process's parent, its parent, and so on up to 1, without the process itself."""
    found = stat_of(pid)
    ancestors: list[int] = []
    # In a container the outermost parent is 0; a loop can only come from a pid that is reused meanwhile.
    while found is not None and found.parent > 0 and found.parent not in ancestors:
        ancestors.append(found.parent)
        found = stat_of(found.parent)
    return tuple(ancestors)


@cache
def user_name(uid: int) -> str:
    """Return a user's name, or the number when no account has it."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _effective_uid(status: bytes) -> int:
    # The owner of /proc/PID is root for every process that is not dumpable (ssh-agent).
    _, _, rest = status.partition(b"\nUid:")
    return int(rest.split(None, 2)[1])


def _directory_of(pid: int) -> str | None:
    try:
        return _text(os.fsencode(os.readlink(f"/proc/{pid}/cwd")))
    except OSError:
        return None


def _program_of(pid: int) -> str:
    try:
        path = _text(os.fsencode(os.readlink(f"/proc/{pid}/exe")))
    except OSError:
        return ""
    return path.removesuffix(" (deleted)").rpartition("/")[2]  # replaced by an upgrade while it runs


def _words(command_line: bytes) -> tuple[str, ...]:
    # Servers that set their title leave one string, padded with spaces or NULs ("nginx: master process").
    words = command_line.rstrip(b"\0 ").split(b"\0")
    return tuple(_text(word) for word in words) if words != [b""] else ()


def _text(raw: bytes) -> str:
    # Not surrogateescape: these values are sent as JSON.
    return raw.decode(errors="replace")
