"""The reports about services for clients: events, the summary of a start, `status` and `why`. Read-only."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, TypedDict

from devinit import __version__
from devinit.kinds import kind_of
from devinit.model.at_rest import how_to_start, in_another_container, row_at_rest, without_supervisor
from devinit.model.named import PagesByName
from devinit.model.port import GrantedPort
from devinit.model.service import Condition, Endpoint, Service
from devinit.model.status import (
    DependencyStatus,
    ExtraPortStatus,
    LastError,
    Mode,
    Phase,
    ProjectStatus,
    ServiceStatus,
    WhyReport,
)
from devinit.runtime.environment import page_url
from devinit.supervisor.lifecycle import ALIVE, LifecycleState
from devinit.supervisor.logs import log_files
from devinit.supervisor.project import graph
from devinit.supervisor.project.drift import ADDED
from devinit.supervisor.project.project_state import ProjectState
from devinit.supervisor.reporting.connections import connections_of
from devinit.supervisor.reporting.probe_words import describe_probe
from devinit.supervisor.reporting.reasons import (
    next_port_of,
    programs_instead_of,
    reason_of,
    reason_to_wait,
    remembered_ports,
)
from devinit.supervisor.service.runner import Runner
from devinit.system.usage import Usage
from devinit.text import shortened

if TYPE_CHECKING:
    from devinit.model.event import PhaseEvent, PortEvent, PortInfoEvent, SummaryRow
    from devinit.supervisor.reporting.holders_now import PortReasons

Runners = Mapping[str, Runner]

LONGEST_TEXT = 2000
"""Maximum characters of a reason or a command."""
LONGEST_TAIL_LINE = 500
"""Maximum characters of one of the last lines; the log has the whole line."""
TAILS_BYTES = 32 * 1024
"""Maximum bytes of last lines in a summary, for all services together."""


def phase_event(runner: Runner, before: LifecycleState, stage: ProjectState) -> PhaseEvent:
    """Return the event that a service entered another phase."""
    state = runner.state
    return {
        "type": "phase",
        "at": time.time(),
        "service": runner.name,
        "phase": state.phase.value,
        "previous": before.phase.value,
        "reason": shown(state.reason, stage),
        "pid": pid_of(runner),
        "ready_seconds": runner.history.ready_seconds if state.phase is Phase.READY else None,
    }


def port_event(granted: GrantedPort) -> PortEvent:
    """Return the event of a decision about a port."""
    return {
        "type": "port",
        "at": time.time(),
        "service": granted.service,
        "port": granted.port,
        "preferred": granted.preferred,
        "moved_from": granted.moved_from,
        "attempts": granted.attempts,
        "reason": granted.reason,
        "kind": granted.kind.value if granted.kind else None,
        "killed": list(granted.killed),
        "uses": granted.uses or None,
        "used_up": granted.used_up or None,
    }


def port_info(runner: Runner, stage: ProjectState) -> PortInfoEvent:
    """Return the event that a service is ready, with its addresses."""
    endpoint = stage.endpoint(runner.name)
    return {
        "type": "port_info",
        "at": time.time(),
        "mode": mode_of(runner.service, endpoint),
        "service": runner.name,
        "port": endpoint.port,
        "url": shown(endpoint.url, stage),
        "docs_url": endpoint.docs_url,
        "health_url": endpoint.health_url,
    }


def mode_of(service: Service, endpoint: Endpoint) -> Mode:
    """Return how a service got its address."""
    if service.external_url is not None:
        return "external"
    moved = service.port is not None and endpoint.port != service.port.preferred
    return "moved" if moved else "preferred"


def reason_of_new_addresses(before: Mapping[str, str], now: Mapping[str, str]) -> str:
    """Return why a service that was given old addresses is restarted. Pure, and without passwords."""
    names = ", ".join(before)
    places = [(place_of(url), place_of(now[name])) for name, url in before.items()]
    if any(then[1] != place[1] for then, place in places):
        return f"{names} moved"
    if any(then[0] != place[0] for then, place in places):
        return f"{names} speaks another scheme"
    return f"{names} has another password"


def place_of(url: str) -> tuple[str, str]:
    """Return the scheme of an address, and the rest of it without user and password."""
    scheme, separator, rest = url.partition("://")
    return (scheme, rest.rpartition("@")[2]) if separator else ("", url)


def summary_row(runner: Runner, runners: Runners, stage: ProjectState) -> SummaryRow:
    """Return the row of one service in the summary of a start."""
    endpoint = stage.endpoint(runner.name)
    granted = stage.ports.granted(runner.name)
    failed = runner.phase is Phase.FAILED or runner.state.stuck is not None
    return {
        "service": runner.name,
        "phase": runner.phase.value,
        "mode": mode_of(runner.service, endpoint),
        "port": endpoint.port,
        "preferred": runner.service.port.preferred if runner.service.port else None,
        "moved_from": granted.moved_from if granted else None,
        "attempts": granted.attempts if granted else 0,
        "ready_seconds": runner.history.ready_seconds
        if runner.phase in (Phase.READY, Phase.UNHEALTHY)
        else None,
        "url": shown(endpoint.url, stage),
        "reason": shown(reason_of(runner, stage) or reason_to_wait(runner, runners), stage),
        **(last_lines_of(runner) if failed else NO_LINES),
        "wrong_servers": connections_of(runner)["wrong_servers"],
        "extra_ports": extra_ports(runner.service, stage),
    }


class LastLines(TypedDict):
    """The last lines of a service, as shown to clients."""

    log_tail: list[str]
    truncated: bool


NO_LINES: LastLines = {"log_tail": [], "truncated": False}


def last_lines_of(runner: Runner) -> LastLines:
    """Return the last lines of a service; long lines are shortened."""
    lines = runner.log_tail()
    told = [shortened(line, LONGEST_TAIL_LINE) for line in lines]
    return {"log_tail": told, "truncated": told != lines}


def bounded(rows: list[SummaryRow]) -> list[SummaryRow]:
    """Return the rows of a summary with as many last lines as a client can take; the first rows keep the most."""
    left = TAILS_BYTES
    told: list[SummaryRow] = []
    for row in rows:
        lines = row["log_tail"]
        while len(lines) > 1 and bytes_of(lines) > left:
            lines = lines[1:]
        left = max(0, left - bytes_of(lines))
        cut = len(lines) < len(row["log_tail"])
        told.append({**row, "log_tail": lines, "truncated": True} if cut else row)
    return told


def bytes_of(lines: Iterable[str]) -> int:
    """Return the length of lines on the wire, without separators and escapes."""
    return sum(len(line.encode()) for line in lines)


def project_status(
    runners: Runners,
    stage: ProjectState,
    usages: Mapping[str, tuple[Usage, float | None]],
    changed: Mapping[str, list[str]],
    new: Iterable[Service],
) -> ProjectStatus:
    """Return the whole `status` report.

    `usages`: the CPU and memory of each service, and its share of a CPU in percent; `changed`: its outdated parts;
    `new`: services that were added to the configuration since.
    """
    remembered = remembered_ports(stage)
    programs = programs_instead_of(runners, stage)
    return {
        "project": stage.project.name,
        "root": str(stage.root),
        "supervisor": {"pid": os.getpid(), "version": __version__},
        "services": [
            *(
                service_status(
                    runner, stage, usages.get(name), changed.get(name, []), remembered, programs=programs
                )
                for name, runner in runners.items()
            ),
            *(
                row_at_rest(service, remembered or {}, [ADDED], has_pages=kind_of(service).has_pages)
                for service in new
            ),
        ],
    }


def service_status(
    runner: Runner,
    stage: ProjectState,
    usage: tuple[Usage, float | None] | None,
    changed: list[str],
    remembered: dict[str, int] | None,
    *,
    programs: Mapping[str, str],
) -> ServiceStatus:
    """Return the entry of one service in `status`."""
    endpoint = stage.endpoint(runner.name)
    reason = programs.get(runner.name) or reason_of(runner, stage)
    return {
        "name": runner.name,
        "provider": runner.service.provider,
        "phase": runner.phase.value,
        "mode": mode_of(runner.service, endpoint),
        "port": endpoint.port,
        "preferred_port": runner.service.port.preferred if runner.service.port else None,
        "url": shown(endpoint.url, stage),
        "pid": pid_of(runner),
        "uptime_seconds": uptime_of(runner) if runner.phase in ALIVE else None,
        "restarts": runner.state.restarts,
        "cpu_percent": usage[1] if usage else None,
        "memory_bytes": usage[0].memory_bytes if usage else None,
        "reason": shown(reason, stage),
        "changed": changed,
        "restarted_for": shown(runner.history.restarted_for, stage),
        "has_pages": kind_of(runner.service).has_pages,
        "autostart": runner.service.autostart,
        "optional": runner.service.optional,
        "depends_on": list(runner.service.depends_on),
        "extra_ports": extra_ports(runner.service, stage),
        **pages_by_name(endpoint, stage),
        "watch": shown(runner.watch_condition, stage),
        "last_error": last_error_of(runner, stage),
        **connections_of(runner),
        "waits_for_input": runner.input.look(),
        "terminal": runner.run.terminal.status(wanted=runner.service.tty),
        "truncated": len(reason or "") > LONGEST_TEXT,
        "next_port": next_port_of(runner, stage, remembered),
    }


def pages_by_name(endpoint: Endpoint, stage: ProjectState) -> PagesByName:
    """Return where the gateway serves an endpoint; empty for one without names."""
    if not endpoint.hosts:
        return {}
    return {
        "name_url": endpoint.name_url,
        "page_url": shown(page_url(stage.project, endpoint), stage),
        "hosts": list(endpoint.hosts),
    }


def last_error_of(runner: Runner, stage: ProjectState) -> LastError | None:
    """Return the error of a service's last build, if the service runs on or has failed because of it."""
    error = stage.last_errors.of(runner.name) if runner.phase in (*ALIVE, Phase.FAILED) else None
    return {**error, "text": stage.mask(error["text"])} if error is not None else None


