"""Wait until services are live, for `devinit wait` in a script that has started them or changed a file.

After a change, the state of a service is outdated for a moment: it counts only once the service has reacted
(`after`), or has had enough time to.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Literal

from devinit.kinds import kind_of
from devinit.model.at_rest import how_to_start
from devinit.model.build_words import in_words
from devinit.model.status import Phase
from devinit.supervisor.diagnosis.causes import DYING
from devinit.supervisor.diagnosis.listening import AGAIN, BROKEN, LINES, SILENT_SECONDS, found_in
from devinit.supervisor.lifecycle import Failure
from devinit.supervisor.logs import log_files
from devinit.supervisor.orders.checking import ask_for_changed_file, check_answer
from devinit.supervisor.orders.settling import Settling
from devinit.supervisor.reporting import outcome, report
from devinit.supervisor.reporting.reasons import reason_of, reason_to_wait
from devinit.supervisor.service.hearing import begun_at
from devinit.system.changes import latest_change_since
from devinit.system.procfs import LINUX, family_of, stat_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from devinit.model.status import Awaited, WaitReport
    from devinit.supervisor.service.runner import Runner
    from devinit.supervisor.stack.stack import Stack
    from devinit.system.process_stat import Stat

LOOK_SECONDS = 0.1
TRY_SECONDS = 0.5
"""Interval between two requests to a service that is ready but does not answer well."""
PAGE_SECONDS = 30.0
"""Timeout of one request for a first page: on a new request, the server would begin again."""
REACTION_SECONDS = 3.0
"""Time within which a reloader notices a change: Django looks once a second, nest takes longer."""
NOTICE_SECONDS = 1.0
"""Output before this may concern something else: uvicorn and Vite take up to this long to notice a change."""
MARGIN_SECONDS = 0.1
"""A process that began within this time after a change may have read the file before it was written."""
QUIET_SECONDS = 0.5
"""Silence after a change from which the service counts as having reacted."""
NOISY_SECONDS = 3.0
"""Time after a change from which a service that still prints counts as having reacted."""
STOPPED_SECONDS = 5.0
"""How long to wait for another command to start a stopped service."""

STILL_LOADING = "its program was started again and has not said that it is up"
NO_REACTION = "it goes on printing, and has not answered in this time"

Outcome = Literal["live", "failed", "timed out"]


async def all_live(
    stack: Stack, names: Sequence[str], after: float | None, timeout_seconds: float
) -> WaitReport:
    """Wait for the named services, or for all that are not stopped, and return the outcome.

    An `optional` service counts only if it is named, as for a start.
    """
    began, is_named = time.monotonic(), bool(names)
    names = names or await present(stack)
    seen: dict[str, str | None] = {}

    async def one(name: str) -> Awaited:
        try:
            async with asyncio.timeout(max(0.0, began + timeout_seconds - time.monotonic())):
                return await until_live(stack, name, after, seen)
        except TimeoutError:
            return late(name, stack, seen.get(name))

    rows = dict(zip(names, await asyncio.gather(*map(one, names)), strict=True))
    # The others may have changed while the last one was awaited: report their present state.
    while others := [name for name, row in rows.items() if is_outdated(row, stack)]:
        if time.monotonic() - began > timeout_seconds:
            rows |= {name: late(name, stack, seen.get(name)) for name in others}
            break
        rows |= dict(zip(others, await asyncio.gather(*map(one, others)), strict=True))
        await asyncio.sleep(LOOK_SECONDS)
    counted = [row for row in rows.values() if is_named or not is_optional(row["service"], stack)]
    return {
        "exit_code": exit_code_of(counted) if rows else outcome.SERVICE_FAILED,
        "seconds": round(time.monotonic() - began, 3),
        "services": list(rows.values()),
    }


def is_outdated(row: Awaited, stack: Stack) -> bool:
    """Whether a service has changed since its outcome was found."""
    runner = stack.runners.get(row["service"])
    if runner is None or row["outcome"] == "timed out":
        return False
    is_another = report.last_error_of(runner, stack.stage) != row["last_error"]
    return is_another or runner.phase.value != row["phase"]


async def present(stack: Stack) -> list[str]:
    """Return the services that are not stopped; all of them when none is started."""
    began = time.monotonic()
    while True:
        names = [name for name, each in stack.runners.items() if each.phase is not Phase.STOPPED]
        if names or time.monotonic() - began > STOPPED_SECONDS:
            return names or list(stack.runners)
        await asyncio.sleep(LOOK_SECONDS)


def is_optional(name: str, stack: Stack) -> bool:
    """Whether a service is `optional`, so that its failure fails nothing else."""
    runner = stack.runners.get(name)
    return runner is not None and runner.service.optional


def exit_code_of(rows: Sequence[Awaited]) -> int:
    """Return the exit code for all services together. A failure takes precedence over a timeout."""
    outcomes = {row["outcome"] for row in rows}
    if "failed" in outcomes:
        return outcome.SERVICE_FAILED
    return outcome.TIMED_OUT if "timed out" in outcomes else outcome.DONE


async def until_live(stack: Stack, name: str, after: float | None, seen: dict[str, str | None]) -> Awaited:
    """Return when a service is live, or has failed.

    `after`: the Unix time of the change to which it has to react. `seen`: receives the result of the last probe.
    """
    began = time.time()
    broken, settling, since = Broken(), Settling(), Since(after, began)
    while True:
        runner = stack.runners.get(name)
        if runner is None:
            if time.time() - began > STOPPED_SECONDS:
                return unknown(name)
        elif has_reacted(runner, stack, after, began):
            failed = failure_of(name, stack, began)
            if failed is not None and after is None:
                after = await fixed_at(runner, failed_at(runner), began)
                since = Since(after, began)
                if after is not None:
                    continue
            # It was only too slow before the change: its answer, or the end of this wait, decides.
            was_slow = after is not None and runner.state.failure is Failure.TIMEOUT
            was_wrong = (was_slow and runner.phase is Phase.STARTING) or since.is_unanswered(runner)
            if failed is not None and not was_wrong:
                return awaited("failed", runner, stack, failed)
            if runner.phase is Phase.EXITED:
                return awaited("live", runner, stack, None)
            await ask_for_changed_file(runner, stack.stage)
            error = report.last_error_of(runner, stack.stage)
            if error is not None and after is None:
                after = await fixed_at(runner, error["at"], began)
                since = Since(after, began)
                if after is not None:
                    continue
            if error is not None and (after is None or error["at"] >= after):
                return awaited("failed", runner, stack, in_words(error))
            if runner.phase is Phase.READY and not settling.is_settled(runner, after):
                if (cause := settling.cause_of_loop(runner)) is not None:
                    await runner.confirm()
                    return awaited("failed", runner, stack, cause)
                if settling.is_down:
                    await runner.confirm()
                seen[name] = settling.seen
            elif runner.phase is Phase.READY:
                seen.setdefault(name, "it has not answered in this time")
                checked, status = await check_answer(runner, stack.stage, PAGE_SECONDS)
                seen[name] = checked["detail"]
                if runner.phase is Phase.READY and (checked["well"] or checked["last_error"] is not None):
                    said: Outcome = "live" if checked["well"] else "failed"
                    return awaited(said, runner, stack, checked["detail"])
                if status == BROKEN and (cause := await broken.cause(runner)) is not None:
                    return awaited("failed", runner, stack, cause)
                await asyncio.sleep(TRY_SECONDS)
        await asyncio.sleep(LOOK_SECONDS)


class Broken:
    """The log cause of a ready service that answers 500, observed over time."""

    def __init__(self) -> None:
        self._seen: tuple[str, float] | None = None
        """The cause in its log, and the monotonic time since when that has been the cause."""

    async def cause(self, runner: Runner) -> str | None:
        """Return why each request fails, once its log has shown the same cause for a while; None until then.

        A service that fails its own probe is starting again, as for `devinit start`: the cause in its log becomes
        its reason until it answers well. A failure of the first page alone leaves it ready.
        """
        await runner.confirm()
        if runner.phase is not Phase.READY or runner.watch_over.heals:
            return None
        found, now = found_in(runner.log_tail(LINES), BROKEN), time.monotonic()
        if found is None:
            self._seen = None
        elif self._seen is None or self._seen[0] != found.cause:
            self._seen = found.cause, now
        elif now - self._seen[1] >= SILENT_SECONDS:
            return found.told().cause
        return None


def failure_of(name: str, stack: Stack, began: float) -> str | None:
    """Return why a service cannot become live by itself; None if it can."""
    runner = stack.runners[name]
    state = runner.state
    if state.phase is Phase.FAILED or state.stuck is not None:
        return state.reason or "it failed"
    if state.phase is Phase.EXITED and state.last_exit:
        return state.reason or "it failed"
    if state.phase is Phase.STOPPED and time.time() - began > STOPPED_SECONDS:
        return how_to_start(name)
    states = {each.name: each.state for each in stack.runners.values()}
    services = {each.name: each.service for each in stack.runners.values()}
    if state.phase is Phase.WAITING and outcome.is_settled(name, states, services):
        return state.reason or "it waits for a service that failed"
    return None


def failed_at(runner: Runner) -> float:
    """Return the Unix time since when a service has been stuck, or else in its phase."""
    since = runner.history.stuck_since
    return time.time() - (runner.history.in_phase_seconds if since is None else time.monotonic() - since)


async def fixed_at(runner: Runner, found_at: float, began: float) -> float | None:
    """Return when a file of a failed service was saved just before the wait began; None if none was.

    Its program may not have noticed that change yet. It has already reacted to an earlier one.
    """
    if not kind_of(runner.service).runs_a_command:
        return None
    recent = max(found_at, began - REACTION_SECONDS)
    return await asyncio.to_thread(latest_change_since, recent, [str(runner.service.directory)])


class Since:
    """The processes of a stuck service since a change.

    A stuck service may go on printing, as its workers die again and again, or its probe gets another error. So
    new output does not show that it has reacted to the change.
    """

    def __init__(self, after: float | None, began: float) -> None:
        self._after, self._began = after, began
        """Unix times of the change, and of the start of this wait."""
        self._runs: dict[int, Stat] = {}
        """The processes started since the change, by pid."""
        self._has_died = False

    def is_unanswered(self, runner: Runner) -> bool:
        """Whether a service is stuck for a reason older than the change, so that its next run may succeed."""
        after, since, stuck = self._after, runner.history.stuck_since, runner.state.stuck
        if after is None or since is None or stuck is None:
            return False
        if since > monotonic_of(after):
            return False
        self._look(runner, monotonic_of(after) + MARGIN_SECONDS)
        if stuck.startswith(AGAIN):
            return not runner.hearing.has_failed_since(after)
        if stuck.startswith(DYING) and (self._has_died or self._runs):
            return not self._has_died
        begun = (begun_at(each) for each in self._runs.values())
        newest = max(begun, default=monotonic_of(max(after, self._began)))
        return time.monotonic() - newest <= REACTION_SECONDS

    def _look(self, runner: Runner, after: float) -> None:
        """Record which processes have started since the change, and whether one of them has ended."""
        process = runner.run.process
        if process is None or not LINUX:
            return
        family = {pid: stat for pid in family_of(process.pid) if (stat := stat_of(pid)) is not None}
        alive = {pid: stat.start_time for pid, stat in family.items() if stat.runs}
        died = [pid for pid, stat in self._runs.items() if alive.get(pid) != stat.start_time]
        self._has_died = self._has_died or bool(died)
        self._runs = {pid: family[pid] for pid in alive if begun_at(family[pid]) > after}


def monotonic_of(at: float) -> float:
    """Convert a Unix time to monotonic time."""
    return time.monotonic() - (time.time() - at)


def has_reacted(runner: Runner, stack: Stack, after: float | None, began: float) -> bool:
    """Whether the present state of a service is its reaction to the change at `after`."""
    if after is None or not kind_of(runner.service).runs_a_command:
        return True  # a database does not react to source files
    stage, now = stack.stage, time.time()
    written = written_at(runner, stack)
    entered = now - runner.history.in_phase_seconds
    if max(written, entered) < after:
        return now - max(after, began) > REACTION_SECONDS
    is_early = entered < after and now - after < NOTICE_SECONDS
    builds = runner.phase is Phase.READY and stage.last_errors.is_building(runner.name)
    if is_early or builds:
        return False
    since = max(after, began)
    return now - max(written, after) > QUIET_SECONDS or now - since > NOISY_SECONDS


def written_at(runner: Runner, stack: Stack) -> float:
    """Return the Unix time of a service's last output."""
    try:
        return log_files.log_path(stack.stage.private, runner.name).stat().st_mtime
    except OSError:
        return 0.0


