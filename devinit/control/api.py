"""The requests that a supervisor understands, with the types of their results: one function for each request.

All raise RemoteError when the supervisor refuses, and SupervisorError when it goes away. `see` gets the events
that arrive before the answer; `tick` is called ten times a second while nothing arrives. Every command loads this
module, which imports nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from devinit.control.client import Client
    from devinit.control.wire import Json
    from devinit.model.status import (
        CheckReport,
        CommandSetting,
        InputReport,
        Inspection,
        ProjectStatus,
        StopReport,
        WaitReport,
        WhyReport,
    )

    See = Callable[[Json], None]
    Tick = Callable[[], None]


def status(
    client: Client, *, measure: bool = False, see: See | None = None, tick: Tick | None = None
) -> ProjectStatus:
    """Return the state of every service.

    `measure`: also include its usage, which requires a scan of all processes.
    """
    answer: ProjectStatus = client.call("status", {"measure": measure}, see, tick)
    return answer


def subscribe(client: Client) -> ProjectStatus:
    """Return the state of every service; from now on, the client receives every event (`Client.pending`)."""
    answer: ProjectStatus = client.call("subscribe")
    return answer


def confirm(client: Client, service: str, *, tick: Tick | None = None) -> str:
    """Check once whether a ready service still serves; return its phase after the check."""
    phase: str = client.call("confirm", {"service": service}, None, tick)["phase"]
    return phase


def why(client: Client, service: str) -> WhyReport:
    """Return all that is known about a service: why it runs, waits or failed, and why it has its ports."""
    answer: WhyReport = client.call("why", {"service": service})
    return answer


def check(client: Client, services: Sequence[str]) -> CheckReport:
    """Check the health of services once; without names, that of all services that are not stopped."""
    answer: CheckReport = client.call("check", {"services": services})
    return answer


def wait(client: Client, services: Sequence[str], *, after: float | None, seconds: float) -> WaitReport:
    """Return when services are live, have failed, or these seconds are over.

    `after`: Unix time; earlier states of a service do not count.
    """
    params = {"services": services, "after": after, "timeout_seconds": seconds}
    answer: WaitReport = client.call("wait", params)
    return answer


def environment(
    client: Client,
    environ: Mapping[str, str] | None = None,
    profile: str | None = None,
    *,
    see: See | None = None,
    tick: Tick | None = None,
) -> dict[str, str]:
    """Return the runtime environment: that of the running services, or that of a start in `environ`."""
    params: Json = {} if environ is None else {"environ": environ, "profile": profile}
    answer: dict[str, str] = client.call("environment", params, see, tick)
    return answer


def inspect(client: Client, service: str) -> Inspection:
    """Return the environment of a service, with the origin of each value."""
    answer: Inspection = client.call("inspect", {"service": service})
    return answer


def command(
    client: Client, environ: Mapping[str, str], profile: str | None, *, test: bool, where: Json | None = None
) -> CommandSetting:
    """Return the environment for a command that runs next to the services.

    `test`: provide the test databases under the names of the others. `where`: the `service` as which the command
    runs, or the `directory` in which it runs; a supervisor with a wire before 5 does not support it.
    """
    params: Json = {"environ": environ, "profile": profile, "test": test, **(where or {})}
    answer: CommandSetting = client.call("command", params)
    return answer


def stop(
    client: Client,
    services: Sequence[str] = (),
    *,
    force: bool = False,
    see: See | None = None,
    tick: Tick | None = None,
) -> StopReport:
    """Stop services, all if none is named; return when their processes have ended, or will keep running.

    `force`: do not wait for a graceful end.
    """
    answer: StopReport = client.call("stop", {"services": services, "force": force}, see, tick)
    return answer


def write_input(client: Client, service: str, text: str) -> InputReport:
    """Write a text to the standard input of a service, whole or not at all; without a text, return what is unread.

    A supervisor with a wire before 6 does not support this.
    """
    answer: InputReport = client.call("input", {"service": service, "text": text})
    return answer
