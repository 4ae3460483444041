"""Managers that come with a distribution: s6 and runit."""

from __future__ import annotations

import shlex
import shutil
import signal
import subprocess
from abc import abstractmethod
from collections.abc import Sequence

from peers.installing import from_the_system
from peers.peer import Peer, Service


class _Scanned(Peer):
    """A manager that runs each service folder below one folder."""

    def configure(self, services: Sequence[Service]) -> None:
        """Write a folder with a `run` script for each service."""
        self.scanned = self.folder / "services"
        shutil.rmtree(self.scanned, ignore_errors=True)
        self.names = [service.name for service in services]
        for service in services:
            folder = self.scanned / service.name
            folder.mkdir(parents=True)
            script = folder / "run"
            script.write_text(f"#!/bin/sh\nexec {shlex.join(service.argv)}\n")
            script.chmod(0o755)

    @abstractmethod
    def start(self) -> None:
        """Start the scanner in the foreground."""


class S6(_Scanned):
    """s6-svscan, with no logger."""

    name = "s6"

    def install(self) -> str:
        """Find it: it is a package of the distribution's."""
        self.server = from_the_system("s6-svscan", "s6")
        return _debian_version("s6")

    def start(self) -> None:
        """Start the scanner."""
        self.begin(self.server, "services")

    def stop(self) -> None:
        """Ask the scanner to end all, and wait until it has."""
        self.run("s6-svscanctl", "-t", self.scanned)
        self.end()

    def status(self) -> None:
        """`s6-svstat` of each one: there is no command for all."""
        for name in self.names:
            self.run("s6-svstat", self.scanned / name)

    def restart(self, name: str) -> None:
        """`s6-svc -r`."""
        self.run("s6-svc", "-r", self.scanned / name)


class Runit(_Scanned):
    """runsvdir, with no logger."""

    name = "runit"

    def install(self) -> str:
        """Find it: it is a package of the distribution's."""
        self.server = from_the_system("runsvdir", "runit")
        return _debian_version("runit")

    def start(self) -> None:
        """Start the scanner."""
        self.begin(self.server, "services")

    def stop(self) -> None:
        """Tell it to end with everything, and wait until it has."""
        self.end(signal.SIGHUP)

    def status(self) -> None:
        """`sv status`."""
        self.run("sv", "status", *(self.scanned / name for name in self.names), check=False)

    def restart(self, name: str) -> None:
        """`sv restart`."""
        self.run("sv", "restart", self.scanned / name)


def _debian_version(package: str) -> str:
    told = subprocess.run(
        ["dpkg-query", "--show", "--showformat", "${Version}", package],
        capture_output=True,
        text=True,
        check=False,
    )
    return told.stdout or "?"
