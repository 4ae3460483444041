"""The dashboard's model of the stack: the last status, updated by later events. Pure."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from devinit.model.names import within_service
from devinit.model.status import Phase

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from devinit.model.status import InputWait, ProjectStatus, ServiceStatus, WrongServer

HISTORY = 40
"""Number of CPU measurements kept for each service."""
ALIVE = frozenset({"starting", "ready", "unhealthy", "backoff"})
"""Phases of a service that runs, or is about to run again."""
BUSY = frozenset({"waiting", "starting", "stopping", "backoff"})
COMING_UP = frozenset({"waiting", "starting", "backoff"})
"""Phases on the way to ready."""


USAGE_SECONDS = 900.0
"""How long the usage of CPU and memory is kept for each service."""
USAGE_STEP = 5.0
"""Minimum time between two measurements in that history."""


class Measured(Struct, frozen=True):
    """CPU and memory of a service at one moment."""

    at: float
    cpu: float
    """Percent of one CPU."""
    memory: int


class LinkState(Enum):
    """State of the connection to the supervisor, as the headline shows it."""

    SOUGHT = "connecting…"
    """The first attempt to connect is under way."""
    HELD = ""
    CUT = "no supervisor"


class View(Struct, frozen=True, kw_only=True):
    """One service, as the dashboard shows it."""

    name: str
    provider: str = "process"
    phase: str = "stopped"
    port: int | None = None
    preferred_port: int | None = None
    url: str | None = None
    pid: int | None = None
    started_at: float | None = None
    """When its process started, on the clock of `at` in the functions below."""
    since: float | None = None
    """When the dashboard first saw it in its current phase, on the same clock."""
    depends_on: tuple[str, ...] = ()
    """Names of the services that it depends on."""
    restarts: int = 0
    cpu: tuple[float, ...] = ()
    """Latest measurements in percent of one CPU, the newest last."""
    memory: int | None = None
    usage: tuple[Measured, ...] = ()
    """CPU and memory over the last minutes, also across restarts, the newest last."""
    talks_to: tuple[str, ...] = ()
    """Services to which its processes had connections at the last check."""
    reason: str = ""
    doing: str = ""
    """Current step within its phase."""
    autostart: bool = True
    """Whether `devinit start all` starts it."""
    extra_ports: str = ""
    """Its extra ports, as text."""
    wrong_server: str = ""
    """Description of the servers that it uses instead of the project's own."""
    prompt: str = ""
    """Prompt at which it waits for input."""
    prompt_kind: str = ""
    """Kind of the prompt, see `InputWait`."""
    has_terminal: bool = False
    """Whether it runs in a terminal, which echoes input."""
    changed: str = ""
    """Its keys and `.env` files that have changed since it started."""

    @property
    def is_moved(self) -> bool:
        """Whether it has another port than the preferred one."""
        return self.port is not None and self.preferred_port is not None and self.port != self.preferred_port


class Stack(Struct, frozen=True, kw_only=True):
    """All services of the project, in the order of the configuration."""

    project: str = ""
    root: str = ""
    supervisor: int | None = None
    services: dict[str, View] = {}
    configuration_error: str = ""
    """Why the configuration cannot be read at present; empty if it can."""


def refreshed(stack: Stack, status: ProjectStatus, at: float) -> Stack:
    """Return the stack updated with a new status; histories continue."""
    supervisor = status["supervisor"]
    return Stack(
        project=status["project"],
        root=status["root"],
        supervisor=supervisor["pid"] if supervisor else None,
        services={
            each["name"]: seen(stack.services.get(each["name"]), each, at) for each in status["services"]
        },
        configuration_error=status.get("configuration_error") or "",
    )


def seen(before: View | None, status: ServiceStatus, at: float) -> View:
    """Return the view of a service from a status, with the history of the view before."""
    history = before.cpu if before is not None and before.pid == status["pid"] else ()
    cpu = status["cpu_percent"]
    uptime = status["uptime_seconds"]
    same_phase = before is not None and before.phase == status["phase"]
    return View(
        name=status["name"],
        provider=status["provider"],
        phase=status["phase"],
        port=status["port"],
        preferred_port=status["preferred_port"],
        url=status["url"],
        pid=status["pid"],
        started_at=at - uptime if uptime is not None else None,
        since=before.since if before is not None and same_phase else at,
        depends_on=tuple(status.get("depends_on", ())),
        restarts=status["restarts"],
        cpu=(*history, cpu)[-HISTORY:] if cpu is not None else history,
        memory=status["memory_bytes"],
        usage=measured(before.usage if before is not None else (), status, at),
        talks_to=tuple(status.get("talks_to", ())),
        reason=status["reason"] or "",
        doing=before.doing if before is not None and same_phase else "",
        extra_ports=extra_ports_of(status),
        autostart=status.get("autostart", True),
        wrong_server=in_words(status.get("wrong_servers", [])),
        prompt=prompt_of(status.get("waits_for_input")),
        prompt_kind=kind_of(status.get("waits_for_input")),
        has_terminal=status.get("terminal") is not None,
        changed=", ".join(status["changed"]),
    )


