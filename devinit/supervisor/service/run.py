"""The processes of one service in its current or last run, and the conditions under which they were started."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Mapping

from devinit.model.process import ProcessIdentity, ProcessSpec
from devinit.model.service import Service
from devinit.supervisor.processes.pid_files import remove_pid_file, write_pid_file
from devinit.supervisor.project.drift import Basis, basis_of
from devinit.supervisor.project.project_state import ProjectState
from devinit.supervisor.service.output import Output
from devinit.supervisor.service.run_terminal import RunTerminal
from devinit.system.processes import Process, ProcessTable, spawn
from devinit.system.standard_input import silent_input


class Run:
    """The current or last run of a service. It is recorded, adopted by the next supervisor, and reported."""

    def __init__(self, name: str, stage: ProjectState) -> None:
        self.process: Process | None = None
        self.identity: ProcessIdentity | None = None
        """The process that runs or ran last; the processes that it left behind are found by it."""
        self.spawned: ProcessIdentity | None = None
        """The process that was last started here. If it left a server behind, `process` is another one."""
        self.listener: int | None = None
        """The process that was found listening on the port."""
        self.started_at: float | None = None
        """Unix time at which the process started."""
        self.published_addresses: Mapping[str, str] = {}
        """The addresses of all services, as given to the process."""
        self.basis: Basis | None = None
        """The inputs of the start besides the service's own configuration."""
        self.page_asked_of: ProcessIdentity | None = None
        """The process that last got a request for its first page, which it compiles only once."""
        self.spared: set[ProcessIdentity] = set()
        """Descendants that were left running at the end because the user works in them."""
        self.withstood: frozenset[int] = frozenset()
        """The pids that no signal ended at the last attempt."""
        self._name, self._stage = name, stage
        self.terminal = RunTerminal(name, stage, lambda: self.process)

    async def spawn(
        self, service: Service, spec: ProcessSpec, output: Output, ended: Callable[[Process], None]
    ) -> None:
        """Start the process of a service with its output in the log; call `ended` once when it ends.

        Raise ServiceError when it cannot be started.
        """
        stage = self._stage
        port = stage.ports.port_of(self._name)
        descriptor = stage.logs.open(service)
        try:
            title = f"{self._name} starts" + (f" on port {port}" if port is not None else "")
            output.begins(stage.logs.mark(self._name, descriptor, title))
            self.terminal.forget()
            keep = stage.ports.lease_descriptors(self._name)
            if service.tty or self.terminal.is_lent:
                process = await self.terminal.spawn(spec, descriptor, keep)
            else:
                with silent_input() as stdin:
                    process = spawn(spec, output=descriptor, stdin=stdin, keep=keep)
        finally:
            os.close(descriptor)
        self.started_at, self.published_addresses = time.time(), stage.addresses()
        self.basis = basis_of(service, stage.project, stage.given.env_files_of(service))
        self.spawned = process.identity
        self.follow(process, ended)
        write_pid_file(stage.private, self._name, process.pid)

    def follow(self, process: Process, ended: Callable[[Process], None]) -> None:
        """Follow a process that was started, found in the background, or taken over."""
        self.process, self.identity = process, process.identity
        asyncio.get_running_loop().add_reader(process.fileno(), ended, process)

    def expect_end(self) -> None:
        """Treat the end of the process as expected from now on: it causes no event."""
        if self.process is not None:
            asyncio.get_running_loop().remove_reader(self.process.fileno())

    def forget(self) -> None:
        """Release a process that has ended."""
        if self.process is not None:
            self.expect_end()
            self.process.returncode()
            self.process.close()
            self.process = None
            remove_pid_file(self._stage.private, self._name)

    def pids(self, table: ProcessTable | None = None) -> list[int]:
        """Return the pids of all processes of the service.

        Passing a `table` saves a walk through /proc when several services are queried.
        """
        members = (table or ProcessTable()).members_of(self.identity, self._stage.marker(self._name))
        return [member.pid for member in members]
