"""The gateway as a whole: it combines its parts, and ends after the last project has left."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from devinit.control.gateway import Known, known, record
from devinit.control.greeting import greeting_of
from devinit.control.messages import ServicesParams
from devinit.control.server import Connection, Server, UnknownMethod, bind_private
from devinit.gateway.caddy.keeper import FOLDED_SECONDS, Keeper
from devinit.gateway.caddy.routes import Places, configuration, hosts_of, upstreams_of
from devinit.gateway.listening import Listening, listen
from devinit.gateway.projects import REJOIN_SECONDS, Joining, Projects, Withdrawn
from devinit.gateway.web.answers import Answers
from devinit.gateway.web.http import LONGEST_HEAD, converse
from devinit.system.files import write_atomically
from devinit.system.paths import runtime_path

log = logging.getLogger(__name__)

UNWANTED_SECONDS = 10.0
"""How long a gateway waits for the first project."""
AFTER_LAST_SECONDS = 1.0
"""How long it stays after the last project has left: a restart of everything leaves none for a moment."""


class Gateway:
    """The gateway: the projects, their sockets, and Caddy."""

    def __init__(self, folder: Path, program: str) -> None:
        self._folder = folder
        self.leaving = asyncio.Event()
        self._before = known()
        self._projects = Projects(self._has_changed)
        self._keeper = Keeper(program, folder, runtime_path("caddy.sock"), self._listen, self._write_record)
        self._answers = Answers(self._projects, secrets.token_hex(4), self._keeper.admin_socket)
        self._socket, self._web = Path(runtime_path("gateway.sock")), Path(runtime_path("gateway-web.sock"))
        self._server = Server(self._socket, self._handle, self._look_whether_wanted, greeting_of(folder))
        self._upstreams, self._said = folder / "upstreams", dict[str, str]()
        self._awaited = self._before.labels if self._before is not None else ()
        """Labels of the projects of a killed gateway that have not joined again yet."""
        self._is_new = True
        """Whether no configuration has been given to Caddy yet."""
        self._planned: asyncio.TimerHandle | None = None
        self._end: asyncio.TimerHandle | None = None

    async def begin(self) -> None:
        """Listen. From now on, connections of browsers wait until Caddy runs."""
        if self._keeper.adopt(self._before) and self._before is not None:
            self._projects.port = self._before.port
        else:
            self._projects.port = self._keeper.take_port().port
        self._upstreams.mkdir(mode=0o700, exist_ok=True)
        self._web.unlink(missing_ok=True)
        self._web_server = await asyncio.start_unix_server(
            lambda reader, writer: converse(reader, writer, self._answers.answer),
            sock=bind_private(self._web),
            limit=LONGEST_HEAD,
        )
        await self._server.listen()
        self._write_record()
        asyncio.get_running_loop().call_later(REJOIN_SECONDS, self._go_on)
        self._has_changed()
        self._end = asyncio.get_running_loop().call_later(UNWANTED_SECONDS, self._leave_if_unwanted)

    async def run(self) -> None:
        """Serve until no project is left, or a signal ends the gateway."""
        keeping = asyncio.create_task(self._keeper.run())
        leaving = asyncio.create_task(self.leaving.wait())
        try:
            await asyncio.wait((keeping, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._server.stop_listening()
            self._server.hang_up()
            self._web_server.close()
            await self._keeper.end()
            self._web.unlink(missing_ok=True)
            self._awaited = ()
            self._write_record()
            keeping.cancel()
            leaving.cancel()
        if keeping.done() and not keeping.cancelled():
            keeping.result()

    # Requests of projects

    async def _handle(self, method: str, params: msgspec.Raw, connection: Connection) -> Any:
        """Answer a request of a supervisor or a command. Any: each method has its own answer."""
        match method:
            case "join":
                return await self._join(msgspec.json.decode(params, type=Joining), connection)
            case "withdraw":
                return self._withdraw(msgspec.json.decode(params, type=Withdrawn))
            case "status":
                msgspec.json.decode(params, type=ServicesParams)
                return self._status()
        raise UnknownMethod(method)

    async def _join(self, joining: Joining, connection: Connection) -> dict[str, int]:
        joined = await self._projects.join(joining)
        connection.on_close(lambda: self._projects.part(joined))
        if self._end is not None:
            self._end.cancel()
            self._end = None
        self._write_record()
        return {"port": self._projects.port, "pid": os.getpid()}

    def _withdraw(self, asked: Withdrawn) -> dict[str, bool]:
        """Hold requests to services from now on."""
        if (joined := self._projects.called(asked.label)) is None:
            return {"withdrawn": False}
        joined.withdraw(asked.services)
        self._say_where()
        return {"withdrawn": True}

    def _status(self) -> dict[str, Any]:
        """Return the data of `devinit gateway status --json`. Any: values of several kinds."""
        return {
            "pid": os.getpid(),
            "caddy": self._keeper.pid or None,
            "caddy_starts": self._keeper.starts,
            "port": self._projects.port,
            "held": self._answers.held,
            "streams": self._answers.streams,
            "projects": [
                {
                    "project": each.joining.project,
                    "label": each.joining.label,
                    "root": each.joining.root,
                    "hosts": hosts_of(each.targets),
                    "services": each.services,
                }
                for each in self._projects.all()
            ],
        }

    # Reactions to changes

    def _has_changed(self) -> None:
        """Schedule a new configuration for Caddy, and the end of the gateway if no project is left."""
        if self._planned is None:
            self._planned = asyncio.get_running_loop().call_later(FOLDED_SECONDS, self._configure)
        self._look_whether_wanted()

    def _go_on(self) -> None:
        """Stop waiting for projects of the previous gateway that have not joined again."""
        self._awaited, self._is_new = (), False
        self._has_changed()

    def _configure(self) -> None:
        self._planned = None
        if self._is_new and not self._are_all_known():
            return  # requests wait, or an adopted Caddy continues with its configuration
        self._awaited, self._is_new = (), False
        places = Places(
            listens_on=self._keeper.listens_on,
            admin=self._keeper.admin_socket,
            web=str(self._web),
            storage=str(self._folder / "caddy"),
            upstreams=str(self._upstreams),
        )
        self._say_where()
        self._keeper.want(configuration(self._projects.targets(), places))

    def _say_where(self) -> None:
        """Write the address of each service to its file, which Caddy reads for each request."""
        said = upstreams_of(self._projects.targets())
        for name, text in said.items():
            if self._said.get(name) != text:
                write_atomically(self._upstreams / name, text, mode=0o600, durable=False)
        for name in self._said.keys() - said.keys():
            (self._upstreams / name).unlink(missing_ok=True)
        self._said = said

    def _are_all_known(self) -> bool:
        """Whether the status of every project is known: before that, the first requests would find no service."""
        labels = [each.joining.label for each in self._projects.all()]
        return bool(labels) and self._projects.are_known({*self._awaited, *labels})

    def _look_whether_wanted(self) -> None:
        """Schedule the end of the gateway if no project is left; other connections do not delay it."""
        if not self._projects.all() and self._end is None:
            self._end = asyncio.get_running_loop().call_later(AFTER_LAST_SECONDS, self._leave_if_unwanted)

    def _leave_if_unwanted(self) -> None:
        self._end = None
        if not self._projects.all():
            self.leaving.set()

    def _listen(self) -> Listening:
        """Listen on the remembered port, or else on another one, and reconfigure Caddy with the new sockets."""
        listening = listen(self._folder, self._projects.port or (self._before.port if self._before else None))
        if self._projects.port and listening.port != self._projects.port:
            # The port was taken while Caddy was down. Projects learn the new one when they join again.
            log.warning("port %s was taken meanwhile: %s", self._projects.port, listening.port)
            self._projects.port = listening.port
            self._server.hang_up()
        self._has_changed()
        return listening

    def _write_record(self) -> None:
        record(
            Known(
                port=self._projects.port,
                socket=str(self._socket),
                web=str(self._web),
                admin=self._keeper.admin_socket,
                caddy=self._keeper.pid,
                listens_on=self._keeper.listens_on,
                labels=tuple(each.joining.label for each in self._projects.all()) or self._awaited,
            )
        )


Ready = Callable[[], None]


async def serve(
    folder: Path, program: str, ready: Ready, on_end: Callable[[Callable[[], None]], None]
) -> None:
    """Run the gateway. `ready` is called when projects can join; `on_end` receives the function that ends it."""
    gateway = Gateway(folder, program)
    on_end(gateway.leaving.set)
    await gateway.begin()
    ready()
    log.info("gateway (pid %s) listens", os.getpid())
    await gateway.run()
    log.info("gateway ends")