def measured(before: tuple[Measured, ...], status: ServiceStatus, at: float) -> tuple[Measured, ...]:
    """Return the usage history with the measurement of a status added, if it is due."""
    cpu, memory = status["cpu_percent"], status["memory_bytes"]
    if cpu is None or memory is None or (before and at - before[-1].at < USAGE_STEP):
        return before
    return (*(each for each in before if at - each.at <= USAGE_SECONDS), Measured(at, cpu, memory))


def prompt_of(wait: InputWait | None) -> str:
    """Return the prompt at which a service waits for input; "" for none."""
    return wait["prompt"] if wait is not None else ""


def kind_of(wait: InputWait | None) -> str:
    """Return the kind of that prompt; "" for none."""
    return wait["kind"] if wait is not None else ""


def in_words(servers: Sequence[WrongServer]) -> str:
    """Return a short description of the servers that a service uses instead of its project's own."""
    return "; ".join(f"wrong {each['instead_of']}: {whose(each)}port {each['port']}" for each in servers)


def whose(server: WrongServer) -> str:
    """Return the owner of a server that another project runs, as a prefix."""
    return f"{server['project']}'s on " if server["project"] else ""


def extra_ports_of(status: ServiceStatus) -> str:
    """Return the extra ports of a service in one line; an older supervisor does not report them."""
    extras = status.get("extra_ports", [])
    return "  ".join(f"{within_service(each['name'])} {each['url'] or each['port']}" for each in extras)


def happened(stack: Stack, event: Mapping[str, Any], at: float) -> Stack:
    """Return the stack updated with an event. Any: each kind of event has its own shape (model.event)."""
    view = stack.services.get(event.get("service") or "")
    if view is None:
        return stack
    match event["type"]:
        case "phase":
            view = in_phase(view, event, at)
        case "port":
            view = replace(view, port=event["port"], preferred_port=event["preferred"])
        case "port_info":
            view = replace(view, port=event["port"], url=event["url"])
        case "wrong_servers":
            view = replace(view, wrong_server=in_words(event["servers"]))
        case "waits_for_input":
            wait = event["waits_for_input"]
            view = replace(view, prompt=prompt_of(wait), prompt_kind=kind_of(wait))
        case "progress":
            view = replace(view, doing=event["message"])
        case _:
            return stack
    return replace(stack, services={**stack.services, view.name: view})


def in_phase(view: View, event: Mapping[str, Any], at: float) -> View:
    """Return a service after its transition to another phase."""
    pid = event["pid"]
    same = pid == view.pid
    return replace(
        view,
        phase=event["phase"],
        since=view.since if event["phase"] == view.phase else at,
        reason=event["reason"] or "",
        doing=view.doing if event["phase"] == view.phase else "",
        wrong_server=view.wrong_server if same and event["phase"] in ALIVE else "",
        prompt=view.prompt if same and event["phase"] in ALIVE else "",
        prompt_kind=view.prompt_kind if same and event["phase"] in ALIVE else "",
        pid=pid,
        started_at=view.started_at if same else at if pid is not None else None,
        cpu=view.cpu if same else (),
        memory=view.memory if same else None,
    )


def planned(stack: Stack, event: Mapping[str, Any]) -> Stack:
    """Return the stack with the services of a start's plan, if no status is known yet. Any: as above."""
    if stack.services:
        return stack
    names = event["starting"]
    return replace(stack, services={name: View(name=name, phase=Phase.WAITING.value) for name in names})


def lost(stack: Stack) -> Stack:
    """Return the stack after the connection is lost: the last known state, without a supervisor."""
    return replace(stack, supervisor=None)


def is_everything_at_rest(stack: Stack) -> bool:
    """Whether all services are stopped."""
    return all(view.phase == Phase.STOPPED for view in stack.services.values())


def counts(stack: Stack) -> tuple[int, int, int]:
    """Return the number of services that are ready, that have finished, and that are expected to run."""
    ready, finished = (
        sum(view.phase == phase for view in stack.services.values()) for phase in ("ready", "exited")
    )
    aside = sum(view.phase == Phase.STOPPED and not view.autostart for view in stack.services.values())
    return ready, finished, len(stack.services) - aside
