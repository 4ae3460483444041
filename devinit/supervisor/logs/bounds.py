"""The size limit of a service's output on disk: `size` times `count` bytes, in whichever files they are.

Between runs, a full log is moved aside. During a run, which may last for weeks, the disk space of its beginning is
freed: nothing is copied, the service goes on appending, and the rest keeps its offsets (docs/adr/0012).
"""

from __future__ import annotations

import os
from pathlib import Path

from devinit.model.service import LogLimits
from devinit.system.holes import BLOCK, data_from, free_beginning
from devinit.system.regular import open_regular

MOST_AT_ONCE = 1 << 30
"""Bytes that are freed in one go (some 70 ms on ext4). A log that grew without a supervisor must not keep all
services waiting.
"""


def rotate(path: Path, limits: LogLimits) -> None:
    """Move a log that has reached its size to `.1`, shift older ones up, and delete the oldest.

    Call it only between runs: a file that a service still appends to stays where it is.
    """
    try:
        if path.stat().st_size < limits.size_bytes:
            return
    except FileNotFoundError:
        return
    if limits.count == 1:
        # There is no name to move it to, and it would grow for ever.
        path.unlink()
    for number in range(limits.count - 1, 0, -1):
        older = aside(path, number)
        newer = path if number == 1 else aside(path, number - 1)
        if newer.exists():
            newer.replace(older)


def bound(path: Path, limits: LogLimits) -> bool:
    """Free the oldest output of a service when it exceeds the limit; return whether there is more to free.

    Raise OSError when the file system cannot free the beginning of a file.
    """
    files = [path, *put_aside(path)]
    amounts = freeing([data_of(file) for file in files], limits)
    for file, amount in reversed(list(zip(files, amounts, strict=True))):
        if file != path and amount == data_of(file):
            file.unlink(missing_ok=True)
        elif amount:
            free(file, min(amount, MOST_AT_ONCE))
    return any(amount > MOST_AT_ONCE for amount in amounts)


def freeing(sizes: list[int], limits: LogLimits) -> list[int]:
    """Return how many bytes to free in each file; the newest file comes first.

    That is half a `size` more than the excess, so that the next call comes later.
    """
    budget = limits.size_bytes * limits.count
    left = sum(sizes) - (budget - limits.size_bytes // 2) if sum(sizes) > budget else 0
    amounts = [0] * len(sizes)
    for index in reversed(range(len(sizes))):
        amounts[index] = min(left, sizes[index])
        left -= amounts[index]
    return amounts


def put_aside(path: Path) -> list[Path]:
    """Return the log files of earlier runs, the newest first."""
    found: list[Path] = []
    while (file := aside(path, len(found) + 1)).exists():
        found.append(file)
    return found


def aside(path: Path, number: int) -> Path:
    """Return the path of a log after it was moved aside."""
    return path.with_name(f"{path.name}.{number}")


def data_of(path: Path) -> int:
    """Return how many bytes of a file have not been freed."""
    try:
        descriptor = open_regular(path)
    except OSError:
        return 0
    try:
        return os.fstat(descriptor).st_size - data_from(descriptor, 0)
    except OSError:
        return 0
    finally:
        os.close(descriptor)


def free(path: Path, amount: int) -> None:
    """Free the oldest bytes of a file."""
    descriptor = open_regular(path, os.O_WRONLY)
    try:
        begin = data_from(descriptor, 0)
        begin -= begin % BLOCK
        free_beginning(descriptor, begin, begin + amount)
    finally:
        os.close(descriptor)
