"""Show what runs, and where."""

from __future__ import annotations

import sys

from devinit.cli.output import Paint, print_json, symbol, talk
from devinit.cli.project import root_as_text
from devinit.cli.reach import answered, mention_configuration, mention_reach
from devinit.config.find import is_configured
from devinit.control import api
from devinit.control.launch import connect_to_running
from devinit.errors import SupervisorError, UsageError
from devinit.model.pages import has_pages
from devinit.model.unknown import unknown_service
from devinit.system import terminal
from devinit.text import one_line, pad, width

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser

    from devinit.cli.arguments import Arguments
    from devinit.control.client import Client
    from devinit.model.status import ProjectStatus, ServiceStatus

EXAMPLE = "devinit status --json"
ORPHANED = (
    "runs without a supervisor that knows of it: `devinit stop` ends it, `devinit start` starts it anew"
)
ELSEWHERE = "runs in another container or namespace: `devinit stop` there ends it"
RAN_BEFORE = "ran on "
"""How the reason of a one-shot begins that did not run again."""
SWITCHES = {"--json": "json", "--all": "all", "--watch": "watch", "--exit-code": "exit_code"}
NAMES = "services"
DEFAULTS = {"max_bytes": None}
WELL = ("ready", "exited")
PLAIN_SERVICE_BYTES = 500
"""Of a service in JSON, without its texts."""


def configure(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument(
        "services", nargs="*", metavar="SERVICE", help="whose status; none or `all`: every service"
    )
    parser.add_argument("--all", action="store_true", help="every project of this machine, from any folder")
    parser.add_argument(
        "--watch", action="store_true", help="go on and show each change, until Ctrl-C (exit code 130)"
    )
    parser.add_argument(
        "--exit-code",
        action="store_true",
        help="return 1 unless every service is ready or finished; optional ones, and those that only start by "
        "their name, count if they are named",
    )
    from devinit.cli.bounds import STATUS_BYTES, add_text_bound

    add_text_bound(parser, STATUS_BYTES)
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: Arguments) -> int:
    """Print the status of the project, of some of its services, or of all projects."""
    if arguments.all:
        if arguments.services:
            raise UsageError("--all shows every project, without a choice of services")
        if arguments.watch or arguments.exit_code:
            raise UsageError(
                "--watch and --exit-code are about one project", hint="run it in the folder of a project"
            )
        from devinit.cli.neighbours import show_projects  # one project is answered without all this

        return show_projects(as_json=arguments.json)
    root = root_as_text(arguments)
    if arguments.watch:
        if arguments.exit_code:
            raise UsageError(
                "--watch goes on until Ctrl-C, and has no other exit code",
                hint="`devinit wait` waits until all is ready, and says so by its exit code",
            )
        from devinit.cli.status_watch import watch  # one look is answered without all this

        watch(root, arguments)
    client = connected(root)
    if client:
        client, status = answered(client, root, lambda each: status_of(each, arguments.services))
    else:
        status = status_at_rest(root)
    is_served = bool(client and status["services"])
    if client and not is_served:
        # A supervisor that was only asked something (`devinit env`) has not been given services.
        status = {**status_at_rest(root), "supervisor": status["supervisor"]}
    everything = status["services"]
    status = {
        **status,
        "services": chosen(arguments.services, status),
        "out_of_reach": mention_reach(client, "" if is_served else root),
    }
    mention_configuration(status)
    paint = Paint(sys.stdout)
    if not sys.stdout.isatty() or arguments.max_bytes:
        shown = bounded(status["services"], arguments.max_bytes, None if arguments.json else paint)
        status = {**status, "services": shown}
    code = exit_code_of(status["services"], arguments)
    if arguments.json:
        print_json(status)
        return code
    terminal.write(sys.stdout, lines_of(status["services"], paint, aligned=sys.stdout.isatty()))
    if not status["services"]:
        from devinit.config.absence import NO_SERVICES  # as below

        talk(f"there are no services: {NO_SERVICES}")
    elif sys.stdout.isatty() and all(service["phase"] == "stopped" for service in status["services"]):
        talk("`devinit start` starts everything")
    if everything and not is_configured(root) and not any(map(has_pages, everything)):
        from devinit.config.absence import only_databases  # for a project that is not finished yet

        talk(only_databases(root, [each["name"] for each in everything]))
    return code


