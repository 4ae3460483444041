"""The end of a service: its processes, those that it leaves running, and the notes about them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from devinit.errors import StateFileError
from devinit.model.process import ProcessIdentity
from devinit.model.saving import last_resort, saving_server
from devinit.model.status import Phase
from devinit.ports.holder.lookup import holders_of_port
from devinit.supervisor import lifecycle
from devinit.supervisor.processes.ending import end_keepers, end_tree, why_spared
from devinit.supervisor.project.project_state import ProjectState
from devinit.supervisor.service.data_watch import without_saving
from devinit.supervisor.service.in_container import end_container
from devinit.system.listeners import tcp_listeners
from devinit.system.processes import Process, facts_of

if TYPE_CHECKING:
    from devinit.supervisor.service.runner import Runner

ENDED = frozenset({Phase.EXITED, Phase.FAILED})
"""Phases in which a service has no process, and only an order starts it again."""


async def end_processes(runner: Runner, stage: ProjectState) -> frozenset[int]:
    """End all processes of a service; return the pids of those that no signal has ended."""
    name = runner.name

    def spare(process: ProcessIdentity) -> None:
        """Note a process that is left running: at each stop, but once only while the service crash-loops."""
        known = process in runner.run.spared
        runner.run.spared.add(process)
        if (runner.phase is Phase.STOPPING or not known) and (text := why_spared(process)):
            stage.note(f"{name}: {text}", name)

    left = await end_tree(
        runner.run.identity,
        stage.marker(name),
        without_saving(runner, stage, stage.stop_policy(runner.service)),
        runner.say,
        stage.process_scan,
        force=runner.force,
        ports=[each.port for each in stage.ports.granted_to(name)],
        spare=spare,
        holder=known.identity if (known := runner.run.terminal.known) else None,
    )
    if left:
        stage.note(f"{name}: {why_left(left)}", name)
    else:
        await end_container(runner.service, stage)
    return frozenset(left)


async def end_keepers_of(runner: Runner, stage: ProjectState) -> None:
    """End the unrecorded processes that hold leases of a service."""
    name = runner.name
    keepers = await asyncio.to_thread(stage.ports.keepers, name)
    policy = stage.stop_policy(runner.service)
    left = await end_keepers(keepers, stage.marker(name), policy, runner.say, stage.process_scan)
    if left:
        stage.note(f"{name}: {why_left(left)}", name)


def why_left(pids: Sequence[int]) -> str:
    """Describe which processes have not ended, and why one of them was not killed."""
    for pid in pids:
        facts = facts_of(pid)
        if facts is not None and (server := saving_server(facts)) and last_resort(facts) is None:
            return (
                f"{server} (pid {pid}) has not ended yet, and is not killed: it may still be saving its data; "
                "`devinit stop --force` kills it, and what is not saved is lost"
            )
    return f"processes {list(pids)} do not end"


def report_end(runner: Runner, stage: ProjectState) -> None:
    """Post the result of a service's end. A process that did not end is followed and shown until it ends."""

    def ended(process: Process) -> None:
        runner.run.forget()
        runner.run.withstood -= {process.pid}
        report_end(runner, stage)

    if runner.phase in (Phase.STOPPING, Phase.FAILED):
        for pid in sorted(runner.run.withstood):
            facts = facts_of(pid)
            if facts is not None and (process := Process.open(facts.identity)) is not None:
                runner.run.follow(process, ended)
                runner.post(lifecycle.Withstood(why_left([pid])))
                return
    report_taken_ports(runner, stage)
    if runner.phase in ENDED and not runner.run.withstood:
        let_ports_go(runner, stage)
    runner.post(lifecycle.TreeGone())


def let_ports_go(runner: Runner, stage: ProjectState) -> None:
    """Release the ports of a service that has failed, exited or waits in vain to other projects."""
    try:
        stage.ports.rest(runner.name)
    except StateFileError as error:
        # The disk is full: the port is free all the same, and only its record is out of date.
        stage.note(error.message, runner.name)


def report_taken_ports(runner: Runner, stage: ProjectState) -> None:
    """Note when a port of a service that has ended is in use: by an escaped process, or by another one since."""
    if runner.phase is not Phase.STOPPING or runner.service.external_url is not None:
        return
    for port in (each.port for each in stage.ports.granted_to(runner.name)):
        if tcp_listeners(port):
            stage.note(
                f"{runner.name} has ended, but port {port} is {holders_of_port(port).reason}", runner.name
            )
