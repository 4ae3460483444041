"""Check services once, for `devinit check` and `devinit wait`: one probe each, now.

A dev server compiles pages on request. So a service that is only known to listen is asked for its first page as
well, and its output about that counts.
"""

from __future__ import annotations

import asyncio
import re
import time
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import quote

from devinit.kinds import kind_of
from devinit.model.at_rest import how_to_start
from devinit.model.build_words import in_words
from devinit.model.probe import (
    EndProbe,
    HttpProbe,
    LogProbe,
    Probe,
    ProbeResult,
    ProbeVerdict,
    StayedUpProbe,
    TcpProbe,
)
from devinit.model.status import Phase
from devinit.supervisor.diagnosis.build_table import ANSWERS_FIRST
from devinit.supervisor.diagnosis.listening import LINES
from devinit.supervisor.logs import log_files
from devinit.supervisor.readiness.crashes import down_by
from devinit.supervisor.readiness.health import asked_as
from devinit.supervisor.readiness.probing import ATTEMPT_SECONDS, ask_once, not_yet, ready
from devinit.supervisor.readiness.proving import SERVER_ERRORS, other_scheme
from devinit.supervisor.readiness.rest import STARTED_AGAIN
from devinit.supervisor.readiness.schemes import is_open
from devinit.supervisor.reporting import report
from devinit.supervisor.reporting.reasons import reason_of
from devinit.supervisor.service.data_watch import look_at_data

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from devinit.model.service import Scheme
    from devinit.model.status import Checked
    from devinit.supervisor.project.project_state import ProjectState
    from devinit.supervisor.service.runner import Runner
    from devinit.supervisor.stack.stack import Stack

ASKED = frozenset({Phase.STARTING, Phase.READY, Phase.UNHEALTHY})
"""Phases in which a process may answer."""
AFTERWARDS_SECONDS = 1.0
"""How long, in seconds, a requested page may compile in the background."""
SILENT_SECONDS = 0.3
"""Seconds of silence after which the output about a request is complete."""
COLD_SECONDS = 2.0
"""The same for the first page of a process that compiles after it has answered: reading its plugins alone takes
longer than 0.3 s on a busy machine, and it prints nothing meanwhile.
"""
LOOK_SECONDS = 0.05
BACK_SECONDS = 30.0
"""How long a check waits for services that are restarted because of it."""
SERVED = 200
WEB = ("http://", "https://")

Seen = tuple[bool, str | None, int | None]
"""Whether a service is well, what is wrong if not, and the status of an HTTP answer that was refused."""


async def check_all(
    names: Sequence[str],
    runners: Mapping[str, Runner],
    stack: Stack,
    stage: ProjectState,
    restarted: Collection[str],
) -> list[Checked]:
    """Check each of these services once.

    `restarted`: services that are restarted meanwhile because a service was found at another address. They were
    well before this check corrected it, so they are checked once they are back.
    """
    rows = list(await asyncio.gather(*(check_service(runners[name], stage) for name in names)))
    if not (again := [name for name in names if name in restarted]):
        return rows
    with suppress(TimeoutError):
        async with asyncio.timeout(BACK_SECONDS):
            await stack.until(lambda: stack.are_settled(again))
    asked_again = await asyncio.gather(*(check_service(runners[name], stage) for name in again))
    newest = {row["service"]: row for row in (*rows, *asked_again)}
    return [newest[name] for name in names]


async def check_service(runner: Runner, stage: ProjectState) -> Checked:
    """Check a service once; return whether it is well, with the observation."""
    return (await check_answer(runner, stage))[0]


async def check_answer(
    runner: Runner, stage: ProjectState, page_seconds: float = ATTEMPT_SECONDS
) -> tuple[Checked, int | None]:
    """Return the same, with the status of an HTTP answer that was refused, if any.

    `page_seconds`: time limit for its first page.
    """
    began = time.monotonic()
    well, detail, status = await asked(runner, stage, page_seconds)
    await ask_for_changed_file(runner, stage)
    error = report.last_error_of(runner, stage)
    if error is not None and runner.phase in ASKED:
        # The error tells more than its consequence, that nothing answers.
        well, detail = False, in_words(error)
    checked: Checked = {
        "service": runner.name,
        "well": well,
        "phase": runner.phase.value,
        "detail": report.shown(detail, stage),
        "url": report.shown(stage.endpoint(runner.name).url, stage),
        "last_error": error,
        "seconds": round(time.monotonic() - began, 3),
    }
    return checked, status


async def ask_for_changed_file(runner: Runner, stage: ProjectState) -> None:
    """Ask a dev server for the file that had its last error, if it has changed since: once served, all is well.

    Vite prints nothing about the change of a module that it has never compiled without an error.
    """
    file = stage.last_errors.changed_file(runner.name) if runner.phase in ASKED else None
    url = stage.endpoint(runner.name).url or ""
    if file is None or not kind_of(runner.service).has_pages or not url.startswith(WEB):
        return
    path = f"/{quote(file)}"
    result = await ask_once(HttpProbe.of(stage.endpoint(runner.name), path, status=(SERVED,)))
    if result.verdict is ProbeVerdict.READY and stage.last_errors.changed_file(runner.name) == file:
        stage.last_errors.served_again(runner.name)


