"""The places of devinit's own files: one for each kind, private to the user.

The fast commands start here, so this module imports nothing but `os`. Even pathlib (10 ms with its imports, as
much as the interpreter's own start) is loaded only when a Path is needed.
"""

from __future__ import annotations

import os
import stat
import sys

from devinit.errors import ConfigError, StateFileError
from devinit.system.digest import blake2b

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LONGEST_SOCKET_PATH = 103
"""Linux allows 107 bytes, macOS 103; the same limit on both keeps the choice of a path the same."""
LONGEST_SLUG = 20
SUPERVISOR_LOCK = "supervisor.lock"
"""The file in a checkout's state folder that its supervisor keeps locked; it contains the supervisor's pid."""

MARK_END = "@"
"""The end of a mark of versions that did not include the state folder in it."""

_RUN_USER = "/run/user"
_TEMPORARY = "/tmp"  # noqa: S108 -- what is found there is checked before it is used


def state_directory() -> Path:
    """Return the user's machine-wide directory for leases and reservations, created with 0700."""
    path = state_path()
    create_private(path)
    return _as_path(path)


def state_path() -> str:
    """Return `state_directory` as text, whether it exists or not.

    Raise StateFileError when another user owns it or can write into it: its content determines which commands run,
    which processes end, and on which socket a command reaches its supervisor.
    """
    base = os.environ.get("XDG_STATE_HOME", "")
    if not os.path.isabs(base):  # the XDG specification: a relative path is ignored
        base = os.path.join(os.path.expanduser("~"), ".local", "state")
    path = os.path.join(base, "devinit")
    try:
        found = os.stat(path)
    except OSError:
        return path  # it is created when needed
    if found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise _not_private(path, found.st_uid)
    return path


def listed_at(root: str | os.PathLike[str]) -> str:
    """Return the file which records that devinit was started in a checkout (`control.checkouts` writes it)."""
    return os.path.join(state_path(), "projects", f"{project_id(root)}.json")


def runtime_directory() -> Path:
    """Return the user's directory for sockets: in $XDG_RUNTIME_DIR, else a private one (0700) in /tmp."""
    return _as_path(_runtime_directory())


def project_id(root: str | os.PathLike[str]) -> str:
    """Return the name of a checkout that is unique on this machine: "shop-1f0c9a77e2"."""
    return _project_id(os.path.realpath(root))


def run_mark(root: str | os.PathLike[str], service: str) -> str:
    """Return the mark in the environment of a service's processes: "shop-1f0c9a77e2/web@5d41402a".

    The part after `@` identifies the state folder: a checkout can have several (another user, HOME or
    XDG_STATE_HOME), and each has its own services.
    """
    before, behind = around_service(root)
    return f"{before}{service}{behind}"


def around_service(root: str | os.PathLike[str]) -> tuple[str, str]:
    """Return the parts before and after the service in each mark of a checkout (`run_mark`)."""
    return f"{project_id(root)}/", f"{MARK_END}{_state_id()}"


def marked_service(mark: str, root: str | os.PathLike[str]) -> str | None:
    """Return the service of a checkout in a mark; None for a mark of another checkout or state folder.

    The mark of an earlier version contains no state folder, and counts.
    """
    project, _, named = mark.partition("/")
    service, end, state = named.partition(MARK_END)
    return service if project == project_id(root) and (not end or state == _state_id()) else None


def is_of_another_state(mark: str) -> bool:
    """Whether a mark belongs to a service that devinit runs with another state folder."""
    _, end, state = mark.partition(MARK_END)
    return bool(end) and state != _state_id()


def socket_path(root: str | os.PathLike[str]) -> Path:
    """Return the control socket of a checkout's supervisor."""
    return _as_path(socket_address(root))


def socket_address(root: str | os.PathLike[str]) -> str:
    """Return `socket_path` as text, without loading pathlib."""
    return _socket_called(f"{project_id(root)}.sock")


def runtime_path(name: str) -> str:
    """Return a socket of this user's that belongs to no checkout."""
    return _socket_called(name)


