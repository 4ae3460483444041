"""`devinit start --foreground`: stay, print the services' output, and stop all of them on a signal.

The supervisor still owns the services; this command is its client, and may be process 1 of a container.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

from devinit.cli import summary
from devinit.cli.arranged import Arranged
from devinit.cli.bring_up import bring_up
from devinit.cli.caller import caller_environment
from devinit.cli.leaving import Leave, obey
from devinit.cli.log_printer import Printer
from devinit.cli.logged import log_of
from devinit.cli.logs import is_reader_gone
from devinit.cli.output import Paint, talk
from devinit.cli.progress import Progress
from devinit.cli.stopping import stop_services
from devinit.cli.watch import Watch
from devinit.config.load import load
from devinit.control import api
from devinit.control.launch import connect_or_start, connect_to_running
from devinit.control.stopped import still_running
from devinit.control.waking import supervisor_of
from devinit.errors import DevinitError, SupervisorError, UsageError
from devinit.logs.follow import Follower
from devinit.logs.sieve import Sieve
from devinit.logs.tail import Tail
from devinit.model.phases import AT_REST
from devinit.system import terminal
from devinit.system.descriptors import descriptors
from devinit.system.state_folders import is_replaced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any  # data from the wire

    from devinit.cli.arguments import Arguments
    from devinit.control.client import Client
    from devinit.control.wire import Json
    from devinit.model.status import ProjectStatus

LOOK_SECONDS = 1.0
"""The maximum delay until this command notices that nothing runs any more."""
LEAVING_SECONDS = 5.0
"""The time for the supervisor to exit after the last service: if this is process 1, its own exit would kill it."""
READER_GONE = 141


def run_in_foreground(root: str, arguments: Arguments) -> int:
    """Start services, show their output until a signal or until they end, and stop everything.

    A signal during the start stops only the services that this start has started. Return the exit code of a start
    that failed; 0 after SIGTERM, SIGHUP, or when all services have ended without a failure.
    """
    if arguments.json or arguments.detach:
        raise UsageError("--foreground goes neither with --json nor with --detach")
    project = load(Path(root), profile=arguments.profile or os.environ.get("DEVINIT_PROFILE") or None)
    optional = {name for name, service in project.services.items() if service.optional}
    adopt_orphans()
    before = running_before(root)
    is_up = False
    with Output(root, project.services) as output:
        seen: list[ForegroundWatch] = []

        def new_watch(_: Arguments) -> Watch:
            seen.append(ForegroundWatch(output))
            return seen[-1]

        try:
            code = bring_up("start", root, arguments, new_watch)
            if code != 0:
                talk("the start failed: what it brought up is stopped")
                take_back(root, seen, output)
                return code
            is_up = True
            code = stay(root, output, optional)
        except Leave as leaving:
            code = leaving.exit_code
            if before and not is_up:
                # This includes services that the pending start brings up later: it goes on without its client.
                if others := [name for name in project.services if name not in before]:
                    take_down(root, others, output)
                return code
        except BrokenPipeError:
            code = READER_GONE
        except OSError as error:
            # An error of the output: errors with devinit's own files are DevinitErrors.
            talk_if_possible(f"the output cannot be written: {error.strerror}; everything is stopped")
            code = DevinitError.exit_code
        except DevinitError:
            take_back(root, seen, output)
            raise
        take_down(root, [], output)
    return code


def running_before(root: str) -> frozenset[str]:
    """Return the services that ran before this start; a signal during the start must not stop them."""
    with suppress(DevinitError):  # the start reports what is wrong
        client = connect_to_running(root)
        if client is not None:
            phases = phases_in(api.status(client))
            client.close()
            return frozenset(name for name, phase in phases.items() if phase not in AT_REST)
    return frozenset()


def adopt_orphans() -> None:
    """As process 1, reap every orphaned process; otherwise zombies would pile up."""
    if os.getpid() != 1:
        return

    def reap(*_: object) -> None:
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass

    signal.signal(signal.SIGCHLD, reap)
    reap()


def stay(root: str, output: Output, optional: set[str]) -> int:
    """Show output and events until nothing runs any more; return 1 if a service has failed.

    Also return 1 when the checkout is deleted or moved, even in the middle of a request.
    """
    try:
        return until_end(root, output, optional)
    except DevinitError:
        if not is_replaced(root):
            raise
    talk(f"{root} was deleted or moved: what was started in it is stopped")
    return 1


def until_end(root: str, output: Output, optional: set[str]) -> int:
    """Do the same in a checkout that stays in place, across successive supervisors."""
    progress = Progress(sys.stderr, redraws=False)

    def see(event: Json) -> None:
        output.see(event)
        progress.see(event)
        if event["type"] == "wrong_servers":
            output.wrong_servers.say(event["service"], event["servers"])

    while True:
        client = connect_or_start(root, talk)
        try:
            phases = until_rest(client, output, see)
        except SupervisorError as error:
            if is_replaced(root):
                raise
            # It was killed, or replaced by a newer devinit: the services keep running.
            talk(error.message)
            continue
        finally:
            client.close()
        talk("nothing runs any more")
        failed = {name for name, phase in phases.items() if phase == "failed"}
        return 1 if failed - optional else 0


def until_rest(client: Client, output: Output, see: Callable[[Json], None]) -> dict[str, str]:
    """Show output and events until nothing runs; return the phases. Raise SupervisorError when it goes away."""
    status = api.subscribe(client)
    for each in status["services"]:
        # Findings from between the summary and this subscription.
        output.wrong_servers.say(each["name"], each.get("wrong_servers", []))
    phases = phases_in(status)
    while True:
        output.show()
        for event in client.pending():
            see(event)
            if event["type"] == "phase":
                phases[event["service"]] = event["phase"]
        if AT_REST.issuperset(phases.values()):
            # The answer comes after a restart in another terminal has decided which services it starts.
            api.environment(client, caller_environment(), see=see)
            phases = phases_in(api.status(client, see=see))
            if AT_REST.issuperset(phases.values()):
                return phases
        output.wait(LOOK_SECONDS)


def phases_in(status: ProjectStatus) -> dict[str, str]:
    """Return the phase of each service."""
    return {each["name"]: each["phase"] for each in status["services"]}


def take_back(root: str, seen: list[ForegroundWatch], output: Output) -> None:
    """Stop the services in the plan of a failed start."""
    obey(lambda _number, _frame: None)
    if seen and (starting := seen[-1].scope.starting):
        take_down(root, starting, output)


def take_down(root: str, services: list[str], output: Output) -> None:
    """Stop services in order, show their last output, and wait until the supervisor has exited."""
    progress = Progress(sys.stderr, redraws=False)

    def see(event: Json) -> None:
        with suppress(OSError):  # the terminal may be gone; the stop goes on
            progress.see(event)
        output.show_if_possible()

    # In a deleted checkout, the supervisor stops everything by itself, and no other one can be started.
    client = None if is_replaced(root) else connect_to_running(root)
    if client is not None:
        # This may be the response to a Ctrl-C, so the next one kills the remaining processes at once.
        result = stop_services(client, services, see, output.show_if_possible, talk_if_possible, pressed=1)
        client.close()
        if (left := still_running(result)) is not None:
            talk_if_possible(f"{left.message}\n{left.hint}")
    output.finish()
    deadline = time.monotonic() + LEAVING_SECONDS
    while not services and supervisor_of(root) is not None and time.monotonic() < deadline:
        time.sleep(0.01)  # the release of a lock wakes no process


def talk_if_possible(text: str) -> None:
    """Print a message, if the terminal still exists."""
    with suppress(OSError):
        talk(text)


class Output:
    """The services' output on standard output, merged in the order of time, from now on."""

    def __init__(self, root: str, services: Iterable[str]) -> None:
        self.wrong_servers = WrongServers()
        self._root = Path(root)
        self._names: list[str] = []
        self._printer: Printer | None = None
        self._follower: Follower | None = None
        self._is_broken = False
        self._follow(services)

    def see(self, event: Json) -> None:
        """Update, from an event, which services print output and which values in it are secret."""
        if event["type"] == "plan" and not set(event["services"]) <= set(self._names):
            self._follow([*self._names, *event["services"]])
        elif event["type"] == "environment":
            self._printer = None

    def show(self) -> None:
        """Print new output. Raise OSError, once, if it cannot be written or its reader has gone."""
        if self._printer is None:
            arranged = Arranged(Sieve(), Paint(sys.stdout), is_raw=False) if sys.stdout.isatty() else None
            self._printer = Printer(
                self._names, None, self._root, as_json=False, times=False, arranged=arranged
            )
        if self._follower is not None and not self._is_broken:
            try:
                self._printer.show(self._follower.lines())
            except OSError:
                self._is_broken = True
                raise

    def show_if_possible(self) -> None:
        """Print new output, if there is a reader."""
        with suppress(DevinitError, OSError):
            self.show()

    def finish(self) -> None:
        """Print the remaining output, including unfinished lines."""
        self.show_if_possible()
        if self._printer is not None and self._follower is not None and not self._is_broken:
            rest = ((tail.name, line) for tail in self._follower.tails if (line := tail.unfinished()))
            with suppress(OSError):
                self._printer.show(rest)

    def wait(self, seconds: float) -> None:
        """Return when there may be new output, or after `seconds`. Raise BrokenPipeError if the reader is gone."""
        if self._follower is not None and not self._follower.wait(seconds) and is_reader_gone():
            self._is_broken = True
            raise BrokenPipeError

    def _follow(self, services: Iterable[str]) -> None:
        """Follow these services, new ones from their next output on."""
        known = {} if self._follower is None else {each.name: each for each in self._follower.tails}
        self._names = list(dict.fromkeys(services))
        descriptors.raise_limit(len(self._names))
        for name in self._names:
            if name not in known:
                known[name] = Tail(name, log_of(self._root, name))
                known[name].last(0, follow=True)
        if self._follower is not None:
            self._follower.let_go()
        self._follower = Follower([known[name] for name in self._names], complain=talk_if_possible)
        self._printer = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._follower is not None:
            self._follower.close()


