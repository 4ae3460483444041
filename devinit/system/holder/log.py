"""The log of a service with a terminal: a full disk costs output, and never the holder."""

from __future__ import annotations

import os


class Log:
    """A file that is appended to while there is room."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lost = 0
        self._reason = ""

    def write(self, data: bytes) -> None:
        """Append, or note how much is lost: that is in the file when there is room again."""
        if self._lost and not self._note():
            self._lost += len(data)
            return
        self._lost += len(data) - self._append(data)

    def close(self) -> None:
        """Note what was lost, if there is room by now."""
        if self._lost:
            self._note()
        os.close(self._descriptor)

    def _note(self) -> bool:
        note = f"\n--- {self._lost:,} bytes are lost: {self._reason} ---\n".encode()
        if self._append(note) < len(note):
            return False
        self._lost = 0
        return True

    def _append(self, data: bytes) -> int:
        """Return how much of it was written."""
        written = 0
        try:
            while written < len(data):
                written += os.write(self._descriptor, data[written:])
        except OSError as error:
            self._reason = error.strerror or str(error)
        return written
