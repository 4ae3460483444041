"""Migration of the logs that earlier versions of devinit kept in `.devinit/logs` into the state folder.

If a service has logs in both places, the older ones become rotated logs: `web.log.1`, `web.log.2` and so on.
"""

from __future__ import annotations

import os
import stat
from itertools import count

from devinit.system.files import read_bytes
from devinit.system.old_data import is_real_folder
from devinit.system.regular import open_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

LOG = ".log"
TIMES = ".times"
"""Times at which lines were printed. An entry names its log by the inode, so one file
can describe several logs."""

MOST_TIMES_BYTES = 2**20
"""Three times the size of devinit's own file; a file of zeros from a repository may have any length."""


def move(source: str, target: str, *, run_on: bool) -> None:
    """Move all logs; with `run_on`, services still write to the earlier ones, which stay the current ones."""
    if not is_real_folder(source):
        return
    os.makedirs(target, mode=0o700, exist_ok=True)
    names = {name for name in os.listdir(source) if _is_file(os.path.join(source, name))}
    for service in sorted(name.removesuffix(LOG) for name in names if name.endswith(LOG)):
        _move_logs(os.path.join(source, service), os.path.join(target, service), run_on=run_on)
        names -= {os.path.basename(path) for path in _generations(os.path.join(source, service))}
    for name in names:
        old, new = os.path.join(source, name), os.path.join(target, name)
        if name.endswith(TIMES) and os.path.getsize(old) > MOST_TIMES_BYTES:
            os.unlink(old)  # not written by devinit
        elif name.endswith(TIMES):
            append(old, new)
        elif not os.path.lexists(new):
            _rename(old, new)
    if not os.listdir(source):
        os.rmdir(source)


def append(source: str, target: str) -> None:
    """Move a file, or append its content to the file at the target."""
    if not os.path.lexists(target):
        _rename(source, target)
        return
    content = read_bytes(source) or b""
    log = open_regular(target, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW)
    try:
        os.write(log, content)
    finally:
        os.close(log)
    os.unlink(source)


def _move_logs(source: str, target: str, *, run_on: bool) -> None:
    earlier, there = _generations(source), _generations(target)
    if not there or run_on or _changed(earlier[0]) >= _changed(there[0]):
        for path, new in reversed(list(zip(there, _names(target, len(earlier)), strict=False))):
            os.rename(path, new)
        there = []
    for path, new in zip(earlier, _names(target, len(there)), strict=False):
        _rename(path, new)


def _generations(base: str) -> list[str]:
    """Return the existing logs of a service, newest first."""
    found: list[str] = []
    for path in _names(base, 0):
        if not _is_file(path):
            return found
        found.append(path)
    return found


def _names(base: str, first: int) -> Iterator[str]:
    """Yield the names of a service's logs, from this number on."""
    for number in count(first):
        yield f"{base}{LOG}.{number}" if number else f"{base}{LOG}"


def _rename(source: str, target: str) -> None:
    import shutil  # only what is moved needs it

    shutil.move(source, target)


def _changed(path: str) -> int:
    return os.stat(path).st_mtime_ns


def _is_file(path: str) -> bool:
    """Whether a path is a file of ours and no link."""
    try:
        found = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid()
