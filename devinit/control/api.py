"""What a supervisor can be asked, with the types of what it answers: one function for each question.

All raise RemoteError when the supervisor refuses, SupervisorError when it goes away. `see` takes the events that
come before the answer, `tick` is called ten times a second while nothing comes. Every command loads this module,
which imports nothing.
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
    """Return what every service is doing.

    `measure`: also what it uses, which takes a walk through all processes.
    """
    answer: ProjectStatus = client.call("status", {"measure": measure}, see, tick)
    return answer


def subscribe(client: Client) -> ProjectStatus:
    """Return what every service is doing; the client is sent every event from now on (`Client.pending`)."""
    answer: ProjectStatus = client.call("subscribe")
    return answer


def confirm(client: Client, service: str, *, tick: Tick | None = None) -> str:
    """Have a service that is ready asked once whether it still serves; return its phase after that."""
    phase: str = client.call("confirm", {"service": service}, None, tick)["phase"]
    return phase


def why(client: Client, service: str) -> WhyReport:
    """Return what is known of a service: why it runs, waits or failed, and how it came to its ports."""
    answer: WhyReport = client.call("why", {"service": service})
    return answer


def check(client: Client, services: Sequence[str]) -> CheckReport:
    """Have services asked once whether they are well; all that are not stopped when none is named."""
    answer: CheckReport = client.call("check", {"services": services})
    return answer


def wait(client: Client, services: Sequence[str], *, after: float | None, seconds: float) -> WaitReport:
    """Return when services are live, have failed, or these seconds are over.

    `after`: Unix time; only what a service is since then counts.
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
    """Return the runtime environment: of what runs, or as a start in `environ` would make it."""
    params: Json = {} if environ is None else {"environ": environ, "profile": profile}
    answer: dict[str, str] = client.call("environment", params, see, tick)
    return answer


def inspect(client: Client, service: str) -> Inspection:
    """Return what a service is given, and where each value comes from."""
    answer: Inspection = client.call("inspect", {"service": service})
    return answer


def command(
    client: Client, environ: Mapping[str, str], profile: str | None, *, test: bool, where: Json | None = None
) -> CommandSetting:
    """Return what a command is given that runs beside the services.

    `test`: the test databases under the names of the others. `where`: the `service` as which it runs, or the
    `directory` in which it does; a supervisor with a wire before 5 does not know these.
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
    """Stop services, all when none is named; return when nothing of them runs, or is known to run on.

    `force`: do not wait for a polite end.
    """
    answer: StopReport = client.call("stop", {"services": services, "force": force}, see, tick)
    return answer


def write_input(client: Client, service: str, text: str) -> InputReport:
    """Write a text to the standard input of a service, whole or not at all; with no text say what is unread.

    A supervisor with a wire before 6 does not know this.
    """
    answer: InputReport = client.call("input", {"service": service, "text": text})
    return answer
