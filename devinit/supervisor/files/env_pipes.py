"""Named pipes in place of `.env` files: a secret manager writes values that must not be on disk.

Such a program may write only once, or ask its user each time, so each pipe is read once per start or restart. The
content applies to everything that runs until the next one: set-up, probes, and restarts of services.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from devinit.runtime.dotenv import text_of


class EnvPipes:
    """The last content of each pipe of a project."""

    def __init__(self) -> None:
        self._said: dict[Path, str] = {}

    @property
    def said(self) -> dict[Path, str]:
        """Pipe → its content."""
        return self._said

    def read(self, paths: Iterable[Path]) -> None:
        """Read those of these files that are pipes. Blocking. Raise ConfigError, which names a pipe that fails."""
        for path in dict.fromkeys(paths):
            self._said.pop(path, None)
            if path.is_fifo():
                self._said[path] = text_of(path)

    def unread(self, paths: Iterable[Path]) -> list[Path]:
        """Return the pipes that this supervisor has not read; an earlier one may have."""
        return [path for path in paths if path not in self._said and path.is_fifo()]
