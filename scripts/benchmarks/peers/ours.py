"""devinit itself, and a shell that only starts programs: the two ends of the scale."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
from collections.abc import Mapping, Sequence

from measuring import DEVINIT

from peers.peer import Peer, Service


class Devinit(Peer):
    """The devinit of this checkout."""

    name = "devinit"
    has_order = True

    @property
    def environment(self) -> Mapping[str, str]:
        """With state and runtime folders of its own."""
        own = str(self.folder)
        return {**super().environment, "XDG_STATE_HOME": own, "XDG_RUNTIME_DIR": own}

    def install(self) -> str:
        """Return the version of this checkout."""
        return subprocess.run(
            [DEVINIT, "--version"], capture_output=True, text=True, check=True
        ).stdout.split()[-1]

    def configure(self, services: Sequence[Service]) -> None:
        """Write devinit.toml: each service is ready once its port accepts."""
        (self.folder / "devinit.toml").write_text(
            "".join(
                f"[services.{service.name}]\ncommand = {json.dumps(shlex.join(service.argv))}\n"
                f"port = {service.port}\nready = {{ tcp = true }}\n"
                f"depends_on = {json.dumps(list(service.needs))}\n"
                for service in services
            )
        )

    def start(self) -> None:
        """Start and wait until all are ready."""
        self.run(DEVINIT, "start", "--detach")

    def stop(self) -> None:
        """Stop all; the supervisor ends with them."""
        self.run(DEVINIT, "stop")

    def status(self) -> None:
        """Ask for the status."""
        self.run(DEVINIT, "status")

    def restart(self, name: str) -> None:
        """Restart and wait until it is ready."""
        self.run(DEVINIT, "restart", name)


class Bare(Peer):
    """No manager: fork and exec from one process, SIGKILL at the end. What nothing can beat."""

    name = "fork and exec"
    restarts_crashed = has_status = has_restart = False

    def install(self) -> str:
        """Nothing is needed."""
        return "-"

    def configure(self, services: Sequence[Service]) -> None:
        """Keep what is to be started."""
        self.services = services
        self.children: list[int] = []

    def start(self) -> None:
        """Spawn one after another."""
        environment = self.environment
        quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
        self.children = [
            os.posix_spawn(service.argv[0], list(service.argv), environment, file_actions=quiet)
            for service in self.services
        ]

    def stop(self) -> None:
        """End and reap all."""
        for pid in self.children:
            os.kill(pid, signal.SIGKILL)
        for pid in self.children:
            os.waitpid(pid, 0)
        self.children = []
