"""Where devinit keeps what belongs to a checkout, for tests that look into it or damage it."""

from __future__ import annotations

from pathlib import Path

from devinit.system.checkout import state_folder


def state_of(root: Path) -> Path:
    """Return the folder of a checkout's logs, data and records."""
    return Path(state_folder(root))
