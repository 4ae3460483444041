"""Managers that npm installs: pm2, concurrently, mprocs."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import shlex
import struct
import subprocess
import termios
import threading
from collections.abc import Mapping, Sequence

from peers.installing import from_npm, version_of
from peers.peer import PATIENCE_SECONDS, Peer, Service


class Pm2(Peer):
    """pm2 with a daemon of its own."""

    name = "pm2"

    @property
    def environment(self) -> Mapping[str, str]:
        """With a home of its own, so that a pm2 of the user's is not touched."""
        return {**super().environment, "PM2_HOME": str(self.folder / "pm2")}

    def install(self) -> str:
        """Install it from npm."""
        self.command = from_npm(self.programs, "pm2", "pm2")
        package = self.programs / "node" / "node_modules" / "pm2" / "package.json"
        version: str = json.loads(package.read_text())["version"]
        return version

    def configure(self, services: Sequence[Service]) -> None:
        """Write an ecosystem file."""
        apps = [
            {
                "name": service.name,
                "script": service.argv[0],
                "args": list(service.argv[1:]),
                "interpreter": "none",
                "exec_mode": "fork",
            }
            for service in services
        ]
        (self.folder / "ecosystem.config.cjs").write_text(f"module.exports = {json.dumps({'apps': apps})}\n")

    def start(self) -> None:
        """`pm2 start`, which starts the daemon as well."""
        self.run(self.command, "start", "ecosystem.config.cjs")

    def stop(self) -> None:
        """`pm2 kill`: all applications and the daemon."""
        self.run(self.command, "kill")

    def status(self) -> None:
        """`pm2 list`."""
        self.run(self.command, "list")

    def restart(self, name: str) -> None:
        """`pm2 restart`."""
        self.run(self.command, "restart", name)


class Concurrently(Peer):
    """concurrently, which restarts nothing unless it is asked to; then it also restarts what its own end kills."""

    name = "concurrently"
    restarts_crashed = has_status = has_restart = False

    def install(self) -> str:
        """Install it from npm."""
        self.command = from_npm(self.programs, "concurrently", "concurrently")
        return version_of(self.command, "--version")

    def configure(self, services: Sequence[Service]) -> None:
        """Keep the command lines: there is no file for them."""
        self.commands = [shlex.join(service.argv) for service in services]

    def start(self) -> None:
        """Start all in the foreground."""
        self.begin(self.command, *self.commands)

    def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        self.end()


class Mprocs(Peer):
    """mprocs on a terminal that is read all the time, since it draws there."""

    name = "mprocs"
    settings = "autorestart"
    has_status = False

    def install(self) -> str:
        """Install it from npm."""
        self.command = from_npm(self.programs, "mprocs", "mprocs")
        return version_of(self.command, "--version")

    def configure(self, services: Sequence[Service]) -> None:
        """Write mprocs.json, with the remote control switched on."""
        self.names = [service.name for service in services]
        self.server = f"127.0.0.1:{services[0].port - 1}"
        processes = {service.name: {"cmd": list(service.argv), "autorestart": True} for service in services}
        (self.folder / "mprocs.json").write_text(json.dumps({"server": self.server, "procs": processes}))

    def start(self) -> None:
        """Start it on a terminal of 80 by 24."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.foreground = subprocess.Popen(
            [str(self.command), "--config", "mprocs.json"],
            cwd=self.folder,
            env={**self.environment, "TERM": "xterm-256color"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        threading.Thread(target=_drain, args=(ours,), daemon=True).start()

    def stop(self) -> None:
        """Tell it to quit, and wait until it has."""
        self._control({"c": "quit"})
        if self.foreground is not None:
            self.foreground.wait(PATIENCE_SECONDS)
            self.foreground = None

    def restart(self, name: str) -> None:
        """Select the process, and restart it."""
        self._control(
            {
                "c": "batch",
                "cmds": [{"c": "select-proc", "index": self.names.index(name)}, {"c": "restart-proc"}],
            }
        )

    def _control(self, order: dict[str, object]) -> None:
        self.run(self.command, "--server", self.server, "--ctl", json.dumps(order))


def _drain(terminal: int) -> None:
    try:
        while os.read(terminal, 65_536):
            pass
    except OSError:  # the other end is closed
        os.close(terminal)
