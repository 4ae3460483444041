"""Processes: start them, know them for sure, find all that belongs to one, and signal nobody else.

A pid is only a number that the kernel gives out again. Everything here that signals goes through a
pidfd whose process was proven to be the one that was meant, by the time at which it started.
"""

from __future__ import annotations

import errno
import os
import pwd
import select
import signal as signals
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cache
from types import ModuleType
from typing import NamedTuple, Self

from devinit.errors import ServiceError
from devinit.model.process import ProcessFacts, ProcessIdentity, ProcessSpec

RUN_VARIABLE = "DEVINIT_RUN"
"""The environment variable by which a service's processes are found after they left its session."""

_LINUX = sys.platform.startswith("linux")
_TICKS = os.sysconf("SC_CLK_TCK")
_ZOMBIE = ("Z", "X")
_STOPPED = ("T", "t")
_DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin"
_WAITER_SECONDS = 0.05
_ENOUGH = 65536


class _Stat(NamedTuple):
    """The part of /proc/PID/stat that says who a process is."""

    state: str
    parent: int
    session: int
    start_time: int


@cache
def boot_id() -> str:
    """Return what tells this boot from any other."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return str(int(_psutil().boot_time()))


def identity_of(pid: int) -> ProcessIdentity | None:
    """Return the identity of the process that has this number now, or None when there is none."""
    found = _stat_of(pid)
    return None if found is None else ProcessIdentity(pid, found.start_time, boot_id())


def alive(identity: ProcessIdentity) -> bool:
    """Say whether exactly this process still runs; one that ended and was not reaped does not."""
    found = _stat_of(identity.pid)
    return found is not None and found.state not in _ZOMBIE and _is(identity, found)


def _is(identity: ProcessIdentity, found: _Stat) -> bool:
    return found.start_time == identity.start_time and identity.boot_id == boot_id()


def facts_of(pid: int) -> ProcessFacts | None:
    """Return what can be told about a process; what is hidden from us is None or empty, never an error."""
    found = _stat_of(pid)
    if found is None:
        return None
    if not _LINUX:
        return _facts_by_psutil(pid, found)
    status = _read(f"/proc/{pid}/status")
    if status is None:
        return None
    uid = _effective_uid(status)
    return ProcessFacts(
        identity=ProcessIdentity(pid, found.start_time, boot_id()),
        parent_pid=found.parent,
        name=_text((_read(f"/proc/{pid}/comm") or b"").rstrip(b"\n")),
        command=_words(_read(f"/proc/{pid}/cmdline") or b""),
        user=user_name(uid),
        uid=uid,
        directory=_directory_of(pid),
        age_seconds=max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - found.start_time / _TICKS),
        stopped=found.state in _STOPPED,
    )


def ancestors_of(pid: int) -> tuple[int, ...]:
    """Return the pids of a process's parent, its parent, and so on up to 1; itself not included."""
    found = _stat_of(pid)
    ancestors: list[int] = []
    # In a container the outermost parent is 0; a loop can only be a pid recycled while we look.
    while found is not None and found.parent > 0 and found.parent not in ancestors:
        ancestors.append(found.parent)
        found = _stat_of(found.parent)
    return tuple(ancestors)


