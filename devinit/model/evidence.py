"""A line of a repository that something about a service was read from."""

from __future__ import annotations

from msgspec import Struct


class Evidence(Struct, frozen=True, kw_only=True):
    """Where a value of a service comes from."""

    about: str
    """The key of devinit.toml that it speaks for: `command`, `port`, `provider`."""
    file: str
    """Relative to the project's folder: `backend/package.json`."""
    line: int = 0
    """Counted from 1; 0 when the file as a whole says it."""
    says: str = ""
    """The line as it is in the file: it may hold a secret, and controls of a terminal."""

    @property
    def place(self) -> str:
        """The file and the line, for a person: `Procfile.dev, line 2`."""
        return f"{self.file}, line {self.line}" if self.line else self.file
