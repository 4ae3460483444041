"""The status of a project as text: its source (supervisor or records), and a line for each service."""

from __future__ import annotations

import sys

from devinit.cli.output import symbol
from devinit.control.launch import connect_to_running
from devinit.errors import SupervisorError
from devinit.model.pages import has_pages
from devinit.model.unknown import unknown_service
from devinit.text import one_line, pad, width

TYPE_CHECKING = False
if TYPE_CHECKING:
    from devinit.cli.output import Paint
    from devinit.control.client import Client
    from devinit.model.status import ProjectStatus, ServiceStatus

ORPHANED = (
    "runs without a supervisor that knows of it: `devinit stop` ends it, `devinit start` starts it anew"
)
ELSEWHERE = "runs in another container or namespace: `devinit stop` there ends it"
RAN_BEFORE = "ran on "
"""Prefix of the reason of a one-shot service that was not run again."""


def connected(root: str) -> Client | None:
    """Return a client of the project's supervisor, None if nothing of the project runs within sight."""
    try:
        return connect_to_running(root)
    except SupervisorError:
        from devinit.control.orphans import services_elsewhere  # rarely needed
        from devinit.control.waking import supervisor_of

        if supervisor_of(root) is None and services_elsewhere(root):
            return None
        raise


def chosen(names: list[str], status: ProjectStatus) -> list[ServiceStatus]:
    """Return the requested services in the project's order. Raise UsageError for an unknown one."""
    services = {each["name"]: each for each in status["services"]}
    for name in names:
        if name != "all" and name not in services:
            raise unknown_service(name, services, status["project"])
    return [each for each in status["services"] if not names or "all" in names or each["name"] in names]


def status_at_rest(folder: str) -> ProjectStatus:
    """Return the status of a project without a supervisor: the services that a start would run, and where."""
    # Imported late: only this case reads the configuration.
    from pathlib import Path

    from devinit.control.orphans import is_elsewhere, orphans_of, programs_of, recorded_elsewhere
    from devinit.kinds import kind_of
    from devinit.model.at_rest import program_has, row_at_rest
    from devinit.model.status import Phase
    from devinit.resolving.at_rest import at_rest

    root = Path(folder)
    project, remembered = at_rest(root)
    orphans = orphans_of(root)
    reasons = {name: ELSEWHERE if is_elsewhere(root, name) else ORPHANED for name in orphans}
    if ELSEWHERE in reasons.values():
        reasons = {**dict.fromkeys(recorded_elsewhere(root), ELSEWHERE), **reasons}
    programs = programs_of(root)
    services: list[ServiceStatus] = []
    for name, service in project.services.items():
        row = row_at_rest(service, remembered, has_pages=kind_of(service).has_pages)
        if name in reasons:
            port = orphans.get(name) if service.port else None
            row = {**row, "phase": Phase.ORPHANED.value, "port": port, "reason": reasons[name]}
        elif name in programs:
            row = {**row, "reason": program_has(name, programs[name])}
        services.append(row)
    return {"project": project.name, "root": str(root), "supervisor": None, "services": services}


def lines_of(services: list[ServiceStatus], paint: Paint, *, aligned: bool = False) -> list[str]:
    """Return all services as lines. `aligned`: pad the headings, so that the conditions form a column."""
    wide = max((width(heading(each)) for each in services), default=0) if aligned else 0
    return [
        line
        for each in services
        for line in (line_of(each, paint, wide), *wrong_lines(each, paint), *extra_lines(each, paint))
    ]


def line_of(service: ServiceStatus, paint: Paint, wide: int = 0) -> str:
    """Return one service as one line: `Backend (port 8001): ✓ Running (pid 12345)`."""
    return f"{pad(heading(service), wide)} {condition(service, paint)}"


def heading(service: ServiceStatus) -> str:
    """Return the name and port of a service, which begin its line."""
    name = one_line(service["name"])
    name = name[:1].upper() + name[1:].replace("_", " ")
    port = f" (port {service['port']})" if service["port"] is not None else ""
    return f"{name}{port}:"


def wrong_lines(service: ServiceStatus, paint: Paint) -> list[str]:
    """Return a line for each server that a service uses instead of one of the project's own."""
    return [
        f"  {paint.bad(symbol('✗', 'x', sys.stdout) + ' ' + one_line(each['text']))}"
        for each in service.get("wrong_servers", [])
    ]


def extra_lines(service: ServiceStatus, paint: Paint) -> list[str]:
    """Return a line for each extra port of a service that is up; an older supervisor does not report them."""
    if service["phase"] not in ("ready", "unhealthy"):
        return []
    return [
        f"  {one_line(each['name'])} (port {each['port']})  {paint.dim(one_line(each['url'] or ''))}".rstrip()
        for each in service.get("extra_ports", [])
    ]