@cache
def user_name(uid: int) -> str:
    """Return a user's name, or the number when nobody has it."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _effective_uid(status: bytes) -> int:
    # The owner of /proc/PID would say root for every process that is not dumpable (ssh-agent).
    _, _, rest = status.partition(b"\nUid:")
    return int(rest.split(None, 2)[1])


def _directory_of(pid: int) -> str | None:
    try:
        return _text(os.fsencode(os.readlink(f"/proc/{pid}/cwd")))
    except OSError:
        return None


def _words(command_line: bytes) -> tuple[str, ...]:
    # Servers that set their title leave one string, padded with spaces or NULs ("nginx: master process").
    words = command_line.rstrip(b"\0 ").split(b"\0")
    return tuple(_text(word) for word in words) if words != [b""] else ()


def _text(raw: bytes) -> str:
    # Not surrogateescape: these values are sent as JSON.
    return raw.decode(errors="replace")


class Process:
    """A running process, held so that it cannot be confused with a later one of the same number.

    `fileno()` becomes readable when it has ended: for `loop.add_reader`, or `wait`.
    """

    def __init__(self, identity: ProcessIdentity, child: subprocess.Popen[bytes] | None = None) -> None:
        self.identity = identity
        self._child = child
        self._is_pidfd = True
        try:
            self._descriptor = os.pidfd_open(identity.pid)
        except (AttributeError, OSError) as error:
            if isinstance(error, ProcessLookupError):
                raise
            # macOS; Linux before 5.3; sandboxes that refuse the call.
            self._descriptor = _descriptor_that_ends_with(identity)
            self._is_pidfd = False

    @classmethod
    def open(cls, identity: ProcessIdentity) -> Self | None:
        """Adopt a process that somebody else started; None when exactly this one no longer runs."""
        try:
            process = cls(identity)
        except ProcessLookupError:
            return None
        # Only now does the answer hold: the descriptor keeps meaning the process that is proven here.
        if alive(identity):
            return process
        process.close()
        return None

    @property
    def pid(self) -> int:
        """The process's number."""
        return self.identity.pid

    def fileno(self) -> int:
        """Return a descriptor that becomes readable when the process has ended."""
        return self._descriptor

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the process has ended; return False when it still runs after `timeout` seconds."""
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        return bool(poll.poll(None if timeout is None else timeout * 1000))

    def returncode(self) -> int | None:
        """Reap our child and return its exit code (-9: signal 9); None while it runs, or when adopted."""
        return self._child.poll() if self._child else None

    def send(self, signal: int) -> bool:
        """Send a signal to this process alone; return False when it has ended."""
        try:
            if self._is_pidfd:
                signals.pidfd_send_signal(self._descriptor, signal)
            elif alive(self.identity):
                os.kill(self.identity.pid, signal)
            else:
                return False
        except ProcessLookupError:
            return False
        return True

    def close(self) -> None:
        """Let go of the process; it keeps running."""
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            os.close(descriptor)
        if self._child is not None:
            if self._child.poll() is None:
                # Left running on purpose (services outlive the supervisor): without a code Popen would
                # warn when it is collected.
                self._child.returncode = 0
            self._child = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _descriptor_that_ends_with(identity: ProcessIdentity) -> int:
    """Return the reading end of a pipe that a thread closes when the process has ended."""
    readable, writable = os.pipe()

    def watch() -> None:
        while alive(identity):
            time.sleep(_WAITER_SECONDS)
        os.close(writable)

    threading.Thread(target=watch, name=f"waiter-{identity.pid}", daemon=True).start()
    return readable


def spawn(spec: ProcessSpec, *, output: int, stdin: int, keep: tuple[int, ...] = ()) -> Process:
    """Start a process in a session of its own, with nothing inherited but `output`, `stdin` and `keep`.

    Signals that the calling program ignores stay ignored in it; those it handles are reset by the kernel.
    """
    if not spec.directory.is_dir():
        raise ServiceError(
            f"the directory {spec.directory} does not exist", hint="create it, or correct `directory`"
        )
    program = _find_program(spec)
    run_as = spec.run_as
    try:
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
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise _not_started(spec, program, error) from error
    return _own(child)


def _own(child: subprocess.Popen[bytes]) -> Process:
    # Not reaped yet, so the number is still its own even when it has ended already.
    identity = identity_of(child.pid)
    if identity is None:  # pragma: no cover -- somebody else reaps our children
        child.wait()
        raise ServiceError(f"process {child.pid} vanished while it was started")
    try:
        return Process(identity, child)
    except OSError as error:  # out of descriptors: a process that nobody watches must not stay
        child.kill()
        child.wait()
        raise ServiceError(f"process {child.pid} cannot be watched: {error.strerror}") from error


def _find_program(spec: ProcessSpec) -> str:
    """Return the absolute path of argv[0], as the process itself would find it: its PATH, its directory."""
    name = spec.argv[0] if spec.argv else ""
    if not name:
        raise ServiceError("the command is empty", hint="set `command`")
    if "/" in name:
        return _existing_program(os.path.join(spec.directory, os.path.expanduser(name)), name)
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
    # An empty or relative part means the process's directory, not ours.
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
    return ServiceError(f"command not found: {name}", hint=f"{guess}searched: {', '.join(places)}")


def _not_started(spec: ProcessSpec, program: str, error: Exception) -> ServiceError:
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
            hint = (
                f"only root can start it as another user; as that user try: ls -ld {spec.directory} {program}"
            )
        case OSError(errno=errno.EACCES | errno.EPERM):
            reason = f"{error.strerror}: the system does not let us execute {program} in {spec.directory}"
            hint = "is its file system mounted noexec, or its interpreter not executable?"
        case OSError(errno=errno.E2BIG):
            size = sum(len(key) + len(value) + 2 for key, value in spec.environment.items())
            reason = f"its arguments and environment are too large ({size} bytes of environment)"
            hint = "one value may have at most 131071 bytes"
        case OSError(errno=errno.EAGAIN | errno.ENOMEM):
            reason = f"the system has no room for another process ({error.strerror})"
            hint = "see `ulimit -u` and the memory that is left; in a container also its pids limit"
        case OSError(errno=errno.EMFILE | errno.ENFILE):
            reason = f"there are no file descriptors left ({error.strerror})"
            hint = "raise the limit: ulimit -n 4096"
        case OSError():
            reason, hint = error.strerror or str(error), None
        case _:  # a NUL byte or an impossible variable name
            reason, hint = str(error), "look for NUL bytes and '=' in its arguments and variable names"
    return ServiceError(f"{name} cannot be started: {reason}", hint=hint)


def _vanished_or_without_interpreter(spec: ProcessSpec, program: str) -> ServiceError:
    if not spec.directory.is_dir():
        return ServiceError(f"the directory {spec.directory} was removed")
    first_line = (_read(program) or b"").partition(b"\n")[0]
    if first_line.startswith(b"#!"):
        interpreter = _text(first_line[2:].strip())
        carriage_return = " (the line ends with a carriage return)" if first_line.endswith(b"\r") else ""
        return ServiceError(
            f"{program} names an interpreter that does not exist: {interpreter}{carriage_return}",
            hint="a virtual environment that was moved or copied must be made again",
        )
    return ServiceError(
        f"{program} cannot be started: its loader does not exist",
        hint="it was built for another system (musl or glibc, 32 or 64 bits)",
    )


def tree_of(process: Process | ProcessIdentity | int, marker: str | None) -> list[int]:
    """Return the pids of everything that belongs to a process and runs: see `members_of`."""
    return [member.pid for member in members_of(process, marker)]


def members_of(process: Process | ProcessIdentity | int, marker: str | None) -> list[ProcessIdentity]:
    """Return what belongs to a process and runs: itself, its descendants, its session, and the marked.

    Marked are processes that were started with DEVINIT_RUN=`marker`, wherever they went since; so a
    service is found also after its first process ended. A process or identity whose number was given to
    another process counts for nothing, and neither does that other process.
    """
    table = _all_processes()
    root = process.identity if isinstance(process, Process) else process
    roots = {_root_pid(root, table)} & table.keys()
    number = root if isinstance(root, int) else root.pid
    members = _closure(roots, table, session=number)
    if marker is not None:
        marked = {pid for pid in table.keys() - members if _has_variable(pid, f"{RUN_VARIABLE}={marker}")}
        if marked:
            members = _closure(members | marked, table, session=number)
    boot = boot_id()
    return [
        ProcessIdentity(pid, table[pid].start_time, boot)
        for pid in sorted(members)
        if table[pid].state not in _ZOMBIE
    ]


def signal_tree(pids: Iterable[int | ProcessIdentity], signal: int) -> list[int]:
    """Signal each process and return those that were reached.

    Numbers must come from a scan made just now; identities (`members_of`) are proven again.
    """
    reached = []
    for target in pids:
        pid = target if isinstance(target, int) else target.pid
        # 0 and negative numbers mean groups, 1 is init, and nobody asks us to end ourselves.
        if pid <= 1 or pid == os.getpid():
            continue
        with suppress(ProcessLookupError, PermissionError):
            if isinstance(target, int):
                os.kill(pid, signal)
                reached.append(pid)
            elif signal_exactly(target, signal):
                reached.append(pid)
    return reached


def signal_exactly(identity: ProcessIdentity, signal: int, still: Callable[[], bool] = lambda: True) -> bool:
    """Signal exactly this process, if `still()` holds at the last moment; PermissionError passes through."""
    process = Process.open(identity)
    if process is None:
        return False
    with process:
        return still() and process.send(signal)


def _root_pid(root: ProcessIdentity | int, table: dict[int, _Stat]) -> int:
    """Return the root's pid, or 0 when its number now belongs to another process, or to none."""
    if isinstance(root, int):
        return root
    found = table.get(root.pid)
    return root.pid if found and _is(root, found) else 0


