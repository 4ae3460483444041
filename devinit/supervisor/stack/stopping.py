"""Stops that a client orders."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from devinit.control.elsewhere import services_out_of_reach
from devinit.errors import ServiceError
from devinit.model.service import Project
from devinit.model.status import Phase
from devinit.supervisor import lifecycle
from devinit.supervisor.project.chosen import named
from devinit.supervisor.record.leftovers import (
    elsewhere_of,
    end_leftovers,
    end_the_rest,
    end_unknown,
    leftovers_of,
    survivors,
)
from devinit.supervisor.stack.order import Stopped
from devinit.supervisor.stack.stack import PRESENT, Stack


async def stop(
    stack: Stack,
    names: tuple[str, ...],
    project: Project,
    by: str | None,
    let_go: Callable[[list[str]], None],
) -> Stopped:
    """Stop services, dependants before their dependencies, and give their ports back. Return the ones that ran.

    The stop is complete when none of their processes is left, not when they were asked to end. `project`: the
    project in which the names are looked up. `by`: the client and the time, in words. `let_go`: called with all
    services that have ended, after their ports were given back.
    """
    # A service that is only new in the configuration cannot run: no start has known it.
    chosen = [name for name in named(names, project) if name in stack.runners]
    running = [name for name in chosen if stack.is_present(name)]
    never_ran = {name for name in running if lifecycle.has_never_run(stack.runners[name].state)}
    for name in running:
        stack.runners[name].history.stopped_by = by
    warn_dependants(stack, chosen)
    await stack.end(chosen)
    remaining = await end_the_rest({name: stack.runners[name] for name in running})
    let_go(give_back_ended(stack, chosen))
    if not running:
        running = await end_unrecorded(stack, names)
        remaining |= survivors(running, stack.stage)
    ran = [name for name in running if name not in never_ran]
    return Stopped.of(ran, stack.services(), remaining)


def give_back_ended(stack: Stack, names: Iterable[str]) -> list[str]:
    """Give back the ports of services that have ended, and return those services.

    A service that has outlived its stop keeps its ports, because a start would move away from them.
    """
    ended = [name for name in names if not stack.runners[name].state.has_withstood]
    for name in ended:
        stack.stage.ports.give_back(name, stack.runners[name].run.spared)
    return ended


def refuse_withstood(stack: Stack, names: Iterable[str]) -> None:
    """Raise ServiceError when one of these services has outlived its end: it cannot be started again."""
    for name in names:
        runner = stack.runners.get(name)
        if runner is not None and runner.state.has_withstood:
            was = "was stopped" if runner.phase is Phase.STOPPING else "has failed"
            raise ServiceError(
                f"{name} {was} and still runs: {runner.state.withstood}",
                hint=f"`devinit stop {name}` tries again to end it; what it had is left as it is until then",
            )


def warn_dependants(stack: Stack, stopping: list[str]) -> None:
    """Note which running services depend on a service that is stopped: only the named services are stopped."""
    for name, runner in stack.runners.items():
        # A dependant no longer needs a job that had to be done before its start.
        needed = [other for other in runner.service.depends_on if not stack.stage.project.is_job(other)]
        lost = [other for other in needed if other in stopping]
        if lost and name not in stopping and runner.phase in lifecycle.ALIVE:
            stack.stage.note(f"{name} depends on {', '.join(lost)} and keeps running", name)


async def end_unrecorded(stack: Stack, names: tuple[str, ...]) -> list[str]:
    """End services that run without a record, the named ones or all, and return their names.

    Raise SupervisorError when one of them runs in another container; the others are ended.
    """
    asked = {name: each for name, each in stack.runners.items() if not names or name in names}
    idle = {name: each for name, each in asked.items() if each.phase not in PRESENT}
    here, _ = await leftovers_of(idle, stack.stage)
    await end_leftovers(here, idle, stack.stage)
    orphaned = stack.stage.ports.orphaned()
    orphaned = orphaned if not names else orphaned & set(names)
    elsewhere = await elsewhere_of(orphaned, stack.stage)
    unknown = orphaned - stack.runners.keys() - elsewhere
    await end_unknown(sorted(unknown), stack.stage)
    if elsewhere:
        raise services_out_of_reach(elsewhere, str(stack.stage.root))
    return [*sorted(here), *sorted(unknown)]