def terminal_address(root: str | os.PathLike[str], service: str) -> str:
    """Return the socket of a service's terminal: in the same folder, unless its path would be too long."""
    digest = blake2b(run_mark(root, service).encode(), digest_size=5).hexdigest()
    return _socket_called(f"{project_id(root)}.{digest}.tty")


def _socket_called(name: str) -> str:
    path = os.path.join(_runtime_directory(), name)
    if len(os.fsencode(path)) > LONGEST_SOCKET_PATH:
        path = os.path.join(_own_temporary_directory(), name)
    return path


def is_legible(text: str) -> bool:
    """Whether a path, or a text with a path in it, is UTF-8; no other path can be recorded or watched."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def refuse_illegible(text: str | os.PathLike[str], what: str = "the path") -> None:
    """Raise ConfigError for a path, or a text with a path in it, that is not UTF-8."""
    if not is_legible(os.fspath(text)):
        raise ConfigError(
            f"{what} {os.fsencode(text).decode(errors='replace')} is not UTF-8: devinit can keep no record of it",
            hint="rename the file or folder in it whose name is not UTF-8",
        )


def is_still_there(path: str | os.PathLike[str], known: os.stat_result) -> bool:
    """Whether a folder is still the `known` one: not deleted, not moved, and not replaced by another."""
    try:
        return os.path.samestat(os.stat(path), known)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True  # a parent folder cannot be entered at the moment, which proves nothing


def other_checkout(environ: Mapping[str, str], root: str | os.PathLike[str]) -> str | None:
    """Return the other checkout whose `.env.runtime` an environment comes from; None if there is none."""
    stated = environ.get("DEVINIT_PROJECT", "").strip()
    if not stated or os.path.realpath(stated) == os.path.realpath(root):
        return None
    return stated


def create_private(path: str, variable: str = "XDG_STATE_HOME") -> None:
    """Create a folder that only the user may enter, and its parents; raise StateFileError if that fails.

    `variable` is the variable by which the user can choose another place.
    """
    try:
        os.mkdir(path, 0o700)
    except FileNotFoundError:
        parent = os.path.dirname(path)
        if not os.path.isdir(parent):
            # XDG: missing parents are created with 0700 too; os.makedirs would apply the umask.
            create_private(parent, variable)
        # Also if the parent exists by now: another command has just created it.
        _make_in(path, variable)
    except OSError as error:
        if not os.path.isdir(path):  # a read-only parent does not matter if the directory exists
            raise unusable(path, error, variable) from error


def _make_in(path: str, variable: str) -> None:
    """Create a folder in an existing parent; raise StateFileError if that is impossible (/proc and the like)."""
    try:
        os.mkdir(path, 0o700)
    except OSError as error:
        if not os.path.isdir(path):
            raise unusable(path, error, variable) from error


def unusable(path: str, error: OSError, variable: str = "XDG_STATE_HOME") -> StateFileError:
    """Return the error about an unusable folder of devinit's own, with advice."""
    import errno  # for an error only, as below

    from devinit.system.limits import cure_of_limit
    from devinit.system.permissions import REFUSED, cure_of

    hint = f"set {variable} to a folder of your own that you can write"
    if error.errno in REFUSED:
        hint = cure_of(path, error, otherwise=hint)
    if error.errno == errno.EEXIST:
        from shlex import quote

        if (owner := os.lstat(path).st_uid) != os.geteuid():
            # Where all users may write, as in /tmp, only its owner can move it.
            return _about(
                path,
                StateFileError(
                    f"{path} is not a folder, and it belongs to another user (uid {owner})",
                    hint=f"set {variable} to a folder of your own",
                ),
            )
        return StateFileError(
            f"{path} is not a folder",
            hint=f"move it away, and devinit makes the folder: mv {quote(path)} {quote(f'{path}.old')}",
        )
    return _about(
        path, StateFileError(f"{path} cannot be used: {error.strerror}", hint=cure_of_limit(error) or hint)
    )


