"""A restart that no command has asked for: files have changed, or the address of another service."""

from __future__ import annotations

from devinit.errors import DevinitError
from devinit.model.status import Phase
from devinit.supervisor import lifecycle
from devinit.supervisor.stack.stack import Stack


async def restart_expected(
    stack: Stack, name: str, reason: str, phases: frozenset[Phase] = lifecycle.ALIVE
) -> None:
    """Restart a service that is expected back, if it is still in one of these phases when its turn comes."""
    try:
        async with stack.deciding:
            # It may have been stopped, or given up, while we waited for our turn.
            if stack.phase(name) in phases and can_restart(stack, name, reason):
                stack.stage.note(f"{name} is restarted: {reason}", name)
                await stack.end([name])
                stack.runners[name].post(lifecycle.StartRequested())
                stack.runners[name].history.restarted_for = reason
                stack.release_waiting()
    finally:
        stack.came_back([name])


def can_restart(stack: Stack, name: str, reason: str) -> bool:
    """Whether a service could be started again now. No command asked for its restart: if not, it runs on."""
    try:
        stack.stage.check(stack.runners[name].service)
    except DevinitError as error:
        stack.stage.note(f"{name} is not restarted ({reason}), because {error.message}", name)
        return False
    return True
