"""Take over the services that an earlier supervisor left running: same processes, ports and restart counts."""

from __future__ import annotations

import logging
import os
import time
from functools import partial

import msgspec

from devinit.config.load import load
from devinit.control.elsewhere import services_out_of_reach
from devinit.errors import DevinitError, ServiceError
from devinit.model.service import Project
from devinit.model.status import Phase
from devinit.supervisor import lifecycle
from devinit.supervisor.processes.capacity import kept_for
from devinit.supervisor.project.passwords import Passwords
from devinit.supervisor.project.project_state import ProjectState
from devinit.supervisor.record.leftovers import out_of_sight
from devinit.supervisor.record.state_file import (
    EndedRecord,
    Moment,
    ServiceRecord,
    State,
    read_caller,
    read_state,
)
from devinit.supervisor.service.runner import Runner
from devinit.supervisor.supervisor import Supervisor
from devinit.system.descriptors import descriptors
from devinit.system.namespaces import network_namespace, pid_namespace
from devinit.system.paths import marked_service
from devinit.system.processes import (
    RUN_VARIABLE,
    Process,
    alive,
    boot_id,
    has_legible_environment,
    variable_of,
)

log = logging.getLogger(__name__)


def adopt(supervisor: Supervisor) -> None:
    """Adopt every recorded service whose process is proven to be the same; report the others as ended.

    Raise StateFileError when the record cannot be read, and SupervisorError when its services run in another
    container: from here they can be neither looked after nor ended, and a second set would share their files.
    """
    stage = supervisor.stage
    state = read_state(stage.private)
    if not (state.services or state.ended) or state.root != os.path.realpath(stage.root):
        # No service ran, or they ran in the checkout from which this one was copied.
        return
    if elsewhere := running_elsewhere(state, stage):
        raise services_out_of_reach(elsewhere, str(stage.root))
    if state.boot_id != boot_id() or state.pid_namespace not in ("", pid_namespace()):
        # The services ran before a reboot, or in a container that is gone: no start has ordered them since.
        return
    supervisor.stack.profile, supervisor.stack.wants_names = state.profile, state.names
    make_room(state)
    for record in state.services.values():
        stage.ports.adopt(record.ports, state.project)
    recorded = recorded_project(stage.project, state)
    # Not our own environment: a command that asks for the status, perhaps cron's, did not start these services.
    caller = read_caller(stage.private) or dict(os.environ)
    project = current_project(recorded, state, stage)
    supervisor.naming.settle_again(project)
    stage.configure_for_adoption(project, recorded, caller)
    # Also those that do not run: `status` and `start` are about all of them.
    for name, service in stage.project.services.items():
        supervisor.stack.runners[name] = supervisor.runner_of(service, stage)
    for name, record in state.services.items():
        take_over(supervisor.stack.runners[name], record, stage)
        if name in state.moments:
            remember(supervisor.stack.runners[name], record.phase, state.moments[name])
    for name, ended in state.ended.items():
        if name in supervisor.stack.runners:
            recall(supervisor.stack.runners[name], ended)


def running_elsewhere(state: State, stage: ProjectState) -> set[str]:
    """Return the recorded services that run in another container or namespace than this supervisor. Blocking."""
    if state.pid_namespace not in ("", pid_namespace()):
        # A container has its own boot, too: only leases show what is still running.
        orphaned = stage.ports.orphaned()
        return out_of_sight(orphaned, stage) if orphaned else orphaned
    if state.network_namespace in ("", network_namespace()) or state.boot_id != boot_id():
        return set()
    # They are visible from here, but cannot be probed, nor be given other ports.
    return {name for name, each in state.services.items() if each.identity and alive(each.identity)}


def make_room(state: State) -> None:
    """Reserve descriptors for the running services.

    With fewer of them, the services are looked after all the same.
    """
    try:
        descriptors.make_room(kept_for(record.service for record in state.services.values()))
    except ServiceError as error:
        log.warning("%s", error.message)


