"""End a service: send its processes the stop signal, wait for the last one, and only then send SIGKILL."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from devinit.model.process import ProcessIdentity
from devinit.model.saving import last_resort, saving_server
from devinit.model.service import StopPolicy, StopTarget
from devinit.model.workplace import Workplace, workplace_of
from devinit.ports.holder.naming import named
from devinit.system.connections import clients_of
from devinit.system.descriptors import descriptors
from devinit.system.limits import TOO_MANY_OPEN
from devinit.system.processes import Process, ProcessTable, facts_of

KILL_SECONDS = 5.0
"""Seconds for the last signal; after that, the kernel itself is stuck (as with a dead network disk)."""


REST_SECONDS = 5.0
"""Seconds for the other processes once the program itself has ended, or its time is over."""
LAUNCHER_SECONDS = 1.0
"""Seconds for a shell around the program to run its last lines once the program has ended."""
TELLING_SECONDS = 1.0
"""A wait shorter than this is not reported."""
SHORT_SECONDS = 0.1
"""Seconds between looks at processes whose end does not wake us."""
SHOWN = 3
NAMES = {
    Workplace.MULTIPLEXER: "a terminal multiplexer",
    Workplace.TERMINAL: "a terminal",
    Workplace.BROWSER: "a browser",
    Workplace.EDITOR: "an editor",
}
"""The words for programs in which a user works; any other one is recognized only by its terminal."""
_SESSION = "a session with a terminal of its own"


class ProcessScan:
    """Reader of /proc for all requests of one turn of the loop, since many services stop at the same time."""

    def __init__(self) -> None:
        self._next: asyncio.Future[ProcessTable] | None = None
        self._held = 0
        """Number of processes that are held by a descriptor until they have ended."""

    async def table(self) -> ProcessTable:
        """Return all processes, read after this call."""
        if self._next is None:
            loop = asyncio.get_running_loop()
            self._next = loop.create_future()
            loop.call_soon(self._look, self._next)
        return await asyncio.shield(self._next)

    @contextmanager
    def opened(
        self, identities: list[ProcessIdentity]
    ) -> Iterator[tuple[list[Process], list[ProcessIdentity]]]:
        """Hold these processes so that no pid is confused with a later process; leave out those that are gone.

        The second list contains running processes for which no descriptor is available now.
        """
        most = max(0, descriptors.at_once() - self._held)
        processes: list[Process] = []
        with ExitStack() as stack:
            try:
                for identity in identities[:most]:
                    if (process := Process.open(identity)) is not None:
                        processes.append(stack.enter_context(process))
            except OSError as error:
                if error.errno not in TOO_MANY_OPEN:
                    raise
                most = identities.index(identity)
            self._held += len(processes)
            stack.callback(self._let_go, len(processes))
            yield processes, identities[most:]

    def _let_go(self, count: int) -> None:
        self._held -= count

    def _look(self, asked: asyncio.Future[ProcessTable]) -> None:
        self._next = None
        try:
            asked.set_result(ProcessTable())
        except OSError as error:
            asked.set_exception(error)


async def end_tree(
    root: ProcessIdentity | None,
    marker: str | None,
    policy: StopPolicy,
    say: Callable[[str], None],
    process_scan: ProcessScan | None = None,
    *,
    force: asyncio.Event | None = None,
    ports: Sequence[int] = (),
    spare: Callable[[ProcessIdentity], None] | None = None,
    holder: ProcessIdentity | None = None,
) -> list[int]:
    """End every process of a service and return the pids of those that remain, normally none.

    Programs in which a user works are left running, although they were started from the service: `spare` is called
    once for each, or else `say`. The tree is read again after each wait, because a dying process may still start
    another one. With `to = "main"`, the other processes get the signal when the program itself has ended and a
    shell around it had LAUNCHER_SECONDS to run its last lines, or when the grace is over. Once `force` is set, the
    last signal follows at once. Without `force`, a database server that may still be saving its data never gets
    that signal: it has more time, and is then returned. The `holder` of the service's terminal is left alone until
    all other processes have ended: then it ends by itself. `say` reports the processes that are awaited, and the
    number of open connections to the service's `ports`.
    """
    process_scan, force = process_scan or ProcessScan(), force or asyncio.Event()

    spared: list[ProcessIdentity] = []

    def say_spared(process: ProcessIdentity) -> None:
        if text := why_spared(process):
            say(text)

    async def members_now() -> list[ProcessIdentity]:
        members, apart = (await process_scan.table()).family_of(root, marker)
        for each in apart:
            if each not in spared:
                spared.append(each)
                (spare or say_spared)(each)
        return [member for member in members if member != holder] or members

    clock = asyncio.get_running_loop().time
    asked = signal.Signals[f"SIG{policy.signal}"]
    insist = signal.SIGKILL if policy.kill else signal.SIGQUIT
    main, launchers = await asked_alone(root, policy, process_scan)
    told = ""
    members: list[ProcessIdentity] = []
    saving: frozenset[ProcessIdentity] = frozenset()
    steps = steps_of(policy, asked, insist, main)
    # The last step is repeated for processes that were spared, if the stop is forced meanwhile.
    for position, (number, usual_seconds, is_alone) in enumerate((*steps, steps[-1])):
        if position == len(steps) and not (saving and force.is_set()):
            break
        is_last = position >= len(steps) - 1
        saving = saving_among(members, policy) if is_last and not force.is_set() else frozenset()
        seconds = policy.saving_seconds if saving else usual_seconds
        may_be_forced = number is asked or bool(saving)
        began = clock()
        deadline = began + seconds
        signalled: set[ProcessIdentity] = set()
        while members := await members_now():
            if clock() >= deadline or (may_be_forced and force.is_set()):
                break
            if is_alone and main not in members:
                await wait_for_launchers({*launchers} & {*members}, process_scan, deadline - clock(), force)
                break
            if clock() - began >= TELLING_SECONDS and (now := whom(members, ports)) not in ("", told):
                told = now
                say(f"waits for {told}, up to {seconds:g} s")
            with process_scan.opened([main] if is_alone and main else members) as (processes, others):
                for process in processes:
                    if process.identity not in signalled and process.identity not in saving:
                        signalled.add(process.identity)
                        ask(process, number)
                signalled.update(
                    other
                    for other in others
                    if other not in signalled and other not in saving and ask_once(other, number)
                )
                seconds_left = min(deadline - clock(), SHORT_SECONDS if others else TELLING_SECONDS)
                if processes:
                    await wait_for_exit(processes, seconds_left, force if may_be_forced else None)
                elif others:
                    await asyncio.sleep(seconds_left)
        if not members:
            return []
        if clock() >= deadline and number is asked and not force.is_set():
            told = say_what_follows(members, policy, seconds, is_alone=is_alone, say=say, ports=ports)
    return [member.pid for member in await members_now()]


def say_what_follows(
    members: Sequence[ProcessIdentity],
    policy: StopPolicy,
    seconds: float,
    *,
    is_alone: bool,
    say: Callable[[str], None],
    ports: Sequence[int],
) -> str:
    """Report what happens to processes that got a signal and still run; return their description."""
    saving = frozenset() if is_alone else saving_among(members, policy)
    others = [member for member in members if member not in saving]
    # They may have ended just now.
    if names := whom(others, ports):
        then = f"SIG{policy.signal} to all of them" if is_alone else "SIGKILL" if policy.kill else "SIGQUIT"
        say(f"still running after {seconds:g} s: {names}; sending {then}")
    if saving:
        servers = whom([member for member in members if member in saving], ports)
        wait = f"waits up to {policy.saving_seconds:g} s more"
        say(f"may still be saving its data, so it is not killed: {servers}; {wait}")
    return whom(members, ports)


def saving_among(members: Sequence[ProcessIdentity], policy: StopPolicy) -> frozenset[ProcessIdentity]:
    """Return the database servers that may still be saving data, which the last signal would destroy."""
    if policy.saving_seconds <= 0:
        return frozenset()
    found = (facts_of(member.pid) for member in members)
    return frozenset(
        each.identity for each in found if each and saving_server(each) and last_resort(each) is None
    )


def steps_of(
    policy: StopPolicy, asked: signal.Signals, insist: signal.Signals, main: ProcessIdentity | None
) -> list[tuple[signal.Signals, float, bool]]:
    """Return the steps: the signal, its time in seconds, and whether only the program itself gets it."""
    if main is None:
        return [(asked, policy.grace_seconds, False), (insist, KILL_SECONDS, False)]
    return [
        (asked, policy.grace_seconds, True),
        (asked, min(policy.grace_seconds, REST_SECONDS), False),
        (insist, KILL_SECONDS, False),
    ]


async def end_keepers(
    keepers: Sequence[ProcessIdentity],
    marker: str | None,
    policy: StopPolicy,
    say: Callable[[str], None],
    process_scan: ProcessScan,
) -> list[int]:
    """End processes that hold a service's leases but have neither mark nor ancestry; return the remaining pids.

    Redis and others overwrite their environment, and with it the mark. No process gives up a lease by accident.
    """
    left: list[int] = []
    apart = (await process_scan.table()).are_apart(keepers) if keepers else set()
    for keeper in keepers:
        if keeper not in apart:
            left += await end_tree(keeper, marker, policy, say, process_scan)
    return left


def why_spared(process: ProcessIdentity) -> str:
    """Describe a process that is left running, and why; return "" when it has just ended."""
    facts = facts_of(process.pid)
    if facts is None:
        return ""
    kind = workplace_of(facts)
    what = NAMES.get(kind, _SESSION) if kind else _SESSION
    return f"left running: {named(facts)}, {what}; end it by hand if it is not needed"


def ask(process: Process, number: signal.Signals) -> None:
    """Signal a process. One that became another user's (sudo) stays, and is reported as still running."""
    with suppress(PermissionError):
        process.send(number)
        # A stopped process does not handle TERM before it is continued.
        process.send(signal.SIGCONT)


