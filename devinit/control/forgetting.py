"""Drop what the machine remembers of a project that is stopped: `devinit forget`.

What lies in its folder stays (`devinit.toml`, `.ports.json`), and so do its logs and its data.
"""

from __future__ import annotations

import os
import shlex

from msgspec import Struct

from devinit.config import slots
from devinit.control import checkouts
from devinit.control.launch import connect_to, connect_to_running
from devinit.control.orphans import orphans_of
from devinit.errors import ServiceError
from devinit.model.status import Phase
from devinit.ports import by_hand
from devinit.ports.leases import LeaseStore, root_name
from devinit.system.paths import state_directory

_AT_REST = frozenset({Phase.STOPPED, Phase.EXITED, Phase.FAILED})


class Forgotten(Struct, frozen=True, kw_only=True):
    """What was dropped."""

    root: str
    ports: tuple[int, ...]
    """That were reserved for its services, or that they had used."""
    listed: bool
    """It was on the list of `status --all`."""
    slot: int | None
    """The number of its git worktree, which is free again; None when it had none, or another project uses it."""
    chosen: bool
    """Ports had been chosen by hand."""

    @property
    def is_nothing(self) -> bool:
        """Whether there was nothing on record."""
        return not (self.ports or self.listed or self.slot is not None or self.chosen)


def forget(root: str) -> Forgotten:
    """Drop the records of a checkout, which need not exist any more. Raise ServiceError when any of it runs."""
    refuse_running(root)
    ports = LeaseStore(state_directory() / "leases").forget_checkout(root_name(root))
    listed = checkouts.forget(root)
    return Forgotten(
        root=root, ports=tuple(ports), listed=listed, slot=_give_slot_up(root), chosen=by_hand.forget(root)
    )


def refuse_running(root: str) -> None:
    """Raise ServiceError, with the services, when something of a checkout runs."""
    running = sorted({*_running(root), *orphans_of(root)})
    if running:
        known = checkouts.recorded_at(root)
        name = known.project if known is not None else os.path.basename(root)  # noqa: PTH119 - paths are text
        raise ServiceError(
            f"{name} runs, so nothing was forgotten: {', '.join(running)}",
            hint=f"stop it first: `devinit -C {shlex.quote(root)} stop`",
        )


def _running(root: str) -> list[str]:
    """Return the services that a supervisor looks after, or takes over because an earlier one was killed."""
    # Where the folder is gone, no supervisor can be started that would take anything over.
    client = connect_to_running(root) if os.path.isdir(root) else connect_to(root)  # noqa: PTH112 - text
    if client is None:
        return []
    try:
        services = client.call("status", {"measure": False})["services"]
    finally:
        client.close()
    return [each["name"] for each in services if each["phase"] not in _AT_REST]


def _give_slot_up(root: str) -> int | None:
    """Give up the slot of the worktree that a checkout is, unless another project in it is on the list."""
    found = slots.slotted(root)
    if found is None:
        return None
    top, slot = found
    inside = os.path.join(top, "")  # noqa: PTH118
    if any(os.path.join(each.root, "").startswith(inside) for each in checkouts.recorded()):  # noqa: PTH118
        return None
    slots.give_up(top)
    return slot
