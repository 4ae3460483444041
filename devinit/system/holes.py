"""Freeing the disk space at the beginning of a file while a process appends to it.

The file keeps its length and all offsets, so neither the writer nor a follower notices. Freed parts read as zeros
and take no space. ext4, XFS, btrfs, tmpfs and overlays of them support it; NFS before 4.2 and vfat do not. macOS
(APFS) has another call, which is untested: no Mac was at hand.
"""

from __future__ import annotations

import errno
import os
import sys

BLOCK = 4096
"""In bytes. Only whole blocks are freed: a part of one would be overwritten with zeros."""

# <linux/falloc.h>: FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE
_KEEP_SIZE_PUNCH_HOLE = 0x01 | 0x02
# <sys/fcntl.h> of macOS
_F_PUNCHHOLE = 99


def free_beginning(descriptor: int, start: int, end: int) -> int:
    """Free the whole blocks of a file from `start` to `end`. Return the new end of the freed part.

    `start` is the end of an earlier call, a multiple of `BLOCK`. Raise OSError if the
    file system does not support it.
    """
    end -= end % BLOCK
    if end <= start:
        return start
    if sys.platform == "darwin":
        _punch_on_macos(descriptor, start, end - start)
    else:
        _punch(descriptor, start, end - start)
    return end


def data_from(descriptor: int, offset: int) -> int:
    """Return where the next data begins, at `offset` or after it; the end of the file if there is none."""
    try:
        return os.lseek(descriptor, offset, os.SEEK_DATA)
    except OSError as error:
        if error.errno == errno.ENXIO:
            return os.fstat(descriptor).st_size
        # The file system does not support holes, so everything is data.
        return offset


def _punch(descriptor: int, start: int, length: int) -> None:
    import ctypes  # 3 ms, and few logs ever grow so long

    library = ctypes.CDLL(None, use_errno=True)
    # On 32-bit machines glibc's fallocate takes 32-bit offsets; musl has only the 64-bit one.
    fallocate = getattr(library, "fallocate64", None) or getattr(library, "fallocate", None)
    if fallocate is None:
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))
    wide = ctypes.c_int64
    fallocate.argtypes = (ctypes.c_int, ctypes.c_int, wide, wide)
    if fallocate(descriptor, _KEEP_SIZE_PUNCH_HOLE, start, length) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _punch_on_macos(descriptor: int, start: int, length: int) -> None:
    import fcntl  # as above
    import struct

    # struct fpunchhole: flags and reserved are 0
    fcntl.fcntl(descriptor, _F_PUNCHHOLE, struct.pack("IIqq", 0, 0, start, length))
