"""Keep one Caddy running, with the current configuration.

The gateway owns the sockets: while no Caddy runs, connections wait in them, and the next Caddy answers. A Caddy
outlives a killed gateway, continues to serve, and is adopted by the next gateway.
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
"""A Caddy that ran this long is restarted without a pause."""
LONGEST_PAUSE = 5.0
UP_SECONDS = 10.0
LOOK_SECONDS = 0.01
END_SECONDS = 0.5
"""How long Caddy may take to end: on its own, it would wait for every open stream."""
FOLDED_SECONDS = 0.002
"""Changes within this time are sent to Caddy as one configuration."""

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
        """Called when a new Caddy runs."""
        self.pid = 0
        self.listening: Listening | None = None
        self.listens_on: tuple[str, ...] = ()
        self.starts = 0
        """Number of times that Caddy was started."""
        self._wanted: Json | None = None
        self._loaded: Json | None = None
        self._changed, self._gone = asyncio.Event(), asyncio.Event()
        self._adopted: ProcessIdentity | None = None
        self._ending = False

    def adopt(self, known: Known | None) -> bool:
        """Adopt the Caddy of a killed gateway; return whether there is one."""
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
        """Return the sockets for Caddy; open them at the first call."""
        if self.listening is None:
            self.listening = self._listen()
            self.listens_on = tuple(f"fd/{each}" for each in self.listening.descriptors)
        return self.listening

    def want(self, configuration: Json) -> None:
        """Set the configuration, which Caddy gets as soon as possible."""
        self._wanted = configuration
        self._changed.set()

    async def run(self) -> None:
        """Keep Caddy running until `end` is called."""
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
        """End Caddy, and close the sockets."""
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
        """Send Caddy every new configuration until it has ended."""
        feeding = asyncio.ensure_future(self._feed())
        try:
            await asyncio.wait((ended, feeding), return_when=asyncio.FIRST_COMPLETED)
            if not ended.done() and not self._ending:
                # Caddy did not accept its configuration, and is useless in this state.
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
        """Send Caddy a configuration; wait if it does not listen yet."""
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