def ask_once(identity: ProcessIdentity, number: signal.Signals) -> bool:
    """Signal a process that is not held; return False when no descriptor is free, so that a retry is needed."""
    try:
        process = Process.open(identity)
    except OSError as error:
        if error.errno not in TOO_MANY_OPEN:
            raise
        return False
    if process is not None:
        with process:
            ask(process, number)
    return True


async def wait_for_exit(processes: list[Process], seconds: float, force: asyncio.Event | None = None) -> None:
    """Return when all of them have ended, when the time is over, or when the stop is forced."""
    # Any: their results are not used.
    waits: list[asyncio.Future[Any]] = [asyncio.gather(*map(exit_of, processes))]
    if force is not None:
        waits.append(asyncio.ensure_future(force.wait()))
    try:
        await asyncio.wait(waits, timeout=max(0.0, seconds), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)


async def asked_alone(
    root: ProcessIdentity | None, policy: StopPolicy, process_scan: ProcessScan
) -> tuple[ProcessIdentity | None, list[ProcessIdentity]]:
    """Return the program that gets the first signal alone, if any, and the processes that only run it."""
    if policy.to is not StopTarget.MAIN:
        return None, []
    return (await process_scan.table()).program_and_launchers(root)


async def wait_for_launchers(
    launchers: set[ProcessIdentity], process_scan: ProcessScan, seconds: float, force: asyncio.Event
) -> None:
    """Let the launcher of the program end by itself, within LAUNCHER_SECONDS or the remaining time."""
    with process_scan.opened([*launchers]) as (processes, _):
        if processes:
            await wait_for_exit(processes, min(seconds, LAUNCHER_SECONDS), force)


def whom(members: Sequence[ProcessIdentity], ports: Sequence[int]) -> str:
    """Name the processes that still run, and a possible reason: `pid 4711 uvicorn, 2 open connections`."""
    facts = (facts_of(member.pid) for member in members[:SHOWN])
    names = [f"pid {one.identity.pid} {one.name}" for one in facts if one is not None]
    if len(members) > SHOWN:
        names.append(f"{len(members) - SHOWN} more")
    connections = sum(clients_of(ports).values()) if ports else 0
    if connections:
        names.append("1 open connection" if connections == 1 else f"{connections} open connections")
    return ", ".join(names)


async def exit_of(process: Process) -> None:
    """Return when a process has ended. Its pidfd wakes us; nothing is polled."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    descriptor = process.fileno()
    loop.add_reader(descriptor, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(descriptor)
