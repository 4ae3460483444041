"""The log of a service with a terminal: a full disk costs output, but never the holder."""

from __future__ import annotations

import os


class Log:
    """A file to which output is appended while there is space."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lost = 0
        self._reason = ""

    def write(self, data: bytes) -> None:
        """Append data, or count it as lost; a note about the loss follows when there is space again."""
        if self._lost and not self._note():
            self._lost += len(data)
            return
        self._lost += len(data) - self._append(data)

    def close(self) -> None:
        """Write the note about lost data, if there is space, and close the file."""
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
        """Append data; return how much of it was written."""
        written = 0
        try:
            while written < len(data):
                written += os.write(self._descriptor, data[written:])
        except OSError as error:
            self._reason = error.strerror or str(error)
        return written
