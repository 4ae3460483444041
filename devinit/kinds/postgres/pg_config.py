"""Information about a server's installation from its `pg_config`."""

from __future__ import annotations

import subprocess
from pathlib import Path

TIMEOUT_SECONDS = 10.0


def said_by(pg_config: Path, option: str) -> str:
    """Return the output of `pg_config` for an option; empty if it cannot be run, or fails."""
    try:
        said = subprocess.run(
            [pg_config, option],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return ""
    return said.stdout.strip() if said.returncode == 0 else ""
