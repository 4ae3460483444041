"""Where devinit keeps its own files: one place for each kind, private to the user.

The fast commands start here, so this module imports nothing but `os`; even pathlib (10 ms with what
it pulls in, as much as the interpreter's own start) is loaded only where a Path is asked for.
"""

from __future__ import annotations

import os
import stat
import sys

from devinit.errors import StateFileError
from devinit.system.digest import blake2b

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LONGEST_SOCKET_PATH = 103
"""Linux allows 107 bytes, macOS 103; the same limit on both keeps the choice of a path the same."""
LONGEST_SLUG = 20
SUPERVISOR_LOCK = "supervisor.lock"
"""The file in `.devinit` that the one supervisor of a checkout holds locked, with its pid in it."""

_RUN_USER = "/run/user"
_TEMPORARY = "/tmp"  # noqa: S108 -- what is found there is checked before it is used


def state_directory() -> Path:
    """Return the user's machine-wide directory for leases and reservations, created 0700."""
    base = os.environ.get("XDG_STATE_HOME", "")
    if not os.path.isabs(base):  # the XDG specification: a relative path is ignored
        base = os.path.join(os.path.expanduser("~"), ".local", "state")
    path = os.path.join(base, "devinit")
    _create_private(path)
    return _as_path(path)


def runtime_directory() -> Path:
    """Return the user's directory for sockets: in $XDG_RUNTIME_DIR, else a 0700 one of their own in /tmp."""
    return _as_path(_runtime_directory())


def project_id(root: str | os.PathLike[str]) -> str:
    """Return the name of a checkout that is unique on this machine: "shop-1f0c9a77e2"."""
    return _project_id(os.path.realpath(root))


def socket_path(root: str | os.PathLike[str]) -> Path:
    """Return the control socket of a checkout's supervisor."""
    return _as_path(socket_address(root))


def socket_address(root: str | os.PathLike[str]) -> str:
    """Return `socket_path` as text, without loading pathlib."""
    name = f"{project_id(root)}.sock"
    path = os.path.join(_runtime_directory(), name)
    if len(os.fsencode(path)) > LONGEST_SOCKET_PATH:
        path = os.path.join(_own_temporary_directory(), name)
    return path


def private_directory(root: str | os.PathLike[str]) -> Path:
    """Return the checkout's `.devinit`, created 0700 and with a .gitignore that covers everything in it."""
    return _as_path(private_directory_as_text(root))


def private_directory_as_text(root: str | os.PathLike[str]) -> str:
    """Return `private_directory` as text, without loading pathlib."""
    path = os.path.join(root, ".devinit")
    _create_private(path)
    _close_to_others(path)
    ignore = os.path.join(path, ".gitignore")
    try:
        with open(ignore, "x", encoding="ascii") as file:
            file.write("*\n")
    except FileExistsError:
        pass
    except OSError as error:
        raise _unusable(path, error) from error
    return path


def other_checkout(environ: Mapping[str, str], root: str | os.PathLike[str]) -> str | None:
    """Return the checkout whose `.env.runtime` an environment comes from, when that is not this one."""
    stated = environ.get("DEVINIT_PROJECT", "").strip()
    if not stated or os.path.realpath(stated) == os.path.realpath(root):
        return None
    return stated


def _as_path(path: str) -> Path:
    from pathlib import Path  # cold start: see the module's docstring

    return Path(path)


def _runtime_directory() -> str:
    """Choose by what the user has, not only by the variable: cron and `docker exec` lack it.

    A supervisor started from a desktop session and a command from a cron job must meet on one socket.
    A variable inherited through `sudo` or `su` names another user's directory and is passed over.
    """
    for base in (os.environ.get("XDG_RUNTIME_DIR", ""), f"{_RUN_USER}/{os.getuid()}"):
        if os.path.isabs(base) and _is_own_directory(base):
            path = os.path.join(base, "devinit")
            _create_private(path)
            _refuse_unless_private(path)
            return path
    return _own_temporary_directory()


def _own_temporary_directory() -> str:
    """Return /tmp/devinit-UID. Linux's TMPDIR is passed over: it differs from shell to shell (nix-shell)."""
    base = _TEMPORARY
    if sys.platform == "darwin" or not os.access(base, os.W_OK):
        base = os.environ.get("TMPDIR", base)
    path = os.path.join(base, f"devinit-{os.getuid()}")
    _create_private(path)
    _refuse_unless_private(path)
    return path


def _project_id(real_root: str) -> str:
    slug = ""
    for letter in os.path.basename(real_root).lower():
        plain = letter.isascii() and letter.isalnum()
        slug += letter if plain else "-" if not slug.endswith("-") else ""
    slug = slug.strip("-")[:LONGEST_SLUG].rstrip("-") or "project"
    return f"{slug}-{blake2b(os.fsencode(real_root), digest_size=5).hexdigest()}"


def _is_own_directory(path: str) -> bool:
    """Tell whether a directory is ours to write into, and nobody else's: he could replace what we make there."""
    try:
        found = os.stat(path)
    except OSError:
        return False
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
        return False
    return os.access(path, os.W_OK | os.X_OK)


def _create_private(path: str) -> None:
    try:
        os.mkdir(path, 0o700)
    except FileNotFoundError as error:
        parent = os.path.dirname(path)
        if os.path.isdir(parent):  # /proc and the like: nothing can be created here
            raise _unusable(path, error) from error
        # XDG: missing parents are created 0700 too; os.makedirs would give them the umask's mode.
        _create_private(parent)
        _create_private(path)
    except OSError as error:
        if not os.path.isdir(path):  # a read-only parent does not matter when the directory is there
            raise _unusable(path, error) from error


def _close_to_others(path: str) -> None:
    """Take other users' rights from a directory of ours: it was copied, unpacked, or made by hand.

    Not refused: on disks without rights (a Windows drive in WSL) every directory looks open and stays so.
    """
    try:
        found = os.stat(path)
        if found.st_mode & 0o077 and found.st_uid == os.getuid():
            os.chmod(path, 0o700)
    except OSError:
        # What keeps us from it keeps us from using the directory as well, and is told there.
        return


def _refuse_unless_private(path: str) -> None:
    """Refuse a directory that somebody else could have put there, or can write into."""
    found = os.lstat(path)
    if stat.S_ISLNK(found.st_mode):
        problem = "it is a symbolic link"
    elif found.st_uid != os.getuid():
        problem = "it belongs to another user"
    elif stat.S_IMODE(found.st_mode) & 0o077:
        problem = "other users may enter it"
    else:
        return
    raise StateFileError(
        f"{path} cannot hold the control socket: {problem}",
        hint="remove it, or set XDG_RUNTIME_DIR to a directory of your own",
    )


def _unusable(path: str, error: OSError) -> StateFileError:
    in_checkout = os.path.basename(path) == ".devinit"
    if isinstance(error, PermissionError) and (in_checkout or os.path.exists(path)):
        from shlex import quote  # it loads re, for an error only

        whose = path if os.path.exists(path) else os.path.dirname(path)
        hint = (
            f"make {whose} yours again (was devinit run with sudo here?): sudo chown -R $USER {quote(whose)}"
        )
    elif in_checkout:
        hint = "devinit keeps there what it runs: make the checkout writable"
    else:
        hint = "set XDG_STATE_HOME to a folder that you can write"
    return StateFileError(f"{path} cannot be used: {error.strerror}", hint=hint)
