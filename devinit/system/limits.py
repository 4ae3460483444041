"""What helps where a limit of the system was met: open files, the size of a file, room on the disk.

It imports next to nothing: without a descriptor left, no module can be loaded any more.
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
"""With these no program can be started, whichever it is."""
_NO_THREAD = "can't start new thread"
"""What Python's RuntimeError says, which has no number."""
_CURES = {
    errno.EMFILE: MORE_OPEN_FILES,
    errno.ENFILE: MORE_ON_THE_MACHINE,
    errno.ENOSPC: ROOM,
    errno.EDQUOT: QUOTA,
    errno.EFBIG: LARGER_FILES,
}


def is_about_threads(error: Exception) -> bool:
    """Whether an error says that no thread can be started: the limit of processes counts threads, too."""
    return isinstance(error, RuntimeError) and _NO_THREAD in str(error)


def cure_of_limit(error: OSError) -> str | None:
    """Return what helps against a limit of the system; None when the error is about none."""
    return _CURES.get(error.errno or 0)