def _about(path: str, error: StateFileError) -> StateFileError:
    error.path = path
    return error


def _as_path(path: str) -> Path:
    from pathlib import Path  # cold start: see the module's docstring

    return Path(path)


def _runtime_directory() -> str:
    """Return the directory for sockets, based on what exists and not only on the variable.

    cron and `docker exec` lack the variable, but a supervisor started from a desktop session and a command from a
    cron job must meet on one socket. A variable that was inherited through `sudo` or `su` names another user's
    directory and is ignored.
    """
    for base in (os.environ.get("XDG_RUNTIME_DIR", ""), f"{_RUN_USER}/{os.getuid()}"):
        if os.path.isabs(base) and _is_own_directory(base):
            path = os.path.join(base, "devinit")
            create_private(path, "XDG_RUNTIME_DIR")
            _refuse_unless_private(path)
            return path
    return _own_temporary_directory()


def _own_temporary_directory() -> str:
    """Return /tmp/devinit-UID. On Linux TMPDIR is ignored, because it differs between shells (nix-shell)."""
    base = _TEMPORARY
    if sys.platform == "darwin" or not os.access(base, os.W_OK):
        base = os.environ.get("TMPDIR", base)
    path = os.path.join(base, f"devinit-{os.getuid()}")
    create_private(path, "XDG_RUNTIME_DIR")
    _refuse_unless_private(path)
    return path


def _project_id(real_root: str) -> str:
    slug = ""
    for letter in os.path.basename(real_root).lower():
        plain = letter.isascii() and letter.isalnum()
        slug += letter if plain else "-" if not slug.endswith("-") else ""
    slug = slug.strip("-")[:LONGEST_SLUG].rstrip("-") or "project"
    return f"{slug}-{blake2b(os.fsencode(real_root), digest_size=5).hexdigest()}"


def _state_id() -> str:
    return blake2b(os.fsencode(os.path.realpath(state_path())), digest_size=4).hexdigest()


def _is_own_directory(path: str) -> bool:
    """Return whether only we can write into a directory; otherwise another user could replace our files."""
    try:
        found = os.stat(path)
    except OSError:
        return False
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
        return False
    return os.access(path, os.W_OK | os.X_OK)


def _refuse_unless_private(path: str) -> None:
    """Refuse a directory that another user could have created, or can write into."""
    found, hint = os.lstat(path), "remove it, or set XDG_RUNTIME_DIR to a folder of your own"
    if found.st_uid != os.getuid():
        problem = f"it belongs to another user (uid {found.st_uid})"
        # In /tmp only its owner can remove it.
        hint = "set XDG_RUNTIME_DIR to a folder of your own"
        if found.st_uid == 0 and (ours := _given_back(path)):
            hint = ours
    elif stat.S_ISLNK(found.st_mode):
        problem = "it is a symbolic link"
    elif stat.S_IMODE(found.st_mode) & 0o077:
        problem = "other users may enter it"
    else:
        return
    raise _about(path, StateFileError(f"{path} cannot hold the control socket: {problem}", hint=hint))


def _given_back(path: str) -> str | None:
    """Return the command for a folder that root created inside one of ours; None for other places."""
    from devinit.system.permissions import chown, left_in_ours  # for an error only

    foreign = left_in_ours(path)
    return foreign and f"make it yours (was devinit run with sudo?): {chown([foreign])}"


def _not_private(path: str, owner: int) -> StateFileError:
    from shlex import quote  # it loads re, for an error only

    if owner == os.geteuid():
        problem, hint = "other users can write into it", f"if none has: chmod 700 {quote(path)}"
    else:
        problem = f"it belongs to another user (uid {owner})"
        hint = "set XDG_STATE_HOME to a folder of your own"
        if os.geteuid() == 0:
            hint = f"with sudo, use `sudo -H`, which leaves the home of that user alone; or {hint}"
        elif owner == 0:
            hint = _given_back(path) or hint
    return _about(path, StateFileError(f"{path} cannot hold devinit's records: {problem}", hint=hint))
