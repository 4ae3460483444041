"""A line of a repository from which a property of a service was read."""

from __future__ import annotations

from msgspec import Struct


class Evidence(Struct, frozen=True, kw_only=True):
    """The origin of a value of a service."""

    about: str
    """The key of devinit.toml for which it is evidence: `command`, `port`, `provider`."""
    file: str
    """Relative to the project's folder: `backend/package.json`."""
    line: int = 0
    """Counted from 1; 0 for the file as a whole."""
    says: str = ""
    """The line as it is in the file; it may contain a secret, and terminal control characters."""

    @property
    def place(self) -> str:
        """The file and the line, for messages: `Procfile.dev, line 2`."""
        return f"{self.file}, line {self.line}" if self.line else self.file
