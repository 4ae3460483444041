"""Detection of data that a running server has lost: its files were deleted, but its protocol still answers.

PostgreSQL asks for a password and then refuses each login; Redis answers PONG but cannot save.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from devinit.errors import DevinitError
from devinit.system.processes import facts_of
from devinit.system.procfs import LINUX

_DELETED = " (deleted)"
"""The suffix that Linux adds to the name of a deleted working directory."""


def loss_of(service: str, data: Path | None, process_id: int | None, lacking: Callable[[Path], str]) -> str:
    """Return what is wrong with the data of a server and, on a second line, advice; empty if the data is complete.

    `data` is its expected place; None if there is none. `process_id` is that of the server; None if it has ended.
    `lacking` returns the missing part of a directory.
    """
    empty = f"`devinit restart {service}` begins with empty data"
    works_in = _directory_of(process_id) if process_id is not None else None
    if works_in is not None and process_id is not None and cannot_save(process_id):
        return f"its data in {works_in.removesuffix(_DELETED)} was deleted while it ran\n{empty}"
    if data is None or not data.is_dir():
        if works_in is not None:
            return f"its data was moved to {works_in} while it ran\nmove it back; or {empty}"
        return f"its data{f' in {data}' if data else ''} was deleted or moved while it ran\n{empty}"
    if works_in is not None and not _is_same(data, works_in):
        return (
            f"{data} is not the directory that it was started on: that one is {works_in} now\n"
            f"`devinit restart {service}` uses the data that is there"
        )
    try:
        missing = lacking(data)
    except (OSError, DevinitError):
        return ""  # it cannot be read at the moment, which proves nothing
    if missing:
        return (
            f"a part of its data in {data} was deleted: {missing}\n"
            f"`devinit stop {service}`, then bring it back from a backup"
        )
    return ""


def cannot_save(process_id: int) -> bool:
    """Whether the working directory of a server was deleted, so that nothing it writes can be kept."""
    works_in = _directory_of(process_id)
    return works_in is not None and works_in.endswith(_DELETED) and not Path(works_in).exists()


def _directory_of(process_id: int) -> str | None:
    if not LINUX:
        return None  # on other systems, a deleted directory cannot be told from a hidden one
    try:
        facts = facts_of(process_id)
    except OSError:
        return None  # no free descriptors, which proves nothing about the data
    return facts.directory if facts is not None else None


def _is_same(data: Path, works_in: str) -> bool:
    try:
        return os.path.samestat(data.stat(), os.stat(works_in))  # noqa: PTH116  text from /proc
    except OSError:
        return True