def late(name: str, stack: Stack, seen: str | None) -> Awaited:
    """Return the row of a service for which the time is over.

    `seen`: the result of the last probe while it was ready.
    """
    runner = stack.runners.get(name)
    if runner is None:
        return unknown(name)
    reason = reason_of(runner, stack.stage) or reason_to_wait(runner, stack.runners)
    if runner.phase is Phase.READY:
        is_building = stack.stage.last_errors.is_building(name)
        reason = seen or reason or (STILL_LOADING if is_building else NO_REACTION)
    return awaited("timed out", runner, stack, reason or f"it is {runner.phase.value}")


def awaited(said: Outcome, runner: Runner, stack: Stack, reason: str | None) -> Awaited:
    """Return the row of a service in the report."""
    stage = stack.stage
    return {
        "service": runner.name,
        "outcome": said,
        "phase": runner.phase.value,
        "reason": report.shown(reason, stage),
        "url": report.shown(stage.endpoint(runner.name).url, stage),
        "last_error": report.last_error_of(runner, stage),
        **(report.last_lines_of(runner) if said != "live" else report.NO_LINES),
    }


def unknown(name: str) -> Awaited:
    """Return the row of a service that has not been started."""
    return {
        "service": name,
        "outcome": "failed",
        "phase": Phase.STOPPED.value,
        "reason": how_to_start(name),
        "url": None,
        "last_error": None,
        **report.NO_LINES,
    }
