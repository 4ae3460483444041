"""Managers that are written in Python: supervisord, circus, honcho."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import ClassVar

from peers.installing import from_pypi, version_of
from peers.peer import Peer, Service


class Supervisord(Peer):
    """supervisord as its manual shows it."""

    name = "supervisord"
    startsecs: ClassVar[int] = 1

    def install(self) -> str:
        """Install it from PyPI."""
        self.server = from_pypi(self.programs, "supervisor", "supervisord")
        self.client = self.server.with_name("supervisorctl")
        return version_of(self.server, "--version")

    def configure(self, services: Sequence[Service]) -> None:
        """Write supervisord.conf."""
        programs = "".join(
            f"[program:{service.name}]\ncommand={shlex.join(service.argv)}\nstartsecs={self.startsecs}\n"
            for service in services
        )
        (self.folder / "supervisord.conf").write_text(
            f"[supervisord]\nlogfile=%(here)s/log\npidfile=%(here)s/pid\nchildlogdir=%(here)s\n"
            f"[unix_http_server]\nfile=%(here)s/s\n[supervisorctl]\nserverurl=unix://%(here)s/s\n"
            f"[rpcinterface:supervisor]\n"
            f"supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n{programs}"
        )

    def start(self) -> None:
        """Start the server, in the foreground of its own so that its end is seen."""
        self.begin(self.server, "-n", "-c", "supervisord.conf")

    def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        self.end()

    def status(self) -> None:
        """`supervisorctl status`."""
        self.run(self.client, "-c", "supervisord.conf", "status", check=False)

    def restart(self, name: str) -> None:
        """`supervisorctl restart`."""
        self.run(self.client, "-c", "supervisord.conf", "restart", name)


class QuickSupervisord(Supervisord):
    """supervisord that takes a program that was spawned for a running one."""

    settings = "startsecs=0"
    startsecs = 0


class Circus(Peer):
    """circus, whose arbiter looks at its processes in intervals."""

    name = "circus"
    check_delay: ClassVar[float] = 5

    def install(self) -> str:
        """Install it from PyPI."""
        self.server = from_pypi(self.programs, "circus", "circusd")
        self.client = self.server.with_name("circusctl")
        return version_of(self.server, "--version")

    def configure(self, services: Sequence[Service]) -> None:
        """Write circus.ini."""
        self.endpoint = f"ipc://{self.folder}/e"
        watchers = "".join(
            f"[watcher:{service.name}]\ncmd = {shlex.join(service.argv)}\ncopy_env = True\n"
            for service in services
        )
        (self.folder / "circus.ini").write_text(
            f"[circus]\nendpoint = {self.endpoint}\npubsub_endpoint = ipc://{self.folder}/p\n"
            f"check_delay = {self.check_delay}\n{watchers}"
        )

    def start(self) -> None:
        """Start the arbiter."""
        self.begin(self.server, "circus.ini")

    def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        self.end()

    def status(self) -> None:
        """`circusctl status`."""
        self.run(self.client, "--endpoint", self.endpoint, "status")

    def restart(self, name: str) -> None:
        """`circusctl restart`."""
        self.run(self.client, "--endpoint", self.endpoint, "restart", name)


class QuickCircus(Circus):
    """circus that looks ten times a second."""

    settings = "check_delay=0.1"
    check_delay = 0.1


class Honcho(Peer):
    """honcho, which ends everything as soon as one process ends."""

    name = "honcho"
    restarts_crashed = has_status = has_restart = False

    def install(self) -> str:
        """Install it from PyPI."""
        self.command = from_pypi(self.programs, "honcho", "honcho")
        return version_of(self.command, "version")

    def configure(self, services: Sequence[Service]) -> None:
        """Write a Procfile."""
        (self.folder / "Procfile").write_text(
            "".join(f"{service.name}: {shlex.join(service.argv)}\n" for service in services)
        )

    def start(self) -> None:
        """Start all in the foreground."""
        self.begin(self.command, "start")

    def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        self.end()
