"""What a server's `pg_config` says about its installation."""

from __future__ import annotations

import subprocess
from pathlib import Path

TIMEOUT_SECONDS = 10.0


def said_by(pg_config: Path, option: str) -> str:
    """Return what `pg_config` answers to an option; empty when it cannot be asked, or fails."""
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