def take_over(runner: Runner, record: ServiceRecord, stage: ProjectState) -> None:
    """Adopt one service, or report the end of its process to its lifecycle."""
    runner.run.identity, runner.output.offset = record.identity, record.log_offset
    runner.run.started_at, runner.run.listener, runner.run.basis = (
        record.started_at,
        record.listener,
        record.basis,
    )
    take_over_terminal(runner, record)
    process = open_recorded(record)
    if process is not None and not is_proven(process, runner.name, stage):
        log.warning("process %s is not %s of this checkout: it is left alone", process.pid, runner.name)
        process.close()
        process = runner.run.identity = None
    if process is not None:
        log.info("%s runs on as process %s", runner.name, process.pid)
        runner.adopt(process)
        # No address has changed since: the service was started with these, or restarted because of them.
        runner.run.published_addresses = stage.addresses()
    ready = record.phase in (Phase.READY, Phase.UNHEALTHY)
    runs = process is not None or record.service.external_url is not None
    runner.post(lifecycle.Adopted(was_ready=ready, runs=runs, proven=record.proven, restarts=record.restarts))
    if record.phase not in lifecycle.WANTED:
        # It was being stopped.
        runner.post(lifecycle.StopRequested())
    elif process is None and record.service.external_url is None:
        log.info("%s ended while no supervisor watched", runner.name)
        runner.post(lifecycle.Exited(code_left_by(record), stage.success_of(record.service)))
        if record.identity is None and runner.phase is Phase.FAILED:
            # It had not been started yet. The start goes on once the leftovers of a one-shot command are ended.
            runner.post(lifecycle.StartRequested())


def open_recorded(record: ServiceRecord) -> Process | None:
    """Return the process of a service if it still runs."""
    if record.identity is None:
        return None
    if record.terminal is None:
        return Process.open(record.identity)
    from devinit.system.terminal_holder import exit_code  # few services have one

    return Process.open(record.identity, partial(exit_code, record.terminal, record.identity.pid))


def code_left_by(record: ServiceRecord) -> int | None:
    """Return the exit code of a service that ended without a supervisor, if its terminal's holder noted it."""
    if record.terminal is None or record.identity is None:
        return None
    from devinit.system.terminal_holder import noted_code  # as above

    return noted_code(record.terminal, record.identity.pid)


def take_over_terminal(runner: Runner, record: ServiceRecord) -> None:
    """Follow the process that holds the terminal of a service."""
    terminal = runner.run.terminal
    terminal.is_lent, terminal.known = record.lent_terminal, record.terminal
    if record.terminal is None:
        return
    holder = Process.open(record.terminal.identity)
    if holder is not None:
        terminal.follow(record.terminal, holder)
    else:
        terminal.is_lost = record.identity is not None and alive(record.identity)


def is_proven(process: Process, service: str, stage: ProjectState) -> bool:
    """Return whether a recorded process is the service's: it carries our mark, or holds the lease of its port.

    A program that wrote its title over its environment has no mark any more. Then the record alone counts, because
    of its place. A record from a checkout was proven before it got there (`system.old_record`).
    """
    if process.pid == 1:
        return False  # no service is init
    mark = variable_of(process.pid, RUN_VARIABLE)
    if mark is not None or has_legible_environment(process.pid):
        is_marked = mark is not None and marked_service(mark, stage.root) == service
        return is_marked or process.identity in stage.ports.keepers(service)
    return True


def remember(runner: Runner, phase: Phase, moment: Moment) -> None:
    """Restore since when a service has been in its phase, if it still is in the recorded one."""
    if runner.phase is phase:
        runner.history.phase_since = min(moment.since, time.monotonic())
        runner.history.restarted_for = moment.restarted_for


def recall(runner: Runner, ended: EndedRecord) -> None:
    """Restore a service that had finished or failed, with its reason."""
    runner.run.started_at, runner.output.offset = ended.started_at, ended.log_offset
    runner.post(
        lifecycle.Remembered(
            phase=ended.phase,
            reason=ended.reason,
            failure=ended.failure,
            last_exit=ended.last_exit,
            restarts=ended.restarts,
        )
    )
    runner.history.phase_since = min(ended.since, time.monotonic())


def recorded_project(current: Project, state: State) -> Project:
    """Return the project with only the recorded services, as they were started."""
    services = {name: record.service for name, record in state.services.items()}
    return msgspec.structs.replace(current, name=state.project or current.name, services=services)


def current_project(recorded: Project, state: State, stage: ProjectState) -> Project:
    """Return the project as configured now, with the running services as they were started.

    A devinit.toml that is broken now must not keep a supervisor from looking after them.
    """
    try:
        project = load(recorded.root, profile=state.profile)
        project = Passwords(stage.given.env_files_of).settled(project, stage.place())
    except DevinitError as error:
        log.warning("%s; using the recorded services", error.message)
        return recorded
    return msgspec.structs.replace(project, services={**project.services, **recorded.services})