def _closure(proven: set[int], table: dict[int, _Stat], *, session: int) -> set[int]:
    """Add descendants and the sessions that belong to proven members, until nothing is added.

    A session is ours when its leader is, or when it is the root's and a proven member is in it: while
    one member lives, the kernel gives the session's number to nobody else.
    """
    children: dict[int, list[int]] = {}
    in_session: dict[int, list[int]] = {}
    for pid, found in table.items():
        children.setdefault(found.parent, []).append(pid)
        in_session.setdefault(found.session, []).append(pid)
    members: set[int] = set()
    waiting = list(proven)
    while waiting:
        pid = waiting.pop()
        if pid in members:
            continue
        members.add(pid)
        waiting += children.get(pid, ())
        if table[pid].session in (pid, session):
            waiting += in_session[table[pid].session]
    return members


def _has_variable(pid: int, assignment: str) -> bool:
    environment = _read(f"/proc/{pid}/environ") if _LINUX else _environment_by_psutil(pid)
    if not environment:
        return False
    return b"\0" + assignment.encode() + b"\0" in b"\0" + environment + b"\0"


def _stat_of(pid: int) -> _Stat | None:
    if not _LINUX:
        return _stat_by_psutil(pid)
    raw = _read(f"/proc/{pid}/stat")
    return _parse_stat(raw) if raw else None


