"""Managers that are compiled here: process-compose and overmind from Go, pitchfork from Rust."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import ClassVar

from peers.installing import from_cargo, from_go, version_of
from peers.peer import Peer, Service


class ProcessCompose(Peer):
    """process-compose; a service is ready as soon as its process runs, unless a log line says so."""

    name = "process-compose"
    settings = "ready_log_line"
    has_order = True

    def install(self) -> str:
        """Compile it."""
        self.command = from_go(self.programs, "github.com/f1bonacc1/process-compose", "process-compose")
        return version_of(self.command, "version", "--short")

    def configure(self, services: Sequence[Service]) -> None:
        """Write process-compose.yaml, which may be JSON."""
        processes = {
            service.name: {
                "command": shlex.join(service.argv),
                "ready_log_line": "listening",
                "availability": {"restart": "always", "backoff_seconds": 1},
                "depends_on": {name: {"condition": "process_log_ready"} for name in service.needs},
            }
            for service in services
        }
        (self.folder / "process-compose.yaml").write_text(
            json.dumps({"version": "0.5", "processes": processes})
        )

    def start(self) -> None:
        """`up` in the background."""
        self._run("up", "--detached", "--config", "process-compose.yaml")

    def stop(self) -> None:
        """`down`."""
        self._run("down")

    def status(self) -> None:
        """`process list`."""
        self._run("process", "list")

    def restart(self, name: str) -> None:
        """`process restart`."""
        self._run("process", "restart", name)

    def _run(self, *words: str) -> None:
        self.run(self.command, "--unix-socket", self.folder / "s", *words)


class Overmind(Peer):
    """overmind, each process in a window of tmux."""

    name = "overmind"

    def install(self) -> str:
        """Compile it."""
        self.command = from_go(self.programs, "github.com/DarthSim/overmind/v2", "overmind")
        return version_of(self.command, "--version")

    def configure(self, services: Sequence[Service]) -> None:
        """Write a Procfile."""
        (self.folder / "Procfile").write_text(
            "".join(f"{service.name}: exec {shlex.join(service.argv)}\n" for service in services)
        )

    def start(self) -> None:
        """Start all as a daemon; a process that ends is started again."""
        self.run(self.command, "start", "--daemonize", "--auto-restart", "all", "--socket", "s")

    def stop(self) -> None:
        """`quit`."""
        self.run(self.command, "quit", "--socket", "s")

    def status(self) -> None:
        """`ps`."""
        self.run(self.command, "ps", "--socket", "s")

    def restart(self, name: str) -> None:
        """`restart`."""
        self.run(self.command, "restart", "--socket", "s", name)


class Pitchfork(Peer):
    """pitchfork; a daemon is ready once its port accepts."""

    name = "pitchfork"
    settings = "ready_port"
    has_order = True
    retry: ClassVar[int] = 1_000

    @property
    def environment(self) -> Mapping[str, str]:
        """With state of its own."""
        return {
            **super().environment,
            "XDG_STATE_HOME": str(self.folder),
            "PITCHFORK_STATE_DIR": str(self.folder),
        }

    def install(self) -> str:
        """Compile it."""
        self.command = from_cargo(self.programs, "pitchfork-cli", "pitchfork")
        return version_of(self.command, "--version")

    def configure(self, services: Sequence[Service]) -> None:
        """Write pitchfork.toml."""
        (self.folder / "pitchfork.toml").write_text(
            "".join(
                f"[daemons.{service.name}]\nrun = {json.dumps(shlex.join(service.argv))}\n"
                f"ready_port = {service.port}\nretry = {self.retry}\ndepends = {json.dumps(list(service.needs))}\n"
                for service in services
            )
        )

    def start(self) -> None:
        """`start --all`, which starts the supervisor as well."""
        self.run(self.command, "start", "--all")

    def stop(self) -> None:
        """Stop all daemons, then the supervisor."""
        self.run(self.command, "stop", "--all")
        self.run(self.command, "supervisor", "stop")

    def status(self) -> None:
        """`list`."""
        self.run(self.command, "list")

    def restart(self, name: str) -> None:
        """`restart`."""
        self.run(self.command, "restart", name)
