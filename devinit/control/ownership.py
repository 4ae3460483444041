"""The owner of a checkout: root and the owner must not lock each other out. Loaded only if they differ."""

# ruff: noqa: PTH118 -- paths are text here

from __future__ import annotations

import os
from shlex import quote

from devinit.errors import SupervisorError
from devinit.model.names import ENVIRONMENT_FILE, OWN_FOLDER, PORTS_FILE
from devinit.system.permissions import chown, name_of

OVERFLOW_UID = 65534
"""The uid that Linux shows for an owner without a uid in this user namespace."""
PUBLISHED = (OWN_FOLDER, ENVIRONMENT_FILE, PORTS_FILE)
"""Files that a start leaves in a checkout."""


def refuse(root: str) -> None:
    """Raise SupervisorError for another user's checkout: its services would be taken over as ours.

    This matters most for root: services that it restarts would run as root, and the owner
    could no longer read its files.
    """
    ours = os.geteuid()
    owner, runner = _owner_of(root), _owner_of(os.path.join(root, OWN_FOLDER))
    if runner is None:
        if ours == 0 and owner not in (None, 0, OVERFLOW_UID) and (name := _account(owner)):
            raise _fresh(root, name)
        return
    if runner == ours:
        return
    if runner == 0 and owner == ours:
        raise _left_by_root(root)
    name = name_of(runner)
    # Root could use that supervisor, and would take its services over as root's.
    why = f"whose supervisor is {name}'s alone" if ours == 0 else "whose supervisor you may not use"
    raise SupervisorError(
        f"{root} was started by user {name}, {why}",
        hint=f"run the command as {name}: sudo -u {name} devinit …; where `sudo -u {name} devinit status` says "
        f"that nothing runs, remove {quote(os.path.join(root, OWN_FOLDER))}",
    )


def other_starter(root: str) -> str:
    """Return the name of the user who has started a checkout; empty for the current user, and if none has."""
    runner = _owner_of(os.path.join(root, OWN_FOLDER))
    return "" if runner in (None, os.geteuid()) else name_of(runner)


def left_by_root(root: str) -> list[str]:
    """Return the files that root has left in a checkout of ours; empty if there are none."""
    if os.geteuid() == 0 or _owner_of(root) != os.geteuid():
        return []
    return [path for name in PUBLISHED if _owner_of(path := os.path.join(root, name)) == 0]


def _fresh(root: str, owner: str) -> SupervisorError:
    return SupervisorError(
        f"{root} belongs to user {owner}: what root starts and writes there {owner} could not use any more",
        hint=f"run the command as {owner}, without sudo; or, if only root is to work here: "
        f"mkdir {quote(os.path.join(root, OWN_FOLDER))}",
    )


def _left_by_root(root: str) -> SupervisorError:
    return SupervisorError(
        f"{root} was started by root once (with sudo?), and what root wrote there is not yours",
        hint=f"if it still runs: sudo devinit -C {quote(root)} stop\n"
        f"then make it yours again: {chown(left_by_root(root))}\n"
        "or `devinit doctor --fix`, which needs no sudo",
    )


def _account(uid: int | None) -> str:
    """Return the name of a user of this machine; an owner without an account cannot be locked out here."""
    name = name_of(uid) if uid is not None else ""
    return "" if name.isdecimal() else name


def _owner_of(path: str) -> int | None:
    try:
        return os.lstat(path).st_uid
    except OSError:
        return None
