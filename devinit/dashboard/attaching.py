"""The whole terminal for one service: `devinit attach` in its own process, which cannot harm the dashboard."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from devinit.system import terminal
from devinit.system.import_path import options


def attach(root: Path, service: str) -> None:
    """Run `devinit attach` until it detaches. Its error message stays until Enter is pressed."""
    command = [sys.executable, *options(), "-m", "devinit", "-C", str(root), "attach", service]
    # Until the attachment reads the keys, Ctrl-C reaches both processes, but must end only the attachment.
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        if subprocess.call(command) != 0:
            terminal.prompt(sys.stderr, "Enter goes back to the dashboard ")
            sys.stdin.readline()
    finally:
        signal.signal(signal.SIGINT, before)
