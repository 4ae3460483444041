"""`devinit start --foreground`: stay, print what services print, and take all of them down on a signal.

The services belong to the supervisor as ever; this command is its client, and may be process 1 of a container.
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
from devinit.system import terminal
from devinit.system.descriptors import descriptors
from devinit.system.state_folders import is_replaced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any  # what comes off the wire

    from devinit.cli.arguments import Arguments
    from devinit.control.client import Client
    from devinit.control.wire import Json
    from devinit.model.status import ProjectStatus

AT_REST = frozenset({"stopped", "exited", "failed"})
"""Phases in which nothing of a service runs or is about to."""
LOOK_SECONDS = 1.0
"""How late it is noticed, at most, that nothing runs any more."""
LEAVING_SECONDS = 5.0
"""How long the supervisor may take to be gone after the last service: as process 1 we take it along."""
READER_GONE = 141


def run_in_foreground(root: str, arguments: Arguments) -> int:
    """Start services, show their output until a signal or their own end, and stop everything.

    A signal before the start is done stops only what this start has started. Return what the start came to when
    it failed; 0 after SIGTERM, SIGHUP, or when all have ended well.
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
                # Also what a start that is under way brings up only now: it goes on without its client.
                if others := [name for name in project.services if name not in before]:
                    take_down(root, others, output)
                return code
        except BrokenPipeError:
            code = READER_GONE
        except OSError as error:
            # Of the output: what cannot be done with files of ours is a DevinitError.
            talk_if_possible(f"the output cannot be written: {error.strerror}; everything is stopped")
            code = DevinitError.exit_code
        except DevinitError:
            take_back(root, seen, output)
            raise
        take_down(root, [], output)
    return code


def running_before(root: str) -> frozenset[str]:
    """Return the services that ran before this start: they are not its own until it is done."""
    with suppress(DevinitError):  # the start says what is wrong
        client = connect_to_running(root)
        if client is not None:
            phases = phases_in(api.status(client))
            client.close()
            return frozenset(name for name, phase in phases.items() if phase not in AT_REST)
    return frozenset()


def adopt_orphans() -> None:
    """As process 1, wait for every process that has lost its parent: else they would pile up."""
    if os.getpid() != 1:
        return

    def reap(*_: object) -> None:
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass

    signal.signal(signal.SIGCHLD, reap)
    reap()


def stay(root: str, output: Output, optional: set[str]) -> int:
    """Show what is printed and what happens until nothing runs any more; return 1 if a service has failed.

    Return 1 as well when the checkout is deleted or moved, whatever is being asked at that moment.
    """
    try:
        return until_end(root, output, optional)
    except DevinitError:
        if not is_replaced(root):
            raise
    talk(f"{root} was deleted or moved: what was started in it is stopped")
    return 1


def until_end(root: str, output: Output, optional: set[str]) -> int:
    """Do that in a checkout that stays where it is, with each supervisor that comes after another one."""
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
            # It was killed, or replaced by that of a newer devinit: services run on.
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
        # What was seen after the summary, and before we listened.
        output.wrong_servers.say(each["name"], each.get("wrong_servers", []))
    phases = phases_in(status)
    while True:
        output.show()
        for event in client.pending():
            see(event)
            if event["type"] == "phase":
                phases[event["service"]] = event["phase"]
        if AT_REST.issuperset(phases.values()):
            # Answered once it is decided what a restart in another terminal starts again.
            api.environment(client, caller_environment(), see=see)
            phases = phases_in(api.status(client, see=see))
            if AT_REST.issuperset(phases.values()):
                return phases
        output.wait(LOOK_SECONDS)


def phases_in(status: ProjectStatus) -> dict[str, str]:
    """Return the phase of each service."""
    return {each["name"]: each["phase"] for each in status["services"]}


def take_back(root: str, seen: list[ForegroundWatch], output: Output) -> None:
    """Stop the services that a failed start has named in its plan."""
    obey(lambda _number, _frame: None)
    if seen and (starting := seen[-1].scope.starting):
        take_down(root, starting, output)


