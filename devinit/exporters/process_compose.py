"""Export a process-compose.yaml: the services as processes, with probes and dependencies."""

from __future__ import annotations

import signal

from devinit.exporters.exporter import Export, Exporter, File
from devinit.exporters.shell import (
    NEEDS_RUNTIME,
    left_out,
    not_in_runtime,
    own_values,
    runnable,
    started,
    tools_path,
)
from devinit.exporters.yaml import Node, rendered
from devinit.model.names import ENVIRONMENT_FILE
from devinit.model.resolved import Reader, Resolved, ResolvedService, Role
from devinit.model.service import Condition, RestartMode

PATH = "process-compose.yaml"
_RESTARTS = {
    RestartMode.ON_FAILURE: "on_failure",
    RestartMode.ALWAYS: "always",
    RestartMode.NEVER: "no",
}


def render(resolved: Resolved) -> Export:
    """Return the file."""
    services = runnable(resolved)
    known = {each.name: each for each in services}
    processes: dict[str, Node] = {each.name: _process(each, resolved, known) for each in services}
    how = f"process-compose -e {ENVIRONMENT_FILE} up"
    text = f"# Start it with: {how}\n# {NEEDS_RUNTIME}.\n"
    text += rendered({"version": "0.5", "processes": processes})
    notes = (f"start it with: {how}", *not_in_runtime(resolved), *left_out(resolved))
    return Export(files=(File(path=PATH, text=text),), notes=notes)


def _process(
    service: ResolvedService, resolved: Resolved, known: dict[str, ResolvedService]
) -> dict[str, Node]:
    path = tools_path(service)
    process: dict[str, Node] = {
        "command": _escaped(f"{f'export {path} && ' if path else ''}{started(service)}"),
        "working_dir": _escaped(service.folder),
    }
    values = own_values(service, resolved)
    if values:
        process["environment"] = [
            f"{name}={value.written(lambda each: f'${{{each}}}', _escaped)}" for name, value in values.items()
        ]
    depends_on = {
        each.service: {"condition": _condition(each.condition, known[each.service])}
        for each in service.depends_on
        if each.service in known
    }
    if depends_on:
        process["depends_on"] = depends_on
    if probe := _probe(service):
        process["readiness_probe"] = probe
    mode = RestartMode.NEVER if service.role is Role.JOB else service.restart.mode
    availability: dict[str, Node] = {"restart": _RESTARTS[mode]}
    if mode is not RestartMode.NEVER:
        availability |= {"backoff_seconds": 1, "max_restarts": service.restart.failures}
    process["availability"] = availability
    process["shutdown"] = {
        "signal": _number(service.stop_signal),
        "timeout_seconds": max(1, round(service.grace_seconds or 5)),
    }
    if not service.autostart:
        process["disabled"] = True
    return process


def _probe(service: ResolvedService) -> dict[str, Node]:
    """Return the readiness probe of a process: without one, no other process can wait for its readiness."""
    ready, port = service.ready, service.port
    probe: dict[str, Node]
    if ready.exec is not None:
        probe = {"exec": {"command": _escaped(ready.exec)}}
    elif port is None:
        return {}
    elif ready.http is not None:
        path = ready.http if ready.http.startswith("/") else f"/{ready.http}"
        scheme = "https" if (port.url or "").startswith("https:") else "http"
        probe = {
            "http_get": {
                "host": "127.0.0.1",
                "scheme": scheme,
                "path": _escaped(path),
                "port": str(port.number),
            }
        }
    else:
        # process-compose has no probe for a port.
        probe = {"exec": {"command": f"bash -c '</dev/tcp/127.0.0.1/{port.number}'"}}
    failures = max(1, round(ready.timeout_seconds))
    return probe | {"period_seconds": 1, "timeout_seconds": 5, "failure_threshold": failures}


def _condition(condition: Condition, dependency: ResolvedService) -> str:
    if condition is Condition.COMPLETED:
        return "process_completed_successfully"
    if condition is Condition.READY and _probe(dependency):
        return "process_healthy"
    return "process_started"


def _number(name: str | None) -> int:
    found = getattr(signal, f"SIG{name}", signal.SIGTERM) if name else signal.SIGTERM
    return int(found)


def _escaped(text: str) -> str:
    """Return a text with escaped `$`: process-compose expands variables in the whole file."""
    return text.replace("$", "$$")


EXPORTER = Exporter(name="process-compose", reader=Reader.MACHINE, path=PATH, render=render)
