"""The whole terminal for one service: `devinit attach`, in a process of its own that cannot harm the dashboard."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from devinit.system import terminal
from devinit.system.import_path import options


def attach(root: Path, service: str) -> None:
    """Run `devinit attach` until it detaches. What it says of an error stays until Enter is pressed."""
    command = [sys.executable, *options(), "-m", "devinit", "-C", str(root), "attach", service]
    # Before it reads the keys, Ctrl-C at the terminal reaches both: it ends the attachment alone.
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        if subprocess.call(command) != 0:
            terminal.prompt(sys.stderr, "Enter goes back to the dashboard ")
            sys.stdin.readline()
    finally:
        signal.signal(signal.SIGINT, before)