class WrongServers:
    """The servers, used instead of the project's own, that were reported last, by service."""

    def __init__(self) -> None:
        self._said: dict[str, Sequence[Mapping[str, Any]]] = {}

    def summed_up(self, rows: Iterable[Json]) -> None:
        """Record the servers that a summary has reported."""
        self._said = {row["service"]: row.get("wrong_servers", []) for row in rows}

    def say(self, service: str, servers: Sequence[Mapping[str, Any]]) -> None:
        """Report the servers that a service is connected to, unless they were reported last."""
        if servers != self._said.get(service, []):
            self._said[service] = servers
            terminal.write(sys.stderr, summary.wrong_lines(service, servers, Paint(sys.stderr)))


class ForegroundWatch(Watch):
    """The progress of a start while the services' output goes to standard output."""

    def __init__(self, output: Output) -> None:
        super().__init__(None)
        self.progress = Progress(sys.stderr, redraws=False)
        self._output = output

    def see(self, event: Json) -> None:
        """Process an event, after showing the output that preceded it."""
        self._output.see(event)
        self._output.show()
        super().see(event)

    def tick(self) -> None:
        """Show new output."""
        self._output.show()

    def print_summary(self, *, of_changes: bool) -> None:
        """Print the result of the start next to the output."""
        del of_changes
        self._output.show()
        if self.summary is not None:
            self._output.wrong_servers.summed_up(self.summary["services"])
            summary.print_in_foreground(self.summary, self.scope.starting or [])