async def asked(runner: Runner, stage: ProjectState, page_seconds: float) -> Seen:
    """Return whether a service answers as it should; if not, what is wrong, and the status of the answer.

    A cause that is found meanwhile ends the wait: it tells more than the answer, which may never come.
    """
    if (known := unasked(runner, stage)) is not None:
        return known
    both = until_known(runner, stage), answered(runner, stage, page_seconds)
    waits = [asyncio.ensure_future(each) for each in both]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        return next(each for each in waits if each.done()).result()
    finally:
        for each in waits:
            each.cancel()
        await asyncio.gather(*waits, return_exceptions=True)


async def until_known(runner: Runner, stage: ProjectState) -> Seen:
    """Wait until the state of a service is known without a probe, and return it."""
    while (known := unasked(runner, stage)) is None:
        await runner.next_state()
    return known


def unasked(runner: Runner, stage: ProjectState) -> Seen | None:
    """Return the state of a service as known without a probe; None when only its answer can tell."""
    state = runner.state
    if state.phase is Phase.EXITED:
        return state.last_exit == 0, state.reason if state.last_exit else None, None
    if state.phase is Phase.STOPPED:
        return False, reason_of(runner, stage) or how_to_start(runner.name), None
    if state.phase not in ASKED:
        return False, state.reason or f"it is {state.phase.value}", None
    return (False, state.stuck, None) if state.stuck is not None else None


async def answered(runner: Runner, stage: ProjectState, page_seconds: float) -> Seen:
    """Probe a service and return the same."""
    if not look_at_data(runner, stage):
        # The server still accepts connections, but is useless.
        return False, runner.lost_data, None
    health = runner.service.health
    service = asked_as(runner.service, health) if health is not None else runner.service
    probe = stage.probe(service)
    if isinstance(probe, LogProbe | StayedUpProbe | EndProbe):
        # These probes send nothing: all there is to see is that the process runs.
        if runner.phase is not Phase.READY:
            return False, "it is still starting", None
        crashed = down_by(runner.ears()) if runner.is_program else None
        if crashed is None and runner.is_program and not runner.hearing.stays():
            return False, STARTED_AGAIN, None
        return crashed is None, crashed.cause if crashed else None, None
    seconds = health.timeout_seconds if health is not None else ATTEMPT_SECONDS
    result = await runner.answer_to(probe, seconds)
    page = first_page(runner, stage, probe)
    is_page_asked = page is not None and result.verdict is ProbeVerdict.READY
    asking = page if page is not None and is_page_asked else probe
    if isinstance(asking, HttpProbe) and is_page_asked:
        result = await ask_once(asking, page_seconds)
    if (scheme := await another_scheme(runner, asking, result)) is not None:
        if not is_open(runner.service):
            return False, f"it speaks {scheme}, and its `scheme` in the configuration is another one", None
        await runner.speaks(scheme)
        return await answered(runner, stage, page_seconds)
    if is_page_asked and result.timed_out and not (runner.service.ready.tcp or service.ready.tcp):
        result = not_yet(slow_page(runner, stage, result.detail), timed_out=True)
    elif is_page_asked and result.status not in SERVER_ERRORS:
        # An answer that is no HTTP, or a missing page, means no more than the port: the service is well.
        result = ready()
    if page is not None or isinstance(probe, HttpProbe):
        is_cold = is_page_asked and is_first_page(runner)
        await until_said(runner, stage, COLD_SECONDS if is_cold else SILENT_SECONDS)
    if result.verdict is not ProbeVerdict.READY:
        return False, result.detail, result.status
    return True, None, None


def first_page(runner: Runner, stage: ProjectState, probe: Probe) -> HttpProbe | None:
    """Return a probe for the first page of a service of which only the port is known."""
    url = stage.endpoint(runner.name).url or ""
    is_web = kind_of(runner.service).has_pages and url.startswith(WEB)
    if not is_web or not isinstance(probe, TcpProbe):
        return None
    return HttpProbe.of(stage.endpoint(runner.name), "/")


def slow_page(runner: Runner, stage: ProjectState, seen: str) -> str:
    """Describe a service that accepts connections but has not sent its first page yet."""
    compiles = " (it is being compiled)" if stage.last_errors.is_building(runner.name) else ""
    return f"its first page has given {seen}{compiles}"


async def another_scheme(runner: Runner, probe: Probe, result: ProbeResult) -> Scheme | None:
    """Return the scheme of a service that did not answer in the scheme of its URL, if it speaks another.

    A dev server that reloads its configuration may switch between http and https while it is ready.
    """
    if runner.phase is Phase.STARTING or not runner.is_own:
        return None
    return await other_scheme(probe, result)


def is_first_page(runner: Runner) -> bool:
    """Return whether this process was never asked for a page here, and compiles pages on request."""
    before, runner.run.page_asked_of = runner.run.page_asked_of, runner.run.identity
    if before == runner.run.identity:
        return False
    return any(re.search(ANSWERS_FIRST, line) for line in runner.log_tail(LINES))


async def until_said(runner: Runner, stage: ProjectState, silent_seconds: float) -> None:
    """Return when a service has printed the output that its answer caused, or an error."""
    clock = asyncio.get_running_loop().time
    path = log_files.log_path(stage.private, runner.name)
    began = silent_since = clock()
    size = log_files.end_of(path)
    longest = max(AFTERWARDS_SECONDS, silent_seconds)
    while clock() - began < longest and clock() - silent_since < silent_seconds:
        await asyncio.sleep(LOOK_SECONDS)
        if (now := log_files.end_of(path)) != size:
            size, silent_since = now, clock()
            if stage.last_errors.of(runner.name) is not None:
                return
