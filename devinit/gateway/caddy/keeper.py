"""Keeps one Caddy running, with the configuration that counts now.

Its sockets are ours: while no Caddy runs, connections wait in them, and the next one answers. A Caddy outlives a
gateway that was killed, serves on, and is taken over by the next one.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from devinit.control.gateway import Known
from devinit.gateway.caddy import admin
from devinit.gateway.listening import Listening
from devinit.model.process import ProcessIdentity
from devinit.system.facts import identity_of
from devinit.system.process import Process

log = logging.getLogger(__name__)

STEADY_SECONDS = 5.0
"""One that ran this long is started again at once."""
LONGEST_PAUSE = 5.0
UP_SECONDS = 10.0
LOOK_SECONDS = 0.01
END_SECONDS = 0.5
"""How long Caddy may take to end: it would wait for every open stream."""
FOLDED_SECONDS = 0.002
"""Changes that come together are told to Caddy together."""

Json = dict[str, Any]
# Caddy's own format.


class Keeper:
    """The one Caddy of this gateway."""

    def __init__(
        self,
        program: str,
        folder: Path,
        admin_socket: str,
        listen: Callable[[], Listening],
        on_process: Callable[[], None],
    ) -> None:
        self._program, self._folder, self._listen = program, folder, listen
        self.admin_socket = admin_socket
        self._on_process = on_process
        """Called when another Caddy runs."""
        self.pid = 0
        self.listening: Listening | None = None
        self.listens_on: tuple[str, ...] = ()
        self.starts = 0
        """How often Caddy was started."""
        self._wanted: Json | None = None
        self._loaded: Json | None = None
        self._changed, self._gone = asyncio.Event(), asyncio.Event()
        self._adopted: ProcessIdentity | None = None
        self._ending = False

    def adopt(self, known: Known | None) -> bool:
        """Take over the Caddy of a gateway that was killed; return whether there is one."""
        if known is None or not known.caddy:
            return False
        pid, uid = admin.process_at(known.admin)
        if pid != known.caddy or uid != os.geteuid() or known.admin != self.admin_socket:
            return False
        if (identity := identity_of(pid)) is None:
            return False
        self._adopted, self.pid, self.listens_on = identity, pid, known.listens_on
        log.info("Caddy %s goes on", pid)
        return True

    def take_port(self) -> Listening:
        """Have sockets to give to a Caddy."""
        if self.listening is None:
            self.listening = self._listen()
            self.listens_on = tuple(f"fd/{each}" for each in self.listening.descriptors)
        return self.listening

    def want(self, configuration: Json) -> None:
        """Let this be the configuration from now on."""
        self._wanted = configuration
        self._changed.set()

    async def run(self) -> None:
        """Keep Caddy running until `end`."""
        pause, adopted = 0.0, self.pid != 0
        while not self._ending:
            began = time.monotonic()
            try:
                if adopted:
                    await self._serve_adopted()
                else:
                    await self._serve_own()
            except OSError as error:
                log.warning("Caddy cannot be started: %s", error)
            adopted, self.pid, self._loaded = False, 0, None
            if self._ending:
                self._gone.set()
                return
            log.warning("Caddy has ended, and is started again")
            pause = 0.0 if time.monotonic() - began > STEADY_SECONDS else min(LONGEST_PAUSE, pause * 2 + 0.05)
            await asyncio.sleep(pause)

    async def end(self) -> None:
        """End Caddy."""
        self._ending = True
        if self.pid:
            pid = self.pid
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
            try:
                async with asyncio.timeout(END_SECONDS):
                    await self._gone.wait()
            except TimeoutError:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        if self.listening is not None:
            self.listening.close()

    async def _serve_own(self) -> None:
        listening = self.take_port()
        storage = self._folder / "caddy"
        storage.mkdir(mode=0o700, exist_ok=True)
        while self._wanted is None:
            self._changed.clear()
            await self._changed.wait()
        configuration = self._wanted
        await asyncio.to_thread(Path(self.admin_socket).unlink, missing_ok=True)  # of one that was killed
        process = await asyncio.create_subprocess_exec(
            self._program,
            "run",
            "--config",
            "-",
            stdin=asyncio.subprocess.PIPE,
            stdout=sys.stderr.fileno(),
            pass_fds=(*listening.descriptors, listening.lease.fd),
            start_new_session=True,
            cwd="/",
            env={"HOME": str(storage)},
        )
        self.pid, self.starts = process.pid, self.starts + 1
        self._on_process()
        pipe = process.stdin
        assert pipe is not None  # noqa: S101  it was asked for
        with suppress(ConnectionError):
            pipe.write(json.dumps(configuration).encode())
            await pipe.drain()
        pipe.close()
        self._loaded = configuration
        await self._feed_while(asyncio.ensure_future(process.wait()))

    async def _serve_adopted(self) -> None:
        process = Process.open(self._adopted) if self._adopted is not None else None
        if process is None:
            return
        descriptor = process.fileno()
        loop, gone = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(descriptor, gone.set)
        try:
            await self._feed_while(asyncio.ensure_future(gone.wait()))
        finally:
            loop.remove_reader(descriptor)
            process.close()

    async def _feed_while(self, ended: asyncio.Future[Any]) -> None:  # Any: how it ended does not matter
        """Tell Caddy every new configuration until it has ended."""
        feeding = asyncio.ensure_future(self._feed())
        try:
            await asyncio.wait((ended, feeding), return_when=asyncio.FIRST_COMPLETED)
            if not ended.done() and not self._ending:
                # It did not take its configuration, and is of no use as it is.
                with suppress(ProcessLookupError):
                    os.kill(self.pid, signal.SIGKILL)
            await ended
        finally:
            feeding.cancel()
            await asyncio.wait([feeding])

    async def _feed(self) -> None:
        while True:
            self._changed.clear()
            if self._wanted is not None and self._wanted != self._loaded:
                configuration = self._wanted
                try:
                    await self._load(configuration)
                except admin.Refused as error:
                    log.error("Caddy refuses its configuration: %s", error)  # noqa: TRY400  its words say it
                    return
                except (OSError, TimeoutError) as error:
                    log.error("Caddy does not answer: %s", error)  # noqa: TRY400  as above
                    return
                self._loaded = configuration
                continue
            await self._changed.wait()

    async def _load(self, configuration: Json) -> None:
        """Tell a configuration to Caddy, which may be about to listen."""
        deadline = time.monotonic() + UP_SECONDS
        while True:
            try:
                await admin.load(self.admin_socket, configuration)
            except (ConnectionError, FileNotFoundError):
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(LOOK_SECONDS)
            else:
                return