def exit_code_of(services: list[ServiceStatus], arguments: Arguments) -> int:
    """Return 0, or with --exit-code 1 unless all is well that was named, or that a start starts."""
    if not arguments.exit_code:
        return 0
    meant = [each for each in services if each["name"] in arguments.services or is_expected(each)]
    return 0 if meant and all(each["phase"] in WELL for each in meant) else 1


def is_expected(service: ServiceStatus) -> bool:
    """Whether a service that was not named belongs to a project that is well; an older supervisor tells less."""
    starts = service.get("autostart", True) or service["phase"] != "stopped"
    return starts and not service.get("optional", False)


def status_of(client: Client, names: list[str]) -> ProjectStatus:
    """Return what a supervisor says of its services. Raise UsageError when it has some, and not one of these."""
    status = api.status(client, measure=True)
    if status["services"]:
        chosen(names, status)
    return status


def connected(root: str) -> Client | None:
    """Return a client if anything of the project runs where this command can see it."""
    try:
        return connect_to_running(root)
    except SupervisorError:
        from devinit.control.orphans import services_elsewhere  # an accident, and no other status pays for it
        from devinit.control.waking import supervisor_of

        if supervisor_of(root) is None and services_elsewhere(root):
            return None
        raise


def bounded(services: list[ServiceStatus], stated: int | None, paint: Paint | None) -> list[ServiceStatus]:
    """Return services with texts that fit into what is printed: as lines, or without `paint` as JSON."""
    from devinit.cli.bounds import STATUS_BYTES, bound_of, rows_within, size_as_json

    most = bound_of(stated, STATUS_BYTES)
    texts = sum(len(each["reason"] or "") + len(each.get("watch") or "") for each in services)
    if most is None or 2 * (texts + PLAIN_SERVICE_BYTES * len(services)) <= most:
        return services  # the usual case, without encoding it twice

    def size_of(services: list[ServiceStatus]) -> int:
        if paint is None:
            return size_as_json(services)
        return sum(len(line.encode(errors="replace")) + 1 for line in lines_of(services, paint))

    return rows_within(services, most, size_of)


def lines_of(services: list[ServiceStatus], paint: Paint, *, aligned: bool = False) -> list[str]:
    """Return all services as lines. `aligned`: what they do stands in a column, for the eyes of a person."""
    wide = max((width(heading(each)) for each in services), default=0) if aligned else 0
    return [
        line
        for each in services
        for line in (line_of(each, paint, wide), *wrong_lines(each, paint), *extra_lines(each, paint))
    ]


def wrong_lines(service: ServiceStatus, paint: Paint) -> list[str]:
    """Return a line for each server that a service is connected to in the place of one of the project's own."""
    return [
        f"  {paint.bad(symbol('✗', 'x', sys.stdout) + ' ' + one_line(each['text']))}"
        for each in service.get("wrong_servers", [])
    ]


def chosen(names: list[str], status: ProjectStatus) -> list[ServiceStatus]:
    """Return the services that were asked for, in the project's order. Raise UsageError for one that is none."""
    services = {each["name"]: each for each in status["services"]}
    for name in names:
        if name != "all" and name not in services:
            raise unknown_service(name, services, status["project"])
    return [each for each in status["services"] if not names or "all" in names or each["name"] in names]


def line_of(service: ServiceStatus, paint: Paint, wide: int = 0) -> str:
    """Return one service as one line: `Backend (port 8001): ✓ Running (pid 12345)`."""
    return f"{pad(heading(service), wide)} {condition(service, paint)}"


def heading(service: ServiceStatus) -> str:
    """Return what stands before what a service does."""
    name = one_line(service["name"])
    name = name[:1].upper() + name[1:].replace("_", " ")
    port = f" (port {service['port']})" if service["port"] is not None else ""
    return f"{name}{port}:"


def extra_lines(service: ServiceStatus, paint: Paint) -> list[str]:
    """Return a line for each further port of a service that is up; an older supervisor does not tell."""
    if service["phase"] not in ("ready", "unhealthy"):
        return []
    return [
        f"  {one_line(each['name'])} (port {each['port']})  {paint.dim(one_line(each['url'] or ''))}".rstrip()
        for each in service.get("extra_ports", [])
    ]


