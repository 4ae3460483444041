"""The decision whether a holder that was ended came back, and which program restarts it. Pure.

devinit ends a holder once. Ending it again would be a race against a program that keeps restarting it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from devinit.model.port import Ancestor, Holder
from devinit.model.workplace import is_prompt
from devinit.ports.holder.naming import named
from devinit.text import cut, one_line

_INIT = 1
_LONGEST_TITLE = 60


def starters_of(holders: Sequence[Holder], spared: Collection[int]) -> tuple[int, ...]:
    """Return the pids that may start these processes again: managers, and parents that are no prompts.

    Processes in which devinit itself runs are left out: they wait for devinit.
    """
    ended = {holder.identity.pid for holder in holders}
    found = [holder.manager.pid for holder in holders if holder.manager and holder.manager.pid]
    found += [above.pid for holder in holders if (above := _parent_of(holder)) and not _prompts(above)]
    return tuple(pid for pid in dict.fromkeys(found) if pid not in ended and pid not in spared)


def managed_out_of_sight(holders: Sequence[Holder]) -> bool:
    """Return whether something other than an ancestor, such as systemd, restarts one of the holders."""
    return any(holder.manager is not None and holder.manager.pid is None for holder in holders)


def comeback(before: Sequence[Holder], now: Sequence[Holder]) -> Holder | None:
    """Return the process that replaced an ended holder; None if the current holders are unrelated."""
    ended = {holder.identity for holder in before}
    parents = {holder.parent_pid for holder in before} - {_INIT}
    commands = {holder.command for holder in before}
    managers = {holder.manager for holder in before} - {None}
    return next(
        (
            each
            for each in now
            if each.identity not in ended
            and (each.parent_pid in parents or each.command in commands or each.manager in managers)
        ),
        None,
    )


def who_restarts(holder: Holder) -> str:
    """Return a message that names the program to stop, so that the process stays away."""
    if holder.manager is not None:
        return f"{holder.manager.kind} started it again: `{holder.manager.stop_command}` ends it for good"
    above = _parent_of(holder)
    if above is None:
        return f"it was started again, as {named(holder)}: stop what does that first"
    title = cut(one_line(above.title), _LONGEST_TITLE)
    return f"it was started again: stop {title} (pid {above.pid}) first"


def _parent_of(holder: Holder) -> Ancestor | None:
    return holder.ancestors[0] if holder.ancestors else None


def _prompts(above: Ancestor) -> bool:
    return is_prompt(above.title.split())
