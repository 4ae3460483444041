"""The last build error of each service, read from its log as that grows (`build_errors`)."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from devinit.supervisor.logs import log_files

if TYPE_CHECKING:
    from devinit.model.status import LastError
    from devinit.supervisor.diagnosis.build_errors import BuildError, Gone, Reading

MOST_BYTES = 256 * 1024
"""Bytes that are read at once: of a flood, only the end counts."""

MOST_LINES = 5000


class Reader:
    """The reader of one log: its position, and the state of the build."""

    __slots__ = ("path", "position", "reading", "unfinished")

    def __init__(self, path: Path) -> None:
        self.path = path
        self.position = 0
        self.unfinished = b""
        self.reading: Reading | None = None

    def new_lines(self) -> str:
        """Return the complete lines since the last look, without colours."""
        try:
            if (size := self.path.stat().st_size) == self.position:
                return ""
            if size < self.position:
                # The file was emptied, or another file has taken its place.
                self.position, self.unfinished = 0, b""
            begin = max(self.position, size - MOST_BYTES)
            if begin > self.position:
                self.unfinished = b""
            new = self.unfinished + log_files.read_between(self.path, begin, size)
        except OSError:
            return ""
        self.position = size
        end = new.rfind(b"\n") + 1
        self.unfinished = new[end:][-log_files.TAIL_BYTES :]
        return log_files.COLOURS.sub("", new[:end].decode(errors="replace"))


class LastErrors:
    """The last errors of a project's services."""

    def __init__(
        self,
        private: Path,
        root: Path,
        folder_of: Callable[[str], Path],
        tell: Callable[[str, LastError | None, Gone | None], None],
    ) -> None:
        self._private, self._root = private, root
        self._folder_of = folder_of
        self._tell = tell
        self._readers: dict[str, Reader] = {}

    def of(self, service: str) -> LastError | None:
        """Return the error of a service's last build, according to its output up to now."""
        error = self._error(service)
        if error is None:
            return None
        return {
            "text": error.text,
            "file": self._shown(service, error.file) if error.file else None,
            "line": error.line,
            "at": error.at,
        }

    def changed_file(self, service: str) -> str | None:
        """Return the file with the last error, relative to the service's folder, if it changed and is served."""
        error = self._error(service)
        if error is None or error.file is None or error.stamp is None or not error.is_served:
            return None
        folder, path = str(self._folder_of(service)), self._path(service, error.file)
        is_changed = self._stamp(service, error.file) not in (error.stamp, None)
        return os.path.relpath(path, folder) if is_changed and path.startswith(f"{folder}{os.sep}") else None

    def served_again(self, service: str) -> None:
        """Clear the last error of a service whose file was requested since, and was served without it."""
        if (reader := self._readers.get(service)) is None or self._error(service) is None:
            return
        from devinit.supervisor.diagnosis.build_errors import Reading  # as in `look`

        reader.reading = Reading(gone_by="change")
        self._tell(service, None, "change")

    def is_building(self, service: str) -> bool:
        """Return whether a build has begun whose end was not printed yet."""
        self.look(service)
        reading = self._readers[service].reading
        return reading is not None and (reading.is_building or reading.is_compiling)

    def look(self, service: str) -> None:
        """Read the new output of a service; report to clients when its last error has changed."""
        reader = self._readers.get(service)
        if reader is None:
            reader = self._readers[service] = Reader(log_files.log_path(self._private, service))
        text = reader.new_lines()
        if not text:
            return
        # `re` compiles the patterns when the first log has grown, so that no start waits for that.
        from devinit.supervisor.diagnosis.build_errors import Reading, may_say_something, read_on

        before = reader.reading or Reading()
        if before.is_blank and not may_say_something(text):
            return
        reader.reading = read_on(
            text.splitlines()[-MOST_LINES:], before, time.time(), lambda file: self._stamp(service, file)
        )
        if reader.reading.error != before.error:
            now = self.of(service)
            self._tell(service, now, reader.reading.gone_by if now is None else None)

    def _error(self, service: str) -> BuildError | None:
        self.look(service)
        reading = self._readers[service].reading
        return None if reading is None or reading.is_over else reading.error

    def _stamp(self, service: str, file: str) -> int | None:
        with suppress(OSError, ValueError):
            return os.stat(self._path(service, file)).st_mtime_ns  # noqa: PTH116  a text
        return None

    def _path(self, service: str, file: str) -> str:
        return os.path.normpath(self._folder_of(service) / file)

    def _shown(self, service: str, file: str) -> str:
        """Return a file's path relative to the project's folder, if it lies there."""
        path = self._path(service, file)
        is_inside = path.startswith(f"{self._root}{os.sep}") and os.path.exists(path)  # noqa: PTH110  as above
        return os.path.relpath(path, self._root) if is_inside else file
