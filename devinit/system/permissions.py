"""Reasons why the system refuses access to a path, and commands that help. Loaded only for errors."""

from __future__ import annotations

import errno
import os
import pwd
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import pairwise
from shlex import quote

from devinit.system.procfs import read

REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS)
_DAC_OVERRIDE = 1
"""The capability by which root bypasses permissions (capabilities(7))."""
SETGID, SETUID = 6, 7
"""The capabilities by which root becomes another user."""


def cure_of(path: str, error: OSError, otherwise: str) -> str:
    """Return advice against a refusal of the system; `otherwise` if the owners do not explain it."""
    if error.errno == errno.EROFS:
        return f"the file system is read-only: make it writable; or {otherwise}"
    chain = list(_existing(path))
    if not chain:
        return otherwise
    if os.geteuid() == 0:
        return otherwise if has_capability(_DAC_OVERRIDE) else _without_capability(*chain[0])
    if foreign := left_in_ours(path):
        return f"make it yours (was devinit run with sudo here?): {chown([foreign])}"
    for name, found in chain:
        rights = "rwx" if stat.S_ISDIR(found.st_mode) else "rw"
        needed = 0o700 if stat.S_ISDIR(found.st_mode) else 0o600
        if found.st_uid == os.geteuid() and found.st_mode & needed != needed:
            return f"give yourself the right: chmod u+{rights} {quote(name)}"
    return otherwise


def left_in_ours(path: str) -> str | None:
    """Return the topmost part of a path that belongs to another user in a folder of ours, as after `sudo`."""
    for (name, found), (_, above) in reversed(list(pairwise(_existing(path)))):
        if found.st_uid != os.geteuid() == above.st_uid:
            return name
    return None


def chown(paths: Iterable[str]) -> str:
    """Return the command that makes the user the owner of paths."""
    return f"sudo chown -R {name_of(os.geteuid())} {' '.join(map(quote, paths))}"


def has_capability(number: int) -> bool:
    """Whether this process has a capability; root in a container may lack it. Without /proc, root has all."""
    status = read("/proc/self/status")
    if status is None:
        return os.geteuid() == 0
    _, _, rest = status.partition(b"\nCapEff:")
    return bool(int(rest.split(None, 1)[0], 16) >> number & 1)


def name_of(uid: int) -> str:
    """Return a user's name, or the number if no account has it."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _without_capability(path: str, found: os.stat_result) -> str:
    owner = f"{path} belongs to uid {found.st_uid}"
    return (
        f"{owner}, and this root has no right to pass over that (capability DAC_OVERRIDE, dropped in this "
        f"container): run devinit as uid {found.st_uid}, or start the container with --cap-add DAC_OVERRIDE"
    )


def _existing(path: str) -> Iterator[tuple[str, os.stat_result]]:
    """Yield a path and its parent folders, as far as the system shows them."""
    name = os.path.abspath(path)
    while True:
        with suppress(OSError):  # it does not exist, or its parent may not be entered
            yield name, os.lstat(name)
        if name == os.path.dirname(name):
            return
        name = os.path.dirname(name)
