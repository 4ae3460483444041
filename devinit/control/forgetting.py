"""Removal of the machine's records about a stopped project: `devinit forget`.

Files in its folder stay (`devinit.toml`, `.ports.json`). The logs and the data of a deleted checkout are removed;
those of one that still exists, or was moved to a neighbouring place, only on request.
"""

from __future__ import annotations

import os
import shlex

from msgspec import Struct

from devinit.config import slots
from devinit.control import api, checkouts
from devinit.control.launch import connect_to, connect_to_recorded
from devinit.control.orphans import orphans_of
from devinit.errors import ServiceError
from devinit.model.status import Phase
from devinit.ports import statistics
from devinit.ports.leases import LeaseStore, root_name
from devinit.ports.remembered import by_hand
from devinit.system import state_folders, unused_state
from devinit.system.file_lock import is_unlocked_within
from devinit.system.paths import SUPERVISOR_LOCK, state_directory

LEAVING_SECONDS = 10.0
"""How long a supervisor without services may take to exit."""
_AT_REST = frozenset({Phase.STOPPED, Phase.EXITED, Phase.FAILED})


class Forgotten(Struct, frozen=True, kw_only=True):
    """The removed records of a checkout."""

    root: str
    ports: tuple[int, ...]
    """The ports that were reserved for its services, or that they had used."""
    listed: bool
    """Whether it was in the list of `status --all`."""
    slot: int | None
    """The slot of its git worktree, which is free again; None if it had none, or another project uses it."""
    chosen: bool
    """Whether the user had chosen ports."""
    folders: tuple[str, ...] = ()
    """The deleted folders with logs and data."""
    bytes: int = 0
    """The disk space that they took."""
    moved_to: str | None = None
    """The new place of the checkout, which keeps its logs and data; None if it was not moved, or not found."""

    @property
    def is_nothing(self) -> bool:
        """Whether there was no record."""
        return not (self.ports or self.listed or self.slot is not None or self.chosen or self.folders)


def forget(root: str, *, data: bool = False) -> Forgotten:
    """Remove the records of a checkout, which may be missing. Raise ServiceError if any of its services runs.

    Its logs and data are deleted if the checkout is gone, or with `data`.
    """
    refuse_running(root)
    folders, moved_to = _to_delete(root, data=data)
    for path in folders:
        _wait_for_the_supervisor(path)
    size = sum(map(state_folders.size_of, folders))
    # A concurrent start either comes first, so that the folder is in use, or waits and creates a new one.
    with unused_state.without_starts(state_folders.folder_of(root), LEAVING_SECONDS):
        aside = {unused_state.set_aside(path): path for path in folders}
        done = Forgotten(
            root=root,
            ports=tuple(LeaseStore(state_directory() / "leases").forget_checkout(root_name(root))),
            listed=checkouts.forget(root),
            slot=_give_slot_up(root),
            chosen=by_hand.forget(root),
            folders=tuple(folders),
            bytes=size,
            moved_to=moved_to,
        )
    for path, former in aside.items():
        unused_state.remove(path, former)
    statistics.forget(root)
    return done


def refuse_running(root: str) -> None:
    """Raise ServiceError with the names if services of a checkout run."""
    running = sorted({*_running(root), *orphans_of(root)})
    if running:
        known = checkouts.recorded_at(root)
        name = known.project if known is not None else os.path.basename(root)  # noqa: PTH119 - paths are text
        raise ServiceError(
            f"{name} runs, so nothing was forgotten: {', '.join(running)}",
            hint=f"stop it first: `devinit -C {shlex.quote(root)} stop`",
        )


def _to_delete(root: str, *, data: bool) -> tuple[list[str], str | None]:
    """Return the state folders of a checkout to delete, and the place of the checkout whose folder is kept.

    The folder of a checkout that was moved, and will look for it, is not deleted.
    """
    real = os.path.realpath(root)
    folders, moved_to = [], None
    for path, origin in state_folders.folders().items():
        # If another checkout is now at this path, the folders may belong to one that was
        # moved and will look for them.
        if origin.root != real or (os.path.isdir(real) and not data):  # noqa: PTH112 - text
            continue
        is_asked_for = data and path == state_folders.folder_of(real)
        new_place = None if is_asked_for else state_folders.moved_to(origin)
        if new_place is None:
            folders.append(path)
        moved_to = moved_to or new_place
    return folders, moved_to


def _wait_for_the_supervisor(path: str) -> None:
    """Return when no supervisor uses a state folder: one that has just answered a request exits by itself."""
    lock = os.path.join(path, SUPERVISOR_LOCK)  # noqa: PTH118
    if not is_unlocked_within(lock, LEAVING_SECONDS):
        raise ServiceError(
            f"a supervisor still uses {path}, so its logs and data were not deleted",
            hint="run the command again when it has left: `devinit status --all` shows it",
        )


def _running(root: str) -> list[str]:
    """Return the services that a supervisor runs, or takes over because an earlier one was killed."""
    # Without the folder, no supervisor can be started that would take services over.
    client = connect_to_recorded(root) if os.path.isdir(root) else connect_to(root)  # noqa: PTH112 - text
    if client is None:
        return []
    try:
        services = api.status(client)["services"]
    finally:
        client.close()
    return [each["name"] for each in services if each["phase"] not in _AT_REST]


def _give_slot_up(root: str) -> int | None:
    """Give up the slot of a checkout's worktree, unless another project in it is recorded."""
    found = slots.slotted(root)
    if found is None:
        return None
    top, slot = found
    inside = os.path.join(top, "")  # noqa: PTH118
    if any(os.path.join(each.root, "").startswith(inside) for each in checkouts.recorded()):  # noqa: PTH118
        return None
    slots.give_up(top)
    return slot
