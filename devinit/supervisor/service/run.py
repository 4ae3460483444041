"""The processes of one service: those of its current run, or of its last one, and what they were started with."""

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
    """What runs of a service: on record, adopted by the next supervisor, and reported."""

    def __init__(self, name: str, stage: ProjectState) -> None:
        self.process: Process | None = None
        self.identity: ProcessIdentity | None = None
        """Of the process that runs, or ran last: what it left behind is found by it."""
        self.spawned: ProcessIdentity | None = None
        """The process that was started last here; another one runs when that left a server behind."""
        self.listener: int | None = None
        """The process that was found listening on its port."""
        self.started_at: float | None = None
        """Unix time at which the process started."""
        self.published_addresses: Mapping[str, str] = {}
        """The addresses of all services as its process was given them."""
        self.basis: Basis | None = None
        """What its process was started with, beside its own configuration."""
        self.page_asked_of: ProcessIdentity | None = None
        """The process that was asked for its first page last: what that needs is compiled once."""
        self.spared: set[ProcessIdentity] = set()
        """What was started from it and left running when it ended: a person works in it."""
        self.withstood: frozenset[int] = frozenset()
        """Pids that no signal has ended, of the last attempt."""
        self._name, self._stage = name, stage
        self.terminal = RunTerminal(name, stage, lambda: self.process)

    async def spawn(
        self, service: Service, spec: ProcessSpec, output: Output, ended: Callable[[Process], None]
    ) -> None:
        """Start the process of a service, with its output in the log; `ended` is called once when it ends.

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
        """Look after a process: one that was started, was found in the background, or is taken over."""
        self.process, self.identity = process, process.identity
        asyncio.get_running_loop().add_reader(process.fileno(), ended, process)

    def expect_end(self) -> None:
        """Take the end of the process for asked for from here on: it is no event."""
        if self.process is not None:
            asyncio.get_running_loop().remove_reader(self.process.fileno())

    def forget(self) -> None:
        """Let go of a process that has ended."""
        if self.process is not None:
            self.expect_end()
            self.process.returncode()
            self.process.close()
            self.process = None
            remove_pid_file(self._stage.private, self._name)

    def pids(self, table: ProcessTable | None = None) -> list[int]:
        """Return every process of the service; `table` saves a walk through /proc where several are asked."""
        members = (table or ProcessTable()).members_of(self.identity, self._stage.marker(self._name))
        return [member.pid for member in members]
