"""The birth time of a file or folder: it tells it from a later one with the same name and inode number."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ctypes

# <fcntl.h> and <linux/stat.h>
_AT_FDCWD = -100
_STATX_BTIME = 0x800
_SIZE_OF_STATX = 256
_MASK_AT, _SECONDS_AT, _NANOSECONDS_AT = 0, 80, 88


def birth_of(path: str | os.PathLike[str]) -> int:
    """Return the birth time in nanoseconds; 0 if the system or the file system does not record it.

    `os.stat` has it only on macOS, so Linux is queried through statx (kernel 4.11, glibc 2.28).
    """
    if sys.platform == "darwin":
        return int(os.stat(path).st_birthtime * 1e9)
    import ctypes  # 2 ms, for databases and for watched folders

    statx = getattr(ctypes.CDLL(None, use_errno=True), "statx", None)
    if statx is None:
        return 0
    found = ctypes.create_string_buffer(_SIZE_OF_STATX)
    failed = statx(_AT_FDCWD, os.fsencode(path), 0, _STATX_BTIME, found)
    if failed or not _number(found, _MASK_AT, 4) & _STATX_BTIME:
        return 0
    return _number(found, _SECONDS_AT, 8) * 10**9 + _number(found, _NANOSECONDS_AT, 4)


def _number(found: ctypes.Array[ctypes.c_char], at: int, size: int) -> int:
    return int.from_bytes(found.raw[at : at + size], sys.byteorder)