def uptime_of(runner: Runner) -> float | None:
    """Return for how many seconds its process has run, at least 0 (clocks may be set back); None without one."""
    if runner.run.process is None or runner.run.started_at is None:
        return None
    return max(0.0, time.time() - runner.run.started_at)


def of_orphan(name: str, stage: ProjectState) -> str:
    """Return why a service without a record runs, and how to end it."""
    return without_supervisor(name) if stage.ports.keepers(name) else in_another_container(name)


def why(
    runner: Runner, runners: Runners, stage: ProjectState, ports: PortReasons, changed: list[str]
) -> WhyReport:
    """Return the `why` report of a service.

    `ports`: the present state of the ports that it could not have; `changed`: as in `status`.
    """
    state, service = runner.state, runner.service
    dependencies = {name: other.service.depends_on for name, other in runners.items()}
    is_orphaned = state.phase is Phase.STOPPED and runner.name in stage.ports.orphaned()
    return {
        "name": runner.name,
        "phase": Phase.ORPHANED.value if is_orphaned else state.phase.value,
        "reason": shown(
            (of_orphan(runner.name, stage) if is_orphaned else None)
            or ports.failed
            or programs_instead_of({runner.name: runner}, stage).get(runner.name)
            or reason_of(runner, stage)
            or reason_to_wait(runner, runners)
            or (how_to_start(runner.name) if state.phase is Phase.STOPPED else None),
            stage,
        ),
        "since_seconds": runner.history.in_phase_seconds if state.phase is not Phase.STOPPED else None,
        "last_exit": state.last_exit,
        "restarts": state.restarts,
        "restarted_for": shown(runner.history.restarted_for, stage),
        "watch": shown(runner.watch_condition, stage),
        "last_error": last_error_of(runner, stage),
        **connections_of(runner),
        "waits_for_input": runner.input.look(),
        "failures": len(state.failures),
        "changed": changed,
        "port": stage.endpoint(runner.name).port,
        "preferred_port": service.port.preferred if service.port else None,
        "port_reason": shown(port_reason(service, ports), stage),
        "next_port": next_port_of(runner, stage, remembered_ports(stage)),
        "command": shown(runner.history.failed_command or service.command, stage),
        "directory": str(service.directory),
        "depends_on": [
            dependency(name, service.condition_of(name), runners)
            for name in service.depends_on
            if name in runners
        ],
        "needed_by": [
            dependency(name, runners[name].service.condition_of(runner.name), runners)
            for name in graph.dependants(runner.name, dependencies)
        ],
        "extra_ports": extra_ports(service, stage),
        "probe": " and ".join(
            [
                describe_probe(stage.probe(service)),
                *(f"{describe_probe(each)} ({name})" for name, each in stage.extra_probes(service).items()),
            ]
        ),
        "last_probe": shown(runner.history.last_probe or None, stage),
        "log": str(log_files.log_path(stage.private, runner.name)),
        "out_of_reach": None,
        "configuration_error": None,
        **last_lines_of(runner),
    }


