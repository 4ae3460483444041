"""Take over what an earlier supervisor left running: same processes, same ports, same restart counts."""

from __future__ import annotations

import asyncio
import logging
import os

import msgspec

from devinit.config.load import load
from devinit.errors import DevinitError
from devinit.model.service import Project
from devinit.supervisor import lifecycle
from devinit.supervisor.runner import Runner
from devinit.supervisor.state_file import ServiceRecord, State, read_state
from devinit.supervisor.supervisor import Supervisor
from devinit.system.processes import Process

log = logging.getLogger(__name__)


def adopt(supervisor: Supervisor, tasks: asyncio.TaskGroup) -> None:
    """Adopt every recorded service whose process is proven to be the same; report the others as ended.

    Raise StateFileError when the record cannot be read.
    """
    stage = supervisor.stage
    state = read_state(stage.private)
    if not state.services or state.root != os.path.realpath(stage.root):
        # Nothing ran, or it ran in the checkout that this one was copied from.
        return
    supervisor.profile = state.profile
    stage.configure(recorded_project(stage.project, state), dict(os.environ))
    for name, record in state.services.items():
        stage.ports.adopt(record.ports, state.project)
        runner = Runner(record.service, stage, supervisor, tasks, supervisor.changed)
        supervisor.runners[name] = runner
    stage.derive()
    for name, record in state.services.items():
        take_over(supervisor.runners[name], record)


def take_over(runner: Runner, record: ServiceRecord) -> None:
    """Adopt one service, or let its lifecycle decide about a process that is gone."""
    process = Process.open(record.identity) if record.identity is not None else None
    if process is not None:
        log.info("%s runs on as process %s", runner.name, process.pid)
        runner.adopt(
            process,
            ready=record.ready,
            restarts=record.restarts,
            started_at=record.started_at or 0.0,
            log_offset=record.log_offset,
        )
        return
    runner.identity, runner.log_offset = record.identity, record.log_offset
    runner.post(lifecycle.Adopted(record.ready, record.restarts))
    if record.identity is not None:
        log.info("%s ended while nobody watched", runner.name)
        runner.post(lifecycle.Exited(None, oneshot=record.service.port is None))


def recorded_project(current: Project, state: State) -> Project:
    """Return the project as it is configured, with the services that run as they were started.

    A devinit.toml that is broken now must not keep anybody from looking after them.
    """
    services = {name: record.service for name, record in state.services.items()}
    try:
        project = load(current.root, profile=state.profile)
    except DevinitError as error:
        log.warning("%s; using the recorded services", error.message)
        return msgspec.structs.replace(current, name=state.project or current.name, services=services)
    return msgspec.structs.replace(project, services={**project.services, **services})
