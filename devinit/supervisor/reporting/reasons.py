"""Reasons for a service's state where its lifecycle has none: observations of a start, the client of a stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devinit.errors import ConfigError
from devinit.model.at_rest import program_has
from devinit.model.build_words import in_words
from devinit.model.status import Phase
from devinit.ports.leases import LeaseStore, programs_leased, root_name
from devinit.ports.remembered import ports_file
from devinit.supervisor.lifecycle import ALIVE
from devinit.supervisor.service.coming_up import PATIENCE_SECONDS
from devinit.system.paths import state_directory

if TYPE_CHECKING:
    from collections.abc import Mapping

    from devinit.supervisor.project.project_state import ProjectState
    from devinit.supervisor.service.runner import Runner

NOT_ANSWERED = "it listens, and has not answered yet"
UP = (Phase.READY, Phase.EXITED)


def reason_of(runner: Runner, stage: ProjectState) -> str | None:
    """Return why a service is in its state.

    For a service that starts slowly, that is the last observation and its error.
    """
    state = runner.state
    if state.phase in (Phase.STOPPING, Phase.STOPPED):
        return state.reason or runner.history.stopped_by
    if state.phase is not Phase.STARTING:
        return state.reason
    said, *advice = (state.reason or "").split("\n")
    if said and said != runner.history.last_probe:
        return state.reason
    seen = said or (seen_of(runner, stage) if takes_its_time(runner) else None)
    error = stage.last_errors.of(runner.name)
    return "\n".join((f"{seen}: {in_words(error)}", *advice)) if seen and error else state.reason or seen


def seen_of(runner: Runner, stage: ProjectState) -> str | None:
    """Return the last observation of a service that is starting."""
    if runner.history.last_probe or runner.run.process is None:
        return runner.history.last_probe or None
    port = stage.endpoint(runner.name).port
    if port is None:
        return None
    # The first attempt may take a while, too.
    return NOT_ANSWERED if runner.ears().listens() else f"nothing listens on port {port} yet"


def reason_to_wait(runner: Runner, runners: Mapping[str, Runner]) -> str | None:
    """Return what a service still waits for when a start is over."""
    if runner.phase is not Phase.WAITING or not takes_its_time(runner):
        return None
    phases = {name: runners[name].phase for name in runner.service.depends_on if name in runners}
    name = next((each for each, phase in phases.items() if phase not in UP), None)
    return f"waits for {name}, which is {phases[name].value}" if name else None


def programs_instead_of(runners: Mapping[str, Runner], stage: ProjectState) -> dict[str, str]:
    """Return a text for each stopped service under whose name a program has leased a port for itself."""
    stopped = [name for name, each in runners.items() if each.phase is Phase.STOPPED]
    if not stopped:
        return {}
    leased = programs_leased(LeaseStore(state_directory() / "leases").owners(), root_name(stage.root))
    return {name: program_has(name, leased[name]) for name in stopped if name in leased}


def takes_its_time(runner: Runner) -> bool:
    """Return whether a service has been in its phase for noticeably long."""
    return runner.history.in_phase_seconds >= PATIENCE_SECONDS


def remembered_ports(stage: ProjectState) -> dict[str, int] | None:
    """Return the content of `.ports.json`; None if it cannot be read, which the next start reports."""
    try:
        return ports_file.read(stage.root)
    except ConfigError:
        return None


def next_port_of(runner: Runner, stage: ProjectState, remembered: Mapping[str, int] | None) -> int | None:
    """Return the port that the next start of a service asks for, if it differs from the present one."""
    request, granted = runner.service.port, stage.ports.port_of(runner.name)
    if request is None or granted is None or remembered is None or runner.phase not in ALIVE:
        return None
    before = remembered.get(runner.name)
    wanted = request.expected(before)
    return wanted if wanted != granted and not stage.ports.is_refused(request, before) else None