def condition(service: ServiceStatus, paint: Paint) -> str:
    """Return what a service is doing, with a symbol before the colour."""
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
            return f"{mark} Not running{paint.dim(by_name)}{outdated(service, paint)}"
        case "exited":
            # The phase of work that was done once and went well; anything else has failed.
            before = f": {reason.partition('; ')[0]}" if reason.startswith(RAN_BEFORE) else ""
            return f"{paint.good(symbol('✓', '+', sys.stdout))} Finished{before}"
        case "waiting" | "starting" | "stopping" if not reason:
            mark = paint.attention(symbol("…", "~", sys.stdout))
            return f"{mark} {phase.capitalize()}{outdated(service, paint)}"
    if phase == "failed":
        # The sign that it has in the table of a start and in the dashboard.
        mark = paint.bad(symbol("✗", "x", sys.stdout))
    else:
        mark = paint.attention(symbol("⚠", "!", sys.stdout))
    return f"{mark} {phase.capitalize()}{said}{outdated(service, paint)}"


def address(service: ServiceStatus, paint: Paint) -> str:
    """Return where to look at a service; the URL of a database holds its password."""
    return f"  {paint.dim(one_line(service['url']))}" if service["url"] and has_pages(service) else ""


def restarted(service: ServiceStatus) -> str:
    """Return how often a service had to be started again, and for what it was without having failed."""
    times, cause = service["restarts"], service.get("restarted_for")
    often = f"  restarted {'once' if times == 1 else f'{times} times'}" if times else ""
    return f"{often}  restarted: {one_line(cause)}" if cause else often


def watched(service: ServiceStatus, paint: Paint) -> str:
    """Return what is wrong with how a service's files are watched; `why` gives the advice, too."""
    condition = (service.get("watch") or "").partition("; ")[0]
    return "  " + paint.attention(f"watch: {one_line(condition)}") if condition else ""


def outdated(service: ServiceStatus, paint: Paint) -> str:
    """Return what has changed since a service was started; an older supervisor does not tell."""
    changed = service.get("changed")
    if not changed:
        return ""
    from devinit.model.status import WHOLLY_CHANGED  # most services are as their files say

    said = WHOLLY_CHANGED.get(changed[0]) or f"outdated ({one_line(', '.join(changed))})"
    return f"  {paint.attention(said)}"


def asking(service: ServiceStatus, paint: Paint) -> str:
    """Return what a service waits for that has to be typed; an older supervisor does not tell."""
    wait = service.get("waits_for_input")
    return "  " + paint.attention(f"waits for input at {one_line(wait['prompt'])}") if wait else ""


def broken(service: ServiceStatus, paint: Paint) -> str:
    """Return the error that the last build of a service ended with; an older supervisor does not tell."""
    error = service.get("last_error")
    if error is None:
        return ""
    from devinit.model.build_words import in_words  # most builds are clean

    return "  " + paint.bad(f"build failed: {one_line(in_words(error))}")


def moved(service: ServiceStatus, paint: Paint) -> str:
    """Return where a service was meant to be, when it is elsewhere, and where it will be next."""
    coming = service.get("next_port")
    soon = "  " + paint.attention(f"port {coming} from its next start on") if coming is not None else ""
    if service["mode"] != "moved":
        return soon
    return "  " + paint.attention(f"preferred {service['preferred_port']}") + soon


def status_at_rest(folder: str) -> ProjectStatus:
    """Return the status of a project of which nothing runs: what it would start, and where."""
    # Only this case reads the configuration, and pays for it.
    from pathlib import Path

    from devinit.control.orphans import is_elsewhere, orphans_of, recorded_elsewhere
    from devinit.kinds import kind_of
    from devinit.model.at_rest import row_at_rest
    from devinit.model.status import Phase
    from devinit.resolving.at_rest import at_rest

    root = Path(folder)
    project, remembered = at_rest(root)
    orphans = orphans_of(root)
    reasons = {name: ELSEWHERE if is_elsewhere(root, name) else ORPHANED for name in orphans}
    if ELSEWHERE in reasons.values():
        reasons = {**dict.fromkeys(recorded_elsewhere(root), ELSEWHERE), **reasons}
    services: list[ServiceStatus] = []
    for name, service in project.services.items():
        row = row_at_rest(service, remembered, has_pages=kind_of(service).has_pages)
        if name in reasons:
            port = orphans.get(name) if service.port else None
            row = {**row, "phase": Phase.ORPHANED.value, "port": port, "reason": reasons[name]}
        services.append(row)
    return {"project": project.name, "root": str(root), "supervisor": None, "services": services}
