"""Pid files of services for scripts, in `pids` of the state folder. They are information, never proof."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from devinit.errors import StateFileError
from devinit.system.files import write_atomically


def write_pid_file(private: Path, service: str, pid: int) -> None:
    """Write the pid of a service. A full disk does not keep the service from running."""
    path = _path(private, service)
    with suppress(OSError, StateFileError):
        path.parent.mkdir(mode=0o700, exist_ok=True)
        write_atomically(path, f"{pid}\n", durable=False)


def remove_pid_file(private: Path, service: str) -> None:
    """Remove the pid file of a service."""
    with suppress(OSError):
        _path(private, service).unlink()


def _path(private: Path, service: str) -> Path:
    return private / "pids" / f"{service}.pid"