def condition(service: ServiceStatus, paint: Paint) -> str:
    """Return the condition of a service: a symbol, its phase, and details."""
    phase, reason = service["phase"], one_line((service["reason"] or "").partition("\n")[0])
    said = f": {reason}" if reason else ""
    match phase:
        case "ready":
            pid = f" (pid {service['pid']})" if service["pid"] is not None else " (external)"
            mark = paint.good(symbol("✓", "+", sys.stdout))
            more = f"{moved(service, paint)}{restarted(service)}{watched(service, paint)}"
            more += f"{outdated(service, paint)}{broken(service, paint)}{asking(service, paint)}"
            return f"{mark} Running{pid}{more}{address(service, paint)}"
        case "stopped":
            by_name = "" if service.get("autostart", True) else "  starts by its name"
            mark = paint.dim(symbol("✗", "x", sys.stdout))
            program = f": {reason}" if is_of_program(reason) else ""
            return f"{mark} Not running{program}{paint.dim(by_name)}{outdated(service, paint)}"
        case "exited":
            # Only a one-shot service that succeeded has this phase; any other exit is a failure.
            before = f": {reason.partition('; ')[0]}" if reason.startswith(RAN_BEFORE) else ""
            return f"{paint.good(symbol('✓', '+', sys.stdout))} Finished{before}"
        case "waiting" | "starting" | "stopping" if not reason:
            mark = paint.attention(symbol("…", "~", sys.stdout))
            return f"{mark} {phase.capitalize()}{outdated(service, paint)}"
    if phase == "failed":
        # The same symbol as in the table of a start and in the dashboard.
        mark = paint.bad(symbol("✗", "x", sys.stdout))
    else:
        mark = paint.attention(symbol("⚠", "!", sys.stdout))
    return f"{mark} {phase.capitalize()}{said}{watched(service, paint)}{outdated(service, paint)}"


def is_of_program(reason: str) -> bool:
    """Whether a service is stopped because a program has leased a port under its name."""
    if not reason:
        return False
    from devinit.model.at_rest import A_PROGRAM  # few stopped services have a reason

    return reason.startswith(A_PROGRAM)


def address(service: ServiceStatus, paint: Paint) -> str:
    """Return the URLs of a service with pages; the URL of a database is left out, as it holds a password."""
    if not service["url"] or not has_pages(service):
        return ""
    by_name = service.get("name_url")
    every = dict.fromkeys(
        (service.get("page_url") or service["url"], service["url"], by_name or service["url"])
    )
    return "  " + paint.dim("  ".join(one_line(each) for each in every))


def restarted(service: ServiceStatus) -> str:
    """Return how often a service was restarted after a failure, and the cause of a restart without one."""
    times, cause = service["restarts"], service.get("restarted_for")
    often = f"  restarted {'once' if times == 1 else f'{times} times'}" if times else ""
    return f"{often}  restarted: {one_line(cause)}" if cause else often


def watched(service: ServiceStatus, paint: Paint) -> str:
    """Return the problem with watching a service's files, if any; `devinit why` also gives advice."""
    condition = (service.get("watch") or "").partition("; ")[0]
    return "  " + paint.attention(f"watch: {one_line(condition)}") if condition else ""


def outdated(service: ServiceStatus, paint: Paint) -> str:
    """Return the changes of configuration since a service started; an older supervisor does not report them."""
    changed = service.get("changed")
    if not changed:
        return ""
    from devinit.model.status import WHOLLY_CHANGED  # most services have no changes

    said = WHOLLY_CHANGED.get(changed[0]) or f"outdated ({one_line(', '.join(changed))})"
    return f"  {paint.attention(said)}"


def asking(service: ServiceStatus, paint: Paint) -> str:
    """Return the prompt at which a service waits for input; an older supervisor does not report it."""
    wait = service.get("waits_for_input")
    return "  " + paint.attention(f"waits for input at {one_line(wait['prompt'])}") if wait else ""


def broken(service: ServiceStatus, paint: Paint) -> str:
    """Return the error of a service's last build; an older supervisor does not report it."""
    error = service.get("last_error")
    if error is None:
        return ""
    from devinit.model.build_words import in_words  # most builds have no error

    return "  " + paint.bad(f"build failed: {one_line(in_words(error))}")


def moved(service: ServiceStatus, paint: Paint) -> str:
    """Return the preferred port of a moved service, and the port of its next start if that differs."""
    coming = service.get("next_port")
    soon = "  " + paint.attention(f"port {coming} from its next start on") if coming is not None else ""
    if service["mode"] != "moved":
        return soon
    return "  " + paint.attention(f"preferred {service['preferred_port']}") + soon
