"""Named pipes in place of `.env` files: a secret manager writes values that must not be on disk.

Such a program may write once, or ask its user each time, so each pipe is read once for a start or restart. What it
said counts for everything that is run until the next one: set-up, probes, and a service that is started again.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from devinit.runtime.dotenv import text_of


class EnvPipes:
    """What the pipes of one project said last."""

    def __init__(self) -> None:
        self._said: dict[Path, str] = {}

    @property
    def said(self) -> dict[Path, str]:
        """What was read, by pipe."""
        return self._said

    def read(self, paths: Iterable[Path]) -> None:
        """Read those of these files that are pipes. Blocking. Raise ConfigError, which names one that fails."""
        for path in dict.fromkeys(paths):
            self._said.pop(path, None)
            if path.is_fifo():
                self._said[path] = text_of(path)

    def unread(self, paths: Iterable[Path]) -> list[Path]:
        """Return the pipes that have not been read: an earlier supervisor may have done that."""
        return [path for path in paths if path not in self._said and path.is_fifo()]
