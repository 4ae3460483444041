"""Early import of modules for a stop: later, no descriptor may be left, or another version may be installed."""

from __future__ import annotations

import logging

log = logging.getLogger(__name__)

AFTER_SECONDS = 3.0
"""Delay after the boot, so that no start waits for these imports."""
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
"""Modules that watching, ending and reporting services would otherwise import late."""


def load() -> None:
    """Import the modules. Blocking."""
    for name in NEEDED:
        try:
            __import__(name)
        except (ImportError, OSError) as error:
            log.warning("%s cannot be loaded: %s", name, error)
