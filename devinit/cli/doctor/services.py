"""Findings about the project's services that are unhealthy, from one probe of the supervisor."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from devinit.cli.doctor.finding import Finding
from devinit.control import api
from devinit.control.client import RemoteError
from devinit.errors import DevinitError

if TYPE_CHECKING:
    from devinit.control.client import Client
    from devinit.model.status import ServiceStatus, WrongServer

UNWATCHED = "its files are not watched"
"""The start of the supervisor's text for changes that go unnoticed. Its other texts about a watch are notes."""
UNWELL = ("failed", "unhealthy", "backoff")


def services(answer: Client | DevinitError | None) -> Iterator[Finding]:
    """Look for services that failed, are unhealthy, or cannot come up until the user fixes something."""
    if answer is None or isinstance(answer, DevinitError):
        return
    status = api.status(answer)
    for each in status["services"]:
        if each["phase"] == "ready":
            # An older supervisor does not support this request.
            with suppress(RemoteError):
                api.confirm(answer, each["name"])
    # With `measure`, the supervisor also checks to which servers the services are connected.
    status = api.status(answer, measure=True)
    yield from (finding_of(each) for each in status["services"] if is_unwell(each))
    yield from (found for each in status["services"] if (found := watch_of(each)) is not None)
    yield from (
        wrong_server(each["name"], wrong)
        for each in status["services"]
        for wrong in each.get("wrong_servers", [])
    )
    notes = (note for each in status["services"] for note in notes_about(answer, each["name"]))
    yield from (Finding(check="services", problem=note, harmless=True) for note in dict.fromkeys(notes))


def watch_of(service: ServiceStatus) -> Finding | None:
    """Return the problem with the file watch of a service, in the words of `why`."""
    text = service.get("watch")
    if not text:
        return None
    problem, _, advice = text.partition("; ")
    harmless = not problem.startswith(UNWATCHED)
    return Finding(
        check="services", problem=f"{service['name']}: {problem}", advice=advice, harmless=harmless
    )


def wrong_server(service: str, wrong: WrongServer) -> Finding:
    """Return the finding for a service that uses another server than the project's."""
    return Finding(
        check="services", problem=f"{service} is {wrong['text']}", advice="\n".join(wrong["advice"])
    )


def notes_about(client: Client, service: str) -> list[str]:
    """Return the notes about values of the project's own in a service's environment."""
    try:
        return api.inspect(client, service).get("notes", [])
    except RemoteError:
        return []


def is_unwell(service: ServiceStatus) -> bool:
    """Whether something is wrong with a service. One that is starting has a reason only if it cannot come up."""
    return service["phase"] in UNWELL or (service["phase"] == "starting" and bool(service["reason"]))


def finding_of(service: ServiceStatus) -> Finding:
    """Return the finding for an unwell service."""
    reason, _, advice = (service["reason"] or "").partition("\n")
    because = f": {reason}" if reason else ""
    return Finding(
        check="services",
        problem=f"{service['name']} is {service['phase']}{because}",
        advice=advice or f"`devinit why {service['name']}` and `devinit logs {service['name']}` tell more",
    )
