"""How much of a service's output stays on disk: `size` times `count` bytes, whichever files they are in.

Between runs a full log is moved aside. During a run, which may last for weeks, its beginning is given back to
the disk: nothing is copied, the service goes on appending, and what stays keeps its place (docs/adr/0012).
"""

from __future__ import annotations

import os
from pathlib import Path

from devinit.model.service import LogLimits
from devinit.system.holes import BLOCK, data_from, free_beginning
from devinit.system.regular import open_regular

MOST_AT_ONCE = 1 << 30
"""Bytes that are freed in one go (some 70 ms on ext4): a log that grew while no supervisor was there is no
reason to keep every service waiting."""


def rotate(path: Path, limits: LogLimits) -> None:
    """Move a log that has reached its size to `.1`, older ones up, the oldest away.

    Only between runs: a file that a service still appends to is left where it is.
    """
    try:
        if path.stat().st_size < limits.size_bytes:
            return
    except FileNotFoundError:
        return
    if limits.count == 1:
        # Nowhere to move it to: it would grow for ever.
        path.unlink()
    for number in range(limits.count - 1, 0, -1):
        older = aside(path, number)
        newer = path if number == 1 else aside(path, number - 1)
        if newer.exists():
            newer.replace(older)


def bound(path: Path, limits: LogLimits) -> bool:
    """Free the oldest output of a service when it is too much; return whether there is more to free.

    Raise OSError where the file system cannot free the beginning of a file.
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
    """Return how much of each file is to be freed; the newest file comes first.

    Half a `size` more than is too much, so that it need not be done again at once.
    """
    budget = limits.size_bytes * limits.count
    left = sum(sizes) - (budget - limits.size_bytes // 2) if sum(sizes) > budget else 0
    amounts = [0] * len(sizes)
    for index in reversed(range(len(sizes))):
        amounts[index] = min(left, sizes[index])
        left -= amounts[index]
    return amounts


def put_aside(path: Path) -> list[Path]:
    """Return the files of earlier runs, the newest first."""
    found: list[Path] = []
    while (file := aside(path, len(found) + 1)).exists():
        found.append(file)
    return found


def aside(path: Path, number: int) -> Path:
    """Return the name under which a log is put aside."""
    return path.with_name(f"{path.name}.{number}")


def data_of(path: Path) -> int:
    """Return how many bytes a file holds behind what was freed."""
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
