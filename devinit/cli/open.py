"""Open a service in the browser, wherever it is now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devinit.cli.output import print_json, talk
from devinit.cli.project import root_as_text
from devinit.cli.reach import answered, mention_configuration, mention_reach, nothing_runs
from devinit.control import api
from devinit.control.launch import connect_to_running
from devinit.errors import ServiceError, UsageError
from devinit.model.names import service_of
from devinit.model.unknown import unknown_service
from devinit.system import terminal

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from devinit.cli.arguments import Arguments
    from devinit.model.status import ProjectStatus, ServiceStatus

EXAMPLE = "devinit open frontend"
WEB = ("http://", "https://")


def configure(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument("service", metavar="SERVICE", help="what to open")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: Arguments) -> int:
    """Open a running service; without a browser, print its address."""
    root = root_as_text(arguments)
    client = connect_to_running(root)
    if client is None:
        raise nothing_runs(root, [service_of(arguments.service)])
    client, status = answered(client, root, api.status)
    out_of_reach = mention_reach(client)
    mention_configuration(status)
    client.close()
    url = address_of(arguments.service, status)
    opened = in_browser(url)
    if arguments.json:
        print_json({"service": arguments.service, "url": url, "opened": opened, "out_of_reach": out_of_reach})
    elif opened:
        talk(f"opened {url}")
    else:
        terminal.data(f"{url}\n")
        talk("no browser was found: open it by hand")
    return 0


def address_of(name: str, status: ProjectStatus) -> str:
    """Return the URL of a service for a browser. Raise UsageError or ServiceError when there is none."""
    services = {name: found for each in status["services"] for name, found in with_extra_ports(each).items()}
    if name not in services:
        raise unknown_service(name, services, status["project"])
    url = services[name].get("page_url") or services[name]["url"]
    if url is None and services[name]["phase"] == "stopped" and services[name]["port"] is not None:
        # Its port is chosen when it starts.
        raise ServiceError(f"{name} is stopped", hint=f"`devinit start {name}` starts it")
    if url is None or not url.startswith(WEB):
        pages = [each["name"] for each in services.values() if (each["url"] or "").startswith(WEB)]
        raise UsageError(f"{name} has no page to open", hint=f"these have: {', '.join(pages) or 'none'}")
    if services[name]["phase"] not in ("ready", "unhealthy"):
        raise ServiceError(f"{name} is {services[name]['phase']}", hint=f"`devinit start {name}` starts it")
    return url


def with_extra_ports(service: ServiceStatus) -> dict[str, ServiceStatus]:
    """Return a service, and each of its extra ports as a service of its own, by name."""
    extras = service.get("extra_ports", [])
    return {
        service["name"]: service,
        **{
            each["name"]: {
                **service,
                "name": each["name"],
                "url": each["url"],
                "page_url": each.get("page_url"),
            }
            for each in extras
        },
    }


def in_browser(url: str) -> bool:
    """Open an address in the user's browser; return False without one."""
    import webbrowser  # it loads subprocess and more, so it comes after all that can fail

    return webbrowser.open(url)
