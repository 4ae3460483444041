"""`devinit dashboard --web`: reserve a port, print a link, and serve the dashboard until Ctrl-C."""

from __future__ import annotations

import asyncio
import socket
import sys
from pathlib import Path

from devinit.cli.output import talk
from devinit.errors import ConfigError, DevinitError, PortConflict, UsageError
from devinit.ports.granting.avoid import BROWSER_UNSAFE_PORTS
from devinit.ports.hold import Hold, Refusal, hold
from devinit.ports.holder.who import who
from devinit.system import terminal
from devinit.system.import_path import options
from devinit.text import one_line

LOOPBACK = "127.0.0.1"


def show_in_browser(root: Path, port: int | None, profile: str | None) -> None:
    """Print the link to the dashboard, and serve it until Ctrl-C."""
    try:
        # devinit may have been installed without these.
        from devinit.dashboard.web.door import Door
        from devinit.dashboard.web.server import serve
    except ModuleNotFoundError as error:
        from devinit.system.extras import command_for  # only for an error

        raise DevinitError(
            f"the dashboard in a browser needs textual-serve ({error.name} is not installed)",
            hint=command_for("web"),
        ) from error
    name = one_line(name_of(root, profile))
    listening, held = listen(port)
    with listening:
        try:
            door = Door(listening.getsockname()[1])
            terminal.data(f"{door.link}\n")  # including its token, without which it would not work
            talk(
                f"The dashboard of {name}: the link works once, on this machine. Ctrl-C ends it, no service."
            )
            command = (sys.executable, *options(), "-m", "devinit", "-C", str(root), "dashboard")
            asyncio.run(serve(listening, door, command, f"{name} · devinit", talk))
        finally:
            held.close()
    talk("the dashboard has ended, and no service with it; `devinit stop` ends them")


def name_of(root: Path, profile: str | None) -> str:
    """Return the name of the project for the page."""
    from devinit.config.load import load  # it may read the whole repository

    try:
        return load(root, profile=profile).name
    except ConfigError:
        return root.name  # the dashboard reports what is wrong with the file


def listen(port: int | None) -> tuple[socket.socket, Hold]:
    """Listen on loopback, on the requested port or a free one, which no other process has at any address."""
    if port in BROWSER_UNSAFE_PORTS:
        raise UsageError(
            f"browsers refuse to open port {port}", hint="choose another one, or leave --port away"
        )
    while True:
        number = port or kernel_choice()
        held = Refusal.FORBIDDEN if number in BROWSER_UNSAFE_PORTS else hold(number)
        if isinstance(held, Hold):
            return socket.create_server((LOOPBACK, number)), held
        if port is not None:
            report = who(port)
            said = f"is {report.summary}" if report is not None else "cannot be had"
            raise PortConflict(f"port {port} {said}", hint="choose another one, or leave --port away")


def kernel_choice() -> int:
    """Return a free port from the kernel's ephemeral range, in which no project prefers one."""
    with socket.socket() as attempt:
        attempt.bind((LOOPBACK, 0))
        number: int = attempt.getsockname()[1]
    return number
