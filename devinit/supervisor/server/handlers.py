"""The methods of the supervisor's socket: decoded, carried out, and answered with plain values."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import msgspec

from devinit import __version__
from devinit.control.messages import (
    ChooseParams,
    CommandParams,
    EnvironmentParams,
    EventsParams,
    FreeParams,
    InputParams,
    PortParams,
    ServiceParams,
    ServicesParams,
    StartParams,
    StatusParams,
    StopParams,
    WaitParams,
)
from devinit.control.server import Connection, UnknownMethod, encoder
from devinit.model.names import service_of
from devinit.model.port import PortReport
from devinit.model.service import Service
from devinit.model.status import (
    CheckReport,
    CommandSetting,
    InputReport,
    Inspection,
    OwnPort,
    ProjectStatus,
    StopReport,
    WaitReport,
)
from devinit.ports.holder.who import who
from devinit.supervisor.events import from_thread
from devinit.supervisor.project.chosen import named, one_named
from devinit.supervisor.project.drift import ADDED
from devinit.supervisor.reporting import report
from devinit.supervisor.reporting.connections import connections_of
from devinit.supervisor.server.ordered import order_of
from devinit.supervisor.server.shared import Shared
from devinit.supervisor.server.single_instance import remember
from devinit.supervisor.service.in_container import used_by
from devinit.supervisor.service.runner import Runner
from devinit.supervisor.stack.stack import PRESENT
from devinit.supervisor.supervisor import Supervisor
from devinit.system.processes import ProcessTable
from devinit.system.usage import Usage

# Results are encoded as JSON as they are; Any because each method has its own shape (model.status).
Method = Callable[["Handlers", msgspec.Raw, Connection], Awaitable[Any]]
MOST_ATTEMPTS = 5
"""Maximum number of status answers built for a subscriber while newer events keep coming."""


class Handlers:
    """The methods of one supervisor."""

    def __init__(self, supervisor: Supervisor, finish: Callable[[], None]) -> None:
        self._supervisor = supervisor
        self._stage, self._stack = supervisor.stage, supervisor.stack
        self._configuration = supervisor.configuration
        self._finish = finish
        self._measured: dict[str, tuple[float, float]] = {}
        """Service → (monotonic time, CPU seconds) of the previous measurement."""
        self._status = Shared(self._encoded_status)
        self._measured_status = Shared(self._encoded_measured_status)

    async def handle(self, method: str, params: msgspec.Raw, connection: Connection) -> Any:
        """Carry out a method."""
        if method not in METHODS:
            raise UnknownMethod
        return await METHODS[method](self, params, connection)

    async def ping(self, _params: msgspec.Raw, _connection: Connection) -> dict[str, Any]:
        """Return the identity of this supervisor."""
        return {"pid": os.getpid(), "version": __version__, "root": str(self._stage.root)}

    async def status(self, params: msgspec.Raw, _connection: Connection) -> msgspec.Raw:
        """Return the state of every service, a `ProjectStatus`; clients that ask at the same time share it."""
        measure = msgspec.json.decode(params, type=StatusParams).measure
        return await (self._measured_status if measure else self._status).answer()

    async def _encoded_status(self) -> msgspec.Raw:
        new = await self._configuration.new_services()
        return self._status_now({}, {}, new, await self._configuration_error())

    async def _encoded_measured_status(self) -> msgspec.Raw:
        # One walk through /proc for all services.
        table = ProcessTable()
        usages = {name: self._measure(runner, table) for name, runner in self._stack.runners.items()}
        measured = {name: usage for name, usage in usages.items() if usage}
        await self._supervisor.peers.look()
        changed, new = (
            await self._configuration.changed_since(),
            await self._configuration.new_services(),
        )
        return self._status_now(measured, changed, new, await self._configuration_error())

    def _status_now(
        self,
        measured: Mapping[str, tuple[Usage, float | None]],
        changed: Mapping[str, list[str]],
        new: Iterable[Service],
        error: str | None,
    ) -> msgspec.Raw:
        """Return the present status. Nothing is awaited here: a client could get a newer event before it."""
        self._stack.look_at_data()
        status = report.project_status(self._stack.runners, self._stage, measured, changed, new)
        status["configuration_error"], status["returning"] = error, sorted(self._stack.returning())
        return encoded(status)

    async def _configuration_error(self) -> str | None:
        return report.shown(await self._configuration.error(), self._stage)

    async def start(self, params: msgspec.Raw, connection: Connection) -> dict[str, int]:
        """Start services; events come before the answer."""
        order = order_of(msgspec.json.decode(params, type=StartParams), connection)
        with self._telling(connection):
            code = await self._supervisor.start(order, connection.tell)
        self._remember()
        return {"exit_code": code}

    async def restart(self, params: msgspec.Raw, connection: Connection) -> dict[str, int]:
        """Stop services and start them again; events come before the answer."""
        order = order_of(msgspec.json.decode(params, type=StartParams), connection)
        with self._telling(connection):
            code = await self._supervisor.restart(order, connection.tell)
        self._remember()
        return {"exit_code": code}

    async def stop(self, params: msgspec.Raw, connection: Connection) -> StopReport:
        """Stop services; events come before the answer. The supervisor ends after the last service."""
        asked = msgspec.json.decode(params, type=StopParams)
        names = asked.services
        from devinit.supervisor.server.callers import stopped_by  # no start needs it

        by = stopped_by(connection.pid)
        if asked.force:
            # Before our turn: it is meant for a stop that takes long.
            self._supervisor.force(names)
        with self._telling(connection):
            done = await self._supervisor.stop(names, by)
        ends = not self._supervisor.is_needed()
        if ends:
            # After the answer has been written: this method's result goes out first.
            asyncio.get_running_loop().call_soon(self._finish)
        return {
            "stopped": done.stopped,
            "left": done.left,
            "remaining": done.remaining,
            "supervisor_ends": ends,
        }

    async def environment(self, params: msgspec.Raw, _connection: Connection) -> dict[str, str]:
        """Return the runtime environment: of running services, or as a start would create it."""
        asked = msgspec.json.decode(params, type=EnvironmentParams)
        await self._configuration.ensure(asked.environ, asked.profile)
        return self._stage.environment

    async def command(self, params: msgspec.Raw, _connection: Connection) -> CommandSetting:
        """Return the environment and tools for a command that runs beside the services."""
        asked = msgspec.json.decode(params, type=CommandParams)
        await self._configuration.ensure(asked.environ, asked.profile)
        from devinit.supervisor.orders.commands import command_setting  # only `devinit run` asks

        named = [] if asked.service is None else [asked.service]
        runners, stage = await self._configuration.asked_about(named)
        return await asyncio.to_thread(command_setting, dict(runners), stage, asked)

    async def why(self, params: msgspec.Raw, _connection: Connection) -> Any:
        """Return the `why` report of a service."""
        name = msgspec.json.decode(params, type=ServiceParams).service
        await self._configuration.ensure(self._stage.caller, None)
        runners, stage = await self._configuration.asked_about([name])
        chosen = one_named(name, stage.project)
        self._stack.look_at_data()
        await self._stack.confirm([chosen])
        await self._supervisor.peers.look()
        changed = await self._configuration.changed_since()
        runner = runners[chosen]
        from devinit.supervisor.reporting.holders_now import reasons_now  # as in `inspect`

        ports = await asyncio.to_thread(
            reasons_now, chosen, runner.state, stage.ports.granted(chosen), partial(who, root=stage.root)
        )
        told = changed.get(chosen, [] if chosen in self._stack.runners else [ADDED])
        explained = report.why(runner, runners, stage, ports, told)
        explained["configuration_error"] = await self._configuration_error()
        return explained

    async def check(self, params: msgspec.Raw, _connection: Connection) -> CheckReport:
        """Check each service once; without names, all services that are not stopped."""
        from devinit.supervisor.orders.checking import check_all  # only an order to check needs it

        names = msgspec.json.decode(params, type=ServicesParams).services
        await self._configured()
        runners, stage = await self._configuration.asked_about(names)
        chosen = named(names, stage.project)
        if not names:
            chosen = [name for name in chosen if runners[name].phase in PRESENT] or chosen
        with self._supervisor.followed() as restarted:
            rows = await check_all(chosen, runners, self._stack, stage, restarted)
        # A program that opens its connections for its first request has just had one.
        await self._supervisor.peers.look()
        for row in rows:
            row["wrong_servers"] = connections_of(runners[row["service"]])["wrong_servers"]
        well = bool(rows) and all(
            row["well"] or (not names and runners[row["service"]].service.optional) for row in rows
        )
        return {
            "well": well,
            "services": rows,
            "configuration_error": await self._configuration_error(),
        }

    async def wait(self, params: msgspec.Raw, _connection: Connection) -> WaitReport:
        """Return when services are live, have failed, or the time is over."""
        from devinit.supervisor.orders.awaiting import all_live  # as above

        asked = msgspec.json.decode(params, type=WaitParams)
        await self._configured()
        _, stage = await self._configuration.asked_about(asked.services)
        names = named(asked.services, stage.project) if asked.services else []
        waited = await all_live(self._stack, names, asked.after, asked.timeout_seconds)
        waited["configuration_error"] = await self._configuration_error()
        return waited

    async def events(self, params: msgspec.Raw, connection: Connection) -> dict[str, int]:
        """Send past events, then new ones until the client hangs up, if it follows."""
        asked = msgspec.json.decode(params, type=EventsParams)
        broadcaster = self._stage.broadcaster
        past = broadcaster.since(asked.after)
        for event in past:
            connection.tell(event)
        if asked.follow:
            broadcaster.add(connection.tell)
            connection.on_close(lambda: broadcaster.remove(connection.tell))
            await asyncio.Event().wait()  # until the client hangs up, which cancels its questions
        return {"told": len(past)}

    async def confirm(self, params: msgspec.Raw, _connection: Connection) -> dict[str, str]:
        """Check once whether a ready service still serves; return its phase after that."""
        name = msgspec.json.decode(params, type=ServiceParams).service
        runners, stage = await self._configuration.asked_about([name])
        chosen = one_named(name, stage.project)
        await self._stack.confirm([chosen])
        return {"phase": runners[chosen].phase.value}

    async def input(self, params: msgspec.Raw, _connection: Connection) -> InputReport:
        """Write to the standard input of a service."""
        from devinit.supervisor.orders.standard_input import write_input  # only an order to type needs it

        asked = msgspec.json.decode(params, type=InputParams)
        runners, stage = await self._configuration.asked_about([asked.service])
        return await write_input(runners[one_named(asked.service, stage.project)], asked.text)

    async def who(self, params: msgspec.Raw, connection: Connection) -> PortReport | None:
        """Return a report on the holder of a port; None when the port is free."""
        port = msgspec.json.decode(params, type=PortParams).port
        protected = (connection.pid,) if connection.pid else ()
        return await asyncio.to_thread(who, port, self._stage.root, protected=protected)

    async def inspect(self, params: msgspec.Raw, _connection: Connection) -> Inspection:
        """Return the environment of a service, and which values have changed since it was started."""
        name = msgspec.json.decode(params, type=ServiceParams).service
        await self._configuration.ensure(self._stage.caller, None)
        runners, stage = await self._configuration.asked_about([name])
        chosen = one_named(name, stage.project)
        from devinit.supervisor.reporting.inspection import (
            inspect,  # only the page of details needs it
        )

        return inspect(runners[chosen], stage)

    async def ports(self, _params: msgspec.Raw, _connection: Connection) -> list[OwnPort]:
        """Return every port of the project, with the holder in the way of each one that moved."""
        from devinit.supervisor.orders import port_actions  # as above

        await self._configuration.ensure(self._stage.caller, None)
        return await asyncio.to_thread(port_actions.rows, dict(self._stack.runners), self._stage)

    async def choose_port(self, params: msgspec.Raw, _connection: Connection) -> dict[str, int]:
        """Record another port for the next start of a service; return it."""
        from devinit.supervisor.orders import port_actions  # as above

        asked = msgspec.json.decode(params, type=ChooseParams)
        await self._configuration.ensure(self._stage.caller, None)
        _, stage = await self._configuration.asked_about([service_of(asked.service)])
        chosen = await asyncio.to_thread(port_actions.choose, stage, asked.service, asked.port)
        return {"port": chosen}

    async def forget_ports(self, params: msgspec.Raw, _connection: Connection) -> dict[str, int]:
        """Make the preferred ports apply again; return the remembered ones."""
        from devinit.supervisor.orders import port_actions  # as above

        names = msgspec.json.decode(params, type=ServicesParams).services
        await self._configuration.ensure(self._stage.caller, None)
        _, stage = await self._configuration.asked_about(service_of(name) for name in names)
        return await asyncio.to_thread(port_actions.forget, stage, names)

    async def free_port(self, params: msgspec.Raw, connection: Connection) -> Any:
        """End the processes that were shown as holders of a port, where that is safe."""
        from devinit.supervisor.orders import port_actions  # as above

        asked = msgspec.json.decode(params, type=FreeParams)
        # The client must not be killed by its own order.
        protected = (connection.pid,) if connection.pid else ()
        say = from_thread(self._stage.note)
        return await asyncio.to_thread(
            port_actions.free_port, self._stage, asked.port, asked.holders, protected, say
        )

    async def subscribe(self, _params: msgspec.Raw, connection: Connection) -> msgspec.Raw:
        """Return the status, and send every event from now on."""
        broadcaster = self._stage.broadcaster
        broadcaster.add(connection.tell)
        connection.on_close(lambda: broadcaster.remove(connection.tell))
        for _ in range(MOST_ATTEMPTS):
            told = broadcaster.told
            answer = await self.status(msgspec.Raw(b"{}"), connection)
            if broadcaster.told == told:
                break
            # The client has had an event that may be newer than this answer, and would believe the answer.
        return answer

    async def _configured(self) -> None:
        """Read the configuration if there are no services yet; otherwise wait for no running stop or start."""
        if not self._stack.runners:
            await self._configuration.ensure(self._stage.caller, None)

    def _remember(self) -> None:
        """Put this checkout on the machine's list once the client has been answered."""
        loop = asyncio.get_running_loop()
        write = partial(remember, self._stage.root, self._stage.project.name)
        loop.call_soon(loop.run_in_executor, None, write)

    @contextmanager
    def _telling(self, connection: Connection) -> Iterator[None]:
        """Send a client every event while its request is carried out."""
        broadcaster = self._stage.broadcaster
        broadcaster.add(connection.tell)
        try:
            yield
        finally:
            broadcaster.remove(connection.tell)

    def _measure(self, runner: Runner, table: ProcessTable) -> tuple[Usage, float | None] | None:
        """Return the usage of a service, and its share of a CPU since the last measurement, in percent."""
        if runner.run.process is None:
            return None
        usage = used_by(runner, self._stage, table)
        now, before = time.monotonic(), self._measured.get(runner.name)
        self._measured[runner.name] = (now, usage.cpu_seconds)
        if before is None or now <= before[0]:
            return usage, None
        return usage, round(max(0.0, usage.cpu_seconds - before[1]) / (now - before[0]) * 100, 1)


METHODS: dict[str, Method] = {
    "ping": Handlers.ping,
    "status": Handlers.status,
    "start": Handlers.start,
    "restart": Handlers.restart,
    "stop": Handlers.stop,
    "environment": Handlers.environment,
    "command": Handlers.command,
    "why": Handlers.why,
    "check": Handlers.check,
    "wait": Handlers.wait,
    "events": Handlers.events,
    "confirm": Handlers.confirm,
    "input": Handlers.input,
    "who": Handlers.who,
    "inspect": Handlers.inspect,
    "ports": Handlers.ports,
    "choose_port": Handlers.choose_port,
    "forget_ports": Handlers.forget_ports,
    "free_port": Handlers.free_port,
    "subscribe": Handlers.subscribe,
}

ORDERS = frozenset({"start", "restart", "stop", "choose_port", "forget_ports", "free_port"})
"""Methods that are carried out even if their client has gone away; the others are questions."""


def encoded(status: ProjectStatus) -> msgspec.Raw:
    """Return a status, encoded once for the answers to all clients that asked."""
    return msgspec.Raw(encoder.encode(status))
