"""Time to find the holder of a port on a machine with many processes."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from measuring import Row, median, number, side_by_side, timed, with_spread

from devinit.ports.holder.lookup import holders_of_port
from devinit.ports.verify import ownership
from devinit.system.listeners import holders_of, tcp_listeners
from devinit.system.processes import process_ids

PROCESSES = 500
FILES = 10
"""Open files of each added process beyond the usual three; as many as is common."""
FIND_MILLISECONDS, OURS_MILLISECONDS = 35, 1


def holders(runs: int) -> list[Row]:
    """Find every holder of a port, as for a conflict, and prove that a port is a service's own."""
    with crowd(PROCESSES) as crowded, socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with inheriting(server) as worker:
            if {each.identity.pid for each in holders_of_port(port).holders} != {os.getpid(), worker}:
                raise SystemExit("not every holder was found")

            def scan() -> object:
                inodes = {found.inode for found in tcp_listeners(port)}
                return holders_of(inodes, every=True)

            acts = [lambda: timed(scan), lambda: timed(lambda: holders_of_port(port))]
            if tool := by_ss(port):
                acts.append(lambda: timed(lambda: subprocess.run(tool, capture_output=True, check=True)))
            scanned, whole, *others = side_by_side(runs * 3, *acts)
            ours = [timed(lambda: ownership(port, [os.getpid(), worker])) for _ in range(runs * 3)]
    reference, ratio = "", ""
    if others:
        reference = f"`{' '.join(tool)}` {with_spread(others[0])}"
        ratio = f": {number(median(whole) / median(others[0]))}-fold"
    among = f"among {PROCESSES} processes with {crowded} open files"
    return [
        Row(f"every holder of a port {among}: their pids", with_spread(scanned), "", "", None),
        Row(
            f"every holder of a port {among}: all that is shown about them",
            with_spread(whole) + ratio,
            reference,
            f"{FIND_MILLISECONDS} ms",
            median(whole) <= FIND_MILLISECONDS,
        ),
        Row(
            f"is the listener ours, {among}",
            with_spread(ours),
            "",
            f"{OURS_MILLISECONDS} ms",
            median(ours) <= OURS_MILLISECONDS,
        ),
    ]


def by_ss(port: int) -> Sequence[str]:
    """Return the command that answers the same question; empty if it is missing."""
    return ["ss", "-ltnp", f"sport = :{port}"] if shutil.which("ss") else []


@contextmanager
def crowd(count: int) -> Iterator[int]:
    """Start processes until there are `count`; yield the number of files that all processes have open."""
    with ExitStack() as stack:
        files = [stack.enter_context(open(os.devnull, "rb")) for _ in range(FILES)]  # noqa: PTH123
        for _ in range(count - len(list(process_ids()))):
            process = subprocess.Popen(
                ["sleep", "infinity"],
                stdin=subprocess.DEVNULL,
                pass_fds=[file.fileno() for file in files],
            )
            stack.callback(process.wait)
            stack.callback(process.kill)
        yield sum(open_files(pid) for pid in process_ids())


def open_files(pid: int) -> int:
    """Return the number of open files of a process, 0 if we may not look into it."""
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208
    except OSError:
        return 0


@contextmanager
def inheriting(server: socket.socket) -> Iterator[int]:
    """Run a process that inherits a socket; yield its pid."""
    with subprocess.Popen(["sleep", "infinity"], pass_fds=[server.fileno()]) as process:
        try:
            yield process.pid
        finally:
            process.kill()