def _all_processes() -> dict[int, _Stat]:
    found = ((pid, _stat_of(pid)) for pid in process_ids())
    return {pid: stat for pid, stat in found if stat is not None}


def process_ids() -> Iterator[int]:
    """Yield the numbers of all processes that are visible."""
    if not _LINUX:
        yield from _psutil().pids()
        return
    for name in os.listdir("/proc"):
        if name.isdecimal():
            yield int(name)


def _parse_stat(raw: bytes) -> _Stat:
    # The name is in parentheses and may contain anything, also a parenthesis: count from the last one.
    fields = raw[raw.rindex(b")") + 2 :].split(None, 20)
    return _Stat(chr(fields[0][0]), int(fields[1]), int(fields[3]), int(fields[19]))


def _read(path: str) -> bytes | None:
    """Read a file of /proc, or return None when it is gone or hidden from us."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        content = part = os.read(descriptor, _ENOUGH)
        while len(part) == _ENOUGH:
            part = os.read(descriptor, _ENOUGH)
            content += part
    except OSError:  # it ended between open and read (ESRCH), or a directory
        return None
    else:
        return content
    finally:
        os.close(descriptor)


def _psutil() -> ModuleType:
    import psutil  # cold start, and never needed on Linux

    return psutil


def _stat_by_psutil(pid: int) -> _Stat | None:
    psutil = _psutil()
    try:
        process = psutil.Process(pid)
        state = {psutil.STATUS_ZOMBIE: "Z", psutil.STATUS_STOPPED: "T"}.get(process.status(), "S")
        start_time = round(process.create_time() * 1_000_000)
        return _Stat(state, process.ppid() or 0, os.getsid(pid), start_time)
    except (psutil.Error, OSError):
        return None


def _facts_by_psutil(pid: int, found: _Stat) -> ProcessFacts | None:
    psutil = _psutil()
    try:
        known = psutil.Process(pid).as_dict(["name", "cmdline", "uids", "cwd", "create_time"])
    except psutil.Error:
        return None
    uid = known["uids"].effective if known["uids"] else -1
    return ProcessFacts(
        identity=ProcessIdentity(pid, found.start_time, boot_id()),
        parent_pid=found.parent,
        name=known["name"] or "",
        command=tuple(known["cmdline"] or ()),
        user=user_name(uid),
        uid=uid,
        directory=known["cwd"],
        age_seconds=max(0.0, time.time() - (known["create_time"] or time.time())),
        stopped=found.state in _STOPPED,
    )


def _environment_by_psutil(pid: int) -> bytes | None:
    psutil = _psutil()
    try:
        environment = psutil.Process(pid).environ()
    except (psutil.Error, OSError):
        return None
    return b"\0".join(os.fsencode(f"{key}={value}") for key, value in environment.items())
