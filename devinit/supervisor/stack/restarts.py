"""Restarts that no client ordered, and restarts that cannot go on after the stop."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from devinit.errors import DevinitError, PortError
from devinit.model.status import Phase
from devinit.supervisor import lifecycle
from devinit.supervisor.service.coming_up import INTERNAL_ERROR, explain
from devinit.supervisor.service.end import let_ports_go
from devinit.supervisor.stack.stack import Stack

log = logging.getLogger(__name__)


async def restart_expected(
    stack: Stack, name: str, reason: str, phases: frozenset[Phase] = lifecycle.ALIVE
) -> None:
    """Restart a service that is expected back, if it is still in one of these phases when the lock is free."""
    try:
        async with stack.deciding:
            # It may have been stopped, or have failed, while we waited for the lock.
            if stack.phase(name) in phases and can_restart(stack, name, reason):
                stack.stage.note(f"{name} is restarted: {reason}", name)
                await stack.end([name])
                stack.runners[name].post(lifecycle.StartRequested())
                stack.runners[name].history.restarted_for = reason
                stack.release_waiting()
    finally:
        stack.came_back([name])


def can_restart(stack: Stack, name: str, reason: str) -> bool:
    """Return whether a service could be started again now.

    If not, it runs on: no command asked for this restart.
    """
    try:
        stack.stage.check(stack.runners[name].service)
    except DevinitError as error:
        stack.stage.note(f"{name} is not restarted ({reason}), because {error.message}", name)
        return False
    return True


def give_up(stack: Stack, names: Iterable[str], error: Exception) -> None:
    """Mark services that were stopped for a restart as failed, for a reason that came up meanwhile."""
    if isinstance(error, DevinitError):
        reason = explain(error)
    else:
        log.error("a restart could not go on", exc_info=error)
        reason = INTERNAL_ERROR
    failure = lifecycle.Failure.PORT if isinstance(error, PortError) else lifecycle.Failure.PREPARATION
    for name in names:
        if name in stack.runners:
            stack.runners[name].post(lifecycle.StartRefused(reason, failure))
            let_ports_go(stack.runners[name], stack.stage)
    stack.release_waiting()
