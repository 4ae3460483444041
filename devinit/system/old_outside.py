"""Migration of data that root's servers kept outside of the state folder, under the name of the checkout alone.

In earlier versions, two state folders of one checkout (another HOME or XDG_STATE_HOME) shared one database. The
first that starts its server gets it. A link stays in its place, from which the other one learns where its data is.
"""

from __future__ import annotations

import os

from devinit.system import state_folders
from devinit.system.kept_data import DATA, has_data

PROGRAM = "program.json"
"""The note about the server's program: only a start of the server writes it."""


def shared_home(folder: str, service: str) -> str | None:
    """Return the place of a service's shared data that this state folder has used; None if there is none."""
    if os.geteuid() != 0:
        return None
    path = _former_home(folder, service)
    return path if _was_used(folder, service) and os.path.isdir(path) and not os.path.islink(path) else None


def taken_by_another(folder: str, service: str) -> str | None:
    """Return the new place of data that this state folder has used and another one has taken."""
    if os.geteuid() != 0:
        return None
    path = _former_home(folder, service)
    is_taken = os.path.islink(path) and _was_used(folder, service)
    real = os.path.realpath(path)
    return real if is_taken and os.path.dirname(real) != state_folders.outside_of(folder) else None


def take(folder: str, service: str) -> None:
    """Move the data to the state folder's own place. The caller has made sure that no server uses it.

    Raise OSError when it cannot be moved.
    """
    path, outside = shared_home(folder, service), state_folders.outside_of(folder)
    if path is None or outside is None:
        return
    target = os.path.join(outside, service)
    if os.path.lexists(target):
        return
    if not os.path.isdir(outside):
        os.mkdir(outside, 0o755)
        # The server's user must be able to enter it, whatever the umask is.
        os.chmod(outside, 0o755)  # noqa: S103
    os.rename(path, target)
    os.symlink(target, path)


def take_all(folder: str) -> None:
    """Move the data of all services, before the state folder is renamed or removed."""
    if os.geteuid() != 0:
        return
    try:
        names = os.listdir(os.path.dirname(_former_home(folder, DATA)))
    except (FileNotFoundError, NotADirectoryError):
        return
    for name in names:
        take(folder, name)


def forget(folder: str) -> None:
    """Remove the links to data of a state folder that is gone."""
    above = os.path.dirname(_former_home(folder, DATA))
    try:
        names = os.listdir(above)
    except (FileNotFoundError, NotADirectoryError):
        return
    links = [path for path in (os.path.join(above, name) for name in names) if os.path.islink(path)]
    gone = [path for path in links if not os.path.exists(path)]
    for path in gone:
        os.unlink(path)
    if gone and len(gone) == len(names):
        os.rmdir(above)


def _former_home(folder: str, service: str) -> str:
    return os.path.join(state_folders.OUTSIDE, os.path.basename(folder), service)


def _was_used(folder: str, service: str) -> bool:
    """Whether a service of this state folder had its data outside: its server was started, and no data is here."""
    home = os.path.join(folder, DATA, service)
    return os.path.isfile(os.path.join(home, PROGRAM)) and not has_data(home)
