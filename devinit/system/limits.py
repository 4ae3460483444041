"""Advice for exhausted limits of the system: open files, file size, disk space.

It imports next to nothing: without a free descriptor, no module can be loaded.
"""

from __future__ import annotations

import errno

TOO_MANY_OPEN = (errno.EMFILE, errno.ENFILE)
MORE_OPEN_FILES = "`ulimit -n` shows how many files may be open; `ulimit -n 1024` in this shell raises that"
MORE_ON_THE_MACHINE = (
    "all programs of this machine have too many files open: `sysctl fs.file-nr` shows the limit"
)
ROOM = "make room on the disk: `df -h` shows the space, `df -i` the number of files that is left"
QUOTA = "your quota on this disk is used up: `quota -s` shows it; delete files of your own"
LARGER_FILES = (
    "`ulimit -f` shows how large a file may become; raise it (`ulimit -f unlimited`), "
    "then `devinit stop` and start again"
)
"""A supervisor keeps the limits of the shell that started it."""
MORE_PROCESSES = "see `ulimit -u` and the memory that is left; in a container also its pids limit"
NO_ROOM_TO_RUN = (*TOO_MANY_OPEN, errno.EAGAIN, errno.ENOMEM)
"""Errors with which no program at all can be started."""
_NO_THREAD = "can't start new thread"
"""The text of Python's RuntimeError, which has no error number."""
_CURES = {
    errno.EMFILE: MORE_OPEN_FILES,
    errno.ENFILE: MORE_ON_THE_MACHINE,
    errno.ENOSPC: ROOM,
    errno.EDQUOT: QUOTA,
    errno.EFBIG: LARGER_FILES,
}


def is_about_threads(error: Exception) -> bool:
    """Whether an error reports that no thread can be started; the limit of processes counts threads, too."""
    return isinstance(error, RuntimeError) and _NO_THREAD in str(error)


def cure_of_limit(error: OSError) -> str | None:
    """Return advice for an exhausted limit of the system; None for any other error."""
    return _CURES.get(error.errno or 0)