def extra_ports(service: Service, stage: ProjectState) -> list[ExtraPortStatus]:
    """Return the further ports of a service, each with its actual and its preferred number."""
    return [
        {
            "name": request.service,
            "port": stage.endpoint(request.service).port,
            "preferred_port": request.preferred,
            "url": shown(stage.endpoint(request.service).url, stage),
            **pages_by_name(stage.endpoint(request.service), stage),
        }
        for request in service.extra_ports
    ]


def port_reason(service: Service, ports: PortReasons) -> str | None:
    """Return why a service has another port than the preferred one, or one that is not its own."""
    if service.is_reused:
        return "it uses the server that was found running there; devinit never stops it"
    return ports.moved


def shown(text: str | None, stage: ProjectState) -> str | None:
    """Return a text without the project's secrets.

    A plain URL cannot contain one and is returned as it is, since there are many of them.
    """
    if text is None or (text.startswith("http") and "@" not in text):
        return text
    return shortened(stage.mask(text), LONGEST_TEXT)


def dependency(name: str, condition: Condition, runners: Runners) -> DependencyStatus:
    """Return the other end of a dependency: its phase, and the condition."""
    return {"name": name, "phase": runners[name].phase.value, "condition": condition.value}


def pid_of(runner: Runner) -> int | None:
    """Return the pid of the process that was started for a service, while it runs."""
    return runner.run.process.pid if runner.run.process else None
