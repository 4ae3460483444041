"""Show what runs, and where."""

from __future__ import annotations

import sys

from devinit.cli.output import Paint, print_json, talk
from devinit.cli.project import root_as_text
from devinit.cli.reach import answered, mention_configuration, mention_reach
from devinit.cli.shown_status import chosen, connected, lines_of, status_at_rest
from devinit.config.find import is_configured
from devinit.control import api
from devinit.errors import UsageError
from devinit.model.pages import has_pages
from devinit.system import terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser

    from devinit.cli.arguments import Arguments
    from devinit.control.client import Client
    from devinit.model.status import ProjectStatus, ServiceStatus

EXAMPLE = "devinit status --json"
SWITCHES = {"--json": "json", "--all": "all", "--watch": "watch", "--exit-code": "exit_code"}
NAMES = "services"
DEFAULTS = {"max_bytes": None}
WELL = ("ready", "exited")
PLAIN_SERVICE_BYTES = 500
"""The assumed size of a service in JSON without its texts, in bytes."""


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
            raise UsageError("--watch and --exit-code are about one project, --all is about every one")
        from devinit.cli.neighbours import show_projects  # the status of one project does not need it

        return show_projects(as_json=arguments.json)
    root = root_as_text(arguments)
    if arguments.watch:
        if arguments.exit_code:
            raise UsageError(
                "--watch goes on until Ctrl-C, and has no other exit code",
                hint="`devinit wait` waits until all is ready, and says so by its exit code",
            )
        from devinit.cli.status_watch import watch  # a single status does not need it

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
        from devinit.config.absence import only_databases  # only for an unfinished project

        talk(only_databases(root, [each["name"] for each in everything]))
    return code


def exit_code_of(services: list[ServiceStatus], arguments: Arguments) -> int:
    """Return 0; with --exit-code, return 1 unless all services are well that were named or that a start starts."""
    if not arguments.exit_code:
        return 0
    meant = [each for each in services if each["name"] in arguments.services or is_expected(each)]
    return 0 if meant and all(each["phase"] in WELL for each in meant) else 1


def is_expected(service: ServiceStatus) -> bool:
    """Whether an unnamed service must be well for `--exit-code`; an older supervisor reports less."""
    starts = service.get("autostart", True) or service["phase"] != "stopped"
    return starts and not service.get("optional", False)


def status_of(client: Client, names: list[str]) -> ProjectStatus:
    """Return a supervisor's status. Raise UsageError if it has services, but not one of these."""
    status = api.status(client, measure=True)
    if status["services"]:
        chosen(names, status)
    return status


def bounded(services: list[ServiceStatus], stated: int | None, paint: Paint | None) -> list[ServiceStatus]:
    """Return services with texts shortened to the limit: for lines with `paint`, for JSON without."""
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
