"""Load what a stop needs ahead: later there may be no descriptor left, or another version installed."""

from __future__ import annotations

import logging

log = logging.getLogger(__name__)

AFTER_SECONDS = 3.0
"""No start waits for it."""
NEEDED = (
    "ctypes",
    "devinit.logs.mask",
    "devinit.logs.secrets",
    "devinit.supervisor.logs.bounds",
    "devinit.system.folder",
    "devinit.system.holes",
    "devinit.system.inotify",
    "shlex",
)
"""What modules put off that watch, end and report services."""


def load() -> None:
    """Load it. Blocking."""
    for name in NEEDED:
        try:
            __import__(name)
        except (ImportError, OSError) as error:
            log.warning("%s cannot be loaded: %s", name, error)