def take_down(root: str, services: list[str], output: Output) -> None:
    """Stop services in order, showing their last words, and wait until the supervisor has gone."""
    progress = Progress(sys.stderr, redraws=False)

    def see(event: Json) -> None:
        with suppress(OSError):  # the terminal may be gone; the stop goes on
            progress.see(event)
        output.show_if_possible()

    # In a checkout that is gone, its supervisor stops everything by itself, and no other one can be started.
    client = None if is_replaced(root) else connect_to_running(root)
    if client is not None:
        # It may be the answer to a Ctrl-C, so the next one ends at once what is left.
        result = stop_services(client, services, see, output.show_if_possible, talk_if_possible, pressed=1)
        client.close()
        if (left := still_running(result)) is not None:
            talk_if_possible(f"{left.message}\n{left.hint}")
    output.finish()
    deadline = time.monotonic() + LEAVING_SECONDS
    while not services and supervisor_of(root) is not None and time.monotonic() < deadline:
        time.sleep(0.01)  # a lock that is released wakes no process


def talk_if_possible(text: str) -> None:
    """Say something, if the terminal is still there."""
    with suppress(OSError):
        talk(text)


class Output:
    """What the services print, on standard output: merged in the order of time, from now on."""

    def __init__(self, root: str, services: Iterable[str]) -> None:
        self.wrong_servers = WrongServers()
        self._root = Path(root)
        self._names: list[str] = []
        self._printer: Printer | None = None
        self._follower: Follower | None = None
        self._is_broken = False
        self._follow(services)

    def see(self, event: Json) -> None:
        """Update from an event which services print output, and which values in it are secret."""
        if event["type"] == "plan" and not set(event["services"]) <= set(self._names):
            self._follow([*self._names, *event["services"]])
        elif event["type"] == "environment":
            self._printer = None

    def show(self) -> None:
        """Print what has come. Raise OSError, once, when it cannot be written or its reader has gone."""
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
        """Print what has come, if there is a reader."""
        with suppress(DevinitError, OSError):
            self.show()

    def finish(self) -> None:
        """Print the last words as well that no line end follows."""
        self.show_if_possible()
        if self._printer is not None and self._follower is not None and not self._is_broken:
            rest = ((tail.name, line) for tail in self._follower.tails if (line := tail.unfinished()))
            with suppress(OSError):
                self._printer.show(rest)

    def wait(self, seconds: float) -> None:
        """Return when there may be more, or after so many seconds. Raise BrokenPipeError as above."""
        if self._follower is not None and not self._follower.wait(seconds) and is_reader_gone():
            self._is_broken = True
            raise BrokenPipeError

    def _follow(self, services: Iterable[str]) -> None:
        """Follow these as well, each from what it prints next."""
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
    """Which servers in the place of the project's own a person has been told of, by service."""

    def __init__(self) -> None:
        self._said: dict[str, Sequence[Mapping[str, Any]]] = {}

    def summed_up(self, rows: Iterable[Json]) -> None:
        """Take in what a summary says of them."""
        self._said = {row["service"]: row.get("wrong_servers", []) for row in rows}

    def say(self, service: str, servers: Sequence[Mapping[str, Any]]) -> None:
        """Tell what a service is connected to, unless that was told last."""
        if servers != self._said.get(service, []):
            self._said[service] = servers
            terminal.write(sys.stderr, summary.wrong_lines(service, servers, Paint(sys.stderr)))


class ForegroundWatch(Watch):
    """What is seen of a start while the services' output goes to standard output."""

    def __init__(self, output: Output) -> None:
        super().__init__(None)
        self.progress = Progress(sys.stderr, redraws=False)
        self._output = output

    def see(self, event: Json) -> None:
        """Take an event in, and show what was printed before it."""
        self._output.see(event)
        self._output.show()
        super().see(event)

    def tick(self) -> None:
        """Show what has been printed."""
        self._output.show()

    def print_summary(self, *, of_changes: bool) -> None:
        """Print what it came to beside the output."""
        del of_changes
        self._output.show()
        if self.summary is not None:
            self._output.wrong_servers.summed_up(self.summary["services"])
            summary.print_in_foreground(self.summary, self.scope.starting or [])
